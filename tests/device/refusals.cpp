// What is used wrongly, or does not fit, is a Status and never a crash; and the same bytes serve any number of steps.
#include "fixture.hpp"
#include "revode/automatic.hpp"

namespace device {
namespace {
struct Growing {
  static constexpr int dim = 1, params = 1;
  template <class S>
  constexpr void operator()(S, const S* y, const S* p, S* dy) const {
    dy[0] = p[0] * y[0];
  }
};
constexpr Automatic<float, Growing> growing;
constexpr float y0[] = {1, -0.5f};
float theta[network_params];

Status start(const Plan<float>& plan, int lanes = 1) {
  Arena arena = whole_arena();
  Solve<float> solve;
  return solve.init(arena, network, plan, lanes);
}
Plan<float> real(Way way) {
  Plan<float> plan;
  plan.method = runge_kutta(tableau::rk4<float>), plan.way = way, plan.arithmetic = Arithmetic::real;
  return plan;
}
Status forwards(const Map<float>& field, const Plan<float>& plan, const Grid<float>& grid, const float* p,
                const float* from) {
  Arena arena = whole_arena();
  Solve<float> solve;
  if (const Status s = solve.init(arena, field, plan, 1); s != Status::ok) return s;
  return run(*solve, grid, p, from);
}

void memory() {
  Plan<float> plan;
  plan.method = reversible_heun<float>();
  const std::size_t bytes = Solve<float>::bytes(network, plan, 1);
  remark("bytes", static_cast<unsigned long>(bytes));
  Solve<float> solve;
  Arena exact(arena_memory, bytes), less(arena_memory, bytes - 1), nothing;
  CHECK(solve.init(exact, network, plan, 1) == Status::ok);
  CHECK(solve.init(less, network, plan, 1) == Status::arena_too_small);
  CHECK(solve.init(nothing, network, plan, 1) == Status::arena_too_small);
  Arena shifted(arena_memory + REVODE_ALIGN / 2, arena_bytes - REVODE_ALIGN);
  CHECK(solve.init(shifted, network, plan, 1) == Status::arena_too_small);
  CHECK(start(plan, 0) == Status::bad_argument);
  CHECK(start(plan, 1 << 20) == Status::arena_too_small);
  const int odd[] = {2, 3};
  Arena arena = whole_arena();
  CHECK(solve.init(arena, Mlp<float>(odd, Activation::tanh), plan, 1) == Status::bad_argument);
}

void plans() {
  Plan<float> plan = real(Way::reversed);
  plan.arithmetic = Arithmetic::fixed;
  CHECK(start(plan) == Status::not_reversible);
  CHECK(start(real(Way::stored)) == Status::bad_argument);
  CHECK(start(real(Way::checkpointed)) == Status::bad_argument);
  CHECK(start(real(Way::taped)) == Status::bad_argument);
  plan = {};
  plan.halve_every = 4;
  CHECK(start(plan) == Status::capacity);
  plan = {};
  plan.fraction_bits[0] = 31;
  CHECK(start(plan) == Status::bad_argument);
  plan = real(Way::stored), plan.stored_steps = 0x7fffffff;
  CHECK(start(plan) == Status::arena_too_small);
}

void runs() {
  const float p[] = {40}, one[] = {1};
  Plan<float> plan = real(Way::stored);
  plan.stored_steps = 9;
  CHECK(forwards(network, plan, {0, 1, 9}, theta, y0) == Status::ok);
  CHECK(forwards(network, plan, {0, 1, 10}, theta, y0) == Status::capacity);
  CHECK(forwards(network, plan, {0, 0, 10}, theta, y0) == Status::bad_argument);
  plan = real(Way::taped), plan.log_bits = 64;
  CHECK(forwards(network, plan, {0, 8, 400}, theta, y0) == Status::capacity);
  plan = real(Way::none);
  CHECK(forwards(growing, plan, {0, 20, 400}, p, one) == Status::not_finite);
  CHECK(forwards(growing, {}, {0, 1, 100}, p, one) == Status::range);
  plan.method = runge_kutta(tableau::dormand_prince5<float>);
  plan.control.rtol = 1e-6f, plan.control.most_steps = 8;
  CHECK(forwards(network, plan, {0, 20, 1}, theta, y0) == Status::too_many_steps);
  Arena arena = whole_arena();
  Solve<float> solve;
  CHECK(solve.init(arena, network, real(Way::none), 1) == Status::ok);
  CHECK(run(*solve, {0, 1, 4}, theta, y0) == Status::ok);
  CHECK(solve->turn({nullptr}) == Status::not_reversible);
}

/// There and back over 10,000 steps in the bytes of 100: the self-check at the end finds the state it began with.
void steps() {
  Plan<float> plan;
  plan.method = reversible_heun<float>();
  const long counts[] = {100, 10000};
  for (const long count : counts) {
    float y0_bar[2] = {};
    Arena arena(arena_memory, Solve<float>::bytes(network, plan, 1));
    Solve<float> solve;
    CHECK(solve.init(arena, network, plan, 1) == Status::ok);
    CHECK(run(*solve, {0, 2, count}, theta, y0) == Status::ok);
    Hash hash;
    hash.add(2, solve->y());
    CHECK(run_back(*solve, y0, y0_bar, {nullptr}) == Status::ok);
    print(count == 100 ? "steps_100" : "steps_10000", hash.add(2, y0_bar));
  }
}
}  // namespace

void refusals() {
  fill(40, network_params, 0.7f, theta);
  memory(), plans(), runs(), steps();
}
}  // namespace device
