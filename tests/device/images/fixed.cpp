// What a program costs whose method, way and network are known while it compiles.
#include "board.hpp"
#include "image.hpp"
#include "revode/fixed_mlp.hpp"
#include "revode/optimizer.hpp"
#include "revode/static_solve.hpp"

namespace {
using namespace revode;
using Net = FixedMlp<float, Activation::tanh, 2, 16, 2>;
constexpr Plan<float> plan{.method = reversible_heun<float>()};
constinit Net net;
StaticSolve<Net, plan> solve;
alignas(REVODE_ALIGN) std::byte memory[1536];
float theta[Net::params], theta_bar[Net::params];
}  // namespace

int main() {
  board::paint_stack();
  Arena arena(memory, sizeof memory);
  Adam<float> adam;
  adam.place(arena, Net::params), adam.reset();
  solve.place(arena, net);
  for (int i = 0; i < Net::params; ++i) theta[i] = static_cast<float>(i % 16 - 8) * 0.0625f;
  const float y0[] = {2, 0};
  Status status = arena.ok() ? solve.begin({0, 1, 20}, theta, y0) : Status::arena_too_small;
  while (solve.advance()) {
  }
  if (status == Status::ok) status = solve.turn({theta_bar});
  for (int i = 0; i < 2; ++i) solve.y_bar()[i] += 1;
  while (solve.retreat()) {
  }
  if (status == Status::ok) status = solve.finish(nullptr);
  adam.update(0.02f, theta_bar, theta);
  return image::end(status);
}
