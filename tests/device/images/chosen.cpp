// What Solve costs when it is built with REVODE_SOLVE="reversed;fixed", and that it refuses everything else.
#include "board.hpp"
#include "image.hpp"
#include "revode/optimizer.hpp"
#include "revode/sequential.hpp"
#include "revode/solve.hpp"

namespace {
using namespace revode;
constexpr int widths[] = {2, 16, 2};
constexpr Mlp<float> network{widths, Activation::tanh};
alignas(REVODE_ALIGN) std::byte memory[4096];
float theta[82], theta_bar[82];

Status start(Solve<float>& solve, Arena& arena, Way way, Arithmetic arithmetic) {
  Plan<float> plan;
  plan.way = way, plan.arithmetic = arithmetic, plan.stored_steps = 20;
  return solve.init(arena, network, plan, 1);
}
}  // namespace

int main() {
  board::paint_stack();
  Arena arena(memory, sizeof memory);
  Adam<float> adam;
  adam.place(arena, 82), adam.reset();
  Solve<float> solve;
  if (start(solve, arena, Way::none, Arithmetic::fixed) != Status::unsupported) return 90;
  if (start(solve, arena, Way::stored, Arithmetic::fixed) != Status::unsupported) return 91;
  if (start(solve, arena, Way::reversed, Arithmetic::real) != Status::unsupported) return 92;
  Status status = start(solve, arena, Way::reversed, Arithmetic::fixed);
  for (int i = 0; i < 82; ++i) theta[i] = static_cast<float>(i % 16 - 8) * 0.0625f;
  const float y0[] = {2, 0}, y1_bar[] = {1, 1};
  if (status == Status::ok) status = run(*solve, {0, 1, 20}, theta, y0);
  if (status == Status::ok) status = run_back(*solve, y1_bar, nullptr, {theta_bar});
  adam.update(0.02f, theta_bar, theta);
  return image::end(status);
}
