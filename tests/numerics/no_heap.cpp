// No heap: everything there is to training runs in a static buffer while the allocator is watched.
#include <gtest/gtest.h>

#include <string.h>

#include <cstdlib>

#include "numerics/fields.hpp"
#include "numerics/heap_trap.hpp"
#include "revode/block.hpp"
#include "revode/gru.hpp"
#include "revode/optimizer.hpp"
#include "revode/random.hpp"
#include "revode/readout.hpp"

namespace {
using namespace revode;

constexpr int lanes = 8, iterations = 12;
alignas(REVODE_ALIGN) std::byte memory[1 << 19];

struct Report {
  Status status = Status::ok;
  float first = 0, last = 0;  // losses
  void take(int iteration, float loss) { (iteration == 0 ? first : last) = loss; }
};

template <class T>
T* draw(Arena& arena, std::uint32_t stream, std::size_t n, float low, float high) {
  T* values = arena.take<T>(n);
  Random random(7, stream);
  for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<T>(low + (high - low) * random.uniform());
  return values;
}
/// y_bar = y - target; the loss |y - target|^2 / (2 lanes).
float compare(std::size_t n, const float* y, const float* target, float* y_bar) {
  float loss = 0;
  for (std::size_t i = 0; i < n; ++i) {
    y_bar[i] = (y[i] - target[i]) / lanes;
    loss += lanes * y_bar[i] * y_bar[i] / 2;
  }
  return loss;
}

/// A latent ODE in small: a GRU over a sequence, a dense layer, an exactly reversed solve with halving and restore
/// points, readings at each lane's own times.
Report latent() {
  constexpr int hidden = 6, latent_rows = 4, sequence = 5, times = 3, widths[] = {latent_rows, 10, latent_rows};
  constexpr std::size_t z = latent_rows * lanes, read = z * times;
  const Gru<float> cell(hidden, 2);
  const Unroll<float> unroll(cell, sequence);
  const Dense<float> head(hidden, latent_rows);
  const Map<float>* const parts[] = {&unroll, &head};
  const Sequential<float> encoder(parts);
  const Mlp<float> field(widths, Activation::tanh, true);
  const Shape e = encoder.shape({lanes, 0}), f = field.shape({lanes, 0});
  const int all = e.params + f.params;
  const auto params = static_cast<std::size_t>(all), in = static_cast<std::size_t>(e.in) * lanes;

  Arena arena(memory, sizeof memory);
  Plan<float> plan;
  plan.halve_every = 4, plan.slots = 4, plan.log_bits = plan.log_bits_for(20, latent_rows, lanes);
  Solve<float> solve;
  Report report;
  if ((report.status = solve.init(arena, field, plan, lanes)) != Status::ok) return report;
  Readout<float> readout;
  readout.place(arena, field, lanes, times);
  Adam<float> adam;
  adam.place(arena, params);
  adam.reset();
  const Schedule schedule{Schedule::Kind::cosine, .02, 1, iterations, .005, 2};
  float* theta = draw<float>(arena, 1, params, -.5f, .5f);
  const float *x = draw<float>(arena, 2, in, -1, 1), *when = draw<float>(arena, 3, times * lanes, 0, 1),
              *target = draw<float>(arena, 4, read, -1, 1);
  auto *z0 = arena.take<float>(z), *z0_bar = arena.take<float>(z), *at = arena.take<float>(read),
       *at_bar = arena.take<float>(read), *leaves = arena.take<float>(params);
  auto *tape = arena.take<std::byte>(e.tape), *work = arena.take<std::byte>(e.work);
  if (!arena.ok()) report.status = Status::arena_too_small;
  Call<float> call;
  call.extent = {lanes, 0}, call.theta = theta, call.work = work, call.status = &report.status;
  for (int i = 0; i < iterations && report.status == Status::ok; ++i) {
    memset(leaves, 0, params * sizeof(float));
    encoder.eval(call, x, z0, tape);
    fail(&report.status, solve->begin({0, 1, 60}, theta + e.params, z0));
    fail(&report.status, readout.begin(times, when, at));
    do readout.look(*solve);
    while (solve->advance());
    report.take(i, compare(read, at, target, at_bar));
    fail(&report.status, solve->turn({leaves + e.params, 16, params}));
    do readout.pull(*solve, at_bar);
    while (solve->retreat());
    memset(z0_bar, 0, z * sizeof(float));
    fail(&report.status, solve->finish(z0_bar));
    encoder.vjp(call, x, z0, tape, z0_bar, nullptr, {{leaves, 16, params}, nullptr});
    clip_by_norm(params, 5.f, leaves);
    adam.update(static_cast<float>(schedule.at(adam.count)), leaves, theta);
  }
  return report;
}

/// A solve between two layers, every sample over its own duration.
Report blocks(bool recompute) {
  constexpr int widths[] = {3, 8, 3}, in = 2;
  const Mlp<float> inner(widths, Activation::silu, true);
  const Paced<float> paced(inner);
  Plan<float> plan;
  plan.method = alf<float>();
  const Block<float> solve(paced, plan, {0, 1, 30}, recompute);
  const Dense<float> lift(in, 4, Activation::softplus), read(4, 1);
  const Map<float>* const parts[] = {&lift, &solve, &read};
  const Sequential<float> model(parts);
  const Shape s = model.shape({lanes, 0});
  const auto params = static_cast<std::size_t>(s.params);

  Arena arena(memory, sizeof memory);
  Sgd<float> sgd;
  sgd.momentum = .5f;
  sgd.place(arena, params);
  sgd.reset();
  float* theta = draw<float>(arena, 1, params, -.5f, .5f);
  const float *x = draw<float>(arena, 2, in * lanes, -1, 1), *target = draw<float>(arena, 3, lanes, -1, 1);
  auto *y = arena.take<float>(lanes), *y_bar = arena.take<float>(lanes), *leaves = arena.take<float>(params);
  auto *tape = arena.take<std::byte>(s.tape), *work = arena.take<std::byte>(s.work);
  Report report;
  if (!arena.ok()) report.status = Status::arena_too_small;
  Call<float> call;
  call.extent = {lanes, 0}, call.theta = theta, call.work = work, call.status = &report.status;
  for (int i = 0; i < iterations && report.status == Status::ok; ++i) {
    memset(leaves, 0, params * sizeof(float));
    model.eval(call, x, y, tape);
    report.take(i, compare(lanes, y, target, y_bar));
    model.vjp(call, x, y, tape, y_bar, nullptr, {{leaves, 16, params}, nullptr});
    sgd.update(.2f, leaves, theta);
  }
  return report;
}

/// A traced right-hand side, by every way to the gradient.
template <class T>
Report traced(Way way) {
  Arena arena(memory, sizeof memory);
  Plan<T> plan;
  plan.method = mccallum_foster(tableau::tsitouras5<T>);
  plan.way = way;
  plan.slots = 5, plan.stored_steps = 40;
  if (way == Way::taped) {
    plan.method = runge_kutta(tableau::tsitouras5<T>), plan.arithmetic = Arithmetic::real;
    plan.log_bits = 1000;
  }
  Solve<T> solve;
  Report report;
  if ((report.status = solve.init(arena, fields::oscillator<T>, plan, 1)) != Status::ok) return report;
  Adamax<T> adamax;
  adamax.place(arena, 2);
  adamax.reset();
  T theta[2] = {T(.7), T(.7)}, theta_bar[2];
  T *y0 = arena.take<T>(2), *y_bar = arena.take<T>(2);
  if (!arena.ok())
    report.status = Status::arena_too_small;
  else
    y0[0] = 1, y0[1] = 0;
  for (int i = 0; i < iterations && report.status == Status::ok; ++i) {
    if ((report.status = run(*solve, {0, 1, 40}, theta, y0)) != Status::ok) break;
    y_bar[0] = solve->y()[0] - T(.54), y_bar[1] = solve->y()[1] + T(.84);
    report.take(i, static_cast<float>(y_bar[0] * y_bar[0] + y_bar[1] * y_bar[1]));
    theta_bar[0] = theta_bar[1] = 0;
    report.status = run_back(*solve, y_bar, static_cast<T*>(nullptr), {theta_bar, 1, 0});
    adamax.update(T(.02), theta_bar, theta);
  }
  return report;
}

template <class Train>
void expect_training_without_heap(const Train& train) {
  Report report;
  long calls = 0;
  {
    const heap::Trap trap;
    report = train();
    calls = trap.calls();
  }
  EXPECT_EQ(report.status, Status::ok) << sentence(report.status);
  EXPECT_GT(report.first, 0);
  EXPECT_LT(report.last, .9f * report.first) << "it is a training: its loss falls";
  EXPECT_EQ(calls, 0);
}

TEST(NoHeap, ALatentModelTrains) {
  expect_training_without_heap(latent);
}
TEST(NoHeap, SolvesAsBlocksTrain) {
  for (const bool recompute : {false, true}) expect_training_without_heap([&] { return blocks(recompute); });
}
TEST(NoHeap, TracedFieldsTrainByEveryWay) {
  for (const Way way : {Way::stored, Way::checkpointed, Way::reversed, Way::taped}) {
    expect_training_without_heap([&] { return traced<float>(way); });
    expect_training_without_heap([&] { return traced<double>(way); });
  }
}

/// The trap catches what it is there for; pointers are volatile so that no compiler removes the pairs.
TEST(NoHeap, TheTrapSnaps) {
  void* volatile at = nullptr;
  const auto calls = [](auto&& body) {
    const heap::Trap trap;
    body();
    return trap.calls();
  };
  EXPECT_EQ(calls([] {}), 0);
  EXPECT_EQ(calls([&] { at = std::malloc(10); }), 1);
  EXPECT_GE(calls([&] { at = std::realloc(at, 100000); }), 1);
  EXPECT_EQ(calls([&] { std::free(at); }), 1);
  EXPECT_EQ(calls([&] { at = std::calloc(2, 5); }), 1);
  std::free(at);
  EXPECT_EQ(calls([&] { at = std::aligned_alloc(64, 64); }), 1);
  std::free(at);
  EXPECT_EQ(calls([&] { at = ::operator new(10); }), 1);
  EXPECT_EQ(calls([&] { ::operator delete(at); }), 1);
  EXPECT_GE(calls([&] { at = ::operator new (64, std::align_val_t{64}); }), 1);
  ::operator delete (at, std::align_val_t{64});
}
}  // namespace
