// A device goes on with the network that a cluster trained: reads it from flash, predicts, trains on what it sees, and
// prints its parameters for revode-export. Host and device print the same lines.
#include "board.hpp"
#include "model.h"
#include "revode/fixed_mlp.hpp"
#include "revode/optimizer.hpp"
#include "revode/static_solve.hpp"

namespace {
using namespace revode;

constexpr Plan<float> plan{.method = reversible_heun<float>()};
using Net = FixedMlp<float, Activation::tanh, MODEL_WIDTHS>;
using Solver = StaticSolve<Net, plan>;
// What the header says of the model is what the library computes.
constexpr std::size_t floats = sizeof(float) * MODEL_PARAMS;
static_assert(Net::params == MODEL_PARAMS && MODEL_THETA_BYTES == floats && MODEL_TRAIN_BYTES == 4 * floats);
static_assert(REVODE_ALIGN != 8 ||
              (Net::shape({1, 0}).tape == MODEL_TAPE_BYTES && Net::shape({1, 0}).work == MODEL_WORK_BYTES));

constexpr int dim = Net::shape({1, 0}).out;
constexpr Grid<float> grid{0, 1, 50};
constinit Net net;
constinit Solver solver;
Adam<float> adam;
float theta[Net::params], theta_bar[Net::params], start[dim];
consteval std::size_t bytes() {
  Arena moments;
  Adam<float>().place(moments, Net::params);
  return padded(Solver::bytes()) + moments.bytes();
}
alignas(REVODE_ALIGN) std::byte memory[bytes()];

void put(const char* before, std::uint32_t bits, const char* after) {
  char text[9] = {};
  for (int i = 8; i-- > 0; bits >>= 4) text[i] = "0123456789abcdef"[bits & 15];
  board::write(before), board::write(text), board::write(after);
}
void put(const char* before, float value) {
  put(before, __builtin_bit_cast(std::uint32_t, value), "\n");
}
void put_decimal(unsigned value) {
  if (value >= 10) put_decimal(value / 10);
  const char digit[] = {static_cast<char>('0' + value % 10), 0};
  board::write(digit);
}

/// What was seen differs from the prediction: half the distance to the start is still to go.
float fine_tune(const float* seen, Status& status) {
  float y_bar[dim], loss = 0;
  for (float& v : theta_bar) v = 0;
  status = run(solver, grid, theta, start);
  for (int d = 0; d < dim; ++d) y_bar[d] = solver.y()[d] - seen[d], loss += y_bar[d] * y_bar[d] / 2;
  if (status == Status::ok) status = run_back(solver, y_bar, nullptr, {theta_bar});
  adam.update(.01f, theta_bar, theta);
  return loss;
}
}  // namespace

int main() {
  Arena arena(memory, sizeof memory);
  solver.place(arena, net);
  adam.place(arena, Net::params);
  adam.reset();
  model_read(theta);
  if (!arena.ok() || model_check(theta) != MODEL_CHECKSUM) return 1;
  for (int d = 0; d < dim; ++d) start[d] = 1.f / static_cast<float>(1 + d);
  Status status = run(solver, grid, theta, start);
  float seen[dim];
  for (int d = 0; d < dim; ++d) put("predicts ", solver.y()[d]), seen[d] = (solver.y()[d] + start[d]) / 2;
  float loss = 0;
  for (int i = 0; i < 50 && status == Status::ok; ++i) {
    loss = fine_tune(seen, status);
    if (i == 0) put("loss ", loss);
  }
  put("loss ", loss);
  board::write("revode-dump ");
  put_decimal(Net::params);
  put(" ", model_check(theta), "\n");
  for (const float& v : theta) put("", v);
  return static_cast<int>(status);
}
