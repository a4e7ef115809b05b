// Williamson's form: its coefficients, gradients of all that a solve depends on, ways, steps by tolerance, bytes.
#include "revode/low_storage.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "numerics/differences.hpp"
#include "numerics/fields.hpp"

namespace {
using namespace trial;
using T = double;

/// Of EES(2,5) in whole numbers, of EES(2,7) over sqrt 2 (Shmelev et al., arXiv 2507.21006, worked out by hand).
TEST(LowStorage, CoefficientsOfEes) {
  const auto five = two_registers(tableau::ees25<T>), seven = two_registers(tableau::ees27<T>);
  const double r = std::sqrt(2.);
  const double A5[] = {0, -7. / 15, -35. / 32}, B5[] = {1. / 3, 15. / 16, 2. / 5};
  const double A7[] = {0, (-7 + 4 * r) / 3, -1. / 3 - 5 * r / 12, (-93 + 24 * r) / 49};
  const double B7[] = {(2 - r) / 3, (4 + r) / 8, 3 * (3 - r) / 7, (9 - 4 * r) / 14};
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(five.A[i], A5[i], 1e-15);
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(five.B[i], B5[i], 1e-15);
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(seven.A[i], A7[i], 2e-15);
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(seven.B[i], B7[i], 1e-15);
}
/// Of all tableaus, those that satisfy the conditions, in either precision.
TEST(LowStorage, WhoHasTheForm) {
  const std::string have = " euler midpoint heun ees25 ees27 ";
  for (const Tableau<T>* base : tableau::all<T>)
    EXPECT_EQ(two_registers(*base).exists, have.find(' ' + std::string(base->name) + ' ') != have.npos) << base->name;
  for (const Tableau<float>* base : tableau::all<float>)
    EXPECT_EQ(two_registers(*base).exists, have.find(' ' + std::string(base->name) + ' ') != have.npos) << base->name;
}

template <class S>
Plan<S> plan(const Method<S>& method, Way way, long steps) {
  Plan<S> p;
  p.method = method, p.way = way, p.arithmetic = Arithmetic::real;
  p.stored_steps = steps, p.slots = way == Way::checkpointed ? 3 : 0;
  return p;
}
template <class S>
Problem<S> problem(long steps) {
  Problem<S> p;
  p.field = &fields::network<S>, p.lanes = 3, p.running = S(.125);
  p.theta = uniform<S>(1, static_cast<std::size_t>(p.field->shape({}).params), -.7, .7);
  p.grid = {S(.25), S(2), steps};
  p.y0 = uniform<S>(2, 9, .5, 1.5), p.y1_bar = uniform<S>(3, 9, .25, 1);
  return p;
}

/// Both forms agree but for rounding, some ten a stage and step of 2^-24 or 2^-53 on numbers of up to 30; the ways that
/// recall states agree to the bit.
template <class S>
void check_ways() {
  const double rounding = (sizeof(S) == 4 ? 0x1p-24 : 0x1p-53) * 10 * 4 * 60 * 30;
  const Problem<S> p = problem<S>(60);
  for (const Tableau<S>* base : {&tableau::euler<S>, &tableau::heun<S>, &tableau::ees25<S>, &tableau::ees27<S>}) {
    const auto plain = attempt(p, plan(runge_kutta(*base), Way::stored, 60));
    const auto low = attempt(p, plan(low_storage(*base), Way::stored, 60));
    ASSERT_TRUE(sound(low)) << base->name;
    EXPECT_LT(distance(plain.y1, low.y1), rounding) << base->name;
    EXPECT_LT(distance(plain.y0_bar, low.y0_bar), rounding) << base->name;
    EXPECT_LT(distance(plain.theta_bar, low.theta_bar), rounding) << base->name;
    const auto few = attempt(p, plan(low_storage(*base), Way::checkpointed, 0));
    ASSERT_TRUE(sound(few)) << base->name;
    EXPECT_TRUE(same(low, few)) << base->name;
    const long s = base->stages;
    EXPECT_EQ(low.accounting.evaluations_forward, 60 * s);
    EXPECT_EQ(low.accounting.evaluations_backward, 60 * (2 * s - 1));
    EXPECT_EQ(low.accounting.vjps, 60 * s);
  }
}
TEST(LowStorage, IsThePlainFormButForRounding) {
  check_ways<float>();
  check_ways<double>();
}

/// Truncation 3e-14 times fifth derivatives of 1e4; rounding 1.5e3 times 5e-13, as in grid_times.cpp.
TEST(LowStorage, GradientsAreThoseOfDifferences) {
  for (const bool backwards : {false, true})
    for (const Tableau<T>* base : {&tableau::euler<T>, &tableau::midpoint<T>, &tableau::ees25<T>, &tableau::ees27<T>})
      for (const std::size_t nodes : {2u, 4u}) {
        using Trial = differences::Trial<T>;
        Trial p{&fields::driven<T>,
                2,
                plan(low_storage(*base), Way::stored, 15),
                15 / static_cast<long>(nodes - 1),
                {.2, .5, .6, 1.4},
                {},
                uniform<T>(2, 4, .2, 1),
                uniform<T>(3, 4, .5, 1)};
        p.theta = uniform<T>(1, 3, .4, 1.2);
        if (nodes == 2) p.times = {.2, 1.4};
        if (backwards) p.times = std::vector<T>(p.times.rbegin(), p.times.rend());
        differences::Gradient<T> g;
        loss(p, &g);
        const auto check = [&](const std::vector<T>& bar, std::vector<T> Trial::*of) {
          for (std::size_t i = 0; i < bar.size(); ++i) EXPECT_NEAR(bar[i], difference(p, of, i), 2e-9) << base->name;
        };
        check(g.y0, &Trial::y0), check(g.theta, &Trial::theta), check(g.times, &Trial::times);
      }
}

/// Back in floats: h^6 and h^8 a step are missed, and the gradient with them; restore points hold it. The plain form
/// misses as much.
TEST(LowStorage, WalksBackAsThePlainForm) {
  for (const auto& [base, bound] : {std::pair{&tableau::ees25<T>, 1e-5}, {&tableau::ees27<T>, 1e-7}}) {
    const Problem<T> p = problem<T>(40);
    const auto oracle = attempt(p, plan(low_storage(*base), Way::stored, 40));
    const auto low = attempt(p, plan(low_storage(*base), Way::reversed, 0)),
               plain = attempt(p, plan(runge_kutta(*base), Way::reversed, 0));
    ASSERT_EQ(low.back, Status::ok);
    EXPECT_TRUE(same_bits(oracle.y1, low.y1));
    EXPECT_GT(low.accounting.drift, 0);
    EXPECT_LT(low.accounting.drift, bound);
    // Of two recursions that differ by rounding, the misses do by some hundred roundings of 2^-53.
    EXPECT_NEAR(low.accounting.drift, plain.accounting.drift, 1e-14 + 1e-6 * bound) << base->name;
    EXPECT_LT(distance(oracle.theta_bar, low.theta_bar), 100 * bound) << base->name;
    Plan<T> often = plan(low_storage(*base), Way::reversed, 0);
    often.restore_every = 1, often.slots = 40;
    EXPECT_TRUE(same(oracle, attempt(p, often))) << "each state restored: the stored gradient, to the bit";
  }
}

TEST(LowStorage, StepsByTolerance) {
  for (const Tableau<T>* base : {&tableau::ees25<T>, &tableau::ees27<T>}) {
    const Problem<T> p = problem<T>(0);
    Plan<T> low = plan(low_storage(*base), Way::stored, 4000);
    low.control.rtol = low.control.atol = 1e-5;
    Plan<T> plain = low;
    plain.method = runge_kutta(*base);
    const auto a = attempt(p, low), b = attempt(p, plain);
    ASSERT_TRUE(sound(a));
    EXPECT_GT(a.accounting.steps, 20);
    EXPECT_NEAR(static_cast<double>(a.accounting.steps), static_cast<double>(b.accounting.steps), 1);
    EXPECT_LT(distance(a.y1, b.y1), 1e-5) << "within the tolerance";
    for (const int slots : {1, 4}) {
      low.way = Way::checkpointed, low.slots = slots;
      EXPECT_TRUE(same(a, attempt(p, low))) << slots;
    }
    low.way = Way::reversed, low.slots = 0;
    EXPECT_EQ(attempt(p, low).back, Status::ok);
  }
}

/// What sixteen lanes more take, in numbers: six of the flow and one at the beginning, whatever the stages; the plain
/// form 7 + 2 s and one. Tapes of one stage against s.
TEST(LowStorage, Bytes) {
  const Map<T>& field = fields::network<T>;
  const auto growth = [&](const Plan<T>& p) { return Solve<T>::bytes(field, p, 32) - Solve<T>::bytes(field, p, 16); };
  const Shape a = field.shape({16, 0}), b = field.shape({32, 0});
  const std::size_t number = 3 * 16 * sizeof(T), tape = padded(b.tape) - padded(a.tape), work = b.work - a.work;
  for (const Tableau<T>* base : {&tableau::heun<T>, &tableau::ees25<T>, &tableau::ees27<T>}) {
    const auto s = static_cast<std::size_t>(base->stages);
    EXPECT_EQ(growth(plan(low_storage(*base), Way::reversed, 0)), 7 * number + tape + work);
    EXPECT_EQ(growth(plan(runge_kutta(*base), Way::reversed, 0)), (8 + 2 * s) * number + s * tape + work);
    EXPECT_EQ(growth(plan(low_storage(*base), Way::none, 0)), 4 * number + tape + work);
  }
}

TEST(LowStorage, RefusesWhatItCannotDo) {
  EXPECT_EQ(fits(plan(low_storage(tableau::rk4<T>), Way::stored, 5)), Status::unsupported);
  Plan<T> p = plan(low_storage(tableau::ees25<T>), Way::stored, 5);
  EXPECT_EQ(fits(p), Status::ok);
  p.keep_stages = true;
  EXPECT_EQ(fits(p), Status::unsupported);
  p.keep_stages = false, p.arithmetic = Arithmetic::fixed;
  EXPECT_EQ(fits(p), Status::unsupported);
  p.arithmetic = Arithmetic::real, p.way = Way::taped, p.log_bits = 1000;
  EXPECT_EQ(fits(p), Status::unsupported);
}
}  // namespace
