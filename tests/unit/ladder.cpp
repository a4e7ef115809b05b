// The ladder: steps walk back exactly and seek, given times are nodes, full stores and unresolved steps are said.
#include "revode/ladder.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "revode/clock.hpp"
#include "revode/random.hpp"

namespace {
using namespace revode;

template <class T>
bool same(const Step<T>& a, const Step<T>& b) {
  return a.n == b.n && std::memcmp(&a.t0, &b.t0, sizeof(T)) == 0 && std::memcmp(&a.t1, &b.t1, sizeof(T)) == 0 &&
         std::memcmp(&a.h, &b.h, sizeof(T)) == 0;
}

template <class T>
class Ladders : public testing::Test {
 protected:
  /// A clock with room in bytes that outlive it.
  Clock<T>& clock(const Grid<T>& grid, long most_steps, long most_jumps) {
    Arena arena(bytes_, sizeof bytes_);
    clock_ = {};
    clock_.place(arena, most_steps, most_jumps);
    EXPECT_TRUE(arena.ok() && clock_.init(grid, 3));
    return clock_;
  }
  alignas(REVODE_ALIGN) std::byte bytes_[1 << 16];
  Clock<T> clock_;
};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(Ladders, Numbers);

TEST(Rungs, AreQuartersOfAPowerOfTwoInTicks) {
  EXPECT_EQ(Ladder<double>::ticks(0), Ladder<double>::whole);
  for (int rung = 0; rung >= -200; --rung)  // rounded down, so off by less than a tick
    EXPECT_NEAR(static_cast<double>(Ladder<double>::ticks(rung)), std::exp2(60 + rung / 4.),
                1 + std::exp2(60 + rung / 4. - 50))
        << rung;
  EXPECT_EQ(Ladder<double>::ticks(-241), 0);
}

/// Takes steps that wander over the rungs; returns them.
template <class T>
std::vector<Step<T>> wander(Clock<T>& clock, int rung, int most_move) {
  Random random(7, 1);
  std::vector<Step<T>> steps;
  clock.ladder()->start(rung);
  while (!clock.ends_at(static_cast<long>(steps.size()))) {
    Step<T> s;
    const Status status = clock.propose(rung, s);
    EXPECT_EQ(status, Status::ok);
    if (status != Status::ok) break;
    EXPECT_LE(Ladder<T>::ticks(clock.ladder()->proposed_rung()),
              clock.ladder()->clipped() ? Ladder<T>::whole : Ladder<T>::ticks(rung));
    EXPECT_TRUE(clock.ladder()->clipped() || clock.ladder()->proposed_rung() == rung);
    if (random.uniform() < .3f) continue;  // proposed only
    clock.ladder()->accept();
    steps.push_back(s);
    rung += static_cast<int>(static_cast<double>(random.uniform()) * (2 * most_move + 1)) - most_move;
    rung = rung > -16 ? -16 : rung < -30 ? -30 : rung;
  }
  return steps;
}

TYPED_TEST(Ladders, WalkBackExactlyAndSeek) {
  using T = TypeParam;
  const T up[] = {T(-.3), T(.1), T(.11), T(.7), T(5)}, down[] = {T(5), T(.7), T(.11), T(.1), T(-.3)};
  for (const Grid<T>& grid :
       {Grid<T>{T(.1), T(7.3)}, Grid<T>{T(7.3), T(.1)}, Grid<T>{0, 0, 0, up, 5}, Grid<T>{0, 0, 0, down, 5}})
    for (const int move : {0, 1, 3}) {
      Clock<T>& clock = this->clock(grid, 4000, 2000);
      const std::vector<Step<T>> steps = wander(clock, -20, move);
      const long N = clock.steps();
      ASSERT_EQ(N, static_cast<long>(steps.size()));
      ASSERT_GT(N, 16);
      const auto check = [&](long n) {
        const Step<T>& s = steps[static_cast<std::size_t>(n)];
        ASSERT_TRUE(same(clock.at(n), s)) << n;
        ASSERT_EQ(std::memcmp(&s.t1, n + 1 < N ? &steps[static_cast<std::size_t>(n + 1)].t0 : &s.t1, sizeof(T)), 0);
        const T t0 = clock.node(n), t1 = clock.node(n + 1);
        ASSERT_TRUE(std::memcmp(&t0, &s.t0, sizeof(T)) == 0 && std::memcmp(&t1, &s.t1, sizeof(T)) == 0) << n;
        ASSERT_TRUE(s.h > 0 ? s.t1 > s.t0 : s.t1 < s.t0) << n;
        const Place<T> p = clock.place_of(s);
        const T low = grid.end(p.interval), high = grid.end(p.interval + 1);
        // One rounding of x, one of the product and one of the sum.
        const T size = std::abs(low) + std::abs(high), ulp = sizeof(T) == 4 ? T(0x1p-24) : T(0x1p-53);
        ASSERT_NEAR(low + p.x * (high - low), s.t0, 4 * ulp * size) << n;
        ASSERT_EQ((high - low) * p.c, s.h) << n;
      };
      for (long n = N; n-- > 0;) check(n);
      for (long n = 0; n < N; ++n) check(n);
      for (long n = 0, i = 0; i < 400; ++i, n = (n + 7919) % N) check(n);
      for (long i = 0, n = 0; i <= grid.intervals(); ++i) {  // the grid's times are nodes, in order
        while (n < N && clock.node(n) != grid.end(i)) ++n;
        ASSERT_EQ(clock.node(n), grid.end(i)) << i;
      }
    }
}

TYPED_TEST(Ladders, FullStoresAndWhatTheTimeDoesNotResolveAreSaid) {
  using T = TypeParam;
  Step<T> s;
  Clock<T>& few = this->clock({0, 1}, 3, 2);
  few.ladder()->start(-20);
  for (int n = 0; n < 3; ++n) {
    ASSERT_EQ(few.propose(-20, s), Status::ok);
    few.ladder()->accept();
  }
  EXPECT_EQ(few.propose(-20, s), Status::too_many_steps);
  Clock<T>& jumps = this->clock({0, 1}, 30, 2);
  jumps.ladder()->start(-20);
  for (const int rung : {-18, -24}) {
    ASSERT_EQ(jumps.propose(rung, s), Status::ok);
    jumps.ladder()->accept();
  }
  EXPECT_EQ(jumps.propose(-20, s), Status::capacity);
  ASSERT_EQ(jumps.propose(-23, s), Status::ok);
  EXPECT_EQ(jumps.steps(), 2);
  const int bits = sizeof(T) == 4 ? 24 : 53;
  Clock<T>& late = this->clock({1, 2}, 30, 30);
  late.ladder()->start(-4 * bits);
  EXPECT_EQ(late.propose(-4 * bits - 4, s), Status::step_underflow);
  EXPECT_EQ(late.propose(-4 * bits + 8, s), Status::ok);
  EXPECT_EQ(late.propose(-1000, s), Status::step_underflow);
}

/// A remainder too short to be a step is taken along, however short the steps are.
TYPED_TEST(Ladders, NoStepIsLeftOverAtAnEnd) {
  using T = TypeParam;
  for (int rung = -28; rung <= 0; ++rung) {
    Clock<T>& clock = this->clock({T(1e3), T(1001)}, 400, 4);
    clock.ladder()->start(rung);
    Step<T> s;
    for (long n = 0; !clock.ends_at(n); ++n) {
      ASSERT_EQ(clock.propose(rung, s), Status::ok);
      clock.ladder()->accept();
    }
    EXPECT_EQ(s.t1, T(1001));
    EXPECT_GE(s.h, static_cast<T>(std::exp2(rung / 4.) / 17)) << rung;  // a sixteenth, less what the time rounds
  }
}

/// Steps of one rung that are taken at once are those that are proposed one by one: where times resolve them and where
/// they hardly do, across given times, until the store is full.
TYPED_TEST(Ladders, TakesStepsOfOneRungAtOnce) {
  using T = TypeParam;
  const T through[] = {T(-1), T(.5), T(.75), T(7)};
  const Grid<T> grids[] = {{0, 1}, {T(3), T(-2)}, {T(1e5), T(1e5 + 1)}, {0, 0, 1, through, 4}};
  long at_once = 0;
  for (const Grid<T>& grid : grids)
    for (int rung = -44; rung <= -2; ++rung) {
      std::vector<Step<T>> single, several;
      const auto walk = [&](bool many, std::vector<Step<T>>& steps) {
        Clock<T>& clock = this->clock(grid, 2000, 64);
        Ladder<T>& ladder = *clock.ladder();
        ladder.start(rung - 1);
        Status status = Status::ok;
        for (Step<T> s; !clock.ends_at(clock.steps()) && (status = clock.propose(rung, s)) == Status::ok;) {
          const long n = many ? ladder.alike() : 1;
          EXPECT_TRUE(ladder.clipped() || !(ladder.ahead(1) < s.t1 || ladder.ahead(1) > s.t1));
          ladder.accept(n), at_once += n > 1;
        }
        for (long n = 0; n < clock.steps(); ++n) steps.push_back(clock.at(n));
        return status;
      };
      const Status want = walk(false, single);
      EXPECT_EQ(walk(true, several), want);
      ASSERT_EQ(several.size(), single.size());
      for (std::size_t n = 0; n < single.size(); ++n)
        ASSERT_TRUE(same(several[n], single[n])) << rung << ", step " << n;
    }
  EXPECT_GT(at_once, 50);
}
}  // namespace
