// Adams, Bashforth and Moulton: orders, step control, and the discrete transpose with all the past in it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "numerics/differences.hpp"
#include "numerics/fields.hpp"

namespace {
using namespace trial;
using T = double;
using Trial = differences::Trial<T>;
constexpr int lanes = 2;

constexpr auto& driven = fields::driven<T>;

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

struct Decay {  // y' = mu y
  static constexpr int dim = 1, params = 1;
  template <class S>
  constexpr void operator()(S, const S* y, const S* mu, S* dy) const {
    dy[0] = mu[0] * y[0];
  }
};
constexpr Automatic<T, Decay> decay;
/// |y| after that many steps of 1, of which the first ones are Cash and Karp's.
double magnitude_after(int q, double mu, long steps) {
  const Plan<T> plan = inference(adams<T>(q));
  Bytes bytes(Solve<T>::bytes(decay, plan, 1));
  Arena arena = bytes.arena();
  Solve<T> solve;
  const T one = 1;
  EXPECT_EQ(solve.init(arena, decay, plan, 1), Status::ok);
  EXPECT_EQ(run(*solve, {0, static_cast<T>(steps), steps}, &mu, &one), Status::ok);
  return std::fabs(solve->y()[0]);
}
/// The intervals of word.hpp, from the eigenvalues of the recurrence: within one in a hundred of their ends solutions
/// grow on one side and fall on the other.
TEST(Adams, IsStableToTheEndOfItsInterval) {
  constexpr double ends[] = {1, 2, 1.728, 1.284, .946, .698};
  for (int q = 1; q <= most_multistep; ++q) {
    EXPECT_LT(magnitude_after(q, -.99 * ends[q - 1], 2000), magnitude_after(q, -.99 * ends[q - 1], 1000)) << q;
    EXPECT_GT(magnitude_after(q, -1.01 * ends[q - 1], 2000), magnitude_after(q, -1.01 * ends[q - 1], 1000)) << q;
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

Trial trial_of(const Plan<T>& plan, const std::vector<T>& times, long steps) {
  const Problem<T> p = problem();
  return {&driven, lanes, plan, steps, times, p.theta, p.y0, p.y1_bar};
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
/// Truncation and rounding below 2e-9, as in grid_times.cpp.
TEST(Adams, GradientsAreThoseOfDifferences) {
  for (const bool backwards : {false, true})
    for (const bool through : {false, true})
      for (int q = 1; q <= most_multistep; ++q) {
        const T* times = backwards ? given_back : given;
        Trial p = trial_of(stored(adams<T>(q)), {times, times + 4}, 4);
        if (!through) p.times = {times[0], times[3]}, p.steps = 12;
        differences::Gradient<T> g;
        loss(p, &g);
        for (std::size_t i = 0; i < p.y0.size(); ++i) EXPECT_NEAR(g.y0[i], difference(p, &Trial::y0, i), 2e-9) << q;
        for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(g.theta[i], difference(p, &Trial::theta, i), 2e-9) << q;
        for (std::size_t i = 0; i < p.times.size(); ++i)
          EXPECT_NEAR(g.times[i], difference(p, &Trial::times, i), 2e-9) << q << through << i;
      }
}

/// The gradient of a controlled solve is that of the steps it took: a grid through its nodes has the same one, but for
/// the rounding of its h, some 1e-16 of 100 steps. Against that of the equation it is off by the tolerance (measured
/// below 70, 200 leave room).
TEST(Adams, AdaptiveGradientsAreThoseOfTheirSteps) {
  for (const bool backwards : {false, true})
    for (const int q : {2, 3, 4, 5}) {
      const T* ends = backwards ? given_back : given;
      const T tolerance = q == 2 ? 1e-5 : 1e-7;
      Trial p = trial_of(stored(adams<T>(q), tolerance), {ends, ends + 4}, 1);
      Trial exact = p, frozen = p;
      exact.plan = stored(runge_kutta(tableau::dormand_prince8<T>)), exact.steps = 200;
      frozen.plan = stored(adams<T>(q)), frozen.times = nodes(p);
      differences::Gradient<T> own, same, true_one;
      loss(p, &own), loss(frozen, &same), loss(exact, &true_one);
      for (const auto member : {&differences::Gradient<T>::y0, &differences::Gradient<T>::theta}) {
        EXPECT_LT(distance(own.*member, same.*member), 1e-12) << q;
        EXPECT_LT(distance(own.*member, true_one.*member), 200 * tolerance) << q;
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
