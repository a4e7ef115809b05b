// Adaptive steps: every way back stands on the very steps that were taken, so their bits are those of everything
// stored; gradients hold the steps fixed; errors follow the tolerance; what cannot be solved is said.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "numerics/fields.hpp"
#include "numerics/observed.hpp"
#include "numerics/trial.hpp"
#include "revode/block.hpp"

namespace {
using namespace trial;

/// y = 1 / (1 - t) from y(0) = 1.
struct Pole {
  static constexpr int dim = 1, params = 1;
  template <class S>
  constexpr void operator()(S, const S* y, const S* p, S* dy) const {
    dy[0] = p[0] * y[0] * y[0];
  }
};
template <class T>
constexpr Automatic<T, Pole> pole{};

template <class T>
Problem<T> problem(bool backwards = false) {
  Problem<T> p;
  p.field = &fields::network<T>;
  p.lanes = 3;
  p.theta = uniform<T>(1, static_cast<std::size_t>(fields::network<T>.shape({}).params), -1.5, 1.5);
  p.y0 = uniform<T>(2, 9, -1.5, 1.5);
  p.y1_bar = uniform<T>(3, 9, .25, 1);
  p.running = T(.01);
  p.grid = backwards ? Grid<T>{T(4), T(.25)} : Grid<T>{T(.25), T(4)};
  return p;
}
template <class T>
Plan<T> adaptive(const Method<T>& method, Arithmetic arithmetic, double tolerance) {
  Plan<T> p;
  p.method = method, p.arithmetic = arithmetic;
  p.control.rtol = p.control.atol = static_cast<T>(tolerance);
  p.way = Way::stored, p.stored_steps = p.control.most_steps;
  return p;
}

template <class T>
class AdaptiveBits : public testing::Test {};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(AdaptiveBits, Numbers);

template <class T>
void compare(const Plan<T>& plan, const Problem<T>& p) {
  SCOPED_TRACE(testing::Message() << plan.method.name << " over " << plan.method.base.name
                                  << ", K = " << plan.halve_every);
  const auto stored = attempt(p, plan);
  ASSERT_TRUE(sound(stored));
  ASSERT_EQ(stored.strayed, 0);
  EXPECT_GT(stored.accounting.steps, 10);
  Plan<T> other = plan;
  other.way = Way::checkpointed;
  for (const int slots : {1, 3, 8}) {
    if (sanitized && slots == 1) continue;  // quadratic in the steps
    other.slots = slots;
    const auto o = attempt(p, other);
    ASSERT_TRUE(sound(o));
    EXPECT_TRUE(same(stored, o)) << slots << " slots";
    EXPECT_EQ(o.strayed, 0);
  }
  if (plan.arithmetic == Arithmetic::real) {
    other = plan, other.keep_stages = true;
    const auto kept = attempt(p, other);
    EXPECT_TRUE(same(stored, kept));
    EXPECT_EQ(kept.accounting.evaluations_backward, 0);
    // A last stage begins the next step there as well, and the evaluation that proposes the first step begins that.
    if (plan.method.registers == 1 && first_same_as_last(plan.method.base)) {
      EXPECT_EQ(kept.accounting.evaluations_forward, stored.accounting.evaluations_forward);
    }
  }
  if (plan.arithmetic == Arithmetic::real && plan.method.registers == 1) {
    other = plan, other.way = Way::taped, other.slots = 40;
    other.log_bits = std::size_t{1} << 20;
    const auto whole = attempt(p, other);
    ASSERT_TRUE(sound(whole));
    EXPECT_TRUE(same(stored, whole));
    EXPECT_EQ(whole.accounting.recomputed, 0);
    other.log_bits = whole.accounting.tape_bits / 2;
    const auto segments = attempt(p, other);
    if (segments.forward == Status::capacity) return;  // half of it does not hold one step's worst case
    ASSERT_TRUE(sound(segments));
    EXPECT_TRUE(same(stored, segments));
    EXPECT_GT(segments.accounting.recomputed, 0);
  }
  if (!bijective(plan.method) || plan.arithmetic == Arithmetic::real) return;
  other = plan, other.way = Way::reversed, other.slots = 3;
  other.log_bits = other.log_bits_for(stored.accounting.steps / 2, 3, 3);  // one restore point is needed, at least
  const auto o = attempt(p, other);
  ASSERT_TRUE(sound(o));
  EXPECT_TRUE(same(stored, o));
  EXPECT_EQ(o.strayed, 0);
  EXPECT_EQ(o.accounting.rejected, stored.accounting.rejected);
}

TYPED_TEST(AdaptiveBits, OfBijectiveWordsAreThoseOfEverythingStored) {
  using T = TypeParam;
  const T through[] = {T(.25), T(.3), T(1.7), T(1.75), T(4)};
  long rejected = 0;
  for (const Method<T>& m : {mccallum_foster(tableau::ralston3<T>), mccallum_foster(tableau::bogacki_shampine<T>),
                             mccallum_foster(tableau::dormand_prince5<T>), mccallum_foster(tableau::tsitouras5<T>),
                             mccallum_foster(tableau::rk4<T>), alf<T>(), reversible_heun<T>()})
    for (const int K : {0, 4})
      for (const bool backwards : {false, true}) {
        if (sanitized && backwards == (K > 0)) continue;  // fifteen times slower there: half of them
        Plan<T> plan = adaptive(m, Arithmetic::fixed, 1e-4);
        plan.halve_every = K;
        Problem<T> p = problem<T>(backwards);
        compare(plan, p);
        if (!backwards) p.grid = {0, 0, 0, through, 5}, compare(plan, p);
        rejected += attempt(p, plan).accounting.rejected;
      }
  EXPECT_TRUE(sanitized || rejected > 8) << "or nothing was ever taken back";
}

/// Its tape is a solver whose memory lies there too: not to be moved.
TYPED_TEST(AdaptiveBits, AreTheSameOfKeptStagesWhoseTapesPointIntoThemselves) {
  using T = TypeParam;
  Plan<T> inner;
  inner.method = runge_kutta(tableau::rk4<T>), inner.way = Way::stored, inner.arithmetic = Arithmetic::real;
  inner.stored_steps = 3;
  const Block<T> within(fields::network<T>, inner, Grid<T>{0, T(.5), 3});
  Problem<T> p = problem<T>();
  p.field = &within;
  Plan<T> plan = adaptive(runge_kutta(tableau::dormand_prince5<T>), Arithmetic::real, 1e-4);
  plan.stored_steps = 200;
  const auto stored = attempt(p, plan);
  ASSERT_TRUE(sound(stored));
  EXPECT_GT(stored.accounting.steps, 5);
  plan.keep_stages = true;
  EXPECT_TRUE(same(stored, attempt(p, plan)));
}

TYPED_TEST(AdaptiveBits, OfRungeKuttaAreThoseOfEverythingStored) {
  using T = TypeParam;
  long rejected = 0;
  for (const Tableau<T>* base : tableau::all<T>) {
    if (base->stages == 1) continue;             // Euler has no estimate
    if (sanitized && base->order < 3) continue;  // many steps, fifteen times slower there
    const double tolerance = base->order < 3 ? 1e-4 : 1e-5;
    const Plan<T> plan = adaptive(runge_kutta(*base), Arithmetic::real, tolerance);
    compare(plan, problem<T>());
    if (!sanitized) compare(adaptive(runge_kutta(*base), Arithmetic::fixed, tolerance), problem<T>());
    rejected += attempt(problem<T>(), plan).accounting.rejected;
  }
  EXPECT_TRUE(sanitized || rejected > 4);
}

// ---- gradients hold the steps fixed, as parts of their intervals
struct Frozen {
  std::vector<double> ends;                   // the grid's times
  std::vector<std::pair<int, double>> nodes;  // each a part x of an interval

