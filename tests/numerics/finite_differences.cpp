// Gradients of whole solves, with readings at each lane's own times in the loss, against central differences: every
// way, both directions of time, grids through given times.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "numerics/fields.hpp"
#include "numerics/observed.hpp"

namespace {
using namespace trial;
using T = double;
constexpr int lanes = 3, count = 4;
constexpr T never = std::numeric_limits<T>::infinity(), begin_at = .25, end_at = 1.375;
// Given times, and what is read: both ends, nodes, just any time, twice in a step, none in others; lane 2 reads less.
constexpr T given[] = {.25, .5, .5625, 1.375}, given_back[] = {1.375, .5625, .5, .25};
constexpr T read[] = {.25, .31, .3, .5, .33, .5625, .71, .9, 1.2, 1.375, 1.36, never};

struct Case {
  std::string name;
  Plan<T> plan;
  const Tableau<T>* continuous = nullptr;
};
std::vector<Case> cases() {
  std::vector<Case> all;
  const auto add = [&](const char* name, Way way, Arithmetic arithmetic, const Method<T>& method, int halve_every) {
    Plan<T> p;
    p.way = way, p.arithmetic = arithmetic, p.method = method, p.halve_every = halve_every;
    p.stored_steps = 12, p.slots = 3;
    p.log_bits = way == Way::taped ? 1 << 14 : p.log_bits_for(12, 3, lanes);
    const std::string damped = halve_every ? ", damped" : "";
    all.push_back({std::string(name) + ", " + method.name + " over " + method.base.name + damped, p});
  };
  using A = Arithmetic;
  for (const Tableau<T>* base : tableau::all<T>) add("stored", Way::stored, A::real, runge_kutta(*base), 0);
  add("checkpointed", Way::checkpointed, A::real, runge_kutta(tableau::tsitouras5<T>), 0);
  all.back().continuous = &tableau::tsitouras5<T>;
  add("stored, read continuously", Way::stored, A::real, runge_kutta(tableau::dormand_prince5<T>), 0);
  all.back().continuous = &tableau::dormand_prince5<T>;
  add("taped", Way::taped, A::real, runge_kutta(tableau::tsitouras5<T>), 0);
  add("stored in fixed point", Way::stored, A::fixed, runge_kutta(tableau::rk4<T>), 0);
  for (const Method<T>& m : {mccallum_foster(tableau::rk4<T>), mccallum_foster(tableau::ralston3<T>), alf<T>(),
                             reversible_heun<T>(), leapfrog<T>()})
    for (const int every : {0, 3}) {
      if (every > 0 && !dampable(m)) continue;
      add("stored", Way::stored, A::real, m, every);
      add("checkpointed in fixed point", Way::checkpointed, A::fixed, m, every);
      add("reversed", Way::reversed, A::fixed, m, every);
    }
  return all;
}

observed::Problem<T> problem(const Plan<T>& plan, bool backwards, bool through) {
  observed::Problem<T> p;
  p.field = &fields::network<T>, p.plan = plan, p.lanes = lanes, p.count = count;
  p.grid = backwards ? Grid<T>{end_at, begin_at, 12} : Grid<T>{begin_at, end_at, 12};
  if (through) p.grid = {0, 0, 4, backwards ? given_back : given, 4};
  constexpr std::size_t n = 3 * lanes;
  p.theta = uniform<T>(1, static_cast<std::size_t>(p.field->shape({}).params), -1, 1);
  p.y0 = uniform<T>(2, n, -1, 1);
  p.y1_bar = uniform<T>(3, n, -1, 1);
  p.at_bar = uniform<T>(4, count * n, -1, 1);
  p.times.assign(read, read + count * lanes);
  if (backwards)
    for (T& t : p.times) t = begin_at + end_at - t;
  return p;
}

double loss(const observed::Problem<T>& p) {
  const auto o = observed::solve(p, false);
  EXPECT_EQ(o.status, Status::ok);
  double sum = 0;
  for (std::size_t i = 0; i < o.y1.size(); ++i) sum += p.y1_bar[i] * o.y1[i];
  for (std::size_t i = 0; i < o.at.size(); ++i) sum += p.at_bar[i] * o.at[i];
  return sum;
}
/// Of fourth order.
double difference(const observed::Problem<T>& p, T& v) {
  const double e = 1e-3;
  const T keep = v;
  const auto at = [&](double offset) {
    v = keep + offset;
    const double l = loss(p);
    v = keep;
    return l;
  };
  return (8 * (at(e) - at(-e)) - (at(2 * e) - at(-2 * e))) / (12 * e);
}

/// The loss has 45 terms of at most 1, each off by up to 100 roundings of 2^-53 (12 steps of some 8), in fixed point by
/// 12 steps of up to 3 roundings to 2^-45: 5e-13 and 5e-11 together, were all to conspire. A difference multiplies that
/// by 18 / (12 e) = 1.5e3. Truncation: e^4 / 30 = 3e-14 times a fifth derivative of some 10^3.
double tolerance(const Plan<T>& plan) {
  return plan.arithmetic == Arithmetic::real ? 1.5e3 * 5e-13 + 3e-11 : 1.5e3 * 5e-11 + 3e-11;
}

void check(bool backwards, bool through) {
  for (const Case& c : cases()) {
    observed::Problem<T> p = problem(c.plan, backwards, through);
    p.continuous = c.continuous;
    const auto o = observed::solve(p, true);
    ASSERT_EQ(o.status, Status::ok) << c.name;
    EXPECT_TRUE(alive(o.y0_bar) && alive(o.theta_bar)) << c.name;
    for (std::size_t i = 0; i < p.y0.size(); ++i)
      ASSERT_NEAR(o.y0_bar[i], difference(p, p.y0[i]), tolerance(c.plan)) << c.name << ", y0 " << i;
    for (std::size_t i = 0; i < p.theta.size(); i += stride)
      ASSERT_NEAR(o.theta_bar[i], difference(p, p.theta[i]), tolerance(c.plan)) << c.name << ", theta " << i;
  }
}

TEST(FiniteDifferences, Forwards) {
  check(false, false);
}
TEST(FiniteDifferences, Backwards) {
  check(true, false);
}
TEST(FiniteDifferences, ThroughTimes) {
  check(false, true);
}
TEST(FiniteDifferences, BackwardsThroughTimes) {
  check(true, true);
}

/// The control: a gradient that forgot one of the readings is found out.
TEST(FiniteDifferences, AReadingLeftOutShows) {
  Plan<T> plan = cases().front().plan;
  observed::Problem<T> p = problem(plan, false, false), forgetful = p;
  for (std::size_t i = 9; i < 18; ++i) forgetful.at_bar[i] = 0;
  const auto o = observed::solve(forgetful, true);
  double worst = 0;
  for (std::size_t i = 0; i < p.y0.size(); ++i) worst = std::max(worst, std::abs(o.y0_bar[i] - difference(p, p.y0[i])));
  EXPECT_GT(worst, .1);
}
}  // namespace
