// Inference alone: the parameters stay in flash, no cotangents, no tapes of stages, and nothing is linked that goes
// back. Prints the bits of the state at t = 1, the deepest stack, and "ok".
#include "board.hpp"
#include "print.hpp"
#include "revode/fixed_mlp.hpp"
#include "revode/static_solve.hpp"

namespace {
using namespace revode;

constexpr Plan<float> plan{
    .method = runge_kutta(tableau::rk4<float>), .way = Way::none, .arithmetic = Arithmetic::real};
using Net = FixedMlp<float, Activation::tanh, 2, 16, 2>;
using Solver = StaticSolve<Net, plan>;

constinit Net net;
constinit Solver solver;
alignas(REVODE_ALIGN) std::byte memory[Solver::bytes()];

/// What an exported header holds; here small weights of changing sign.
struct Parameters {
  float at[Net::params]{};
};
consteval Parameters made_up() {
  Parameters p;
  for (int i = 0; i < Net::params; ++i) p.at[i] = static_cast<float>((i * 37) % 64 - 32) * (1.f / 64);
  return p;
}
constexpr Parameters theta = made_up();
constexpr float start[] = {2, 0};
}  // namespace

int main() {
  board::paint_stack();
  Arena arena(memory, sizeof memory);
  solver.place(arena, net);
  const Status status = arena.ok() ? run(solver, {0, 1, 100}, theta.at, start) : Status::arena_too_small;
  for (int d = 0; d < 2; ++d) print::line("y ", __builtin_bit_cast(unsigned, solver.y()[d]), 16);
  print::line("stack ", board::stack_used(), 10);
  board::write(status == Status::ok ? "ok\n" : "failed\n");
  return static_cast<int>(status);
}
