// The self-check: a walk back that does not end where the walk forward began is never taken for a gradient.
#include <gtest/gtest.h>

#include "numerics/fields.hpp"
#include "numerics/trial.hpp"

namespace {
using namespace trial;

/// The relaxing field, but evaluation number `at` is off by a thousandth; -1: never.
template <class T>
class Fickle final : public Map<T> {
 public:
  explicit Fickle(long at) : at_(at) {}
  Shape shape(Extent e) const override { return fields::relaxing<T>.shape(e); }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override {
    fields::relaxing<T>.eval(call, x, y, tape);
    if (count_++ == at_) y[0] += T(1e-3);
  }
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override {
    fields::relaxing<T>.vjp(call, x, y, tape, y_bar, x_bar, bar);
  }

 private:
  long at_;
  mutable long count_ = 0;
};

constexpr long steps = 400;

template <class T>
Outcome<T> fickle(long at, const Plan<T>& plan) {
  const Fickle<T> field(at);
  Problem<T> p;
  p.field = &field;
  p.theta = {1, T(.75), T(-1.25)};
  p.y0 = {1, T(.5)};
  p.y1_bar = {1, 1};
  p.grid = {0, 4, steps};
  return attempt(p, plan);
}

template <class T>
Outcome<T> with(long at, const Method<T>& method, int segments) {
  Plan<T> plan;
  plan.method = method;
  plan.halve_every = segments ? 4 : 0;
  plan.slots = segments;
  plan.log_bits = segments ? plan.log_bits_for(steps, 2, 1) / static_cast<std::size_t>(segments) : 0;
  return fickle(at, plan);
}

template <class T>
class SelfCheck : public testing::Test {};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(SelfCheck, Numbers);

TYPED_TEST(SelfCheck, ADeterministicFieldPasses) {
  using T = TypeParam;
  for (const int segments : {0, 1, 4}) {
    EXPECT_EQ(with(-1, alf<T>(), segments).back, Status::ok);
    EXPECT_EQ(with(-1, mccallum_foster(tableau::heun<T>), segments).back, Status::ok);
  }
}

/// One evaluation of some thousand is off, forwards or back: the walk ends elsewhere.
TYPED_TEST(SelfCheck, OneOddEvaluationIsSeenAtTheEnd) {
  using T = TypeParam;
  for (const long at : {5L, 150L, 399L, 402L, 500L, 799L}) {
    const auto o = with(at, alf<T>(), 0);
    EXPECT_EQ(o.forward, Status::ok);
    EXPECT_GT(o.strayed, 0) << at;
    EXPECT_EQ(o.back, Status::irreversible) << at;
  }
  for (const long at : {0L, 1599L, 1600L, 2000L, 3199L})
    EXPECT_EQ(with(at, mccallum_foster(tableau::heun<T>), 0).back, Status::irreversible) << at;
}

/// With restore points a segment that is run again must meet the state it met before.
TYPED_TEST(SelfCheck, OneOddEvaluationIsSeenInASegment) {
  using T = TypeParam;
  const auto method = mccallum_foster(tableau::heun<T>);  // 4 evaluations a step
  const auto right = with(-1, method, 4);
  ASSERT_EQ(right.back, Status::ok);
  ASSERT_GT(right.accounting.recomputed, 0);
  // Forwards 1600; back through the last segment; then the third segment is run again.
  const long last = steps - right.accounting.recomputed, rerun = 4 * (steps + last);
  for (const long at : {4 * 250L, rerun, rerun + 100}) {
    const auto o = with(at, method, 4);
    EXPECT_EQ(o.forward, Status::ok);
    EXPECT_EQ(o.back, Status::irreversible) << at;
    EXPECT_LT(o.accounting.vjps, right.accounting.vjps) << "the walk stops at the segment";
  }
}

/// Heun forwards: step 0 is evaluations 0 and 1, then each step n predicts by 3 n + 2, which serves step n + 1 too, and
/// 3 n + 3, and step n + 1 adds 3 n + 4. Back from 3 N + 1 on: one to predict with, two to pull, of which the first
/// serves the next prediction. The others are no part of the walk back: they move the trajectory, or the gradient
/// alone.
constexpr long first_back = 3 * steps + 1;

template <class T>
Outcome<T> taped(long at, Predictor predictor, int segments) {
  Plan<T> plan;
  plan.method = runge_kutta(tableau::heun<T>), plan.way = Way::taped, plan.arithmetic = Arithmetic::real;
  plan.predictor = predictor;
  plan.log_bits = 1 << 16;
  if (segments) plan.log_bits = taped<T>(-1, predictor, 0).accounting.tape_bits / static_cast<std::size_t>(segments);
  plan.slots = segments ? segments + 2 : 0;
  return fickle(at, plan);
}

TYPED_TEST(SelfCheck, OneOddPredictionOfATapeIsSeen) {
  using T = TypeParam;
  for (const int segments : {0, 4})
    for (const Predictor predictor : {Predictor::runge_kutta, Predictor::adams_bashforth}) {
      EXPECT_EQ(taped<T>(-1, predictor, segments).back, Status::ok);
      EXPECT_EQ(taped<T>(-1, predictor, segments).accounting.recomputed > 0, segments > 0);
    }
  for (const long at : {2L, 3L, 302L, 900L, 3 * steps, first_back, first_back + 1, first_back + 600}) {
    const auto o = taped<T>(at, Predictor::runge_kutta, 0);
    EXPECT_EQ(o.forward, Status::ok);
    EXPECT_GT(o.strayed, 0) << at;
    EXPECT_EQ(o.back, Status::irreversible) << at;
  }
  // Adams-Bashforth: two a step, of which the first is the slope.
  for (const long at : {20L, 2 * steps - 20, 2 * steps + 20}) {
    EXPECT_EQ(taped<T>(at, Predictor::adams_bashforth, 0).back, Status::irreversible) << at;
  }
}
/// The first evaluation of the last closed segment that is run again, and one in its midst.
TYPED_TEST(SelfCheck, OneOddEvaluationIsSeenInASegmentOfATape) {
  using T = TypeParam;
  const auto right = taped<T>(-1, Predictor::runge_kutta, 4);
  ASSERT_EQ(right.back, Status::ok);
  const long last = steps - right.accounting.recomputed, rerun = first_back + 3 * last;
  for (const long at : {rerun, rerun + 61}) {
    const auto o = taped<T>(at, Predictor::runge_kutta, 4);
    EXPECT_EQ(o.back, Status::irreversible) << at;
    EXPECT_LT(o.accounting.vjps, right.accounting.vjps) << "the walk stops at the segment";
  }
}

/// Parameters that change between the two ways are seen as well.
TYPED_TEST(SelfCheck, ParametersThatMoveAreSeen) {
  using T = TypeParam;
  std::vector<T> theta = {1, T(.75), T(-1.25)}, theta_bar(3);
  const T y0[] = {1, T(.5)}, y1_bar[] = {1, 1};
  Plan<T> reversed, taped;
  reversed.method = alf<T>();
  taped.method = runge_kutta(tableau::rk4<T>), taped.way = Way::taped, taped.arithmetic = Arithmetic::real;
  taped.log_bits = 1 << 16;
  for (const Plan<T>& plan : {reversed, taped})
    for (const T moved : {T(0), T(1e-3)}) {
      Bytes bytes(Solve<T>::bytes(fields::relaxing<T>, plan, 1));
      Arena arena = bytes.arena();
      Solve<T> solve;
      ASSERT_EQ(solve.init(arena, fields::relaxing<T>, plan, 1), Status::ok);
      ASSERT_EQ(run(*solve, {0, 1, 50}, theta.data(), y0), Status::ok);
      theta[1] += moved;
      T y0_bar[2] = {};
      EXPECT_EQ(run_back(*solve, y1_bar, y0_bar, {theta_bar.data(), 1, 0}),
                moved > 0 ? Status::irreversible : Status::ok);
    }
}
}  // namespace
