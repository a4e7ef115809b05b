#pragma once
#include "revode/fixed_mlp.hpp"
#include "revode/static_solve.hpp"

namespace bench {
constexpr int steps = 100, params = 82;
constexpr float start[] = {2, 0}, target[] = {.5f, -1};
constexpr float parameter(int i) {
  return static_cast<float>((i * 37) % 64 - 32) * (1.f / 64);
}

inline constexpr revode::Plan<float> plan{.method = revode::reversible_heun<float>(), .fraction_bits = {28, 0}};
using Net = revode::FixedMlp<float, revode::Activation::tanh, 2, 16, 2>;
using Solver = revode::StaticSolve<Net, plan>;
constinit Net net;
constinit Solver solver;
alignas(REVODE_ALIGN) std::byte memory[Solver::bytes()];
float theta[params], bar[params];

inline void prepare() {
  revode::Arena arena(memory, sizeof memory);
  solver.place(arena, net);
  for (int i = 0; i < params; ++i) theta[i] = parameter(i);
}
inline float gradient() {
  float y_bar[2], loss = 0;
  if (run(solver, {0, .5f, steps}, theta, start) != revode::Status::ok) return -1;
  for (int d = 0; d < 2; ++d) y_bar[d] = solver.y()[d] - target[d], loss += y_bar[d] * y_bar[d] / 2;
  if (run_back(solver, y_bar, nullptr, {bar}) != revode::Status::ok) return -2;
  return loss;
}
inline float theta_bar(int i) {
  return bar[i];
}
}  // namespace bench
