// A 2-16-2 tanh network learns the spiral y' = A y^3 (that of torchdiffeq's demonstration) from a tile of one, 100
// iterations: the parameters that come out are the same bits on a laptop and on a processor without floating point.
#include "fixture.hpp"
#include "revode/fixed_mlp.hpp"
#include "revode/optimizer.hpp"
#include "revode/static_solve.hpp"

namespace device {
namespace {
constexpr int readings = 10, steps_between = 4;
constexpr float span = 0.5f;

/// The truth at the readings, by RK4 in small steps with this library's own roundings.
struct Spiral {
  float at[readings][2];
  Spiral() {
    float y[2] = {2, 0};
    for (int i = 0; i < readings; ++i) {
      for (int k = 0; k < 16; ++k) step(y, span / (16 * readings));
      at[i][0] = y[0], at[i][1] = y[1];
    }
  }
  static void slope(const float* y, float* dy) {
    const float c0 = y[0] * y[0] * y[0], c1 = y[1] * y[1] * y[1];
    dy[0] = -0.1f * c0 - 2 * c1;
    dy[1] = 2 * c0 - 0.1f * c1;
  }
  static void step(float* y, float h) {
    float k1[2], k2[2], k3[2], k4[2], z[2];
    slope(y, k1);
    for (int i = 0; i < 2; ++i) z[i] = y[i] + h / 2 * k1[i];
    slope(z, k2);
    for (int i = 0; i < 2; ++i) z[i] = y[i] + h / 2 * k2[i];
    slope(z, k3);
    for (int i = 0; i < 2; ++i) z[i] = y[i] + h * k3[i];
    slope(z, k4);
    for (int i = 0; i < 2; ++i) y[i] += h / 6 * (k1[i] + 2 * (k2[i] + k3[i]) + k4[i]);
  }
};

/// The loss, sum of |y - seen|^2 / 2 over the readings, and its gradient added to theta_bar.
template <class Solver>
float gradient(Solver& solve, const Spiral& spiral, const float* theta, float* theta_bar) {
  const float y0[] = {2, 0};
  float loss = 0;
  CHECK(solve.begin({0, span, readings * steps_between}, theta, y0) == Status::ok);
  while (solve.advance()) {
  }
  CHECK(solve.turn({theta_bar}) == Status::ok);
  do {
    const long n = solve.n();
    if (n == 0 || n % steps_between != 0) continue;
    for (int i = 0; i < 2; ++i) {
      const float miss = solve.y()[i] - spiral.at[n / steps_between - 1][i];
      solve.y_bar()[i] += miss;
      loss += miss * miss / 2;
    }
  } while (solve.retreat());
  CHECK(solve.finish(nullptr) == Status::ok);
  return loss;
}

template <class Solver, class Optimizer>
void iterate(const char* name, Solver& solve, Optimizer& optimizer, float rate, int iterations) {
  const Spiral spiral;
  float theta[network_params], theta_bar[network_params];
  fill(30, network_params, 0.5f, theta);
  optimizer.reset();
  float first = 0, last = 0;
  for (int i = 0; i < iterations; ++i) {
    for (float& g : theta_bar) g = 0;
    last = gradient(solve, spiral, theta, theta_bar);
    clip_by_norm(network_params, 10.0f, theta_bar);
    optimizer.update(rate, theta_bar, theta);
    if (i == 0) first = last;
  }
  CHECK(last < first / 2);
  print(name, Hash().add(network_params, theta).add(last));
}

template <class Optimizer>
void train(const char* name, const Plan<float>& plan, Optimizer optimizer, float rate, int iterations) {
  Arena arena = whole_arena();
  optimizer.place(arena, network_params);
  Solve<float> solve;
  CHECK(solve.init(arena, network, plan, 1) == Status::ok);
  if (arena.ok()) iterate(name, *solve, optimizer, rate, iterations);
}

constexpr Plan<float> heun{.method = reversible_heun<float>()};

/// The same with everything known while it compiles, which is what a device with one small model wants.
void train_static(const char* name) {
  using Net = FixedMlp<float, Activation::tanh, 2, 16, 2>;
  constexpr Net net;
  StaticSolve<Net, heun> solve;
  Adam<float> adam;
  Arena arena = whole_arena();
  adam.place(arena, network_params);
  solve.place(arena, net);
  CHECK(arena.ok());
  if (arena.ok()) iterate(name, solve, adam, 0.02f, 100);
}
}  // namespace

void training() {
  train("heun", heun, Adam<float>{}, 0.02f, 100);
  train_static("heun_static");
  Plan<float> coupled;
  coupled.method = mccallum_foster(tableau::midpoint<float>);
  train("mccallum_foster", coupled, Adam<float>{}, 0.02f, 30);
  Plan<float> taped;
  taped.method = runge_kutta(tableau::rk4<float>), taped.arithmetic = Arithmetic::real, taped.way = Way::taped;
  taped.log_bits = 512, taped.slots = 2;
  Adam<float> decoupled;
  decoupled.decoupled = true, decoupled.weight_decay = 0.01f;
  train("taped_adamw", taped, decoupled, 0.02f, 20);
  Sgd<float> sgd;
  sgd.momentum = 0.9f;
  train("sgd", heun, sgd, 0.002f, 60);
  train("adamax", heun, Adamax<float>{}, 0.02f, 60);
}
}  // namespace device
