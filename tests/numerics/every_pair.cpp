// Every method of the library with every way to the gradient, in float and double, forwards and backwards in time,
// where the field sees time and where it does not, on equal steps and by tolerance: a pair is refused as the table
// below says, or gives the gradient of central differences and the bits of everything stored.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "numerics/differences.hpp"
#include "numerics/fields.hpp"

namespace {
using namespace trial;

struct Path {
  const char* name;
  Way way;
  Arithmetic arithmetic;
  bool stages;
  Predictor predictor;
};
constexpr auto by_steps = Predictor::runge_kutta, by_slopes = Predictor::adams_bashforth;
constexpr Path paths[] = {{"stored", Way::stored, Arithmetic::real, false, by_steps},
                          {"stored with stages", Way::stored, Arithmetic::real, true, by_steps},
                          {"checkpointed", Way::checkpointed, Arithmetic::real, false, by_steps},
                          {"stored, fixed", Way::stored, Arithmetic::fixed, false, by_steps},
                          {"checkpointed, fixed", Way::checkpointed, Arithmetic::fixed, false, by_steps},
                          {"reversed, fixed", Way::reversed, Arithmetic::fixed, false, by_steps},
                          {"reversed, floats", Way::reversed, Arithmetic::real, false, by_steps},
                          {"taped", Way::taped, Arithmetic::real, false, by_steps},
                          {"taped by slopes", Way::taped, Arithmetic::real, false, by_slopes},
                          {"none", Way::none, Arithmetic::real, false, by_steps}};
constexpr int path_count = 10;

/// What of a family goes with which path, as the README says it: + a gradient, u unsupported, r not_reversible, - no
/// way back at all. by_tolerance: where the method has an error estimate.
struct Family {
  const char* equal_steps;
  const char* by_tolerance;
};
constexpr Family ordinary{"+++++r+++-", "+++++r++u-"}, coupled{"+++++++uu-", "+++++++uu-"},
    multistep{"+u+uurruu-", "+u+uurruu-"}, two_register{"+u+uuu+uu-", "+u+uuu+uu-"},
    unmeasured_word{"+++++++uu-", "uuuuuuuuuu"}, unmeasured_ordinary{"+++++r+++-", "uuuuuuuuuu"},
    unmeasured_low{"+u+uuu+uu-", "uuuuuuuuuu"}, formless{"uuuuuuuuuu", "uuuuuuuuuu"};

template <class T>
struct Entry {
  Method<T> method;
  Family family;
};
/// The whole library.
template <class T>
std::vector<Entry<T>> entries() {
  std::vector<Entry<T>> all;
  for (const Tableau<T>* b : tableau::all<T>) {
    const bool euler = b->stages == 1;
    all.push_back({runge_kutta(*b), euler ? unmeasured_ordinary : ordinary});
    all.push_back({mccallum_foster(*b), euler ? unmeasured_word : coupled});
    const Family low = euler ? unmeasured_low : two_register;
    all.push_back({low_storage(*b), two_registers(*b).exists ? low : formless});
  }
  all.push_back({alf<T>(), coupled}), all.push_back({reversible_heun<T>(), coupled});
  for (const Method<T>& m : {leapfrog<T>(), verlet<T>(), symplectic_euler<T>()}) all.push_back({m, unmeasured_word});
  for (int q = 1; q <= most_multistep; ++q) all.push_back({adams<T>(q), multistep});
  return all;
}

struct Setting {
  bool backwards, sees_time, adaptive;
};
template <class T>
Plan<T> plan_of(const Method<T>& method, const Path& path, bool adaptive) {
  Plan<T> p;
  p.method = method, p.way = path.way, p.arithmetic = path.arithmetic, p.keep_stages = path.stages;
  p.predictor = path.predictor;
  p.stored_steps = 400, p.slots = path.way == Way::checkpointed ? 3 : 0;
  p.log_bits = path.way == Way::taped ? 1 << 18 : 0;
  if (adaptive) p.control.rtol = p.control.atol = T(1e-3), p.control.most_steps = 400;
  return p;
}
template <class T>
differences::Trial<T> trial_of(const Plan<T>& plan, const Setting& s) {
  differences::Trial<T> p;
  p.field = s.sees_time ? static_cast<const Map<T>*>(&fields::driven<T>) : &fields::van_der_pol<T>;
  p.lanes = 2, p.plan = plan, p.steps = 12;
  p.times = s.backwards ? std::vector<T>{T(1.25), T(.25)} : std::vector<T>{T(.25), T(1.25)};
  const auto n = static_cast<std::size_t>(2 * p.lanes * plan.method.read);
  p.theta = uniform<T>(1, static_cast<std::size_t>(p.field->shape({}).params), .4, 1.2);
  p.y0 = uniform<T>(2, n, .2, 1), p.y1_bar = uniform<T>(3, n, .5, 1);
  return p;
}

/// Along one direction in y0, theta and both ends, of fourth order; the steps, chosen or equal, are parts of the solve.
/// Returns what the gradient says less what differences say.
double miss(differences::Trial<double> p, const differences::Gradient<double>& g) {
  const auto u = uniform<double>(5, p.y0.size(), -1, 1), v = uniform<double>(6, p.theta.size(), -1, 1);
  const double w[] = {.3, -.6}, from = p.times[0], to = p.times[1], e = 1e-3;
  double expected = w[0] * g.times[0] + w[1] * g.times[1];
  for (std::size_t i = 0; i < u.size(); ++i) expected += u[i] * g.y0[i];
  for (std::size_t i = 0; i < v.size(); ++i) expected += v[i] * g.theta[i];
  const bool adaptive = p.plan.control.adaptive();
  p.plan.control = {};
  const auto at = [&](double by) {
    differences::Trial<double> q = p;
    for (std::size_t i = 0; i < u.size(); ++i) q.y0[i] += by * u[i];
    for (std::size_t i = 0; i < v.size(); ++i) q.theta[i] += by * v[i];
    const double begin = from + by * w[0], end = to + by * w[1];
    q.times = {begin, end};
    if (!adaptive) return differences::loss(q);
    q.times.clear(), q.steps = 1;
    for (const double t : g.nodes) q.times.push_back(begin + (t - from) / (to - from) * (end - begin));
    return differences::loss(q);
  };
  return expected - (8 * (at(e) - at(-e)) - (at(2 * e) - at(-2 * e))) / (12 * e);
}

template <class T>
bool same_gradient(const differences::Gradient<T>& a, const differences::Gradient<T>& b) {
  return same_bits(a.y0, b.y0) && same_bits(a.theta, b.theta) && same_bits(a.times, b.times);
}
/// The largest part by which a float's gradient misses a double's.
double apart(const differences::Gradient<float>& a, const differences::Gradient<double>& b) {
  double worst = 0;
  const auto one = [&](const std::vector<float>& x, const std::vector<double>& y) {
    for (std::size_t i = 0; i < x.size(); ++i)
      worst = std::max(worst, std::abs(static_cast<double>(x[i]) - y[i]) / (1 + std::abs(y[i])));
  };
  one(a.y0, b.y0), one(a.theta, b.theta), one(a.times, b.times);
  return worst;
}

/// One pair that goes together. An oracle is everything stored, in the same arithmetic.
template <class T>
void check_pair(const Plan<T>& plan, const Setting& s, differences::Gradient<T>& g) {
  const auto p = trial_of(plan, s);
  Plan<T> oracle_plan = plan;
  oracle_plan.way = Way::stored, oracle_plan.keep_stages = false, oracle_plan.log_bits = 0, oracle_plan.slots = 0;
  oracle_plan.predictor = by_steps;
  auto q = p;
  q.plan = oracle_plan;
  differences::Gradient<T> oracle;
  differences::loss(q, &oracle), differences::loss(p, &g);
  const bool drifts = plan.way == Way::reversed && plan.arithmetic == Arithmetic::real;
  if (!drifts) {
    EXPECT_TRUE(same_gradient(oracle, g));
  }
  EXPECT_TRUE(alive(g.y0) && alive(g.theta));
}
/// Misses of double, where differences see them: 1.5e3 times 1e-12 of a loss and truncation, 1e-9; in fixed point 8e-8
/// (grid_times.cpp). A way back that drifts says by how much: its gradient is off by up to some ten times that.
double tolerance(const Plan<double>& plan, double drift) {
  return (plan.arithmetic == Arithmetic::fixed ? 8e-8 : 4e-9) + 20 * drift;
}

void check(const Setting& s) {
  if (sanitized && !s.backwards) return;  // each step is fifteen times slower there
  const auto doubles = entries<double>();
  const auto floats = entries<float>();
  int pairs = 0;
  for (std::size_t k = 0; k < doubles.size(); ++k)
    for (int i = 0; i < path_count; ++i) {
      const auto& [method, family] = doubles[k];
      const char says = (s.adaptive ? family.by_tolerance : family.equal_steps)[i];
      const auto p = plan_of(method, paths[i], s.adaptive);
      const auto f = plan_of(floats[k].method, paths[i], s.adaptive);
      SCOPED_TRACE(testing::Message() << method.name << " over " << method.base.name << ", order " << method.order
                                      << ", " << paths[i].name);
      const Status status = says == 'u' ? Status::unsupported : says == 'r' ? Status::not_reversible : Status::ok;
      ASSERT_EQ(fits(p), status);
      ASSERT_EQ(fits(f), status);
      if (says != '+') continue;
      ++pairs;
      differences::Gradient<double> g;
      check_pair(p, s, g);
      const double drift = static_cast<double>(g.accounting.drift);
      EXPECT_LT(std::abs(miss(trial_of(p, s), g)), tolerance(p, drift));
      EXPECT_LT(drift, bijective(method) ? 1e-12 : method.order == 1 ? .3 : .1);  // 12 roundings; h^(p + 1) a step
      differences::Gradient<float> single;
      check_pair(f, s, single);
      // 12 steps of some 30 roundings of 2^-24; by tolerance, steps that differ, and errors of 1e-3 with them.
      const double both = drift + static_cast<double>(single.accounting.drift);
      EXPECT_LT(apart(single, g), (s.adaptive ? .05 : 1e-3) + 20 * both);
    }
  EXPECT_GT(pairs, s.adaptive ? 200 : 250);
}

TEST(EveryPair, EqualSteps) {
  for (const bool backwards : {false, true}) check({backwards, true, false});
}
TEST(EveryPair, EqualStepsWithoutTime) {
  for (const bool backwards : {false, true}) check({backwards, false, false});
}
TEST(EveryPair, ByTolerance) {
  for (const bool backwards : {false, true}) check({backwards, true, true});
}
TEST(EveryPair, ByToleranceWithoutTime) {
  for (const bool backwards : {false, true}) check({backwards, false, true});
}
}  // namespace
