// The clock: a step has the same bits whoever asks and whenever; grids through given times stand on them exactly.
#include "revode/clock.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <type_traits>
#include <vector>

namespace {
using revode::Clock;
using revode::Grid;
using revode::Step;

template <class T>
bool same_bits(T a, T b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}
template <class T>
bool same(const Step<T>& a, const Step<T>& b) {
  return a.n == b.n && same_bits(a.t0, b.t0) && same_bits(a.t1, b.t1) && same_bits(a.h, b.h) &&
         same_bits(a.damping, b.damping) && a.offset == b.offset;
}

template <class T>
class Clocks : public testing::Test {};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(Clocks, Numbers);

template <class T>
void check(const Grid<T>& grid) {
  Clock<T> clock, again;
  ASSERT_TRUE(clock.init(grid, 3));
  ASSERT_TRUE(again.init(grid, 3));
  std::vector<Step<T>> forwards;
  for (long n = 0; n < clock.steps(); ++n) forwards.push_back(clock.at(n));
  for (long n = clock.steps(); n-- > 0;) {
    const Step<T>& s = forwards[static_cast<std::size_t>(n)];
    ASSERT_TRUE(same(again.at(n), s)) << n;
    ASSERT_EQ(s.n, n);
    ASSERT_TRUE(same_bits(s.t0, clock.node(n)) && same_bits(s.t1, clock.node(n + 1))) << n;
    ASSERT_TRUE(n == 0 || same_bits(s.t0, forwards[static_cast<std::size_t>(n - 1)].t1)) << "a gap before " << n;
    ASSERT_TRUE(s.h > 0 ? s.t1 > s.t0 : s.t1 < s.t0) << n;
  }
}

TYPED_TEST(Clocks, StepsAreTheSameForwardsAndBackwards) {
  using T = TypeParam;
  check<T>({T(.1), T(7.3), 1000});
  check<T>({T(7.3), T(.1), 1000});
  check<T>({T(-1), T(1) / 3, 7});
  const T up[] = {T(-.3), T(.1), T(.7), T(5)}, down[] = {T(5), T(.7), T(.1), T(-.3)};
  check<T>({0, 0, 11, up, 4});
  check<T>({0, 0, 11, down, 4});
}

/// It keeps nodes for who asks in turn; whoever does not gets the same.
TYPED_TEST(Clocks, APlainClockHasTheSameStepsInAnyOrder) {
  using T = TypeParam;
  Clock<T, true> plain;
  for (const Grid<T>& grid : {Grid<T>{T(.1), T(7.3), 10}, Grid<T>{T(-1), T(-9), 7}, Grid<T>{0, 1, 1}}) {
    Clock<T> clock;
    ASSERT_TRUE(clock.init(grid, 0) && plain.init(grid, 0));
    std::vector<long> order;
    for (long n = 0; n < grid.steps; ++n) order.push_back(n);
    for (long n = grid.steps; n-- > 0;) order.push_back(n);
    for (long n = 0; n < 100; ++n) order.push_back(n * n % 11 % grid.steps);  // on, back, again and far away
    for (const long n : order) ASSERT_TRUE(same(plain.at(n), clock.at(n))) << n << " of " << grid.steps;
  }
}

TYPED_TEST(Clocks, EndsAreExact) {
  using T = TypeParam;
  for (long steps = 1; steps < 200; ++steps) {
    Clock<T> clock;
    ASSERT_TRUE(clock.init({T(.1), T(.9), steps}, 0));
    ASSERT_TRUE(same_bits(clock.node(0), T(.1)) && same_bits(clock.node(steps), T(.9))) << steps;
    ASSERT_EQ(clock.steps(), steps);
  }
}

TYPED_TEST(Clocks, GivenTimesAreNodes) {
  using T = TypeParam;
  const T times[] = {T(.1), T(.3), T(.35), T(1) / 3 + 1, T(9.7)};
  for (long steps = 1; steps <= 7; ++steps) {
    Clock<T> clock;
    ASSERT_TRUE(clock.init({T(100), T(200), steps, times, 5}, 0));  // t0 and t1 do not matter here
    ASSERT_EQ(clock.steps(), 4 * steps);
    for (long i = 0; i < 5; ++i) ASSERT_TRUE(same_bits(clock.node(i * steps), times[i])) << i;
    for (long n = 0; n < 4 * steps; ++n) {
      const long i = n / steps;
      ASSERT_TRUE(same_bits(clock.at(n).h, (times[i + 1] - times[i]) / static_cast<T>(steps)));
    }
  }
}

TYPED_TEST(Clocks, EventsComeEveryKStepsWithAlternatingOffsets) {
  using T = TypeParam;
  for (const int every : {0, 1, 2, 4, 7}) {
    Clock<T> clock;
    ASSERT_TRUE(clock.init({0, 1, 100}, every));
    int events = 0;
    for (long n = 0; n < 100; ++n) {
      const Step<T> s = clock.at(n);
      const bool due = every && n % every == every - 1;
      ASSERT_EQ(s.damped(), due) << every << " at " << n;
      if (due) ++events;
      ASSERT_EQ(s.offset, due ? events % 2 : 0) << every << " at " << n;
    }
    EXPECT_EQ(events, every ? 100 / every : 0);
  }
}
}  // namespace
