// Kernels and elementary functions over arguments of every size, the edges among them.
#include "revode/kernels.hpp"

#include "check.hpp"
#include "revode/random.hpp"

namespace device {
namespace kernel = revode::kernel;
namespace {
constexpr std::size_t count = 96;
/// Uniform in (-scale, scale).
void fill(revode::Random& random, std::size_t n, float scale, float* x) {
  for (std::size_t i = 0; i < n; ++i) x[i] = scale * (2 * random.uniform() - 1);
}
void arguments(float (&x)[count]) {
  const float edges[] = {0.0f,       -0.0f, 1e30f, -1e30f, __builtin_inff(), -__builtin_inff(),  0x1p-126f, 0x1p-149f,
                         -0x1p-126f, 1.0f,  88.8f, -87.4f, 0x1.fffffep127f,  __builtin_nanf(""), 7.9f,      1e-5f};
  std::size_t n = 0;
  for (const float edge : edges) x[n++] = edge;
  revode::Random random(4, 1);
  const float scales[] = {100.0f, 10.0f, 1.0f, 1e-3f, 1e-30f};
  for (const float scale : scales) fill(random, 16, scale, x + n), n += 16;
}

void elementary() {
  float x[count], y[count];
  arguments(x);
  const char* names[] = {"exp", "log", "sin", "cos", "sqrt", "reciprocal"};
  for (int f = 0; f < 6; ++f) {
    kernel::evaluate(static_cast<kernel::Function>(f), count, x, y);
    print(names[f], Hash().add(count, y));
  }
}
}  // namespace

void kernels() {
  elementary();
}
}  // namespace device
