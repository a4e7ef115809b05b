// Reversal in floats: what it recovers, how far it drifts, and that it says so.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "numerics/fields.hpp"
#include "numerics/trial.hpp"

namespace {
using namespace trial;

template <class T>
Problem<T> oscillator(T duration, long steps) {
  Problem<T> p;
  p.field = &fields::oscillator<T>, p.lanes = 2;
  p.theta = {T(1.1), T(.9)};
  p.grid = {0, duration, steps};
  p.y0 = uniform<T>(2, 4, .5, 1.5);
  p.y1_bar = uniform<T>(3, 4, .25, 1);
  return p;
}
/// h |mu| = 0.1 towards a fixed point that is not zero.
template <class T>
Problem<T> relaxing(long steps) {
  Problem<T> p = oscillator<T>(T(.1) * static_cast<T>(steps), steps);
  p.field = &fields::relaxing<T>;
  p.theta = {1, T(.75), T(-1.25)};
  return p;
}
template <class T>
Plan<T> plan(const Method<T>& method, Way way, long steps, T lambda = 1) {
  Plan<T> p;
  p.method = method, p.way = way, p.arithmetic = Arithmetic::real, p.lambda = lambda;
  p.stored_steps = steps;
  return p;
}
struct Miss {
  double gradient, drift;
};
template <class T>
Miss miss(const Problem<T>& p, const Plan<T>& retraced) {
  Plan<T> oracle = retraced;
  oracle.way = Way::stored, oracle.restore_every = 0, oracle.drift_bound = 0, oracle.stored_steps = p.grid.total();
  const auto a = attempt(p, oracle), b = attempt(p, retraced);
  EXPECT_TRUE(sound(a));
  EXPECT_EQ(b.forward, Status::ok);
  EXPECT_EQ(b.back, Status::ok);
  EXPECT_TRUE(same_bits(a.y1, b.y1)) << "the way forward is the same solver";
  return {std::max(distance(a.y0_bar, b.y0_bar), distance(a.theta_bar, b.theta_bar)),
          static_cast<double>(b.accounting.drift)};
}

/// An oscillator loses nothing, so rounding is all that drifts: 200 steps of some ten roundings of 1.1e-16 on states of
/// 2, and gradients of up to T |y| = 40 times that.
TEST(Retraced, BijectiveWordsComeBackToRounding) {
  const auto p = oscillator<double>(20, 200);
  for (const auto& m : {alf<double>(), reversible_heun<double>(), leapfrog<double>(),
                        mccallum_foster(tableau::midpoint<double>), mccallum_foster(tableau::rk4<double>)}) {
    const Miss o = miss(p, plan(m, Way::reversed, 200L));
    EXPECT_LT(o.drift, 200 * 10 * 2.2e-16) << m.name;
    EXPECT_GT(o.drift, 0) << m.name << ": a float that came back exactly would be a miracle";
    EXPECT_LT(o.gradient, 40 * 200 * 10 * 2.2e-16) << m.name;
  }
}
/// lambda^-N: McCallum and Foster's coupling multiplies rounding by 1/lambda a step. A hundredfold either way.
TEST(Retraced, LambdaAmplifiesRounding) {
  const auto p = oscillator<double>(5, 500);
  for (const double lambda : {.99, .97}) {
    const Miss o = miss(p, plan(mccallum_foster(tableau::midpoint<double>), Way::reversed, 500L, lambda));
    const double expected = 1.1e-16 * std::pow(lambda, -500);
    EXPECT_LT(o.drift, 100 * expected) << lambda;
    EXPECT_GT(o.drift, expected / 100) << lambda;
  }
}
/// MALI's eta = 0.8: 1 / |1 - 2 eta| a step.
TEST(Retraced, DampedLeapfrogToo) {
  const auto p = oscillator<double>(1, 40);
  const Miss o = miss(p, plan(alf<double>(), Way::reversed, 40L, .6));
  const double expected = 1.1e-16 * std::pow(.6, -40);
  EXPECT_LT(o.drift, 100 * expected);
  EXPECT_GT(o.drift, expected / 100);
}
/// EES(2,5) and EES(2,7) come back to O(h^5) and O(h^7) (Shmelev et al., arXiv 2507.21006), others to their own order
/// or, where that is even, one more: the slope over a halved step within 0.3.
TEST(Retraced, EffectivelySymmetricMethodsComeBackToTheirOrder) {
  const auto slope = [](const Tableau<double>& base, long steps) {
    const auto at = [&](long n) {
      return miss(oscillator<double>(4, n), plan(runge_kutta(base), Way::reversed, n)).drift;
    };
    return std::log2(at(steps) / at(2 * steps));
  };
  EXPECT_NEAR(slope(tableau::ees25<double>, 20), 5, .3);
  EXPECT_NEAR(slope(tableau::ees27<double>, 20), 7, .3);
  EXPECT_NEAR(slope(tableau::midpoint<double>, 20), 3, .3);
  EXPECT_NEAR(slope(tableau::rk4<double>, 20), 5, .3);
}
/// Every state kept: the walk back recalls, as the oracle does, and has its bits.
TEST(Retraced, RestoredEveryStepIsStored) {
  const auto p = oscillator<float>(5, 50);
  for (const auto* base : {&tableau::ees25<float>, &tableau::rk4<float>}) {
    Plan<float> every = plan(runge_kutta(*base), Way::reversed, 50L);
    every.restore_every = 1, every.slots = 50;
    EXPECT_EQ(miss(p, every).gradient, 0);
  }
}
/// The flow wall: e^(T |mu|) = e^20 takes a double's 16 digits to 8, a float's away; a restore point every 2 of time
/// keeps e^2 of it.
TEST(Retraced, RestorePointsHoldAContractionBack) {
  const auto p = relaxing<float>(200);
  Plan<float> open = plan(runge_kutta(tableau::ees27<float>), Way::reversed, 200L), held = open;
  held.restore_every = 20, held.slots = 9;
  const Miss without = miss(p, open), with = miss(p, held);
  EXPECT_GT(without.drift, .01);
  EXPECT_LT(with.drift, 20 * 10 * 6e-8 * std::exp(2.));
}
TEST(Retraced, DriftBeyondItsBoundIsAStatus) {
  const auto p = relaxing<float>(200);
  Plan<float> watched = plan(runge_kutta(tableau::ees27<float>), Way::reversed, 200L);
  watched.drift_bound = 1e-3f;
  EXPECT_EQ(attempt(p, watched).back, Status::drift);
  watched.restore_every = 20, watched.slots = 9;
  EXPECT_EQ(attempt(p, watched).back, Status::ok);
}
TEST(Retraced, TooFewSlotsAreSaidOnTheWayForward) {
  const auto p = relaxing<float>(200);
  Plan<float> few = plan(runge_kutta(tableau::ees27<float>), Way::reversed, 200L);
  few.restore_every = 20, few.slots = 8;
  const auto o = attempt(p, few);
  EXPECT_EQ(o.forward, Status::capacity);
  EXPECT_EQ(o.reached, 180);
}
/// Coupled words are not for contracting fields: y and z part, and the accounting tells.
TEST(Retraced, SeparationTellsOfTheParasite) {
  const auto calm = attempt(oscillator<float>(5, 100), plan(mccallum_foster(tableau::rk4<float>), Way::reversed, 100L));
  const auto torn = attempt(relaxing<float>(200), plan(mccallum_foster(tableau::rk4<float>), Way::reversed, 200L));
  EXPECT_LT(calm.accounting.separation, 1e-4f);
  EXPECT_GT(torn.accounting.separation, 1.f);
}
}  // namespace
