// Adams, Bashforth and Moulton: classical coefficients, orders, step control, and the discrete transpose with all the
// past in it.
#include "revode/adams.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "numerics/trial.hpp"
#include "revode/automatic.hpp"
#include "revode/impl/adams_impl.hpp"

namespace {
using namespace trial;
using T = double;
constexpr int lanes = 2;

/// Driven and damped, with t inside and outside of what is not linear.
struct Driven {
  static constexpr int dim = 2, params = 3;
  template <class S>
  constexpr void operator()(S t, const S* y, const S* p, S* dy) const {
    dy[0] = p[0] * y[1] * cos(2. * t) + sin(3. * t);
    dy[1] = S(0.) - p[1] * tanh(y[0] + p[2] * t * t) - t * y[1] / 2.;
  }
};
constexpr Automatic<T, Driven> driven;

Problem<T> problem() {
  Problem<T> p;
  p.field = &driven, p.lanes = lanes, p.running = .125;
  p.grid = {T(.2), T(1.4), 24};
  p.theta = uniform<T>(1, 3, .4, 1.2);
  p.y0 = uniform<T>(2, 2 * lanes, .2, 1), p.y1_bar = uniform<T>(3, 2 * lanes, .5, 1);
  return p;
}
Plan<T> stored(const Method<T>& method, T tolerance = 0) {
  Plan<T> p;
  p.method = method, p.way = Way::stored, p.arithmetic = Arithmetic::real, p.stored_steps = 4000;
  p.control.rtol = p.control.atol = tolerance;
  return p;
}
double distance(const std::vector<T>& a, const std::vector<T>& b) {
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
  return worst;
}

/// Of equal steps, as quotients of integers rounded once (Hairer et al., tables III.1.1 and III.1.2).
template <class S>
void check_classical() {
  constexpr S bashforth[6][6] = {
      {1},
      {S(3) / 2, S(-1) / 2},
      {S(23) / 12, S(-16) / 12, S(5) / 12},
      {S(55) / 24, S(-59) / 24, S(37) / 24, S(-9) / 24},
      {S(1901) / 720, S(-2774) / 720, S(2616) / 720, S(-1274) / 720, S(251) / 720},
      {S(4277) / 1440, S(-7923) / 1440, S(9982) / 1440, S(-7298) / 1440, S(2877) / 1440, S(-475) / 1440}};
  constexpr S moulton[6][6] = {
      {1},
      {S(1) / 2, S(1) / 2},
      {S(5) / 12, S(8) / 12, S(-1) / 12},
      {S(9) / 24, S(19) / 24, S(-5) / 24, S(1) / 24},
      {S(251) / 720, S(646) / 720, S(-264) / 720, S(106) / 720, S(-19) / 720},
      {S(475) / 1440, S(1427) / 1440, S(-798) / 1440, S(482) / 1440, S(-173) / 1440, S(27) / 1440}};
  constexpr S nodes[] = {1, 0, -1, -2, -3, -4, -5};
  for (int q = 1; q <= most_multistep; ++q) {
    const Quadrature<S> p = integrate(q, nodes + 1), c = integrate(q, nodes);
    for (int j = 0; j < q; ++j) {
      EXPECT_EQ(p.weight[j], bashforth[q - 1][j]) << q << j;
      EXPECT_EQ(c.weight[j], moulton[q - 1][j]) << q << j;
    }
  }
  // Milne's device of order 4: 251/720 and -19/720 of h^5 y^(5), here times 4!
  EXPECT_EQ(integrate(4, nodes + 1).product, S(251) / 30);
  EXPECT_EQ(integrate(4, nodes).product, S(-19) / 30);
}
TEST(Adams, EqualStepsGiveTheClassicalCoefficients) {
  check_classical<float>();
  check_classical<double>();
}

/// q nodes anywhere integrate and derive polynomials of degree q - 1 exactly, but for some ten roundings of terms of up
/// to 1e2.
TEST(Adams, UnequalStepsAreExactForPolynomials) {
  constexpr T nodes[] = {1, 0, -.3, -1.9, -2.25, -4};
  for (int q = 1; q <= most_multistep; ++q) {
    const Quadrature<T> w = integrate(q, nodes);
    for (int degree = 0; degree < q; ++degree) {
      T sum = 0, values[most_multistep];
      for (int j = 0; j < q; ++j) sum += w.weight[j] * (values[j] = std::pow(nodes[j], degree));
      EXPECT_NEAR(sum, 1. / (degree + 1), 1e-13);
      for (int m = 0; m < q; ++m)
        EXPECT_NEAR(derivative(q, nodes, values, m), degree * std::pow(nodes[m], std::max(degree - 1, 0)), 2e-12);
    }
  }
}

/// Least-squares slopes of log2(error) over log2(h): measured within .05 of orders 1 to 4. A method that looks back
/// five steps is far from its limit at 40 of them, and at 640 orders 5 and 6 have come down to rounding: slopes of 4.71
/// to 4.97 and 5.72 to 6.00, and .3 still tells an order from its neighbours.
TEST(Adams, HasItsOrderInStatesAndGradients) {
  Problem<T> p = problem();
  p.running = 0, p.grid.steps = 500;
  const auto exact = attempt(p, stored(runge_kutta(tableau::dormand_prince8<T>)));
  for (int q = 1; q <= most_multistep; ++q) {
    const long first = q < 5 ? 80 : 40;
    double slope[3] = {};
    for (int k = 0; k < 4; ++k) {
      p.grid.steps = first << k;
      const auto o = attempt(p, stored(adams<T>(q)));
      ASSERT_TRUE(sound(o));
      const double weight = (1.5 - k) / 5;
      slope[0] += weight * std::log2(distance(o.y1, exact.y1));
      slope[1] += weight * std::log2(distance(o.y0_bar, exact.y0_bar));
      slope[2] += weight * std::log2(distance(o.theta_bar, exact.theta_bar));
      EXPECT_EQ(o.accounting.evaluations_forward, 2 * p.grid.steps + 4 * (q - 1));
      EXPECT_EQ(o.accounting.vjps, o.accounting.evaluations_forward);
    }
    for (const double s : slope) EXPECT_NEAR(s, q, q < 5 ? .15 : .3) << q;
  }
}

/// The error stays near the tolerance (measured below 75 tolerances at order 2, where many
/// steps add up; 200 leave room), and higher orders take fewer
/// steps.
TEST(Adams, KeepsItsTolerance) {
  Problem<T> p = problem();
  p.running = 0, p.grid.steps = 500;
  const auto exact = attempt(p, stored(runge_kutta(tableau::dormand_prince8<T>)));
  long fewest = 4000;
  for (int q = 2; q <= most_multistep; ++q) {
    const auto o = attempt(p, stored(adams<T>(q), 1e-7));
    ASSERT_TRUE(sound(o)) << q;
    EXPECT_LT(distance(o.y1, exact.y1), 200 * 1e-7) << q;
    EXPECT_TRUE(q == 6 || o.accounting.steps < fewest) << q;
    fewest = o.accounting.steps;
  }
}

constexpr T given[] = {.2, .5, .5625, 1.4}, given_back[] = {1.4, .5625, .5, .2};
Grid<T> grid(bool backwards, bool through) {
  if (through) return {0, 0, 4, backwards ? given_back : given, 4};
  return backwards ? Grid<T>{1.4, .2, 12} : Grid<T>{.2, 1.4, 12};
}

TEST(Adams, CheckpointedIsStoredBitForBit) {
  for (const bool backwards : {false, true})
    for (const bool through : {false, true})
      for (const int q : {1, 2, 4, 6})
        for (const T tolerance : {0., 1e-6}) {
          Problem<T> p = problem();
          p.grid = grid(backwards, through);
          if (q == 1 && tolerance > 0) continue;  // thousands of steps
          Plan<T> plan = stored(adams<T>(q), tolerance);
          const auto oracle = attempt(p, plan, 0xA5);
          ASSERT_TRUE(sound(oracle));
          EXPECT_TRUE(same(oracle, attempt(p, plan, 0x5A))) << "no byte is read before it is written";
          plan.way = Way::checkpointed;
          for (const int slots : {1, 3, 8}) {
            plan.slots = slots;
            const auto o = attempt(p, plan);
            ASSERT_TRUE(sound(o));
            EXPECT_TRUE(same(oracle, o));
          }
          plan.way = Way::none;
          EXPECT_LT(Solve<T>::bytes(driven, plan, lanes),
                    Solve<T>::bytes(driven, stored(adams<T>(q), tolerance), lanes));
        }
}

struct Trial {
  Plan<T> plan;
  std::vector<T> times, theta, y0, y1_bar;
  long steps;
};
/// y1_bar . y(t1), and its gradient where asked.
double loss(const Trial& p, std::vector<T>* y0_bar = nullptr, std::vector<T>* theta_bar = nullptr,
            std::vector<T>* times_bar = nullptr) {
  Bytes bytes(Solve<T>::bytes(driven, p.plan, lanes));
  Arena arena = bytes.arena();
  Solve<T> solve;
  EXPECT_EQ(solve.init(arena, driven, p.plan, lanes), Status::ok);
  const Grid<T> through{0, 0, p.steps, p.times.data(), static_cast<long>(p.times.size())};
  EXPECT_EQ(run(*solve, through, p.theta.data(), p.y0.data()), Status::ok);
  double sum = 0;
  for (std::size_t i = 0; i < solve->size(); ++i) sum += p.y1_bar[i] * solve->y()[i];
  if (!y0_bar) return sum;
  std::vector<T> leaves(p.theta.size() * lanes);
  y0_bar->assign(p.y0.size(), 0), theta_bar->assign(p.theta.size(), 0), times_bar->assign(p.times.size(), 0);
  EXPECT_EQ(solve->turn({leaves.data(), 1, 0}, times_bar->data()), Status::ok);
  for (std::size_t i = 0; i < solve->size(); ++i) solve->y_bar()[i] += p.y1_bar[i];
  while (solve->retreat()) {
  }
  EXPECT_EQ(solve->finish(y0_bar->data()), Status::ok);
  kernel::tree_lanes(p.theta.size(), lanes, leaves.data(), theta_bar->data());
  return sum;
}
std::vector<T> nodes(const Trial& p) {
  Bytes bytes(Solve<T>::bytes(driven, p.plan, lanes));
  Arena arena = bytes.arena();
  Solve<T> solve;
  EXPECT_EQ(solve.init(arena, driven, p.plan, lanes), Status::ok);
  EXPECT_EQ(run(*solve, {0, 0, 1, p.times.data(), 4}, p.theta.data(), p.y0.data()), Status::ok);
  std::vector<T> t;
  for (long n = 0; n <= solve->n(); ++n) t.push_back(solve->t(n));
  return t;
}
/// Differences of fourth order with e = 1e-3, as in grid_times.cpp: truncation and rounding below 2e-9.
double difference(Trial p, std::vector<T> Trial::*of, std::size_t i) {
  const double e = 1e-3, keep = (p.*of)[i];
  const auto at = [&](double offset) { return (p.*of)[i] = keep + offset, loss(p); };
  return (8 * (at(e) - at(-e)) - (at(2 * e) - at(-2 * e))) / (12 * e);
}
TEST(Adams, GradientsAreThoseOfDifferences) {
  for (const bool backwards : {false, true})
    for (const bool through : {false, true})
      for (int q = 1; q <= most_multistep; ++q) {
        const Problem<T> from = problem();
        const T* times = backwards ? given_back : given;
        Trial p{stored(adams<T>(q)), {times, times + 4}, from.theta, from.y0, from.y1_bar, 4};
        if (!through) p.times = {times[0], times[3]}, p.steps = 12;
        std::vector<T> y0_bar, theta_bar, times_bar;
        loss(p, &y0_bar, &theta_bar, &times_bar);
        for (std::size_t i = 0; i < p.y0.size(); ++i) EXPECT_NEAR(y0_bar[i], difference(p, &Trial::y0, i), 2e-9) << q;
        for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(theta_bar[i], difference(p, &Trial::theta, i), 2e-9) << q;
        for (std::size_t i = 0; i < p.times.size(); ++i)
          EXPECT_NEAR(times_bar[i], difference(p, &Trial::times, i), 2e-9) << q << through << i;
      }
}

/// The gradient of a controlled solve is that of the steps it took: a grid through its nodes has the same one, but for
/// the rounding of its h, some 1e-16 of 100 steps. Against that of the equation it is off by the tolerance (measured
/// below 70, 200 leave room).
TEST(Adams, AdaptiveGradientsAreThoseOfTheirSteps) {
  for (const bool backwards : {false, true})
    for (const int q : {2, 3, 4, 5}) {
      const Problem<T> from = problem();
      const T* ends = backwards ? given_back : given;
      const T tolerance = q == 2 ? 1e-5 : 1e-7;
      Trial p{stored(adams<T>(q), tolerance), {ends, ends + 4}, from.theta, from.y0, from.y1_bar, 1};
      Trial exact = p, frozen = p;
      exact.plan = stored(runge_kutta(tableau::dormand_prince8<T>)), exact.steps = 200;
      frozen.plan = stored(adams<T>(q)), frozen.times = nodes(p);
      std::vector<T> a[3], b[3], c[3];
      loss(p, &a[0], &a[1], &a[2]);
      loss(frozen, &b[0], &b[1], &b[2]);
      loss(exact, &c[0], &c[1], &c[2]);
      for (int k = 0; k < 2; ++k) {
        EXPECT_LT(distance(a[k], b[k]), 1e-12) << q << k;
        EXPECT_LT(distance(a[k], c[k]), 200 * tolerance) << q << k;
      }
    }
}

TEST(Adams, RefusesWhatItCannotDo) {
  Plan<T> p = stored(adams<T>(4));
  p.way = Way::reversed, p.arithmetic = Arithmetic::fixed;
  EXPECT_EQ(fits(p), Status::not_reversible);
  p.way = Way::stored;
  EXPECT_EQ(fits(p), Status::unsupported);
  p.way = Way::taped, p.arithmetic = Arithmetic::real, p.log_bits = 1 << 12;
  EXPECT_EQ(fits(p), Status::unsupported);
  p = stored(adams<T>(4)), p.keep_stages = true;
  EXPECT_EQ(fits(p), Status::unsupported);
  EXPECT_EQ(fits(stored(adams<T>(7))), Status::bad_argument);
  p = stored(adams<T>(4)), p.halve_every = 4;
  EXPECT_EQ(fits(p), Status::bad_argument);
}
}  // namespace
