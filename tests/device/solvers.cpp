// Every tableau and every word forwards, in floats, in fixed point, and with tolerances; and each way to the gradient.
#include "revode/solve.hpp"

#include "fixture.hpp"
#include "revode/automatic.hpp"

namespace device {
namespace {
constexpr Automatic<float, Lorenz> lorenz;
constexpr float sigma_rho_beta[] = {10, 28, 8.0f / 3};

struct Result {
  Status status = Status::ok;
  Hash hash;
};
/// Forwards and, unless the plan forgets, back with y1_bar = 1 and a running cotangent of y / 2.
Result solve(const Map<float>& field, const Plan<float>& plan, const Grid<float>& grid, const float* theta,
             const float* y0, int lanes) {
  Result r;
  Arena arena = whole_arena();
  const Shape shape = field.shape({lanes, 0});
  const auto params = product(shape.params, lanes);
  float* theta_bar = arena.take<float>(params);
  float* y0_bar = arena.take<float>(product(2 * shape.out, lanes));
  Solve<float> s;
  r.status = s.init(arena, field, plan, lanes);
  if (r.status != Status::ok) return r;
  r.status = run(*s, grid, theta, y0);
  r.hash.add(s->size(), s->y());
  if (r.status != Status::ok || plan.way == Way::none) return r;
  for (std::size_t i = 0; i < params; ++i) theta_bar[i] = 0;
  for (std::size_t i = 0; i < s->size(); ++i) y0_bar[i] = 0;
  float times_bar[2] = {};
  r.status = s->turn({theta_bar}, times_bar);
  for (std::size_t i = 0; i < s->size(); ++i) s->y_bar()[i] += 1;
  while (s->retreat())
    for (std::size_t i = 0; i < s->size(); ++i) s->y_bar()[i] += 0.5f * s->y()[i];
  r.status = s->finish(y0_bar);
  r.hash.add(s->size(), y0_bar).add(params, theta_bar).add(2, times_bar);
  return r;
}

void tableaus() {
  float y0[] = {1, 2, 20};
  for (const Tableau<float>* base : tableau::all<float>) {
    Plan<float> plan;
    plan.method = runge_kutta(*base), plan.way = Way::none, plan.arithmetic = Arithmetic::real;
    const Result r = solve(lorenz, plan, {0, 0.3f, 15}, sigma_rho_beta, y0, 1);
    CHECK(r.status == Status::ok);
    print(base->name, r.hash);
  }
  Plan<float> plan;
  plan.method = adams<float>(4), plan.way = Way::none, plan.arithmetic = Arithmetic::real;
  const Result r = solve(lorenz, plan, {0, 0.3f, 15}, sigma_rho_beta, y0, 1);
  CHECK(r.status == Status::ok);
  print("adams", r.hash);
}

void words(const float* theta) {
  const Method<float> methods[] = {mccallum_foster(tableau::rk4<float>),
                                   alf<float>(),
                                   reversible_heun<float>(),
                                   leapfrog<float>(),
                                   verlet<float>(),
                                   symplectic_euler<float>()};
  const float y0[] = {1, -0.5f, 0.25f, 0.75f};
  for (const Method<float>& method : methods) {
    Plan<float> plan;
    plan.method = method;
    const Result exact = solve(network, plan, {0, 1, 12}, theta, y0, 1);
    CHECK(exact.status == Status::ok);
    print(method.name, exact.hash);
    plan.way = Way::stored, plan.stored_steps = 12;
    CHECK(solve(network, plan, {0, 1, 12}, theta, y0, 1).hash.value() == exact.hash.value());
    plan.way = Way::checkpointed, plan.slots = 3;
    CHECK(solve(network, plan, {0, 1, 12}, theta, y0, 1).hash.value() == exact.hash.value());
  }
}

/// A contracting field, where reversal needs its halving events, an ordinary solver its tape.
void damped(const float* theta) {
  const float y0[] = {1, -0.5f};
  Plan<float> plan;
  plan.halve_every = 4, plan.log_bits = 64;
  const Result halved = solve(network, plan, {0, 2, 40}, theta, y0, 1);
  CHECK(halved.status == Status::ok);
  print("halved", halved.hash);

  plan = {};
  plan.method = runge_kutta(tableau::rk4<float>), plan.arithmetic = Arithmetic::real;
  plan.way = Way::stored, plan.stored_steps = 40;
  const Result stored = solve(network, plan, {0, 2, 40}, theta, y0, 1);
  print("stored", stored.hash);
  plan.way = Way::taped, plan.stored_steps = 0, plan.log_bits = 512, plan.slots = 3;
  const Result taped = solve(network, plan, {0, 2, 40}, theta, y0, 1);
  CHECK(taped.status == Status::ok && taped.hash.value() == stored.hash.value());
  plan.predictor = Predictor::adams_bashforth;
  CHECK(solve(network, plan, {0, 2, 40}, theta, y0, 1).hash.value() == stored.hash.value());

  plan = {};
  plan.arithmetic = Arithmetic::real, plan.lambda = 0.99f, plan.slots = 2, plan.restore_every = 20;
  const Result drifting = solve(network, plan, {0, 2, 40}, theta, y0, 1);
  CHECK(drifting.status == Status::ok);
  print("reversed_in_floats", drifting.hash);
}

void adaptive(const float* theta) {
  const float y0[] = {1, -0.5f};
  Plan<float> plan;
  plan.method = runge_kutta(tableau::dormand_prince5<float>), plan.arithmetic = Arithmetic::real;
  plan.way = Way::checkpointed, plan.slots = 3;
  plan.control.rtol = 1e-5f, plan.control.atol = 1e-7f, plan.control.most_steps = 200, plan.control.most_jumps = 20;
  const Result r = solve(network, plan, {0, 3, 1}, theta, y0, 1);
  CHECK(r.status == Status::ok);
  print("adaptive", r.hash);
}

/// A tile of samples gives each lane the bits it has alone.
void lanes(const float* theta) {
  float y0[6];
  fill(21, 6, 1, y0);
  Plan<float> plan;
  plan.method = reversible_heun<float>();
  const Result r = solve(network, plan, {0, 1, 12}, theta, y0, 3);
  CHECK(r.status == Status::ok);
  print("lanes", r.hash);
}
}  // namespace

void solvers() {
  float theta[network_params];
  fill(20, network_params, 0.7f, theta);
  tableaus();
  words(theta);
  damped(theta);
  adaptive(theta);
  lanes(theta);
}
}  // namespace device
