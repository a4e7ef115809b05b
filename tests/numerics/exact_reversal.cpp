// Exact reversal: the gradient of a solve that kept nothing has the bits of one that kept everything.
#include <gtest/gtest.h>

#include "numerics/systems.hpp"

namespace {
using namespace trial;
using systems::System;

constexpr auto& names = systems::names;

/// K = 0 is lambda = 1; damped, K may be ln 2 / 0.1 = 6.9 at most for the relaxing field.
template <class T>
Problem<T> problem(System system, long steps, int halve_every) {
  return systems::problem<T>(system, steps, halve_every == 0);
}

template <class T>
Plan<T> plan(System system, const Method<T>& method, long steps, int halve_every, Way way) {
  Plan<T> p;
  p.method = method;
  p.way = way;
  p.stored_steps = steps;
  p.slots = way == Way::checkpointed ? 40 : 0;
  p.halve_every = halve_every;
  p.log_bits = p.log_bits_for(steps, 3, 2);
  // Lorenz: |y| stays below 2^7, and |f|, which is ALF's second register, below 2^10; 24 bits in float reach 2^6.
  if (system == System::lorenz && sizeof(T) == 4) {
    p.fraction_bits[0] = 23;
    if (!shares_scale(method)) p.fraction_bits[1] = 20;
  }
  return p;
}

/// The three ways agree in every bit, and every state is met again.
template <class T>
void expect_equal_bits(System system, const Problem<T>& p, const Method<T>& method, int halve_every) {
  SCOPED_TRACE(testing::Message() << names[static_cast<int>(system)] << ", " << method.name << " over "
                                  << method.base.name << ", K = " << halve_every);
  const long steps = p.grid.total();
  const auto stored = attempt(p, plan(system, method, steps, halve_every, Way::stored));
  ASSERT_TRUE(sound(stored));
  for (const Way way : {Way::reversed, Way::checkpointed}) {
    const auto other = attempt(p, plan(system, method, steps, halve_every, way));
    ASSERT_TRUE(sound(other));
    ASSERT_TRUE(same(stored, other)) << (way == Way::reversed ? "reversed" : "checkpointed");
    EXPECT_EQ(other.accounting.steps, steps);
    EXPECT_EQ(other.accounting.recomputed > 0, way == Way::checkpointed);
  }
}

template <class T>
class ExactReversal : public testing::Test {};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(ExactReversal, Numbers);

TYPED_TEST(ExactReversal, EveryWordOverEveryTableau) {
  using T = TypeParam;
  const long steps = 240;
  for (const System system : systems::all)
    for (const int K : {0, 4, 1}) {
      const auto p = problem<T>(system, steps, K);
      expect_equal_bits(system, p, alf<T>(), K);
      expect_equal_bits(system, p, reversible_heun<T>(), K);
      if (K == 0) expect_equal_bits(system, p, leapfrog<T>(), K);
      for (const Tableau<T>* base : tableau::all<T>) expect_equal_bits(system, p, mccallum_foster(*base), K);
    }
}

/// The relaxing field decays by e^-10000 here, so only a running loss reaches y0 and mu.
TYPED_TEST(ExactReversal, AHundredThousandStepsOfALF) {
  using T = TypeParam;
  const long steps = 100000 / shrink;
  for (const System system : systems::all)
    for (const int K : {0, 4}) {
      auto p = problem<T>(system, steps, K);
      p.running = T(1) / static_cast<T>(steps);
      expect_equal_bits(system, p, alf<T>(), K);
    }
}
TYPED_TEST(ExactReversal, AHundredThousandStepsOfMcCallumFoster) {
  using T = TypeParam;
  const long steps = 100000 / shrink;
  for (const System system : systems::all)
    for (const int K : {0, 4}) {
      auto p = problem<T>(system, steps, K);
      p.running = T(1) / static_cast<T>(steps);
      expect_equal_bits(system, p, mccallum_foster(K ? tableau::rk4<T> : tableau::midpoint<T>), K);
    }
}

TYPED_TEST(ExactReversal, UnevenGridsAndTimeRunningBackwards) {
  using T = TypeParam;
  const T later[] = {T(.1), T(.35), T(.4), T(1.7), T(3)}, earlier[] = {T(2), T(1.25), T(-.5)};
  for (const System system : {System::oscillator, System::network})
    for (const int K : {0, 4}) {
      auto p = problem<T>(system, 1, K);
      p.grid = {0, 0, 30, later, 5};
      expect_equal_bits(system, p, mccallum_foster(tableau::bogacki_shampine<T>), K);
      p.grid = {0, 0, 50, earlier, 3};
      expect_equal_bits(system, p, alf<T>(), K);
    }
}

/// A store of the stages as well: the same bits, and the way back evaluates nothing but the slope of the lift.
TYPED_TEST(ExactReversal, KeptStagesKeepTheBits) {
  using T = TypeParam;
  const long steps = 60;
  for (const System system : systems::all)
    for (const auto& method : {alf<T>(), mccallum_foster(tableau::tsitouras5<T>), runge_kutta(tableau::rk4<T>)})
      for (const int K : {0, 4}) {
        if (K > 0 && !dampable(method)) continue;
        const auto p = problem<T>(system, steps, K);
        auto kept = plan(system, method, steps, K, Way::stored);
        const auto stored = attempt(p, kept);
        kept.keep_stages = true;
        const auto o = attempt(p, kept);
        ASSERT_TRUE(sound(o)) << names[static_cast<int>(system)] << ", " << method.name;
        EXPECT_TRUE(same(stored, o)) << names[static_cast<int>(system)] << ", " << method.name;
        EXPECT_EQ(o.accounting.evaluations_backward, method.lift.field && method.registers > 1 ? 1 : 0);
        EXPECT_EQ(o.accounting.vjps, stored.accounting.vjps);
      }
}

/// Leaves of 16 samples add in another order than leaves of one; within either, the ways agree.
TYPED_TEST(ExactReversal, EitherLeafOfTheGradient) {
  using T = TypeParam;
  auto p = problem<T>(System::network, 100, 4);
  p.leaf = 16;
  expect_equal_bits(System::network, p, mccallum_foster(tableau::rk4<T>), 4);
}

/// A log that holds a fifth of the rows and five restore points: same bits, closed segments run once more.
TYPED_TEST(ExactReversal, RestorePointsKeepTheBits) {
  using T = TypeParam;
  const long steps = 4000;
  for (const System system : systems::all) {
    auto p = problem<T>(system, steps, 4);
    p.running = T(1) / static_cast<T>(steps);
    const auto method = mccallum_foster(tableau::heun<T>);
    const auto whole = attempt(p, plan(system, method, steps, 4, Way::reversed));
    ASSERT_TRUE(sound(whole));
    EXPECT_EQ(whole.accounting.recomputed, 0);
    auto segments = plan(system, method, steps, 4, Way::reversed);
    segments.log_bits = segments.log_bits_for(steps, p.field->shape({}).in, p.lanes) / 5;
    segments.slots = 5;
    const auto cut = attempt(p, segments);
    ASSERT_TRUE(sound(cut)) << names[static_cast<int>(system)];
    EXPECT_TRUE(same(whole, cut)) << names[static_cast<int>(system)];
    // 200 rows a segment; the fifth begins in front of row 800, in step 4 * 801 - 1.
    EXPECT_EQ(cut.accounting.recomputed, 4 * 801 - 1);
    EXPECT_EQ(cut.accounting.evaluations_backward, 4 * (steps + cut.accounting.recomputed));
  }
}

TYPED_TEST(ExactReversal, TooFewRestorePointsAreSaidOnTheWayForward) {
  using T = TypeParam;
  const long steps = 4000;
  const auto p = problem<T>(System::relaxing, steps, 4);
  auto few = plan(System::relaxing, mccallum_foster(tableau::heun<T>), steps, 4, Way::reversed);
  few.log_bits = few.log_bits_for(steps, 2, 2) / 5;
  few.slots = 4;
  const auto o = attempt(p, few);
  EXPECT_EQ(o.forward, Status::capacity);
  EXPECT_EQ(o.reached, 4 * 801 - 1);  // where the fifth segment would begin
  few.slots = 0;
  EXPECT_EQ(attempt(p, few).reached, 4 * 201 - 1);
}

/// Halving where the copies part: T |mu| = 40 tears an undamped run apart. Same bits by every way,
/// through restore points as well; bits by what is dissipated, not by steps; the solution is right to about the
/// threshold.
TYPED_TEST(ExactReversal, EventsWhereTheCopiesPart) {
  using T = TypeParam;
  const T above = T(1e-3);
  for (const auto& m : {mccallum_foster(tableau::rk4<T>), alf<T>(), reversible_heun<T>()}) {
    std::size_t bits[2] = {};
    for (const long steps : {2000L, 8000L}) {
      SCOPED_TRACE(testing::Message() << m.name << ", " << steps << " steps");
      auto p = problem<T>(System::relaxing, steps, 0);
      p.grid.t1 = 40;
      p.running = T(10) / static_cast<T>(steps);
      Plan<T> s = plan(System::relaxing, m, steps, 0, Way::stored);
      s.halve_above = above;
      const auto stored = attempt(p, s);
      ASSERT_TRUE(sound(stored));
      EXPECT_NEAR(stored.y1[0], T(.75), 20 * above);
      s.way = Way::checkpointed, s.slots = 20;
      EXPECT_TRUE(same(stored, attempt(p, s)));
      s.way = Way::reversed, s.slots = 0, s.log_bits = 1 << 20;
      const auto exact = attempt(p, s);
      ASSERT_TRUE(sound(exact));
      EXPECT_TRUE(same(stored, exact));
      EXPECT_EQ(exact.accounting.recomputed, 0);
      bits[steps > 2000] = exact.accounting.tape_bits;
      EXPECT_GT(exact.accounting.tape_bits, 0u);
      s.log_bits = exact.accounting.tape_bits / 3 + s.event_bits(4), s.slots = 12;
      const auto cut = attempt(p, s);
      ASSERT_TRUE(sound(cut));
      EXPECT_TRUE(same(stored, cut));
      EXPECT_GT(cut.accounting.recomputed, 0);
      s.slots = 0;
      EXPECT_EQ(attempt(p, s).forward, Status::capacity);
      s.halve_above = 0, s.log_bits = 0;
      const auto torn = attempt(p, s);
      EXPECT_TRUE(torn.forward == Status::range || std::abs(torn.y1[0] - T(.75)) > 20 * above) << "nothing to damp";
    }
    EXPECT_LT(bits[1], 3 * bits[0]) << m.name << ": four times the steps";
  }
}
}  // namespace
