// Cotangents of the grid's times against central differences: every word, every way, equal steps and given times, in
// both directions.
#include <gtest/gtest.h>

#include <string>

#include "numerics/differences.hpp"
#include "numerics/fields.hpp"

namespace {
using namespace trial;
using T = double;
using Trial = differences::Trial<T>;
constexpr int lanes = 2;

constexpr auto& driven = fields::driven<T>;

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

/// Truncation 3e-14 times a fifth derivative of some 1e4 (the right side turns three times a unit of time); rounding as
/// in finite_differences.cpp, 1.5e3 times 5e-13, and 5e-11 in fixed point.
double tolerance(const Plan<T>& plan) {
  return plan.arithmetic == Arithmetic::fixed ? 8e-8 : 2e-9;
}

void check(const std::vector<T>& times, long steps) {
  for (const Case& c : cases()) {
    Trial p{&driven, lanes, c.plan, steps, times, uniform<T>(1, 3, .4, 1.2), {}, {}};
    const auto n = std::size_t{2} * lanes * static_cast<std::size_t>(c.plan.method.read);
    p.y0 = uniform<T>(2, n, .2, 1), p.y1_bar = uniform<T>(3, n, .5, 1);
    differences::Gradient<T> gradient;
    loss(p, &gradient);
    for (std::size_t i = 0; i < times.size(); ++i) {
      const double difference = differences::difference(p, &Trial::times, i);
      EXPECT_NEAR(gradient.times[i], difference, tolerance(c.plan)) << c.name << ", time " << i;
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
