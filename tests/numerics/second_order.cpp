// Methods of positions and velocities: y = (q, p), the field an acceleration. Every way, differences, orders, what they
// keep.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "numerics/fields.hpp"
#include "numerics/trial.hpp"
#include "revode/block.hpp"

namespace {
using namespace trial;

/// A driven pendulum beside a spring that hardens.
struct Acceleration {
  static constexpr int dim = 2, params = 3;
  template <class S>
  constexpr void operator()(S t, const S* q, const S* p, S* dv) const {
    dv[0] = S(0.) - p[0] * sin(q[0]) + p[2] * cos(2. * t);
    dv[1] = S(0.) - p[1] * q[1] * (1. + q[1] * q[1]) + p[2] * sin(t) * q[0];
  }
};
/// The inverse square law with eccentricity, for what is kept.
struct Kepler {
  static constexpr int dim = 2, params = 1;
  template <class S>
  constexpr void operator()(S, const S* q, const S* p, S* dv) const {
    const S r2 = q[0] * q[0] + q[1] * q[1], r = sqrt(r2);
    for (int i = 0; i < dim; ++i) dv[i] = S(0.) - p[0] * q[i] / (r2 * r);
  }
};
template <class T>
constexpr Automatic<T, Acceleration> acceleration;
template <class T>
constexpr Automatic<T, Kepler> kepler;

template <class T>
Problem<T> problem(long steps, T from = T(.2), T to = T(3)) {
  Problem<T> p;
  p.field = &acceleration<T>, p.lanes = 3;
  p.grid = {from, to, steps};
  p.theta = uniform<T>(1, 3, .5, 1.5);
  p.y0 = uniform<T>(2, 12, -1, 1);
  p.y1_bar = uniform<T>(3, 12, .25, 1);
  p.running = T(1) / static_cast<T>(steps);
  return p;
}
template <class T>
Plan<T> plan(const Method<T>& method, Way way, Arithmetic arithmetic, long steps) {
  Plan<T> p;
  p.method = method, p.way = way, p.arithmetic = arithmetic;
  p.stored_steps = steps, p.slots = way == Way::checkpointed ? 5 : 0;
  return p;
}
template <class T>
std::vector<Method<T>> methods() {
  return {verlet<T>(), symplectic_euler<T>()};
}

template <class T>
class SecondOrder : public testing::Test {};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(SecondOrder, Numbers);

TYPED_TEST(SecondOrder, EveryWayHasTheSameBits) {
  using T = TypeParam;
  for (const long steps : {60L, 20000L / shrink})
    for (const auto& m : methods<T>())
      for (const bool back : {false, true}) {
        const auto p = back ? problem<T>(steps, T(3), T(.2)) : problem<T>(steps);
        const auto stored = attempt(p, plan(m, Way::stored, Arithmetic::fixed, steps));
        ASSERT_TRUE(sound(stored)) << m.name;
        ASSERT_EQ(stored.y1.size(), 12u);
        EXPECT_TRUE(same(stored, attempt(p, plan(m, Way::checkpointed, Arithmetic::fixed, steps)))) << m.name;
        const auto exact = attempt(p, plan(m, Way::reversed, Arithmetic::fixed, steps));
        EXPECT_TRUE(sound(exact) && same(stored, exact)) << m.name;
        EXPECT_EQ(exact.accounting.evaluations_forward, steps);
        EXPECT_EQ(exact.accounting.evaluations_backward, steps) << "reconstruction and VJP share the evaluation";
        EXPECT_EQ(exact.accounting.vjps, steps);
      }
}

TEST(SecondOrderGradients, AgainstDifferences) {
  using T = double;
  for (const auto& m : methods<T>())
    for (const Way way : {Way::stored, Way::reversed}) {
      auto p = problem<T>(25);
      p.running = 0;
      const auto s = plan(m, way, way == Way::stored ? Arithmetic::real : Arithmetic::fixed, 25L);
      const auto loss = [&] {
        const auto o = attempt(p, s);
        double sum = 0;
        for (std::size_t i = 0; i < o.y1.size(); ++i) sum += p.y1_bar[i] * o.y1[i];
        return sum;
      };
      const auto o = attempt(p, s);
      ASSERT_TRUE(sound(o));
      const auto check = [&](T& v, T gradient) {
        const T keep = v;
        const auto at = [&](double offset) {
          v = keep + offset;
          const double l = loss();
          v = keep;
          return l;
        };
        const double e = 1e-3, difference = (8 * (at(e) - at(-e)) - (at(2 * e) - at(-2 * e))) / (12 * e);
        // As in finite_differences.cpp: rounding 1.5e3 times 5e-13 (5e-11 in fixed point), truncation 3e-14 times 1e4.
        EXPECT_NEAR(gradient, difference, way == Way::stored ? 2e-9 : 8e-8) << m.name;
      };
      for (std::size_t i = 0; i < p.y0.size(); ++i) check(p.y0[i], o.y0_bar[i]);
      for (std::size_t i = 0; i < p.theta.size(); ++i) {
        T sum = 0;
        for (int lane = 0; lane < p.lanes; ++lane) sum += o.theta_bar[i * 3 + static_cast<std::size_t>(lane)];
        check(p.theta[i], sum);
      }
    }
}

/// Slopes of the error over halved steps, within 0.1 of theory: against 20,000 steps of the fourth-order method on (q,
/// p).
TEST(SecondOrderGradients, Orders) {
  using T = double;
  const auto at = [&](const Method<T>& m, long steps) {
    auto p = problem<T>(steps);
    p.running = 0;
    return attempt(p, plan(m, Way::stored, Arithmetic::real, steps)).y1;
  };
  for (const auto& m : methods<T>()) {
    const auto truth = at(verlet<T>(), 200000 / shrink);
    const auto error = [&](long steps) {
      const auto y = at(m, steps);
      double worst = 0;
      for (std::size_t i = 0; i < y.size(); ++i) worst = std::max(worst, std::abs(y[i] - truth[i]));
      return worst;
    };
    EXPECT_NEAR(std::log2(error(400) / error(800)), m.order, .1) << m.name;
  }
}

/// Levesque and Verlet's point: 2,000 revolutions of an orbit of eccentricity 0.6 keep the energy within a bound and
/// come back to the very bits of the beginning.
TEST(SecondOrderGradients, AnOrbitKeepsItsEnergyAndComesBack) {
  using T = double;
  Problem<T> p;
  p.field = &kepler<T>;
  const long steps = 400000 / shrink;
  p.grid = {0, .0314159265358979 * static_cast<T>(steps), steps};
  p.theta = {1};
  p.y0 = {.4, 0, 0, 2};
  p.y1_bar = {1, 1, 1, 1};
  const auto o = attempt(p, plan(verlet<T>(), Way::reversed, Arithmetic::fixed, steps));
  ASSERT_EQ(o.forward, Status::ok);
  EXPECT_EQ(o.back, Status::ok);
  EXPECT_EQ(o.strayed, 0);
  const auto energy = [](const std::vector<T>& y) {
    return (y[2] * y[2] + y[3] * y[3]) / 2 - 1 / std::sqrt(y[0] * y[0] + y[1] * y[1]);
  };
  // (h omega)^2 = 1e-3 at the mean, 16 times that at the pericentre, and a symplectic error does not grow.
  EXPECT_NEAR(energy(o.y1), energy(p.y0), .02);
}

TEST(SecondOrderGradients, ABlockCarriesBoth) {
  Plan<float> s = plan(verlet<float>(), Way::reversed, Arithmetic::fixed, 0L);
  const Block<float> block(acceleration<float>, s, {0, 1, 10});
  EXPECT_EQ(block.shape({2, 0}).in, 4);
  EXPECT_EQ(block.shape({2, 0}).out, 4);
  EXPECT_EQ(block.shape({2, 0}).params, 3);
}
}  // namespace