  std::vector<double> times() const {
    std::vector<double> t;
    for (const auto& [i, x] : nodes) {
      const auto at = static_cast<std::size_t>(i);
      t.push_back(at + 1 == ends.size() ? ends[at] : ends[at] + x * (ends[at + 1] - ends[at]));
    }
    return t;
  }
};
double loss(const Problem<double>& p, Plan<double> plan, const Frozen& frozen) {
  const std::vector<double> times = frozen.times();
  plan.control = {};
  Bytes bytes(Solve<double>::bytes(*p.field, plan, p.lanes));
  Arena arena = bytes.arena();
  Solve<double> solve;
  EXPECT_EQ(solve.init(arena, *p.field, plan, p.lanes), Status::ok);
  EXPECT_EQ(solve->begin({0, 0, 1, times.data(), static_cast<long>(times.size())}, p.theta.data(), p.y0.data()),
            Status::ok);
  double sum = 0;
  do {
    for (std::size_t i = 0; i < solve->size(); ++i) {
      const double y = solve->y()[i];
      sum += p.running * y * y / 2 + (solve->finished() ? p.y1_bar[i] * y : 0);
    }
  } while (solve->advance());
  EXPECT_TRUE(solve->finished());
  return sum;
}
struct Gradient {
  std::vector<double> y0, theta, times;
  Frozen frozen;
};
Gradient gradient(const Problem<double>& p, const Plan<double>& plan) {
  Gradient g;
  for (long i = 0; i <= p.grid.intervals(); ++i) g.frozen.ends.push_back(p.grid.end(i));
  Bytes bytes(Solve<double>::bytes(*p.field, plan, p.lanes));
  Arena arena = bytes.arena();
  Solve<double> solve;
  EXPECT_EQ(solve.init(arena, *p.field, plan, p.lanes), Status::ok);
  EXPECT_EQ(run(*solve, p.grid, p.theta.data(), p.y0.data()), Status::ok);
  EXPECT_TRUE(solve->finished());
  int interval = 0;
  for (long n = 0; n <= solve->steps(); ++n) {
    const double t = solve->t(n);
    const auto next = static_cast<std::size_t>(interval) + 1;
    if (t == g.frozen.ends[next]) ++interval;
    const auto at = static_cast<std::size_t>(interval);
    const double low = g.frozen.ends[at];
    g.frozen.nodes.push_back({interval, t == low ? 0 : (t - low) / (g.frozen.ends[at + 1] - low)});
  }
  EXPECT_EQ(interval, p.grid.intervals()) << "a given time is no node";
  std::vector<double> leaves(p.params());
  g.y0.resize(solve->size()), g.theta.resize(p.theta.size()), g.times.resize(g.frozen.ends.size());
  EXPECT_EQ(solve->turn({leaves.data(), 1, 0}, g.times.data()), Status::ok);
  for (std::size_t i = 0; i < solve->size(); ++i) solve->y_bar()[i] += p.y1_bar[i];
  do {
    for (std::size_t i = 0; i < solve->size(); ++i) solve->y_bar()[i] += p.running * solve->y()[i];
  } while (solve->retreat());
  EXPECT_EQ(solve->finish(g.y0.data()), Status::ok);
  kernel::tree_lanes(p.theta.size(), p.lanes, leaves.data(), g.theta.data());
  return g;
}
template <class L>
double difference(double& v, const L& at) {
  const double keep = v, e = 1e-3;
  const auto off = [&](double by) {
    v = keep + by;
    const double l = at();
    v = keep;
    return l;
  };
  return (8 * (off(e) - off(-e)) - (off(2 * e) - off(-2 * e))) / (12 * e);
}

/// Roundings: the loss sums some 60 terms of up to 10, each off by 100 roundings of 2^-53 (in fixed point, of 2^-45 and
/// fewer), times 18 / (12 e): 1e-9 and 1e-7 were all to conspire. Truncation: e^4 / 30 = 3e-14 of a fifth derivative of
/// up to 10^5.
TEST(AdaptiveGradients, AgreeWithDifferencesAtTheStepsTaken) {
  using T = double;
  const T through[] = {.25, .9, 2.5}, back[] = {2.5, .9, .25};
  for (const Method<T>& m : {runge_kutta(tableau::dormand_prince5<T>), runge_kutta(tableau::rk4<T>),
                             mccallum_foster(tableau::ralston3<T>), alf<T>(), reversible_heun<T>()})
    for (const T* times : {static_cast<const T*>(nullptr), through, back}) {
      SCOPED_TRACE(m.name);
      Problem<T> p = problem<T>();
      p.grid = times ? Grid<T>{0, 0, 0, times, 3} : Grid<T>{.25, 2.5};
      const bool reversed = bijective(m);
      Plan<T> plan = adaptive(m, reversed ? Arithmetic::fixed : Arithmetic::real, 1e-4);
      if (reversed) plan.way = Way::reversed;
      const double tolerance = reversed ? 1e-7 : 1e-8;
      Gradient g = gradient(p, plan);
      EXPECT_TRUE(alive(g.y0) && alive(g.theta) && alive(g.times));
      const auto at = [&] { return loss(p, plan, g.frozen); };
      for (std::size_t i = 0; i < p.y0.size(); ++i) ASSERT_NEAR(g.y0[i], difference(p.y0[i], at), tolerance) << i;
      for (std::size_t i = 0; i < p.theta.size(); ++i)
        ASSERT_NEAR(g.theta[i], difference(p.theta[i], at), tolerance) << i;
      for (std::size_t i = 0; i < g.times.size(); ++i)
        ASSERT_NEAR(g.times[i], difference(g.frozen.ends[i], at), tolerance) << i;
    }
}

/// Readings at each lane's own times: reversed as stored to the bit, and both as on a grid of the very steps.
TEST(AdaptiveReadings, AreThoseOfTheGridOfTheStepsTaken) {
  using T = double;
  for (const bool backwards : {false, true})
    for (const Method<T>& m : {mccallum_foster(tableau::ralston3<T>), alf<T>()}) {
      SCOPED_TRACE(m.name);
      const Problem<T> base = problem<T>(backwards);
      observed::Problem<T> p;
      p.field = base.field, p.grid = base.grid, p.lanes = base.lanes, p.count = 4;
      p.theta = base.theta, p.y0 = base.y0, p.y1_bar = base.y1_bar;
      p.at_bar = uniform<T>(4, 4 * p.y0.size(), -1, 1);
      p.times = {.25, .3, .26, .9, 1.1, 1, 2, 2.1, 2.2, 3.9, 4, 3.7};  // [count][lanes]
      if (backwards)
        for (T& t : p.times) t = 4.25 - t;
      p.plan = adaptive(m, Arithmetic::fixed, 1e-5);
      const auto stored = observed::solve(p, true);
      ASSERT_EQ(stored.status, Status::ok);
      p.plan.way = Way::reversed;
      const auto reversed = observed::solve(p, true);
      ASSERT_EQ(reversed.status, Status::ok);
      EXPECT_TRUE(same_bits(stored.at, reversed.at) && same_bits(stored.y0_bar, reversed.y0_bar) &&
                  same_bits(stored.theta_bar, reversed.theta_bar));
      EXPECT_TRUE(alive(reversed.at) && alive(reversed.theta_bar));
      const std::vector<T> times = gradient(base, p.plan).frozen.times();
      p.plan.control = {}, p.grid = {0, 0, 1, times.data(), static_cast<long>(times.size())};
      const auto same_steps = observed::solve(p, true);
      ASSERT_EQ(same_steps.status, Status::ok);
      ASSERT_EQ(same_steps.nodes.size(), reversed.nodes.size());
      // h is rounded another way, and 2^-45 is what a state is rounded to, some hundred times, before it grows tenfold.
      for (std::size_t i = 0; i < p.y0.size() * 4; ++i) ASSERT_NEAR(same_steps.at[i], reversed.at[i], 1e-10) << i;
      for (std::size_t i = 0; i < p.theta.size(); ++i)
        ASSERT_NEAR(same_steps.theta_bar[i], reversed.theta_bar[i], 1e-9) << i;
    }
}

// ---- what cannot be solved is said, and what was solved comes back
template <class T>
Problem<T> one(const Map<T>& field, T theta, T y0, T t1) {
  Problem<T> p;
  p.field = &field, p.theta = {theta}, p.y0 = {y0}, p.y1_bar = {1}, p.grid = {0, t1};
  return p;
}
template <class T>
class AdaptiveFailures : public testing::Test {};
TYPED_TEST_SUITE(AdaptiveFailures, Numbers);

TYPED_TEST(AdaptiveFailures, AreSaidAndTheWayBackStandsOnTheSameStates) {
  using T = TypeParam;
  const auto expect = [](const Problem<T>& p, Plan<T> plan, Status why, bool from_the_start = false) {
    for (const Way way : {Way::stored, Way::checkpointed, Way::reversed}) {
      plan.way = way, plan.slots = 3;
      const auto o = attempt(p, plan);
      EXPECT_EQ(o.forward, why) << sentence(o.forward);
      EXPECT_EQ(o.back, why);
      EXPECT_EQ(o.reached == 0, from_the_start);
      EXPECT_EQ(o.accounting.steps, o.reached);
      EXPECT_TRUE(o.strayed == 0 || (plan.arithmetic == Arithmetic::real && way == Way::reversed));
    }
  };
  const Plan<T> rk = adaptive(runge_kutta(tableau::dormand_prince5<T>), Arithmetic::real, 1e-5);
  const Plan<T> mf = adaptive(mccallum_foster(tableau::ralston3<T>), Arithmetic::fixed, 1e-4);
  expect(one<T>(pole<T>, 1, 1, 2), rk, Status::step_underflow);
  expect(one<T>(pole<T>, 1, 1, 2), mf, Status::range);
  expect(one<T>(pole<T>, -1, 1, -2), rk, Status::step_underflow);
  expect(one<T>(fields::breaking<T>, T(.3), 1, 1), rk, Status::not_finite);
  expect(one<T>(fields::breaking<T>, T(.3), 1, 1), mf, Status::range);  // as every NaN in fixed point
  Plan<T> few = mf;
  few.control.most_steps = 7;
  expect(problem<T>(), few, Status::too_many_steps);
  const T through[] = {T(.25), T(1), T(2), T(3)};
  Problem<T> stops = problem<T>();
  stops.grid = {0, 0, 0, through, 4};
  few = mf, few.control.most_jumps = 2, few.control.first_step = T(.125);
  expect(stops, few, Status::capacity);
  few = rk, few.control.first_step = T(1e-30);
  Problem<T> late = problem<T>();
  expect(late, few, Status::step_underflow, true);
}

TEST(AdaptivePlans, ThatCannotBeAreRefused) {
  using T = double;
  for (const Method<T>& m : {runge_kutta(tableau::euler<T>), mccallum_foster(tableau::euler<T>), leapfrog<T>(),
                             verlet<T>(), symplectic_euler<T>()})
    EXPECT_EQ(fits(adaptive(m, Arithmetic::real, 1e-3)), Status::unsupported) << m.name;
  Plan<T> p = adaptive(alf<T>(), Arithmetic::fixed, 1e-3);
  EXPECT_EQ(fits(p), Status::ok);
  const auto refused = [&](auto&& change) {
    Plan<T> q = p;
    change(q.control);
    EXPECT_EQ(fits(q), Status::bad_argument);
  };
  refused([](Control<T>& c) { c.rtol = -1; });
  refused([](Control<T>& c) { c.atol = std::nan(""); });
  refused([](Control<T>& c) { c.safety = 1; });
  refused([](Control<T>& c) { c.shrink = 1; });
  refused([](Control<T>& c) { c.grow = 1; });
  refused([](Control<T>& c) { c.first_step = -1; });
  refused([](Control<T>& c) { c.most_steps = 0; });
  refused([](Control<T>& c) { c.most_jumps = 0; });
}
TEST(AdaptivePlans, CostTwoBitsAStepAndSixteenBytesAJump) {
  Plan<double> p = adaptive(alf<double>(), Arithmetic::fixed, 1e-3);
  p.way = Way::reversed;
  const auto bytes = [&] { return Solve<double>::bytes(fields::network<double>, p, 3); };
  p.control.most_steps = 4 * 64, p.control.most_jumps = 4;
  const std::size_t little = bytes();
  p.control.most_steps += 4 * 640;
  EXPECT_EQ(bytes(), little + 640);
  p.control.most_jumps += 40;
  EXPECT_EQ(bytes(), little + 640 + 640);
}
}  // namespace
