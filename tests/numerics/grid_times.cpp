// Cotangents of the grid's times against central differences: every word, every way, equal steps and given times, in
// both directions.
#include <gtest/gtest.h>

#include <string>

#include "numerics/fields.hpp"
#include "numerics/trial.hpp"

namespace {
using namespace trial;
using T = double;
constexpr int lanes = 2;

/// Sees time, inside and outside of what is not linear.
struct Driven {
  static constexpr int dim = 2, params = 3;
  template <class S>
  constexpr void operator()(S t, const S* y, const S* p, S* dy) const {
    dy[0] = p[0] * y[1] * cos(2. * t) + sin(3. * t);
    dy[1] = S(0.) - p[1] * tanh(y[0] + p[2] * t * t) - t * y[1] / 2.;
  }
};
constexpr Automatic<T, Driven> driven;

struct Case {
  std::string name;
  Plan<T> plan;
};
std::vector<Case> cases() {
  std::vector<Case> all;
  const auto add = [&](const char* name, Way way, Arithmetic arithmetic, const Method<T>& method, T lambda = 1) {
    Plan<T> p;
    p.way = way, p.arithmetic = arithmetic, p.method = method, p.lambda = lambda;
    p.stored_steps = 12, p.slots = 3;
    all.push_back({std::string(name) + ", " + method.name + " over " + method.base.name, p});
  };
  using A = Arithmetic;
  for (const Tableau<T>* base : tableau::all<T>) add("stored", Way::stored, A::real, runge_kutta(*base));
  for (const Method<T>& m : {mccallum_foster(tableau::rk4<T>), alf<T>(), reversible_heun<T>(), leapfrog<T>(),
                             verlet<T>(), symplectic_euler<T>()}) {
    add("checkpointed", Way::checkpointed, A::real, m);
    add("reversed", Way::reversed, A::fixed, m);
    add("reversed in floats", Way::reversed, A::real, m, dampable(m) ? .9 : 1);
  }
  Plan<T> stages = all.front().plan;
  stages.method = reversible_heun<T>(), stages.keep_stages = true;
  all.push_back({"stored with stages, reversible_heun", stages});
  return all;
}

struct Trial {
  Plan<T> plan;
  Grid<T> grid;
  std::vector<T> times, theta, y0, y1_bar;
};
double loss(const Trial& p, std::vector<T>* times_bar) {
  Grid<T> grid = p.grid;
  grid.times = p.times.size() > 2 ? p.times.data() : nullptr;
  grid.nodes = static_cast<long>(p.times.size());
  grid.t0 = p.times.front(), grid.t1 = p.times.back();
  Bytes bytes(Solve<T>::bytes(driven, p.plan, lanes));
  Arena arena = bytes.arena();
  Solve<T> solve;
  EXPECT_EQ(solve.init(arena, driven, p.plan, lanes), Status::ok);
  EXPECT_EQ(run(*solve, grid, p.theta.data(), p.y0.data()), Status::ok);
  double sum = 0;
  for (std::size_t i = 0; i < solve->size(); ++i) sum += p.y1_bar[i] * solve->y()[i];
  if (times_bar) {
    std::vector<T> theta_bar(p.theta.size() * lanes), y0_bar(p.y0.size());
    EXPECT_EQ(solve->turn({theta_bar.data(), 1, 0}, times_bar->data()), Status::ok);
    for (std::size_t i = 0; i < solve->size(); ++i) solve->y_bar()[i] += p.y1_bar[i];
    while (solve->retreat()) {
    }
    EXPECT_EQ(solve->finish(y0_bar.data()), Status::ok);
  }
  return sum;
}

/// Differences of fourth order with e = 1e-3: truncation e^4 / 30 = 3e-14 times a fifth derivative of some 1e4 (the
/// right side turns three times a unit of time); rounding as in finite_differences.cpp, 1.5e3 times 5e-13, and 5e-11 in
/// fixed point.
double tolerance(const Plan<T>& plan) {
  return plan.arithmetic == Arithmetic::fixed ? 8e-8 : 2e-9;
}

void check(const std::vector<T>& times, long steps) {
  for (const Case& c : cases()) {
    Trial p{c.plan, {0, 1, steps}, times, uniform<T>(1, 3, .4, 1.2), {}, {}};
    const auto n = std::size_t{2} * lanes * static_cast<std::size_t>(c.plan.method.read);
    p.y0 = uniform<T>(2, n, .2, 1), p.y1_bar = uniform<T>(3, n, .5, 1);
    std::vector<T> times_bar(times.size());
    loss(p, &times_bar);
    for (std::size_t i = 0; i < times.size(); ++i) {
      const double e = 1e-3;
      const auto at = [&](double offset) {
        p.times[i] = times[i] + offset;
        const double l = loss(p, nullptr);
        p.times[i] = times[i];
        return l;
      };
      const double difference = (8 * (at(e) - at(-e)) - (at(2 * e) - at(-2 * e))) / (12 * e);
      EXPECT_NEAR(times_bar[i], difference, tolerance(c.plan)) << c.name << ", time " << i;
      const bool end = i == 0 || i + 1 == times.size();
      EXPECT_TRUE(!end || std::abs(difference) > 1e-3) << c.name << ", time " << i;
    }
  }
}

TEST(GridTimes, TheTwoEnds) {
  check({.2, 1.4}, 12);
}
TEST(GridTimes, TheTwoEndsBackwards) {
  check({1.4, .2}, 12);
}
TEST(GridTimes, GivenOnes) {
  check({.2, .5, .6, 1.4}, 4);
}
TEST(GridTimes, GivenOnesBackwards) {
  check({1.4, .9, .75, .2}, 4);
}
}  // namespace
