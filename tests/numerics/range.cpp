// The range guard: what leaves the fixed-point range is said at once, and the way back still meets every state.
#include <gtest/gtest.h>

#include <limits>

#include "numerics/fields.hpp"
#include "numerics/trial.hpp"

namespace {
using namespace trial;

template <class T>
Problem<T> growing(long steps) {
  Problem<T> p;
  p.field = &fields::growing<T>;
  p.theta = {1};
  p.lanes = 3;
  p.y0 = uniform<T>(2, 6, .5, 1.5);
  p.y1_bar = uniform<T>(3, 6, .25, 1);
  p.grid = {0, 12, steps};  // e^12 = 1.6e5
  return p;
}
/// |y| < 2^6: 2 + 6 bits before the point.
template <class T>
Plan<T> narrow(const Method<T>& method, int halve_every) {
  Plan<T> plan;
  plan.method = method;
  plan.halve_every = halve_every;
  plan.log_bits = plan.log_bits_for(4000, 2, 3);
  plan.fraction_bits[0] = sizeof(T) == 4 ? 24 : 56;
  return plan;
}

template <class T>
class Range : public testing::Test {};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(Range, Numbers);

TYPED_TEST(Range, OverflowIsFlaggedAndStatesAreRecovered) {
  using T = TypeParam;
  for (const Method<T>& method : {alf<T>(), mccallum_foster(tableau::rk4<T>)})
    for (const int K : {0, 4}) {
      SCOPED_TRACE(testing::Message() << method.name << ", K = " << K);
      const auto o = attempt(growing<T>(400), narrow(method, K));
      EXPECT_EQ(o.forward, Status::range);
      EXPECT_GT(o.reached, 100);  // y passes 2^6 near t = ln(64 / 1.5) = 3.75, node 125
      EXPECT_LT(o.reached, 160);
      EXPECT_EQ(o.strayed, 0);
      EXPECT_EQ(o.back, Status::range);  // it stays said: such a gradient means nothing
      EXPECT_EQ(o.accounting.steps, o.reached);
      auto wide = narrow(method, K);
      wide.fraction_bits[0] = sizeof(T) == 4 ? 10 : 40;
      EXPECT_EQ(attempt(growing<T>(400), wide).back, Status::ok);
    }
}

/// Steps so long that an increment itself does not fit: it is left out, forwards and back alike.
TYPED_TEST(Range, IncrementsThatDoNotFitAreRecoveredToo) {
  using T = TypeParam;
  auto p = growing<T>(4);
  p.theta = {T(1e5)};
  for (const Method<T>& method : {alf<T>(), mccallum_foster(tableau::rk4<T>)}) {
    const auto o = attempt(p, narrow(method, 1));
    EXPECT_EQ(o.forward, Status::range);
    EXPECT_LE(o.reached, 1);
    EXPECT_EQ(o.strayed, 0);
  }
}

TYPED_TEST(Range, AFieldThatIsNotANumberIsFlagged) {
  using T = TypeParam;
  Problem<T> p;
  p.field = &fields::breaking<T>;
  p.theta = {T(.5)};
  p.y0 = {1};
  p.y1_bar = {1};
  p.grid = {0, 1, 100};
  for (const Method<T>& method : {alf<T>(), mccallum_foster(tableau::rk4<T>)}) {
    Plan<T> plan;
    plan.method = method;
    const auto fixed = attempt(p, plan);
    EXPECT_EQ(fixed.forward, Status::range);
    EXPECT_NEAR(static_cast<double>(fixed.reached), 50, 2);  // NaN from t = 1/2 on
    EXPECT_EQ(fixed.strayed, 0);
    plan.way = Way::stored;
    plan.stored_steps = 100;
    plan.arithmetic = Arithmetic::real;
    EXPECT_EQ(attempt(p, plan).forward, Status::not_finite);
    p.grid.t1 = T(.25);
    EXPECT_EQ(attempt(p, plan).back, Status::ok);
    p.grid.t1 = 1;
  }
}

TYPED_TEST(Range, RealArithmeticIsLookedAtOnceAtTheEnd) {
  using T = TypeParam;
  auto p = growing<T>(400);
  p.theta = {T(1000)};
  Plan<T> plan;
  plan.method = runge_kutta(tableau::rk4<T>);
  plan.way = Way::checkpointed;
  plan.slots = 5;
  plan.arithmetic = Arithmetic::real;
  const auto o = attempt(p, plan);
  EXPECT_EQ(o.forward, Status::not_finite);
  EXPECT_EQ(o.reached, 400);
}

TYPED_TEST(Range, StatesToBeginWith) {
  using T = TypeParam;
  const T infinity = std::numeric_limits<T>::infinity();
  for (const T bad : {T(65), T(-1e30), infinity, -infinity, std::numeric_limits<T>::quiet_NaN()}) {
    auto p = growing<T>(4);
    p.y0[4] = bad;
    const auto o = attempt(p, narrow(mccallum_foster(tableau::rk4<T>), 0));
    EXPECT_EQ(o.forward, Status::range) << bad;
    EXPECT_EQ(o.reached, 0);
  }
}

TYPED_TEST(Range, ACotangentThatIsNotFiniteIsSaid) {
  using T = TypeParam;
  auto p = growing<T>(40);
  p.grid.t1 = 1;
  p.y1_bar[2] = std::numeric_limits<T>::infinity();
  const auto o = attempt(p, narrow(alf<T>(), 0));
  EXPECT_EQ(o.forward, Status::ok);
  EXPECT_EQ(o.strayed, 0);
  EXPECT_EQ(o.back, Status::not_finite);
}

/// K <= ln 2 / (h |mu|) keeps y - z from growing: at h |mu| = 0.1 that is 6.9. K = 8 is too weak for 4000 steps.
TYPED_TEST(Range, DampingKeepsStatesInRange) {
  using T = TypeParam;
  Problem<T> p;
  p.field = &fields::relaxing<T>;
  p.theta = {10, T(.75), T(-1.25)};
  p.y0 = {1, T(.5)};
  p.y1_bar = {1, 1};
  p.grid = {0, 40, 4000};
  for (const int K : {1, 4, 6, 8, 10, 0}) {
    const auto o = attempt(p, narrow(mccallum_foster(tableau::rk4<T>), K));
    EXPECT_EQ(o.forward, K >= 1 && K <= 6 ? Status::ok : Status::range) << "K = " << K;
    EXPECT_EQ(o.strayed, 0);
  }
}
}  // namespace
