// The C interface's plans: ways that give one another's bits, what they count, and steps chosen by tolerance.
#include <gtest/gtest.h>

#include "unit/c_pendulum.hpp"

namespace {
using namespace pendulum;

/// A solve over (0, 3) and what it leaves.
struct Solved {
  double y1[2] = {};
  double bar[4] = {};  // of y0 and theta
  revode_counts counts{};
  Orders orders;
};
void solve(const revode_plan& p, long steps, Solved& s) {
  revode_solver* solver;
  ASSERT_TRUE(make(field<1>(s.orders), p, &solver));
  ASSERT_EQ(revode_forward(solver, theta, 0, 3, steps, start, s.y1), REVODE_OK);
  ASSERT_EQ(revode_backward(solver, weight, s.bar, s.bar + 2), REVODE_OK);
  s.counts.size = sizeof s.counts;
  ASSERT_EQ(revode_accounting(solver, &s.counts), REVODE_OK);
}
void expect_same_bits(const Solved& a, const Solved& b) {
  for (int i = 0; i < 4; ++i) {
    EXPECT_NE(a.bar[i], 0) << i;
    EXPECT_EQ(a.bar[i], b.bar[i]) << i;
  }
}

TEST(CApiWays, ATapeGivesTheStoredGradientBits) {
  Solved stored, taped;
  solve(plan(REVODE_RUNGE_KUTTA, REVODE_RK4, REVODE_STORED, REVODE_REAL), 40, stored);
  revode_plan p = plan(REVODE_RUNGE_KUTTA, REVODE_RK4, REVODE_TAPED, REVODE_REAL);
  p.log_bits = 20000;
  solve(p, 40, taped);
  expect_same_bits(stored, taped);
  EXPECT_EQ(stored.counts.tape_bits, 0u);
  EXPECT_GT(taped.counts.tape_bits, 0u);
}

TEST(CApiWays, HalvingEventsAndRestorePointsGiveTheStoredGradientBits) {
  Solved stored, reversed;
  revode_plan p = plan(REVODE_MCCALLUM_FOSTER, REVODE_HEUN, REVODE_STORED, REVODE_FIXED);
  p.halve_every = 4;
  solve(p, 40, stored);
  p = plan(REVODE_MCCALLUM_FOSTER, REVODE_HEUN, REVODE_REVERSED, REVODE_FIXED);
  p.halve_every = 4, p.log_bits = 7 * 2, p.slots = 4;  // 10 events in all, 7 a segment
  solve(p, 40, reversed);
  expect_same_bits(stored, reversed);
  EXPECT_EQ(stored.counts.recomputed, 0);
  EXPECT_GT(reversed.counts.recomputed, 0);
  for (const Solved* s : {&stored, &reversed}) {
    EXPECT_EQ(s->counts.steps, 40);
    EXPECT_EQ(s->counts.evaluations_forward, 40 * 4);
    EXPECT_EQ(s->counts.evaluations_forward + s->counts.evaluations_backward, s->orders.rhs);
    EXPECT_EQ(s->counts.vjps, s->orders.vjp);
  }
}

TEST(CApiWays, KeptStagesAreNotEvaluatedAgain) {
  revode_plan p = plan(REVODE_RUNGE_KUTTA, REVODE_RK4, REVODE_STORED, REVODE_REAL);
  p.keep_stages = 1;
  Solved s;
  solve(p, 40, s);
  EXPECT_EQ(s.orders.rhs, 40 * 4);
  EXPECT_EQ(s.orders.vjp, 40 * 4);
}

TEST(CApiWays, TolerancesChooseTheSteps) {
  revode_plan p = plan(REVODE_MCCALLUM_FOSTER, REVODE_RALSTON3, REVODE_REVERSED, REVODE_FIXED);
  Solved coarse, tight;
  p.rtol = p.atol = 1e-4;
  solve(p, 0, coarse);
  p.rtol = p.atol = 1e-9;
  solve(p, 0, tight);
  EXPECT_GT(tight.counts.steps, 4 * coarse.counts.steps);
  for (int i = 0; i < 2; ++i) EXPECT_NEAR(coarse.y1[i], tight.y1[i], 1e-2);
  EXPECT_NE(tight.bar[0], 0);
  p.most_steps = coarse.counts.steps / 2, p.rtol = p.atol = 1e-4;
  Orders orders;
  revode_solver* solver;
  ASSERT_TRUE(make(field<1>(orders), p, &solver));
  EXPECT_EQ(revode_forward(solver, theta, 0, 3, 0, start, nullptr), REVODE_TOO_MANY_STEPS);
}
}  // namespace
