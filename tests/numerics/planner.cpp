// The planner's numbers are those of the runs: bytes to the byte, evaluations to the evaluation.
#include "revode/planner.hpp"

#include <gtest/gtest.h>

#include "numerics/fields.hpp"
#include "numerics/trial.hpp"

namespace {
using namespace trial;
using T = float;
constexpr int lanes = 2;

Problem<T> problem(long steps) {
  Problem<T> p;
  p.field = &fields::network<T>, p.lanes = lanes;
  p.theta = uniform<T>(1, static_cast<std::size_t>(p.field->shape({}).params), -.7, .7);
  p.grid = {0, 1, steps};
  p.y0 = uniform<T>(2, 3 * lanes, -1, 1), p.y1_bar = uniform<T>(3, 3 * lanes, .25, 1);
  return p;
}
void expect_cost(const Plan<T>& plan, long steps) {
  SCOPED_TRACE(testing::Message() << plan.method.name << " over " << plan.method.base.name << ", way "
                                  << static_cast<int>(plan.way) << ", " << steps << " steps, " << plan.slots
                                  << " slots, K = " << plan.halve_every);
  const auto p = problem(steps);
  const auto o = attempt(p, plan);
  ASSERT_EQ(o.forward, Status::ok);
  ASSERT_EQ(o.back, Status::ok);
  const Cost c = cost(plan, steps, 3 * lanes);
  EXPECT_EQ(c.evaluations_forward, o.accounting.evaluations_forward);
  if (plan.way == Way::checkpointed && (plan.method.shares_ends() || plan.method.past() > 0)) {
    EXPECT_GE(c.evaluations_backward, o.accounting.evaluations_backward);
  } else {
    EXPECT_EQ(c.evaluations_backward, o.accounting.evaluations_backward);
  }
  EXPECT_EQ(c.vjps, o.accounting.vjps);
  EXPECT_EQ(c.recomputed, o.accounting.recomputed);
}

TEST(Planner, CostsAreThoseOfEveryWay) {
  for (const Method<T>& m : {runge_kutta(tableau::rk4<T>), runge_kutta(tableau::dormand_prince5<T>),
                             mccallum_foster(tableau::ralston3<T>), alf<T>(), reversible_heun<T>(), leapfrog<T>()})
    for (const long steps : {1L, 7L, 40L}) {
      Plan<T> p;
      p.method = m;
      p.way = Way::stored, p.stored_steps = steps;
      for (const bool keep : {false, true}) {
        p.keep_stages = keep;
        expect_cost(p, steps);
      }
      p.keep_stages = false, p.way = Way::checkpointed;
      for (const int slots : {1, 2, 3, 8, 60}) {
        p.slots = slots;
        expect_cost(p, steps);
      }
      p.slots = 0, p.way = Way::reversed, p.arithmetic = Arithmetic::real;
      expect_cost(p, steps);
      if (!bijective(m)) {
        p.way = Way::taped, p.log_bits = 1 << 16;
        for (const Predictor predictor : {Predictor::runge_kutta, Predictor::adams_bashforth}) {
          p.predictor = predictor;
          expect_cost(p, steps);
        }
        continue;
      }
      p.arithmetic = Arithmetic::fixed;
      expect_cost(p, steps);
      if (!dampable(m)) continue;
      p.halve_every = 3;
      for (const std::size_t rows : {1u, 4u, 14u}) {
        p.log_bits = rows * 3 * lanes,
        p.slots = static_cast<int>((steps / 3 + static_cast<long>(rows)) / static_cast<long>(rows));
        expect_cost(p, steps);
      }
    }
}

TEST(Planner, AdamsBeginsAsItsBase) {
  for (const int order : {1, 4, 6})
    for (const long steps : {1L, 4L, 40L}) {
      Plan<T> p;
      p.method = adams<T>(order), p.way = Way::stored, p.arithmetic = Arithmetic::real, p.stored_steps = steps;
      expect_cost(p, steps);
      p.way = Way::checkpointed;
      for (const int slots : {1, 3, 60}) {
        p.slots = slots;
        expect_cost(p, steps);
      }
    }
}

TEST(Planner, LowStorageGoesForwardsOnceMore) {
  for (const Tableau<T>* base : {&tableau::heun<T>, &tableau::ees25<T>, &tableau::ees27<T>})
    for (const long steps : {1L, 40L}) {
      Plan<T> p;
      p.method = low_storage(*base), p.way = Way::stored, p.arithmetic = Arithmetic::real, p.stored_steps = steps;
      expect_cost(p, steps);
      p.way = Way::checkpointed, p.slots = 3;
      expect_cost(p, steps);
      p.way = Way::reversed, p.slots = 0;
      expect_cost(p, steps);
    }
}

TEST(Planner, InferenceHasNoWayBack) {
  for (const Method<T>& m : {runge_kutta(tableau::rk4<T>), alf<T>(), adams<T>(4)}) {
    Plan<T> p;
    p.method = m, p.way = Way::stored, p.arithmetic = Arithmetic::real, p.stored_steps = 9;
    const long forward = cost(p, 9, 3 * lanes).evaluations_forward;
    p.way = Way::none;
    const Cost c = cost(p, 9, 3 * lanes);
    EXPECT_EQ(c.evaluations_forward, forward);
    EXPECT_EQ(c.evaluations_backward + c.vjps + c.recomputed, 0);
  }
}

TEST(Planner, LongRunsWithFewStates) {
  Plan<T> p;
  p.method = runge_kutta(tableau::midpoint<T>), p.way = Way::checkpointed, p.arithmetic = Arithmetic::real;
  for (const int slots : {2, 4, 8, 16}) {
    p.slots = slots;
    expect_cost(p, 1000);
  }
}

/// From a budget for everything down to one for nothing: what is offered fits, is in order of work, and runs at its
/// cost.
TEST(Planner, OffersFitTheBudgetAndTheirPromise) {
  for (const Tableau<T>* base : {&tableau::rk4<T>, &tableau::ees25<T>}) {
    const long steps = 60;
    Need<T> need;
    need.base = *base;
    need.field = &fields::network<T>, need.lanes = lanes, need.steps = steps;
    int last = most_offers + 1;
    bool had[4] = {}, low = false;
    for (std::size_t budget = 1 << 17; budget > 64; budget -= budget / 4) {
      need.budget = budget;
      Offer<T> offers[most_offers];
      const int count = plan_ways(need, offers);
      EXPECT_LE(count, last);
      last = count;
      for (int i = 0; i < count; ++i) {
        const Offer<T>& o = offers[i];
        EXPECT_LE(o.bytes, budget);
        EXPECT_EQ(o.bytes, Solve<T>::bytes(fields::network<T>, o.plan, lanes));
        EXPECT_TRUE(i == 0 || offers[i - 1].cost.work() <= o.cost.work());
        expect_cost(o.plan, steps);
        had[static_cast<int>(o.plan.way)] = true;
        low |= o.plan.method.low_storage;
      }
      Offer<T> chosen;
      const Status status = choose_way(need, chosen);
      if (status == Status::ok) {
        EXPECT_TRUE(chosen.contracting && !chosen.estimated);
      }
      EXPECT_TRUE(status == Status::ok || status == Status::capacity);
      if (count == 0) {
        EXPECT_EQ(status, Status::capacity);
      }
    }
    EXPECT_EQ(last, 0);
    EXPECT_TRUE(had[0] && had[1] && had[2] && had[3]);
    EXPECT_EQ(low, base == &tableau::ees25<T>);
  }
}

/// The default is right where the coupled methods fall: h |mu| = 0.1 over T |mu| = 40.
TEST(Planner, TheDefaultIsSafeOnAContractingField) {
  Problem<T> p;
  p.field = &fields::relaxing<T>, p.lanes = lanes;
  p.theta = {1, T(.75), T(-1.25)};
  p.grid = {0, 40, 400};
  p.y0 = uniform<T>(2, 4, .5, 1.5), p.y1_bar = uniform<T>(3, 4, .25, 1), p.running = T(1) / 400;
  Need<T> need;
  need.field = p.field, need.lanes = lanes, need.steps = 400;
  for (const std::size_t budget : {std::size_t{1} << 16, std::size_t{6000}, std::size_t{3000}}) {
    need.budget = budget;
    Offer<T> o;
    ASSERT_EQ(choose_way(need, o), Status::ok) << budget;
    EXPECT_TRUE(sound(attempt(p, o.plan))) << budget;
  }
  EXPECT_EQ(attempt(p, Plan<T>{}).forward, Status::range) << "what it is kept from";
}
}  // namespace
