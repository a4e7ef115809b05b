// Memory: training takes the computed bytes, whether a solve has a hundred steps or a million.
#include <gtest/gtest.h>

#include <string>

#include "numerics/fields.hpp"
#include "numerics/trial.hpp"
#include "revode/optimizer.hpp"

namespace {
using namespace trial;

constexpr int lanes = 2;
constexpr std::size_t n = 2 * lanes;
constexpr long a_million = 1000000 / shrink;

/// A model that learns to arrive at `target`: everything it owns stands in one arena.
struct Learner {
  const Map<float>* field;
  Plan<float> plan;
  Grid<float> grid;
  float start[3], target[n], rate;

  struct Memory {
    Solve<float> solve;
    Adam<float> adam;
    float *theta, *theta_bar, *y0, *y_bar;
  };
  Status place(Arena& arena, Memory& m) const {
    const auto params = static_cast<std::size_t>(field->shape({}).params);
    m.theta = arena.take<float>(params);
    m.theta_bar = arena.take<float>(params * lanes);
    m.y0 = arena.take<float>(n), m.y_bar = arena.take<float>(n);
    m.adam.place(arena, params);
    return m.solve.init(arena, *field, plan, lanes);
  }
  std::size_t bytes() const {
    Arena measure;
    Memory m;
    const Status refused = place(measure, m);  // an empty arena measures and holds nothing
    EXPECT_EQ(refused, Status::arena_too_small);
    return measure.bytes();
  }
};

/// One iteration: forwards, loss |y(t1) - target|^2 / 2, back, Adam. The loss, or a failure.
Status iterate(const Learner& l, Learner::Memory& m, float& loss) {
  const auto params = static_cast<std::size_t>(l.field->shape({}).params);
  if (Status s = run(*m.solve, l.grid, m.theta, m.y0); s != Status::ok) return s;
  loss = 0;
  for (std::size_t i = 0; i < n; ++i) {
    m.y_bar[i] = m.solve->y()[i] - l.target[i];
    loss += m.y_bar[i] * m.y_bar[i] / 2;
  }
  std::memset(m.theta_bar, 0, params * lanes * sizeof(float));
  if (Status s = run_back(*m.solve, m.y_bar, static_cast<float*>(nullptr), {m.theta_bar, 1, 0}); s != Status::ok)
    return s;
  for (std::size_t p = 0; p < params; ++p) m.theta_bar[p] = m.theta_bar[p * lanes] + m.theta_bar[p * lanes + 1];
  m.adam.update(l.rate, m.theta_bar, m.theta);
  return Status::ok;
}

struct Report {
  Status status = Status::ok;
  std::vector<float> losses;
  Accounting last;
};
Report train(const Learner& l, Arena arena, int iterations) {
  Report report;
  Learner::Memory m;
  report.status = l.place(arena, m);
  if (report.status != Status::ok) return report;
  m.adam.reset();
  std::memcpy(m.theta, l.start, static_cast<std::size_t>(l.field->shape({}).params) * sizeof(float));
  for (std::size_t i = 0; i < n; ++i) m.y0[i] = i < lanes ? 1.f : .25f;
  for (int i = 0; i < iterations && report.status == Status::ok; ++i) {
    float loss = 0;
    report.status = iterate(l, m, loss);
    if (report.status == Status::ok) report.losses.push_back(loss);
  }
  report.last = m.solve->accounting();
  return report;
}
void expect_learning(const Report& r, int iterations) {
  ASSERT_EQ(r.status, Status::ok) << sentence(r.status);
  ASSERT_EQ(r.losses.size(), static_cast<std::size_t>(iterations));
  for (std::size_t i = 1; i < r.losses.size(); ++i) EXPECT_LT(r.losses[i], r.losses[i - 1]) << "iteration " << i;
}

/// ALF, lambda = 1, on an oscillator over a fixed time: nothing is kept.
Learner oscillator() {
  Learner l{&fields::oscillator<float>, {}, {0, 2, 100}, {.8f, .8f, 0}, {}, .02f};
  l.plan.method = alf<float>();
  l.plan.fraction_bits[0] = 28;        // |y|, |f| < 4: what is left of 32 bits goes to small increments
  for (std::size_t i = 0; i < n; ++i)  // the circle at angle 2, from (1, 1/4)
    l.target[i] = i < lanes ? -.4161468f + .25f * .9092974f : -.9092974f - .25f * .4161468f;
  return l;
}
/// McCallum-Foster, halving every 4 steps, on decay to a fixed point that is not zero, h |mu| = 0.1. A log of 4096
/// rows and 62 restore points: 62 * 4096 >= 250,000 rows of a million steps.
constexpr long rows = 4096 / shrink;
Learner relaxing() {
  Learner l{&fields::relaxing<float>, {}, {0, 1, 100}, {1, .5f, -.5f}, {}, .02f};
  l.plan.method = mccallum_foster(tableau::midpoint<float>);
  l.plan.halve_every = 4;
  l.plan.log_bits = static_cast<std::size_t>(rows) * n;
  l.plan.slots = 62;
  for (std::size_t i = 0; i < n; ++i) l.target[i] = i < lanes ? .75f : -1.25f;
  return l;
}
/// The same decay in floats, by the midpoint rule and a tape.
Learner taped() {
  Learner l = relaxing();
  l.plan = {};
  l.plan.method = runge_kutta(tableau::midpoint<float>);
  l.plan.way = Way::taped, l.plan.arithmetic = Arithmetic::real;
  l.plan.log_bits = 8192, l.plan.slots = 20;
  return l;
}
void take(Learner& l, long steps) {
  l.grid.steps = steps;
  if (l.plan.halve_every || l.plan.way == Way::taped) l.grid.t1 = .1f * static_cast<float>(steps);
}

TEST(Memory, AnOscillatorTrainsWithAnyNumberOfStepsInTheSameBytes) {
  Learner l = oscillator();
  const std::size_t bytes = l.bytes();
  Bytes memory(bytes);
  for (const long steps : {100L, 10000L, a_million}) {
    take(l, steps);
    EXPECT_EQ(l.bytes(), bytes);
    const Report r = train(l, memory.arena(), 4);
    expect_learning(r, 4);
    EXPECT_EQ(r.last.steps, steps);
    EXPECT_EQ(r.last.recomputed, 0);
    EXPECT_EQ(r.last.evaluations_forward, steps + 1);  // the lift sets v = f(y0)
    EXPECT_EQ(r.last.evaluations_backward, steps + 1);
    EXPECT_EQ(r.last.vjps, steps + 1);
  }
}

TEST(Memory, ADampedFieldTrainsWithAnyNumberOfStepsInTheSameBytes) {
  Learner l = relaxing();
  const std::size_t bytes = l.bytes();
  Bytes memory(bytes);
  for (const long steps : {100L, 10000L, a_million}) {
    take(l, steps);
    EXPECT_EQ(l.bytes(), bytes);
    const Report r = train(l, memory.arena(), 3);
    expect_learning(r, 3);
    // Closed segments are run once more; the last of them ends in front of the step whose row no longer fits.
    const long closed = (steps / 4 - 1) / rows, recomputed = closed ? 4 * (closed * rows + 1) - 1 : 0;
    EXPECT_EQ(r.last.recomputed, recomputed);
    EXPECT_EQ(r.last.evaluations_forward, 4 * steps);  // two increments of two stages
    EXPECT_EQ(r.last.evaluations_backward, 4 * (steps + recomputed));
    EXPECT_EQ(r.last.vjps, 4 * steps);
    RecordProperty("repeated_evaluations_of_" + std::to_string(steps), std::to_string(4 * recomputed));
  }
}

TEST(Memory, ATapedFieldTrainsWithAnyNumberOfStepsInTheSameBytes) {
  Learner l = taped();
  const std::size_t bytes = l.bytes();
  Bytes memory(bytes);
  for (const long steps : {100L, 10000L, 10 * a_million / 100}) {
    take(l, steps);
    EXPECT_EQ(l.bytes(), bytes);
    const Report r = train(l, memory.arena(), 3);
    expect_learning(r, 3);
    EXPECT_EQ(r.last.steps, steps);
    EXPECT_EQ(r.last.evaluations_forward, 3 * steps + 1);  // two, and one more to predict with
    EXPECT_EQ(r.last.vjps, 2 * steps);
    EXPECT_LE(r.last.tape_bits, l.plan.log_bits);
  }
}

TEST(Memory, LogAndSlotsTooSmallForAMillionStepsAreSaidOnTheWayForward) {
  Learner l = relaxing();
  l.plan.slots = 61;
  Bytes memory(l.bytes());
  take(l, 10000);
  expect_learning(train(l, memory.arena(), 2), 2);
  take(l, a_million);
  const Report r = train(l, memory.arena(), 1);
  EXPECT_EQ(r.status, Status::capacity);
  EXPECT_EQ(r.last.steps, 4 * (61 * rows + 1) - 1);
  EXPECT_EQ(r.last.vjps, 0);
}

TEST(Memory, OneByteLessIsRefused) {
  Learner forecast = taped();
  forecast.plan.predictor = Predictor::adams_bashforth;
  for (Learner l : {oscillator(), relaxing(), taped(), forecast}) {
    const std::size_t bytes = l.bytes();
    Bytes memory(bytes);
    EXPECT_EQ(train(l, memory.arena(), 1).status, Status::ok);
    EXPECT_EQ(train(l, Arena(memory.data(), bytes - 1), 1).status, Status::arena_too_small);
    EXPECT_EQ(train(l, Arena(nullptr, 0), 1).status, Status::arena_too_small);
  }
}

TEST(Memory, MisalignedBytesAreRefused) {
  const Learner l = relaxing();
  Bytes memory(l.bytes() + REVODE_ALIGN);
  for (const std::size_t off : {1u, 4u, 8u, 32u})
    EXPECT_EQ(train(l, Arena(memory.data() + off, memory.size() - off), 1).status, Status::arena_too_small) << off;
  EXPECT_EQ(train(l, Arena(memory.data() + REVODE_ALIGN, memory.size() - REVODE_ALIGN), 1).status, Status::ok);
}

/// The bytes themselves, on a 64-bit machine with lines of 64 bytes. Another number here means that every user's static
/// buffer changes: where that is intended, the failure shows the number to put in its place.
TEST(Memory, ThePinnedBytes) {
  if (sizeof(void*) != 8 || REVODE_ALIGN != 64) GTEST_SKIP() << "pinned for 64-bit machines";
  EXPECT_EQ(Solve<float>::bytes(fields::oscillator<float>, oscillator().plan, lanes), 1624u);
  Plan<float> plan = relaxing().plan;
  plan.log_bits = 4096 * n;
  EXPECT_EQ(Solve<float>::bytes(fields::relaxing<float>, plan, lanes), 6880u);
  EXPECT_EQ(Solve<double>::bytes(fields::network<double>, {}, 16), 16704u);
}
}  // namespace
