// What linking the library as a whole costs: a method, a way and a network that are chosen at run time.
#include "revode/solve.hpp"
#include "board.hpp"
#include "image.hpp"
#include "revode/optimizer.hpp"
#include "revode/sequential.hpp"

namespace {
using namespace revode;
constexpr int widths[] = {2, 16, 2};
constexpr Mlp<float> network{widths, Activation::tanh};
volatile int chosen = 0;
alignas(REVODE_ALIGN) std::byte memory[4096];
float theta[82], theta_bar[82];
}  // namespace

int main() {
  board::paint_stack();
  Plan<float> plan;
  plan.way = chosen == 0 ? Way::reversed : Way::none;
  Arena arena(memory, sizeof memory);
  Adam<float> adam;
  adam.place(arena, 82), adam.reset();
  Solve<float> solve;
  Status status = solve.init(arena, network, plan, 1);
  for (int i = 0; i < 82; ++i) theta[i] = static_cast<float>(i % 16 - 8) * 0.0625f;
  const float y0[] = {2, 0}, y1_bar[] = {1, 1};
  if (status == Status::ok) status = run(*solve, {0, 1, 20}, theta, y0);
  if (status == Status::ok) status = run_back(*solve, y1_bar, nullptr, {theta_bar});
  adam.update(0.02f, theta_bar, theta);
  return image::end(status);
}
