// Plans and grids that do not exist: each is refused with a reason of its own, before any step.
#include <gtest/gtest.h>

#include <limits>

#include "numerics/fields.hpp"
#include "numerics/trial.hpp"

namespace {
using namespace trial;
using T = float;

Plan<T> reversed() {
  Plan<T> p;
  p.method = mccallum_foster(tableau::rk4<T>);
  return p;
}
Status status(const Plan<T>& plan, const Map<T>& field = fields::network<T>, int lanes = 2) {
  Bytes bytes(1 << 16);
  Arena arena = bytes.arena();
  Solve<T> solve;
  return solve.init(arena, field, plan, lanes);
}
/// The reason, which bytes() knows too: a plan that does not fit has none.
Status refusal(const Plan<T>& plan) {
  EXPECT_EQ(fits(plan), status(plan));
  EXPECT_EQ(Solve<T>::bytes(fields::network<T>, plan, 2), 0u);
  return fits(plan);
}

TEST(Plans, TheDefaultFits) {
  EXPECT_EQ(fits(Plan<float>{}), Status::ok);
  EXPECT_EQ(fits(Plan<double>{}), Status::ok);
  EXPECT_EQ(status(Plan<T>{}), Status::ok);
  static_assert(fits(Plan<T>{}) == Status::ok, "a device checks its plan at compile time");
}

TEST(Plans, RungeKuttaCannotBeUndone) {
  Plan<T> p = reversed();
  for (const Tableau<T>* base : tableau::all<T>) {
    p.method = runge_kutta(*base);
    EXPECT_EQ(refusal(p), Status::not_reversible) << base->name;
  }
}
TEST(Plans, FloatsDriftAndOnlyFloatsMay) {
  Plan<T> p = reversed();
  p.drift_bound = .1f;
  EXPECT_EQ(refusal(p), Status::bad_argument);
  p.drift_bound = 0, p.restore_every = 5;
  EXPECT_EQ(refusal(p), Status::bad_argument);
  p.arithmetic = Arithmetic::real;
  EXPECT_EQ(fits(p), Status::ok);
  p.method = runge_kutta(tableau::ees25<T>);
  EXPECT_EQ(fits(p), Status::ok);
}
TEST(Plans, LambdaIsForFloatsAndWordsWithALetterForIt) {
  Plan<T> p = reversed();
  p.lambda = .99f;
  EXPECT_EQ(refusal(p), Status::unsupported);
  p.arithmetic = Arithmetic::real;
  EXPECT_EQ(fits(p), Status::ok);
  p.halve_every = 4;
  EXPECT_EQ(refusal(p), Status::bad_argument);
  p.halve_every = 0, p.lambda = 0;
  EXPECT_EQ(refusal(p), Status::bad_argument);
  p.lambda = .9f, p.method = leapfrog<T>();
  EXPECT_EQ(refusal(p), Status::bad_argument);
}
TEST(Plans, OnlyWordsWithALetterForItAreDamped) {
  Plan<T> p;
  p.method = runge_kutta(tableau::rk4<T>);
  p.way = Way::checkpointed;
  p.arithmetic = Arithmetic::real;
  p.slots = 3;
  EXPECT_EQ(fits(p), Status::ok);
  p.halve_every = 4;
  EXPECT_EQ(refusal(p), Status::bad_argument);
}
TEST(Plans, EventsByDistanceAreExactAndAlone) {
  Plan<T> p = reversed();
  p.halve_above = -1;
  EXPECT_EQ(refusal(p), Status::bad_argument);
  p.halve_above = 1e-3f, p.halve_every = 4;
  EXPECT_EQ(refusal(p), Status::bad_argument);
  p.halve_every = 0;
  EXPECT_EQ(fits(p), Status::ok);
  p.log_bits = p.event_bits(6) - 1;
  EXPECT_EQ(status(p), Status::capacity);
  p.log_bits += 1;
  EXPECT_EQ(status(p), Status::ok);
  p.arithmetic = Arithmetic::real;
  EXPECT_EQ(refusal(p), Status::unsupported);
  p.arithmetic = Arithmetic::fixed, p.method = verlet<T>();
  EXPECT_EQ(refusal(p), Status::bad_argument);
}
TEST(Plans, StoresOfNothing) {
  Plan<T> p = reversed();
  p.way = Way::stored;
  EXPECT_EQ(refusal(p), Status::bad_argument);
  p.stored_steps = 10;
  EXPECT_EQ(fits(p), Status::ok);
  p.way = Way::checkpointed;
  EXPECT_EQ(refusal(p), Status::bad_argument);
}
TEST(Plans, OnlyAStoreKeepsStages) {
  Plan<T> p = reversed();
  p.keep_stages = true;
  EXPECT_EQ(refusal(p), Status::bad_argument);
  p.way = Way::checkpointed, p.slots = 3;
  EXPECT_EQ(refusal(p), Status::bad_argument);
  p.way = Way::stored, p.stored_steps = 3;
  EXPECT_EQ(fits(p), Status::ok);
}
TEST(Plans, TapesAreForFloatsOfOneRegister) {
  Plan<T> p;
  p.way = Way::taped, p.method = runge_kutta(tableau::rk4<T>);
  p.log_bits = 1000;
  EXPECT_EQ(refusal(p), Status::unsupported);
  p.arithmetic = Arithmetic::real;
  EXPECT_EQ(status(p), Status::ok);
  p.predictor = Predictor::adams_bashforth;
  EXPECT_EQ(status(p), Status::ok);
  p.log_bits = 0;
  EXPECT_EQ(refusal(p), Status::bad_argument);
  p.log_bits = 1000;
  for (const Method<T>& m : {alf<T>(), mccallum_foster(tableau::rk4<T>)}) {
    p.method = m;
    EXPECT_EQ(refusal(p), Status::unsupported);
  }
  p = reversed();
  p.predictor = Predictor::adams_bashforth;
  EXPECT_EQ(refusal(p), Status::bad_argument);
}
TEST(Plans, NegativeNumbers) {
  Plan<T> p = reversed();
  p.halve_every = -1;
  EXPECT_EQ(refusal(p), Status::bad_argument);
  p = reversed();
  p.slots = -1;
  EXPECT_EQ(refusal(p), Status::bad_argument);
  p = reversed();
  p.stored_steps = -1;
  EXPECT_EQ(refusal(p), Status::bad_argument);
}
TEST(Plans, FractionBits) {
  Plan<T> p = reversed();
  for (const int bits : {-1, 31, 64}) {
    p.fraction_bits[0] = p.fraction_bits[1] = bits;
    EXPECT_EQ(refusal(p), Status::bad_argument) << bits;
  }
  Plan<double> d;
  d.fraction_bits[0] = 62;
  EXPECT_EQ(fits(d), Status::ok);
  d.fraction_bits[0] = 63;
  EXPECT_EQ(fits(d), Status::bad_argument);
}
/// McCallum-Foster adds y and z as they are; ALF's v may have a scale of its own.
TEST(Plans, RegistersThatMixShareTheirScale) {
  Plan<T> p = reversed();
  p.fraction_bits[0] = 20;
  EXPECT_EQ(fits(p), Status::ok);  // the second follows the first
  p.fraction_bits[1] = 22;
  EXPECT_EQ(refusal(p), Status::bad_argument);
  p.method = alf<T>();
  EXPECT_EQ(fits(p), Status::ok);
}
TEST(Plans, ALogHoldsAtLeastARow) {
  Plan<T> p = reversed();
  p.halve_every = 4;
  for (const std::size_t bits : {0u, 1u, 5u}) {  // a row is 3 x 2
    p.log_bits = bits;
    EXPECT_EQ(status(p), Status::capacity) << bits;
  }
  p.log_bits = 6;
  EXPECT_EQ(status(p), Status::ok);
}

TEST(Plans, FieldsWhoseRowsDoNotFit) {
  const Dense<T> narrower(3, 2), nothing(0, 0);
  EXPECT_EQ(status(reversed(), narrower), Status::bad_argument);
  EXPECT_EQ(status(reversed(), nothing), Status::bad_argument);
  const int deep[] = {2, 2, 2, 2, 2, 2, 2, 2, 2, 2};
  EXPECT_EQ(status(reversed(), Mlp<T>(deep, Activation::tanh)), Status::bad_argument);
  const Dense<T> first(2, 3), second(4, 2), right(3, 2);
  const Map<T>*torn[] = {&first, &second}, *whole[] = {&first, &right};
  EXPECT_EQ(status(reversed(), Sequential<T>(torn)), Status::bad_argument);
  EXPECT_EQ(status(reversed(), Sequential<T>(whole)), Status::ok);
  for (const int lanes : {0, -1}) EXPECT_EQ(status(reversed(), fields::network<T>, lanes), Status::bad_argument);
}

Status begun(const Grid<T>& grid) {
  const auto theta = uniform<T>(1, static_cast<std::size_t>(fields::network<T>.shape({}).params), -1, 1);
  const auto y0 = uniform<T>(2, 3, -1, 1);
  Bytes bytes(Solve<T>::bytes(fields::network<T>, reversed(), 1));
  Arena arena = bytes.arena();
  Solve<T> solve;
  EXPECT_EQ(solve.init(arena, fields::network<T>, reversed(), 1), Status::ok);
  const Status s = solve->begin(grid, theta.data(), y0.data());
  EXPECT_EQ(solve->advance(), s == Status::ok) << "a refused grid takes no step";
  EXPECT_EQ(solve->status(), s);
  return s;
}
TEST(Grids, OfEqualSteps) {
  const T nan = std::numeric_limits<T>::quiet_NaN(), infinity = std::numeric_limits<T>::infinity();
  EXPECT_EQ(begun({0, 1, 2}), Status::ok);
  EXPECT_EQ(begun({1, -1, 2}), Status::ok);
  for (const Grid<T>& grid : {Grid<T>{0, 1, 0}, Grid<T>{0, 1, -5}, Grid<T>{1, 1, 10}, Grid<T>{0, nan, 10},
                              Grid<T>{nan, 1, 10}, Grid<T>{0, infinity, 10}, Grid<T>{-infinity, 0, 10}})
    EXPECT_EQ(begun(grid), Status::bad_argument) << grid.t0 << " to " << grid.t1 << ", " << grid.steps;
}
TEST(Grids, ThroughTimes) {
  const T nan = std::numeric_limits<T>::quiet_NaN();
  const T up[] = {0, 1, 3}, down[] = {3, 1, 0}, turning[] = {0, 2, 1}, twice[] = {0, 1, 1}, not_one[] = {0, nan, 2};
  EXPECT_EQ(begun({0, 0, 2, up, 3}), Status::ok);
  EXPECT_EQ(begun({0, 0, 2, down, 3}), Status::ok);
  EXPECT_EQ(begun({0, 0, 0, up, 3}), Status::bad_argument);
  EXPECT_EQ(begun({0, 0, 2, up, 1}), Status::bad_argument);
  for (const T* times : {turning, twice, not_one}) EXPECT_EQ(begun({0, 0, 2, times, 3}), Status::bad_argument);
}
}  // namespace
