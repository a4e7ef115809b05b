// The continuous adjoint against the discrete one: right to its tolerances, worthless where y cannot be solved back,
// and saying so.
#include "revode/backsolve.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "numerics/fields.hpp"
#include "numerics/trial.hpp"

namespace {
using namespace trial;
using T = double;
constexpr int lanes = 2;
constexpr T times[] = {.25, .5, 1.0625, 1.5}, times_back[] = {1.5, 1.0625, .5, .25};

/// The loss is bars[i] . y(times[i]) at all times but the first.
struct Case {
  const Map<T>* field;
  Grid<T> grid;
  std::vector<T> theta, y0, bars;
};
Case make(const Map<T>& field, bool backwards, long steps, T low = .5) {
  Case c{&field, {0, 1, steps, backwards ? times_back : times, 4}, {}, {}, {}};
  const Shape s = field.shape({});
  const auto n = static_cast<std::size_t>(s.in) * lanes;
  c.theta = uniform<T>(1, static_cast<std::size_t>(s.params), low, 1);
  c.y0 = uniform<T>(2, n, .5, 1.5), c.bars = uniform<T>(3, 4 * n, .25, 1);
  return c;
}
struct Gradient {
  Status status = Status::ok;
  std::vector<T> y1, y0_bar, theta_bar, times_bar;
  Accounting accounting;
};
template <class Cursor>
void back(const Case& c, Cursor& cursor, long steps, Gradient& g) {
  g.y1.assign(cursor.y(), cursor.y() + cursor.size());
  g.y0_bar.assign(c.y0.size(), 0), g.theta_bar.assign(c.theta.size() * lanes, 0);
  g.times_bar.assign(static_cast<std::size_t>(c.grid.times ? c.grid.nodes : 2), 0);
  g.status = cursor.turn({g.theta_bar.data(), 1, 0}, g.times_bar.data());
  do {
    const long at = cursor.n() / steps;
    if (cursor.n() % steps != 0 || at == 0) continue;
    for (std::size_t i = 0; i < c.y0.size(); ++i)
      cursor.y_bar()[i] += c.bars[static_cast<std::size_t>(at) * c.y0.size() + i];
  } while (cursor.retreat());
  g.status = cursor.status();
  if (g.status == Status::ok) g.status = cursor.finish(g.y0_bar.data());
  g.accounting = cursor.accounting();
}
Gradient backsolve(const Case& c, const BacksolvePlan<T>& plan) {
  Gradient g;
  Bytes bytes(Backsolve<T>::bytes(*c.field, plan, lanes));
  Arena arena = bytes.arena();
  Backsolve<T> solve;
  g.status = solve.init(arena, *c.field, plan, lanes);
  if (g.status == Status::ok) g.status = solve.begin(c.grid, c.theta.data(), c.y0.data());
  if (g.status != Status::ok) return g;
  while (solve.advance()) {
  }
  back(c, solve, 1, g);
  return g;
}
/// Order 8 with 64 steps an interval, stored: errors of some 1e-15.
Gradient exact(Case c) {
  c.grid.steps = 64;
  Plan<T> plan;
  plan.method = runge_kutta(tableau::dormand_prince8<T>), plan.way = Way::stored, plan.arithmetic = Arithmetic::real;
  plan.stored_steps = c.grid.total();
  Gradient g;
  Bytes bytes(Solve<T>::bytes(*c.field, plan, lanes));
  Arena arena = bytes.arena();
  Solve<T> solve;
  g.status = solve.init(arena, *c.field, plan, lanes);
  EXPECT_EQ(run(*solve, c.grid, c.theta.data(), c.y0.data()), Status::ok);
  back(c, *solve, 64, g);
  EXPECT_EQ(g.status, Status::ok);
  return g;
}
using tests::distance;
double distance(const Gradient& a, const Gradient& b) {
  return std::max(
      {distance(a.y0_bar, b.y0_bar), distance(a.theta_bar, b.theta_bar), distance(a.times_bar, b.times_bar)});
}
BacksolvePlan<T> within(T tolerance) {
  BacksolvePlan<T> p;
  p.control.rtol = p.control.atol = p.control_back.rtol = p.control_back.atol = tolerance;
  return p;
}

/// The error goes with the tolerance: measured .3 to 9.4 tolerances over these cases; 30 leaves room, and a wrong sign
/// or a lost cotangent is off by .1 at least. It falls 10 times at least where the tolerance falls 100 times.
TEST(Backsolve, IsRightToItsTolerance) {
  for (const Map<T>* field :
       {static_cast<const Map<T>*>(&fields::oscillator<T>), static_cast<const Map<T>*>(&fields::network<T>)})
    for (const bool backwards : {false, true})
      for (const bool seminorm : {false, true})
        for (const long kept : {0, 2}) {
          const Case c = make(*field, backwards, 1, field == &fields::network<T> ? -1 : .5);
          const Gradient truth = exact(c);
          double before = 1;
          for (const T tolerance : {1e-5, 1e-7, 1e-9, 1e-11}) {
            BacksolvePlan<T> plan = within(tolerance);
            plan.seminorm = seminorm, plan.kept_times = kept;
            const Gradient g = backsolve(c, plan);
            ASSERT_EQ(g.status, Status::ok);
            ASSERT_TRUE(alive(g.y0_bar) && alive(g.theta_bar) && alive(g.times_bar));
            const double off = distance(g, truth);
            EXPECT_LT(off, 30 * tolerance) << seminorm << kept << backwards;
            EXPECT_LT(off, before / 10) << tolerance;
            EXPECT_LT(static_cast<double>(g.accounting.drift), 30 * tolerance);
            before = off;
          }
        }
}

/// Fixed steps: the order of the method, and the cost that the header says.
TEST(Backsolve, FixedStepsCostWhatTheyShould) {
  Case c = make(fields::network<T>, false, 16);
  const Gradient truth = exact(c);
  for (const bool seminorm : {false, true}) {
    BacksolvePlan<T> plan;
    plan.method = plan.method_back = runge_kutta(tableau::rk4<T>), plan.seminorm = seminorm;
    c.grid.steps = 16;
    const Gradient coarse = backsolve(c, plan);
    c.grid.steps = 32;
    const Gradient fine = backsolve(c, plan);
    // four in the limit, of errors far above rounding; what a lost stage weight leaves is order 0
    EXPECT_NEAR(std::log2(distance(coarse, truth) / distance(fine, truth)), 4, .3);
    const long stages = 3 * 32 * 4, ends = 6;
    EXPECT_EQ(fine.accounting.steps, 96);
    EXPECT_EQ(fine.accounting.recomputed, 96);
    EXPECT_EQ(fine.accounting.evaluations_forward, stages);
    EXPECT_EQ(fine.accounting.vjps, seminorm ? 2 * stages : stages);
    EXPECT_EQ(fine.accounting.evaluations_backward, fine.accounting.vjps + ends);
  }
}

/// z' = -10 (z - c) over T = 10: what is left of z - c after the way forward is e^-100 of it, below the rounding of c.
/// The loss looks at t = 0.1 as well, where dz/dt still matters.
constexpr T early[] = {0, .1, 10};
Case contracting() {
  Case c = make(fields::relaxing<T>, false, 400);
  c.grid = {0, 10, 400, early, 3};
  c.theta = {10, .75, -1.25};
  return c;
}
TEST(Backsolve, CannotSolveAContractionBackAndSaysSo) {
  const Case c = contracting();
  const Gradient truth = exact(c);
  BacksolvePlan<T> fixed, tolerant = within(1e-8);
  fixed.method = fixed.method_back = runge_kutta(tableau::rk4<T>);
  for (BacksolvePlan<T> plan : {fixed, tolerant}) {
    const Gradient g = backsolve(c, plan);
    const bool refused = g.status == Status::not_finite || g.status == Status::too_many_steps;
    // y0 - c is of order 1, so a drift of 1 is as wrong as not knowing y at all
    EXPECT_TRUE(refused || (g.accounting.drift > 1 && distance(g, truth) > 1)) << sentence(g.status);
    plan.drift_bound = 1e-3;
    EXPECT_NE(backsolve(c, plan).status, Status::ok);
  }
  // where y is set right the loss looks at the right y; the drift tells of the part between all the same
  fixed.kept_times = 1;
  const Gradient mended = backsolve(c, fixed);
  EXPECT_EQ(mended.status, Status::ok);
  EXPECT_LT(distance(mended, truth), 1e-4) << "of order 4 at h mu = 1/4 in [0.1, 10], where little is left to miss";
  EXPECT_GT(mended.accounting.drift, .1) << "y(0.1) - c is a third of y0 - c";
  fixed.drift_bound = 1e-3;
  EXPECT_EQ(backsolve(c, fixed).status, Status::drift);
}

TEST(Backsolve, TakesItsBytesAndRefusesWhatItCannotDo) {
  Case c = make(fields::network<T>, false, 4);
  BacksolvePlan<T> plan;
  Backsolve<T> solve;
  const std::size_t size = Backsolve<T>::bytes(*c.field, plan, lanes);
  Bytes bytes(size);
  Arena enough = bytes.arena(), less(bytes.data(), size - 1);
  EXPECT_EQ(solve.init(less, *c.field, plan, lanes), Status::arena_too_small);
  EXPECT_EQ(solve.init(enough, *c.field, plan, lanes), Status::ok);
  plan.seminorm = false;
  EXPECT_GT(Backsolve<T>::bytes(*c.field, plan, lanes), size);
  plan.kept_times = 1;
  EXPECT_EQ(backsolve(c, plan).status, Status::capacity);
  plan.method_back = alf<T>();
  EXPECT_EQ(backsolve(c, plan).status, Status::unsupported);
  EXPECT_EQ(Backsolve<T>::bytes(*c.field, plan, lanes), 0u);
  plan.method_back = adams<T>(4);
  EXPECT_EQ(backsolve(c, plan).status, Status::unsupported);
  plan.method_back = plan.method, plan.kept_times = -1;
  EXPECT_EQ(backsolve(c, plan).status, Status::bad_argument);
}

/// Way::none: the solution of the other ways in fewer bytes, and no way back.
TEST(Inference, SolvesAndDoesNotReturn) {
  Problem<T> p;
  p.field = &fields::network<T>, p.lanes = lanes, p.grid = {0, 1, 8};
  p.theta = uniform<T>(1, static_cast<std::size_t>(p.field->shape({}).params), -1, 1);
  p.y0 = uniform<T>(2, 3 * lanes, -1, 1), p.y1_bar = p.y0;
  for (const Arithmetic arithmetic : {Arithmetic::real, Arithmetic::fixed})
    for (const Method<T>& method : {runge_kutta(tableau::rk4<T>), alf<T>()})
      for (const T tolerance : {0., 1e-3}) {
        Plan<T> plan;
        plan.method = method, plan.arithmetic = arithmetic, plan.way = Way::checkpointed, plan.slots = 1;
        plan.control.rtol = tolerance;
        const auto kept = attempt(p, plan);
        const std::size_t most = Solve<T>::bytes(*p.field, plan, lanes);
        plan.way = Way::none;
        EXPECT_LT(Solve<T>::bytes(*p.field, plan, lanes), most);
        Bytes bytes(Solve<T>::bytes(*p.field, plan, lanes));
        Arena arena = bytes.arena();
        Solve<T> solve;
        ASSERT_EQ(solve.init(arena, *p.field, plan, lanes), Status::ok);
        ASSERT_EQ(run(*solve, p.grid, p.theta.data(), p.y0.data()), Status::ok);
        EXPECT_TRUE(same_bits(kept.y1, std::vector<T>(solve->y(), solve->y() + solve->size())));
        EXPECT_EQ(solve->turn({}), Status::not_reversible);
        EXPECT_FALSE(solve->retreat());
        EXPECT_EQ(solve->finish(nullptr), Status::not_reversible);
      }
}
}  // namespace
