// Tape: the ordinary solver in floats, walked back with every bit, over every tableau and by either predictor.
#include <gtest/gtest.h>

#include <limits>

#include "numerics/systems.hpp"

namespace {
using namespace trial;
using systems::System;

constexpr auto& names = systems::names;
constexpr Predictor predictors[] = {Predictor::runge_kutta, Predictor::adams_bashforth};

/// Of the relaxing field all that is not the fixed point is gone after 200 steps: but for a running loss nothing would
/// reach y0.
template <class T>
Problem<T> problem(System system, long steps, int lanes = 2) {
  auto p = systems::problem<T>(system, steps, false, lanes);
  p.running = T(1) / static_cast<T>(steps);
  return p;
}

template <class T>
Plan<T> plan(Way way, const Tableau<T>& base, long steps, Predictor predictor = Predictor::runge_kutta) {
  Plan<T> p;
  p.method = runge_kutta(base), p.way = way, p.arithmetic = Arithmetic::real;
  p.stored_steps = steps;
  if (way == Way::taped) p.predictor = predictor, p.log_bits = 8u << 20;
  return p;
}

/// Either predictor gives the bits of a store of all states, for the evaluations it says.
template <class T>
void expect_equal_bits(const Problem<T>& p, const Tableau<T>& base, const char* name) {
  SCOPED_TRACE(testing::Message() << name << ", " << base.name);
  const long steps = p.grid.total(), s = base.advancing();
  const auto stored = attempt(p, plan(Way::stored, base, steps));
  ASSERT_TRUE(sound(stored));
  for (const Predictor predictor : predictors) {
    const auto taped = attempt(p, plan(Way::taped, base, steps, predictor));
    ASSERT_TRUE(sound(taped));
    ASSERT_TRUE(same(stored, taped));
    const bool again = predictor == Predictor::runge_kutta;  // the slope at a node serves the steps on both sides
    EXPECT_EQ(taped.accounting.evaluations_forward, again ? (2 * s - 1) * steps + 1 : s * steps);
    EXPECT_EQ(taped.accounting.evaluations_backward, again ? (2 * s - 1) * steps : s * steps);
    EXPECT_EQ(taped.accounting.vjps, stored.accounting.vjps);
    EXPECT_EQ(taped.accounting.recomputed, 0);
    EXPECT_GT(taped.accounting.tape_bits, 0u);
  }
}

template <class T>
class Tape : public testing::Test {};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(Tape, Numbers);

TYPED_TEST(Tape, EveryTableau) {
  using T = TypeParam;
  for (const System system : systems::all)
    for (const Tableau<T>* base : tableau::all<T>)
      expect_equal_bits(problem<T>(system, 400), *base, names[static_cast<int>(system)]);
}

TYPED_TEST(Tape, AHundredThousandSteps) {
  using T = TypeParam;
  for (const System system : systems::all)
    expect_equal_bits(problem<T>(system, 100000 / shrink), tableau::rk4<T>, names[static_cast<int>(system)]);
}

TYPED_TEST(Tape, UnevenGridsAndTimeRunningBackwards) {
  using T = TypeParam;
  const T later[] = {T(.1), T(.35), T(.4), T(1.7), T(3)}, earlier[] = {T(2), T(1.25), T(-.5)};
  for (const System system : {System::oscillator, System::network}) {
    auto p = problem<T>(system, 1);
    p.grid = {0, 0, 30, later, 5};
    expect_equal_bits(p, tableau::bogacki_shampine<T>, "later");
    p.grid = {0, 0, 50, earlier, 3};
    expect_equal_bits(p, tableau::dormand_prince5<T>, "earlier");
    p.grid = {1, T(-.5), 100};
    expect_equal_bits(p, tableau::midpoint<T>, "back");
  }
}

/// Runs that end before Adams-Bashforth has its four slopes.
TYPED_TEST(Tape, ShortRuns) {
  using T = TypeParam;
  for (const long steps : {1L, 2L, 3L, 4L, 5L, 6L}) {
    const auto p = problem<T>(System::network, steps);
    const auto stored = attempt(p, plan(Way::stored, tableau::rk4<T>, steps));
    for (const Predictor predictor : predictors) {
      const auto taped = attempt(p, plan(Way::taped, tableau::rk4<T>, steps, predictor));
      ASSERT_TRUE(sound(taped)) << steps;
      EXPECT_TRUE(same(stored, taped)) << steps;
      // The last residues wait, and the four last states before them where Adams-Bashforth predicts.
      EXPECT_EQ(taped.accounting.tape_bits > 0, steps > (predictor == Predictor::runge_kutta ? 1 : 5)) << steps;
    }
  }
}

/// Zeros and a zero of either sign: the first residues are as large as a word.
TYPED_TEST(Tape, BeginningsThatAreZero) {
  using T = TypeParam;
  auto p = problem<T>(System::oscillator, 50);
  p.y0 = {2, 1, 0, -T(0)};
  const auto stored = attempt(p, plan(Way::stored, tableau::rk4<T>, 50));
  for (const Predictor predictor : predictors) {
    const auto taped = attempt(p, plan(Way::taped, tableau::rk4<T>, 50, predictor));
    ASSERT_TRUE(sound(taped));
    EXPECT_TRUE(same(stored, taped));
  }
}

TYPED_TEST(Tape, WideTilesAndEitherLeaf) {
  using T = TypeParam;
  for (const auto& [lanes, leaf] : {std::pair{16, 1}, {16, 16}, {33, 1}, {64, 1}}) {
    auto p = problem<T>(System::network, 60, lanes);
    p.leaf = leaf;
    expect_equal_bits(p, tableau::tsitouras5<T>, "network");
  }
}

/// A tape of a fifth of the bits and some restore points: same bits, closed segments run once more.
TYPED_TEST(Tape, RestorePointsKeepTheBits) {
  using T = TypeParam;
  const long steps = 2000;
  for (const System system : systems::all)
    for (const Predictor predictor : predictors) {
      SCOPED_TRACE(testing::Message() << names[static_cast<int>(system)] << ", " << static_cast<int>(predictor));
      const auto p = problem<T>(system, steps);
      auto one = plan(Way::taped, tableau::rk4<T>, steps, predictor), cut = one;
      const auto whole = attempt(p, one);
      ASSERT_TRUE(sound(whole));
      cut.log_bits = whole.accounting.tape_bits / 5;
      cut.slots = 20;
      const auto segments = attempt(p, cut);
      ASSERT_TRUE(sound(segments));
      EXPECT_TRUE(same(whole, segments));
      EXPECT_LE(segments.accounting.tape_bits, cut.log_bits);
      const long again = segments.accounting.recomputed;
      EXPECT_GT(again, 0);
      EXPECT_LT(again, steps);
      EXPECT_EQ(segments.accounting.evaluations_forward, whole.accounting.evaluations_forward);
      // RK4: 4 evaluations a step; predicting 3 more, and each segment's end its slope anew.
      const long more = segments.accounting.evaluations_backward - whole.accounting.evaluations_backward;
      if (predictor == Predictor::adams_bashforth) {
        EXPECT_EQ(more, 4 * again);
      } else {
        EXPECT_GT(more, 7 * again);
        EXPECT_LE(more, 7 * again + 20);
      }
    }
}

TYPED_TEST(Tape, TooSmallIsSaidOnTheWayForward) {
  using T = TypeParam;
  const long steps = 2000;
  for (const Predictor predictor : predictors) {
    const auto p = problem<T>(System::lorenz, steps);
    auto small = plan(Way::taped, tableau::rk4<T>, steps, predictor);
    small.log_bits = attempt(p, small).accounting.tape_bits / 5;
    long reached = 0;
    for (const int slots : {0, 1, 2, 3}) {
      small.slots = slots;
      const auto o = attempt(p, small);
      EXPECT_EQ(o.forward, Status::capacity);
      EXPECT_GT(o.reached, 0);
      EXPECT_EQ(o.strayed, 0) << "what was solved can still be walked back";
      EXPECT_EQ(o.reached > reached, slots != 1) << "a restore point at the beginning alone is none";
      reached = o.reached;
    }
    for (const std::size_t bits : {1u, 10u}) {  // not one step's residues
      small.log_bits = bits, small.slots = 5;
      const auto o = attempt(p, small);
      EXPECT_EQ(o.forward, Status::capacity);
      EXPECT_EQ(o.strayed, 0);
      EXPECT_LT(o.reached, 100);
    }
  }
}

TYPED_TEST(Tape, WhatIsNotFiniteEndsTheSolveWhereItHappens) {
  using T = TypeParam;
  Problem<T> p;
  p.field = &fields::breaking<T>;
  p.theta = {-1}, p.y0 = {1}, p.y1_bar = {1};
  p.grid = {0, 1, 100};
  for (const Predictor predictor : predictors) {
    const auto o = attempt(p, plan(Way::taped, tableau::rk4<T>, 100, predictor));
    EXPECT_EQ(o.forward, Status::not_finite);
    EXPECT_EQ(o.back, Status::not_finite);
    EXPECT_NEAR(static_cast<double>(o.reached), 50, 1);
    EXPECT_EQ(o.strayed, 0);
  }
}

/// z = h mu = -2.5: a step forwards shrinks, one back grows beyond the largest float in its last stage.
TYPED_TEST(Tape, PredictionsThatAreNotFinite) {
  using T = TypeParam;
  auto p = problem<T>(System::relaxing, 6);
  p.theta[0] = T(1e-3), p.grid.t1 = 6 * T(2500);
  p.y0.assign(4, std::numeric_limits<T>::max() * T(.4));
  for (T& bar : p.y1_bar) bar *= T(1e-8);  // or the cotangent of mu, h y and more, would overflow
  p.running = 0;
  const auto stored = attempt(p, plan(Way::stored, tableau::rk4<T>, 6));
  ASSERT_TRUE(sound(stored));
  for (const Predictor predictor : predictors) {
    const auto taped = attempt(p, plan(Way::taped, tableau::rk4<T>, 6, predictor));
    ASSERT_TRUE(sound(taped));
    EXPECT_TRUE(same(stored, taped));
  }
}
}  // namespace
