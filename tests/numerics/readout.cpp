// Readings at each lane's own times: every time in the interval has exactly one owner, nodes are read exactly, what
// lies outside reads 0, and the interpolant is of fourth order.
#include "revode/readout.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "numerics/fields.hpp"
#include "numerics/observed.hpp"

namespace {
using namespace trial;

template <class T>
class Readings : public testing::Test {};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(Readings, Numbers);

template <class T>
observed::Problem<T> problem(const Grid<T>& grid, std::vector<T> times, int lanes = 1) {
  observed::Problem<T> p;
  p.field = &fields::network<T>, p.grid = grid, p.lanes = lanes;
  p.plan.method = runge_kutta(tableau::rk4<T>);
  p.plan.way = Way::stored, p.plan.arithmetic = Arithmetic::real, p.plan.stored_steps = grid.total();
  p.count = static_cast<int>(times.size()) / lanes;
  p.times = std::move(times);
  const auto n = 3 * static_cast<std::size_t>(lanes);
  p.theta = uniform<T>(1, static_cast<std::size_t>(p.field->shape({}).params), -1, 1);
  p.y0 = uniform<T>(2, n, .5, 1);
  p.y1_bar = uniform<T>(3, n, -1, 1);
  p.at_bar = uniform<T>(4, static_cast<std::size_t>(p.count) * n, -1, 1);
  return p;
}
template <class T>
std::vector<Grid<T>> grids() {
  static const T up[] = {T(.1), T(.3), T(.35), T(1.7)}, down[] = {T(1.7), T(.35), T(.3), T(.1)};
  return {{T(.1), T(1.7), 7}, {T(1.7), T(.1), 7}, {0, 0, 1, up, 4}, {0, 0, 3, up, 4}, {0, 0, 3, down, 4}};
}
template <class T>
std::vector<T> nodes(const Grid<T>& grid) {
  Clock<T> clock;
  EXPECT_TRUE(clock.init(grid, 0));
  std::vector<T> t;
  for (long n = 0; n <= clock.steps(); ++n) t.push_back(clock.node(n));
  return t;
}

TYPED_TEST(Readings, ATimeThatIsANodeReadsItsState) {
  using T = TypeParam;
  for (const Grid<T>& grid : grids<T>()) {
    const auto o = observed::solve(problem(grid, nodes(grid)), false);
    ASSERT_EQ(o.status, Status::ok);
    for (std::size_t n = 0; n < o.nodes.size(); ++n)
      for (std::size_t d = 0; d < 3; ++d) ASSERT_EQ(o.at[3 * n + d], o.nodes[n][d]) << "node " << n;
  }
}

/// A time without an owner would read 0 and one with two about twice the state; both are of order 1 away.
TYPED_TEST(Readings, ATimeNextToANodeHasOneOwner) {
  using T = TypeParam;
  const double ulp = static_cast<double>(std::numeric_limits<T>::epsilon());
  for (const Grid<T>& grid : grids<T>()) {
    const std::vector<T> at = nodes(grid);
    const bool forwards = at.back() > at.front();
    const T sooner = forwards ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
    std::vector<T> times;
    for (const T t : at) times.insert(times.end(), {std::nextafter(t, sooner), t, std::nextafter(t, -sooner)});
    const auto o = observed::solve(problem(grid, times), false);
    ASSERT_EQ(o.status, Status::ok);
    for (std::size_t i = 0; i < times.size(); ++i) {
      const bool outside = i == 0 || i + 1 == times.size();
      for (std::size_t d = 0; d < 3; ++d) {
        const double expected = outside ? 0 : static_cast<double>(o.nodes[i / 3][d]);
        // A slope of at most 10 over 2 ulp of time, and a few roundings of the interpolant.
        ASSERT_NEAR(static_cast<double>(o.at[3 * i + d]), expected, outside ? 0 : 30 * ulp) << "time " << i;
      }
    }
    EXPECT_GT(std::abs(static_cast<double>(o.nodes[1][0])), .01) << "the control: 0 is not a state here";
  }
}

TYPED_TEST(Readings, WhatLiesOutsideReadsZeroAndPullsNothing) {
  using T = TypeParam;
  const T infinity = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  for (const Grid<T>& grid : grids<T>()) {
    const std::vector<T> at = nodes(grid);
    const T beyond = at.back() + (at.back() - at.front()), never = at.back() > at.front() ? infinity : -infinity;
    auto p = problem<T>(grid, {at[1], beyond, never, never, nan, never}, 2);
    const auto o = observed::solve(p, true);
    ASSERT_EQ(o.status, Status::ok);
    for (std::size_t row = 0; row < 9; ++row)
      for (std::size_t l = 0; l < 2; ++l) {
        const bool inside = row < 3 && l == 0;
        EXPECT_EQ(o.at[2 * row + l] < T(0) || o.at[2 * row + l] > T(0), inside) << row << ", lane " << l;
      }
    auto none = p;
    for (std::size_t i = 0; i < none.at_bar.size(); ++i)
      if (i >= 6 || i % 2 == 1) none.at_bar[i] = 0;  // all but the one reading
    const auto same = observed::solve(none, true);
    EXPECT_TRUE(same_bits(o.y0_bar, same.y0_bar));
    EXPECT_TRUE(same_bits(o.theta_bar, same.theta_bar));
  }
}

TYPED_TEST(Readings, LanesAreReadAsIfAlone) {
  using T = TypeParam;
  const Grid<T> grid{0, 1, 5};
  const T never = std::numeric_limits<T>::infinity();
  const std::vector<T> times = {T(.01), T(.5), T(.3),  T(.02), T(.9), T(.31),
                                T(.77), never, T(.32), T(1),   never, T(.99)};
  const auto together = problem(grid, times, 3);
  const auto all = observed::solve(together, true);
  ASSERT_EQ(all.status, Status::ok);
  for (std::size_t l = 0; l < 3; ++l) {
    auto one = problem<T>(grid, {times[l], times[3 + l], times[6 + l], times[9 + l]});
    const auto lane = [&](std::vector<T>& to, const std::vector<T>& from) {
      for (std::size_t i = 0; i < to.size(); ++i) to[i] = from[3 * i + l];
    };
    lane(one.y0, together.y0), lane(one.y1_bar, together.y1_bar), lane(one.at_bar, together.at_bar);
    const auto alone = observed::solve(one, true);
    ASSERT_EQ(alone.status, Status::ok);
    for (std::size_t i = 0; i < alone.at.size(); ++i) ASSERT_EQ(alone.at[i], all.at[3 * i + l]);
    for (std::size_t i = 0; i < 3; ++i) ASSERT_EQ(alone.y0_bar[i], all.y0_bar[3 * i + l]);
  }
}

/// Between nodes the error is h^4 / 384 of the fourth derivative: the method's own, of order 5, is far below.
/// The error of readings between nodes over four doublings of the steps, as a power of h.
double interpolation_order(const Tableau<double>& base, bool continuous) {
  const std::vector<double> times = {.23, .41, .59, .83, .97};
  const auto read = [&](long steps) {
    auto p = problem<double>({0, 1, steps}, times);
    p.plan.method = runge_kutta(base);
    if (continuous) p.continuous = &base;
    return observed::solve(p, false).at;
  };
  const auto exact = read(1600);  // 1e-12 and below
  double slope = 0;
  for (int k = 0; k < 4; ++k) {
    const auto at = read(10L << k);
    double worst = 0;
    for (std::size_t i = 0; i < at.size(); ++i) worst = std::max(worst, std::abs(at[i] - exact[i]));
    slope += (1.5 - k) / 5 * std::log2(worst);  // least squares over four doublings
  }
  return slope;
}
/// 0.3: times fall at another place of their step each time, where the error is between all and a fraction of its most.
TEST(Interpolation, IsOfFourthOrder) {
  EXPECT_NEAR(interpolation_order(tableau::dormand_prince5<double>, false), 4, .3);
}
TEST(Interpolation, ContinuousExtensionsAreOfFifth) {
  EXPECT_NEAR(interpolation_order(tableau::dormand_prince5<double>, true), 5, .3);
  EXPECT_NEAR(interpolation_order(tableau::tsitouras5<double>, true), 5, .3);
}

/// Counts what the readings cost beside the solve.
class Counting final : public Map<double> {
 public:
  constexpr Shape shape(Extent e) const override { return fields::network<double>.shape(e); }
  void eval(const Call<double>& call, const double* x, double* y, std::byte* tape) const override {
    ++evaluations;
    fields::network<double>.eval(call, x, y, tape);
  }
  void vjp(const Call<double>& call, const double* x, const double* y, std::byte* tape, const double* y_bar,
           double* x_bar, const Bar<double>& bar) const override {
    ++vjps;
    fields::network<double>.vjp(call, x, y, tape, y_bar, x_bar, bar);
  }
  mutable long evaluations = 0, vjps = 0;
};
TEST(Cost, IsAnEvaluationANodeThatIsRead) {
  const auto cost = [](std::vector<double> times) {
    Counting field;
    auto p = problem<double>({0, 1, 10}, std::move(times));
    p.field = &field;
    EXPECT_EQ(observed::solve(p, false).status, Status::ok);
    return field.evaluations - 40;
  };
  EXPECT_EQ(cost({}), 0);
  EXPECT_EQ(cost({.42, .45, .46}), 2);  // one step: its two ends
  EXPECT_EQ(cost({.42, .55}), 3);       // neighbours share a node
  EXPECT_EQ(cost({.42, .75}), 4);
  EXPECT_EQ(cost({.05, .15, .25, .35, .45, .55, .65, .75, .85, .95}), 11);
  Counting field;
  auto p = problem<double>({0, 1, 10}, {.42, .55});
  p.field = &field;
  EXPECT_EQ(observed::solve(p, true).status, Status::ok);
  EXPECT_EQ(field.evaluations, 40 + 3 + 40 + 3);
  EXPECT_EQ(field.vjps, 40 + 3);
}

TEST(Cost, ReadingDoesNotTouchTheSolve) {
  auto with = problem<double>({0, 1, 10}, {.42, .55}), without = problem<double>({0, 1, 10}, {});
  std::fill(with.at_bar.begin(), with.at_bar.end(), 0.);
  const auto a = observed::solve(with, true), b = observed::solve(without, true);
  EXPECT_TRUE(same_bits(a.y1, b.y1));
  EXPECT_TRUE(same_bits(a.y0_bar, b.y0_bar));
  EXPECT_TRUE(same_bits(a.theta_bar, b.theta_bar));
}

TEST(Capacity, MoreReadingsThanPlacedAreRefused) {
  Readout<float> readout;
  Arena measure;
  readout.place(measure, fields::network<float>, 2, 3);
  Bytes bytes(measure.bytes());
  Arena arena = bytes.arena();
  readout.place(arena, fields::network<float>, 2, 3);
  const std::vector<float> times(8);
  std::vector<float> at(24);
  EXPECT_EQ(readout.begin(3, times.data(), at.data()), Status::ok);
  EXPECT_EQ(readout.begin(4, times.data(), at.data()), Status::capacity);
  EXPECT_EQ(readout.begin(-1, times.data(), at.data()), Status::capacity);
}
}  // namespace
