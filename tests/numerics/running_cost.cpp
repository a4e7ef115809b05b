// A running cost along a solution in closed form, by every way.
#include "revode/running_cost.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "numerics/fields.hpp"
#include "numerics/trial.hpp"
#include "revode/dense.hpp"

namespace {
using namespace trial;
using T = double;

/// y = r (cos wt, -sin wt) under the oscillator with p0 = p1 = w; the cost w0 y0 + w1 y1 + b integrates to
/// r (w0 sin wt + w1 (cos wt - 1)) / w + b t.
TEST(RunningCost, IsTheIntegral) {
  const Dense<T> cost(2, 1);
  const RunningCost<T> field(fields::oscillator<T>, cost);
  ASSERT_EQ(field.shape({}).in, 3);
  ASSERT_EQ(field.shape({}).params, 5);
  const T w = 1.25, r = .75, t = 2, w0 = .5, w1 = -1.5, b = .25;
  Problem<T> p;
  p.field = &field;
  p.grid = {0, t, 100};
  p.theta = {w, w, w0, w1, b};
  p.y0 = {r, 0, 0}, p.y1_bar = {0, 0, 1};
  Plan<T> plan;
  plan.method = mccallum_foster(tableau::rk4<T>);
  plan.stored_steps = 100, plan.slots = 4;
  for (const Way way : {Way::stored, Way::checkpointed, Way::reversed}) {
    plan.way = way;
    const auto o = attempt(p, plan);
    ASSERT_EQ(o.back, Status::ok);
    // RK4 with wh = 0.025 errs by some (wh)^4 / 120 = 3e-9; fixed point by 100 roundings of 2^-45.
    EXPECT_NEAR(o.y1[2], r * (w0 * std::sin(w * t) + w1 * (std::cos(w * t) - 1)) / w + b * t, 1e-8);
    EXPECT_NEAR(o.theta_bar[2], r * std::sin(w * t) / w, 1e-8);
    EXPECT_NEAR(o.theta_bar[3], r * (std::cos(w * t) - 1) / w, 1e-8);
    EXPECT_NEAR(o.theta_bar[4], t, 1e-11);
    EXPECT_NEAR(o.y0_bar[0], (w0 * std::sin(w * t) + w1 * (std::cos(w * t) - 1)) / w, 1e-8);
  }
}
}  // namespace
