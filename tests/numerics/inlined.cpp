// Inlined solves: every state, step, count and cotangent has the bits of the run-time solve of the same plan.
#include <gtest/gtest.h>

#include "numerics/fields.hpp"
#include "numerics/trial.hpp"
#include "revode/inlined.hpp"

namespace {
using namespace trial;

/// Every operation a field may use, time among them.
struct Everything {
  static constexpr int dim = 3, params = 2;
  template <class S>
  constexpr void operator()(S t, const S* y, const S* p, S* dy) const {
    dy[0] = tanh(p[0] * y[1]) - y[0] / S(4.) + cos(t);
    dy[1] = exp(-y[0] * y[0]) / (y[2] * y[2] + S(1.)) - sin(y[1]);
    S sum = log(y[0] * y[0] + S(2.));
    sum += sqrt(y[1] * y[1] + S(1.)), sum -= y[2], sum *= p[1];
    dy[2] = sum;
  }
};
template <class T>
constexpr Automatic<T, Everything> everything{};

struct Forced {
  static constexpr int dim = 1, params = 1;
  template <class S>
  constexpr void operator()(S t, const S* y, const S* p, S* dy) const {
    dy[0] = cos(t) - p[0] * y[0];
  }
};
template <class T>
constexpr Automatic<T, Forced> forced{};

/// Errors in packs, two chains of them full and some numbers over.
struct Ring {
  static constexpr int dim = 19, params = 2;
  template <class S>
  constexpr void operator()(S, const S* y, const S* p, S* dy) const {
    for (int i = 0; i < dim; ++i) {
      const S next = y[i < dim - 1 ? i + 1 : 0];
      dy[i] = p[0] * (next - y[i]) - p[1] * y[i] * y[i] * y[i];
    }
  }
};
template <class T>
constexpr Automatic<T, Ring> ring{};

template <class T, class Rule>
Problem<T> problem(const Automatic<T, Rule>& field, int lanes) {
  Problem<T> p;
  p.field = &field, p.lanes = lanes;
  const auto n = std::size_t{Rule::dim} * static_cast<std::size_t>(lanes);
  p.theta = uniform<T>(1, Rule::params, 1, 3);
  p.y0 = uniform<T>(2, n, -1.5, 1.5), p.y1_bar = uniform<T>(3, n, .25, 1), p.running = T(.01);
  p.grid = {T(.25), T(3), 40};
  return p;
}

/// On any tableau: equal steps, chosen ones where it has an estimate, backwards in time, through given times.
template <class T, class Rule, const Tableau<T>& base, int W, template <class> class Kept>
void compare(const Automatic<T, Rule>& field, Way way) {
  Problem<T> p = problem(field, W == 1 ? 1 : W + 3);
  const T through[] = {T(.25), T(.75), T(.8), T(3)};
  const Grid<T> grids[] = {p.grid, {T(3), T(.25), 40}, {0, 0, 10, through, 4}};
  for (const double tolerance : {0., 1e-4})
    for (const Grid<T>& grid : grids) {
      Plan<T> plan = inference(runge_kutta(base));
      plan.way = way, plan.stored_steps = 4096, plan.slots = 5;
      plan.control.rtol = plan.control.atol = static_cast<T>(tolerance);
      if (fits(plan) != Status::ok) continue;
      SCOPED_TRACE(testing::Message() << base.name << ", " << W << " at a time, tolerance " << tolerance);
      p.grid = grid;
      std::vector<std::uint64_t> want_seen, seen;
      Outcome<T> want, got;
      Solve<T> solve;
      Bytes bytes(Solve<T>::bytes(field, plan, p.lanes));
      Arena arena = bytes.arena();
      ASSERT_EQ(solve.init(arena, field, plan, p.lanes), Status::ok);
      Inlined<T, Rule, base, W, Kept> inlined;
      Bytes fewer(decltype(inlined)::bytes(field, plan, p.lanes));
      Arena other = fewer.arena();
      ASSERT_EQ(inlined.init(other, field, plan, p.lanes), Status::ok);
      forward<T>(*solve, p, want_seen, want), forward<T>(inlined, p, seen, got);
      ASSERT_EQ(want.forward, Status::ok);
      EXPECT_EQ(seen, want_seen);
      const Accounting a = inlined.accounting(), b = solve->accounting();
      EXPECT_EQ(a.steps, b.steps);
      EXPECT_EQ(a.rejected, b.rejected);
      EXPECT_EQ(a.evaluations_forward, b.evaluations_forward);
      if (way == Way::none) continue;
      back<T>(*solve, p, want_seen, want), back<T>(inlined, p, seen, got);
      ASSERT_TRUE(sound(want));
      EXPECT_TRUE(same(want, got));
      EXPECT_EQ(want.accounting.evaluations_backward, got.accounting.evaluations_backward);
    }
}
/// Seconds to compile each: the longest ones in doubles, and under sanitizers a few.
template <class T, int stages>
constexpr bool thorough = sanitized ? stages <= 3 : stages <= 4 || sizeof(T) == 8;
template <class T, const Tableau<T>& base>
void compare_all() {
  if constexpr (thorough<T, base.stages>) {
    compare<T, Everything, base, 1, Forgotten>(everything<T>, Way::none);
    compare<T, Everything, base, 4, Stored>(everything<T>, Way::stored);
  }
}

template <class T>
class Inlines : public testing::Test {};
using Numbers = std::conditional_t<sanitized, testing::Types<float>, testing::Types<float, double>>;  // slow to compile
TYPED_TEST_SUITE(Inlines, Numbers);

TYPED_TEST(Inlines, TheBitsOfTheRunTimeSolve) {
  using T = TypeParam;
  compare_all<T, tableau::euler<T>>();
  compare_all<T, tableau::rk4<T>>();         // the estimate of a slope
  compare_all<T, tableau::fehlberg12<T>>();  // of a pair
  compare_all<T, tableau::cash_karp<T>>();
  compare_all<T, tableau::bogacki_shampine<T>>();  // first same as last
  compare_all<T, tableau::dormand_prince5<T>>();
  compare_all<T, tableau::tsitouras5<T>>();
}

TYPED_TEST(Inlines, TheBitsOfItsGradientByEveryWay) {
  using T = TypeParam;
  compare<T, Everything, tableau::dormand_prince5<T>, 4, Checkpointed>(everything<T>, Way::checkpointed);
  if constexpr (thorough<T, tableau::dormand_prince5<T>.stages>) {
    compare<T, Everything, tableau::dormand_prince5<T>, 1, Stored>(everything<T>, Way::stored);
    compare<T, Everything, tableau::dormand_prince5<T>, 1, Checkpointed>(everything<T>, Way::checkpointed);
  }
}

/// run() takes steps of a grid at once, packs abreast, which the cursor takes singly: lanes that fill all of these and
/// leave some over, more steps than stay in registers, steps of several sizes.
TYPED_TEST(Inlines, TheBitsOfTheRunTimeSolveInOneSweep) {
  using T = TypeParam;
  const T through[] = {T(.25), T(.75), T(.8), T(3)};
  const auto sweeps = [&]<class Rule, const Tableau<T> & base, int W>(const Automatic<T, Rule>& field, int lanes) {
    Problem<T> p = problem(field, lanes);
    const Plan<T> plan = inference(runge_kutta(base));
    for (const Grid<T>& grid : {Grid<T>{T(.25), T(3), 70}, {T(3), T(.25), 1}, {0, 0, 33, through, 4}}) {
      Solve<T> solve;
      Inlined<T, Rule, base, W> inlined;
      Bytes bytes(Solve<T>::bytes(field, plan, lanes)), fewer(decltype(inlined)::bytes(field, plan, lanes));
      Arena arena = bytes.arena(), other = fewer.arena();
      ASSERT_EQ(solve.init(arena, field, plan, lanes), Status::ok);
      ASSERT_EQ(inlined.init(other, field, plan, lanes), Status::ok);
      ASSERT_EQ(run(*solve, grid, p.theta.data(), p.y0.data()), Status::ok);
      ASSERT_EQ(run(inlined, grid, p.theta.data(), p.y0.data()), Status::ok);
      EXPECT_TRUE(inlined.finished());
      EXPECT_EQ(inlined.accounting().steps, solve->accounting().steps);
      EXPECT_EQ(inlined.accounting().evaluations_forward, solve->accounting().evaluations_forward);
      EXPECT_EQ(hash<T>(*solve), tests::hash(inlined.y(), inlined.size())) << base.name << ", " << lanes << " lanes";
    }
  };
  sweeps.template operator()<Everything, tableau::rk4<T>, 1>(everything<T>, 1);
  sweeps.template operator()<Everything, tableau::rk4<T>, 4>(everything<T>, 43);
  sweeps.template operator()<Everything, tableau::bogacki_shampine<T>, kernel::width<T>>(everything<T>, 7);
  sweeps.template operator()<Forced, tableau::midpoint<T>, 4>(forced<T>, 47);
}

/// run() takes steps under control in a row, which the cursor takes singly: the same steps, counts and failures, where
/// rungs change, steps are rejected, given times are hit, the controller has a memory, and stores are full.
template <class T, class Rule, const Tableau<T>& base>
void strides(const Automatic<T, Rule>& field, const Control<T>& control) {
  Problem<T> p = problem(field, 1);
  const Plan<T> plan = inference(runge_kutta(base), control);
  const T through[] = {T(.25), T(.75), T(.8), T(3)}, behind[] = {T(3), T(-1), T(-2)};
  for (const Grid<T>& grid :
       {Grid<T>{T(.25), T(9), 1}, {T(3), T(.25), 1}, {0, 0, 1, through, 4}, {0, 0, 1, behind, 3}}) {
    SCOPED_TRACE(testing::Message() << base.name << ", " << control.rtol << ", to " << grid.end(grid.intervals()));
    Solve<T> solve;
    Inlined<T, Rule, base> inlined;
    Bytes bytes(Solve<T>::bytes(field, plan, 1)), fewer(decltype(inlined)::bytes(field, plan, 1));
    Arena arena = bytes.arena(), other = fewer.arena();
    ASSERT_EQ(solve.init(arena, field, plan, 1), Status::ok);
    ASSERT_EQ(inlined.init(other, field, plan, 1), Status::ok);
    const Status want = run(*solve, grid, p.theta.data(), p.y0.data());
    EXPECT_EQ(run(inlined, grid, p.theta.data(), p.y0.data()), want);
    EXPECT_EQ(inlined.finished(), solve->finished());
    const Accounting a = inlined.accounting(), b = solve->accounting();
    ASSERT_EQ(a.steps, b.steps);
    EXPECT_EQ(a.rejected, b.rejected);
    EXPECT_EQ(a.evaluations_forward, b.evaluations_forward);
    EXPECT_EQ(hash<T>(*solve), tests::hash(inlined.y(), inlined.size()));
    for (long n = 0; n < a.steps; ++n) {
      const Step<T> s = inlined.step(n), t = solve->step(n);
      EXPECT_TRUE(s.t0 == t.t0 && s.t1 == t.t1 && s.h == t.h) << "step " << n;
    }
  }
}
TYPED_TEST(Inlines, TheBitsOfTheRunTimeSolveInOneStride) {
  using T = TypeParam;
  const auto all = [](const Control<T>& control) {
    strides<T, Everything, tableau::dormand_prince5<T>>(everything<T>, control);
    strides<T, Ring, tableau::bogacki_shampine<T>>(ring<T>, control);
    strides<T, Forced, tableau::rk4<T>>(forced<T>, control);
    strides<T, Forced, tableau::fehlberg12<T>>(forced<T>, control);
  };
  Control<T> control;
  for (const double tolerance : {1e-2, 1e-4, sizeof(T) == 4 ? 1e-7 : 1e-9}) {
    control.rtol = control.atol = static_cast<T>(tolerance);
    all(control);
  }
  control.rtol = control.atol = T(1e-5);
  Control<T> c = control;
  c.coefficients = proportional_integral<T>, all(c);
  c = control, c.first_step = 2, all(c);  // rejected, more than once
  c = control, c.most_steps = 11, all(c);
  c = control, c.most_jumps = 1, all(c);
  c = control, c.atol = 0, all(c);
}

TEST(Inlined, RefusesWhatItIsNotMadeFor) {
  constexpr const auto& base = tableau::dormand_prince5<double>;
  using Walk1 = Inlined<double, fields::Lorenz, tableau::dormand_prince5<double>>;
  const auto& field = fields::lorenz<double>;
  Plan<double> plan = inference(runge_kutta(base));
  Bytes bytes(Walk1::bytes(field, plan, 1));
  const auto asked = [&](const Plan<double>& p, int lanes, std::size_t less = 0) {
    Arena arena(bytes.data(), bytes.size() - less);
    return Walk1().init(arena, field, p, lanes);
  };
  EXPECT_EQ(asked(plan, 1), Status::ok);
  EXPECT_EQ(asked(plan, 1, 1), Status::arena_too_small);
  EXPECT_EQ(asked(plan, 2), Status::unsupported);
  EXPECT_EQ(asked(plan, 0), Status::bad_argument);
  plan.method = runge_kutta(tableau::tsitouras5<double>);
  EXPECT_EQ(asked(plan, 1), Status::unsupported);
  plan.method = mccallum_foster(base);
  EXPECT_EQ(asked(plan, 1), Status::unsupported);
}

/// A pole is not a number of a smaller step: what the run-time solve says of it is said here.
struct Pole {
  static constexpr int dim = 1, params = 1;
  template <class S>
  constexpr void operator()(S, const S* y, const S* p, S* dy) const {
    dy[0] = p[0] * y[0] * y[0];
  }
};
TEST(Inlined, FailsAsTheRunTimeSolveDoes) {
  static constexpr Automatic<double, Pole> field{};
  Plan<double> plan = inference(runge_kutta(tableau::dormand_prince5<double>));
  plan.control.rtol = plan.control.atol = 1e-6;
  Inlined<double, Pole, tableau::dormand_prince5<double>> inlined;
  Solve<double> solve;
  Bytes bytes(Solve<double>::bytes(field, plan, 1)), more(decltype(inlined)::bytes(field, plan, 1));
  Arena arena = bytes.arena(), other = more.arena();
  ASSERT_EQ(solve.init(arena, field, plan, 1), Status::ok);
  ASSERT_EQ(inlined.init(other, field, plan, 1), Status::ok);
  const double theta = 1, y0 = 1;
  const Status want = run(*solve, {0, 2}, &theta, &y0);
  EXPECT_NE(want, Status::ok);
  EXPECT_EQ(run(inlined, {0, 2}, &theta, &y0), want);
  EXPECT_EQ(inlined.n(), solve->n());
  EXPECT_EQ(inlined.accounting().rejected, solve->accounting().rejected);
  EXPECT_EQ(inlined.y()[0], solve->y()[0]);
}
}  // namespace
