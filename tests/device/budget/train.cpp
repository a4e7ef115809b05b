// Training in a few kilobytes, everything counted: a 2-HIDDEN-2 network learns the spiral by Adam and exact reversal.
// Prints what `budget` compares: the loss before and after as bits, the deepest stack, and at the end "ok".
#include "board.hpp"
#include "print.hpp"
#include "revode/fixed_mlp.hpp"
#include "revode/optimizer.hpp"
#include "revode/static_solve.hpp"
#include "spiral.hpp"

namespace {
using namespace revode;

constexpr Plan<float> plan{.method = METHOD, .fraction_bits = {28, 0}};  // |y| < 4
using Net = FixedMlp<float, Activation::tanh, 2, HIDDEN, 2>;
using Solver = StaticSolve<Net, plan>;

constinit Net net;
constinit Solver solver;
Adam<float> adam;
float theta[Net::params], theta_bar[Net::params];

consteval std::size_t bytes() {
  Arena moments;
  Adam<float>().place(moments, Net::params);
  return padded(Solver::bytes()) + moments.bytes();
}
alignas(REVODE_ALIGN) std::byte memory[bytes()];
// Read when the program runs, so that images of any length are the same but for these words.
const volatile long run_steps = STEPS;
const volatile int run_epochs = EPOCHS;

/// Small weights of changing sign; no random numbers are needed to break the symmetry.
void initialise() {
  for (int i = 0; i < Net::params; ++i) theta[i] = static_cast<float>((i * 37) % 64 - 32) * (1.f / 64);
}

/// The loss, half the sum of squares over the observations; its gradient is added to theta_bar.
float gradient(Status& status) {
  float loss = 0;
  const long steps = run_steps, between = steps / spiral::count;
  const auto miss = [&](int d) { return solver.y()[d] - spiral::seen.at[solver.n() / between - 1][d]; };
  const auto observed = [&] { return solver.n() > 0 && solver.n() % between == 0; };
  status = solver.begin({0, spiral::t1, steps}, theta, spiral::start);
  while (solver.advance())
    if (observed())
      for (int d = 0; d < 2; ++d) loss += miss(d) * miss(d) / 2;
  status = solver.turn({theta_bar});
  do {
    if (observed())
      for (int d = 0; d < 2; ++d) solver.y_bar()[d] += miss(d);
  } while (solver.retreat());
  if (status == Status::ok) status = solver.finish(nullptr);
  return loss;
}
}  // namespace

int main() {
  board::paint_stack();
  Arena arena(memory, sizeof memory);
  solver.place(arena, net);
  adam.place(arena, Net::params);
  adam.reset();
  initialise();
  Status status = arena.ok() ? Status::ok : Status::arena_too_small;
  const int epochs = run_epochs;
  for (int epoch = 0; epoch < epochs && status == Status::ok; ++epoch) {
    for (float& v : theta_bar) v = 0;
    const float loss = gradient(status);
    adam.update(.02f, theta_bar, theta);
    if (epoch == 0 || epoch == epochs - 1) print::line("loss ", __builtin_bit_cast(unsigned, loss), 16);
  }
  print::line("stack ", board::stack_used(), 10);
  board::write(status == Status::ok ? "ok\n" : "failed\n");
  return static_cast<int>(status);
}
