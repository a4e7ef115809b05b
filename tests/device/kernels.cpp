// Kernels and elementary functions over arguments of every size, the edges among them. The numbers are as few as 16
// KiB of memory hold; tests/bits takes them over thousands, on hosts.
#include "revode/kernels.hpp"

#include "fixture.hpp"
#include "revode/impl/pack.hpp"
#include "revode/impl/soft_fma.hpp"

namespace device {
namespace {
constexpr std::size_t count = 96;
void arguments(float (&x)[count]) {
  const float edges[] = {0.0f,       -0.0f, 1e30f, -1e30f, __builtin_inff(), -__builtin_inff(),  0x1p-126f, 0x1p-149f,
                         -0x1p-126f, 1.0f,  88.8f, -87.4f, 0x1.fep127f,      __builtin_nanf(""), 7.9f,      1e-5f};
  const float scales[] = {100, 10, 1, 1e-3f, 1e-30f};
  std::size_t n = 0;
  for (const float edge : edges) x[n++] = edge;
  for (const float scale : scales) fill(static_cast<std::uint32_t>(n), 16, scale, x + n), n += 16;
}

void elementary() {
  float x[count], y[count], z[count];
  arguments(x);
  fill(2, count, 1, z);
  const char* const functions[] = {"exp", "log", "sin", "cos", "sqrt", "reciprocal"};
  for (int f = 0; f < 6; ++f) {
    kernel::evaluate(static_cast<kernel::Function>(f), count, x, y);
    print(functions[f], Hash().add(count, y));
  }
  const char* const activations[] = {"identity", "tanh", "elu", "softplus", "relu", "silu", "sigmoid"};
  for (int a = 1; a < 7; ++a) {
    const auto activation = static_cast<Activation>(a);
    float x_bar[count];
    kernel::activate(activation, count, x, y);
    Hash hash;
    hash.add(count, y);
    kernel::activate_vjp(activation, count, x, y, z, x_bar);
    hash.add(count, x_bar);
    kernel::activate_curve(activation, count, x, y, z, z, x_bar);
    print(activations[a], hash.add(count, x_bar));
  }
}

void dense() {
  const int shapes[][3] = {{2, 2, 1}, {5, 3, 1}, {16, 2, 1}, {2, 16, 1}, {7, 4, 3}, {3, 5, 16}, {1, 1, 7}, {4, 3, 5}};
  Hash forward, input, weight, each;
  for (const auto& [out, in, lanes] : shapes) {
    Arena arena = whole_arena();
    const auto n = product(out, in), x_n = product(in, lanes);
    const auto y_n = product(out, lanes), w_n = n * static_cast<std::size_t>(lanes);
    float *W = arena.take<float>(n), *b = arena.take<float>(y_n), *x = arena.take<float>(x_n);
    float *y = arena.take<float>(y_n), *x_bar = arena.take<float>(x_n), *W_lanes = arena.take<float>(w_n);
    CHECK(arena.ok());
    if (!arena.ok()) return;
    fill(3, n, 1, W), fill(4, y_n, 1, b), fill(5, x_n, 1, x), fill(6, y_n, 1, y), fill(7, x_n, 1, x_bar);
    fill(8, w_n, 1, W_lanes);
    for (int add = 0; add < 2; ++add) {
      kernel::dense(out, in, lanes, W, b, x, y, add == 1);
      forward.add(y_n, y);
      kernel::dense_vjp_input(out, in, lanes, W, y, x_bar, add == 1);
      input.add(x_n, x_bar);
    }
    kernel::dense_vjp_weight_lanes(out, in, lanes, y, x, W_lanes, b);
    each.add(w_n, W_lanes).add(y_n, b);
    kernel::dense_vjp_weight(out, in, lanes, lanes, y, x, W, b);
    kernel::sum_rows(out, lanes, 1 + lanes / 2, y, b);
    weight.add(n, W).add(y_n, b);
  }
  print("dense", forward), print("dense_vjp_input", input), print("dense_vjp_weight", weight);
  print("dense_vjp_weight_lanes", each);
}

void sums() {
  constexpr std::size_t n = 37;
  float a[n], b[n], c[] = {0.1f, -0.7f, 1.3f}, out[n], rows[n * 5];
  fill(9, n, 1, a), fill(10, n, 1, b), fill(11, n * 5, 1, rows);
  const float* v[] = {a, b, rows};
  Hash hash;
  for (int terms = 1; terms <= 3; ++terms) {
    kernel::combine(n, out, terms == 2 ? a : nullptr, terms, c, v);
    kernel::multiply(n, a, b, out, terms != 1);
    hash.add(n, out);
  }
  print("combine", hash);
  kernel::tree_lanes(n, 5, rows, out);
  kernel::tree_slices(n, 5, n, rows);
  print("tree", Hash().add(n, out).add(n, rows).add(kernel::sum_of_squares(n, a)));
}

void fixed_point() {
  float x[count], back[count];
  std::int32_t state[count];
  arguments(x);
  Hash hash;
  const float scales[] = {1, 1024, 4194304};
  for (const float scale : scales) {
    hash.word(kernel::quantise(count, scale, x, state));
    for (int i = 0; i < 3; ++i) hash.word(kernel::quantise_add(count, scale, x, state));
    hash.add(count, state).word(kernel::in_range<float>(count, state));
    kernel::quantise_subtract(count, scale * 0.3f, x, state);
    kernel::dequantise(count, 1 / scale, state, back);
    hash.add(count, back);
  }
  print("fixed_point", hash);
}

/// The integer fused multiply-add is that of this target's kernels, whatever they are made of.
void fma() {
  float x[count];
  arguments(x);
  Hash hash;
  long different = 0;
  for (std::size_t i = 0; i + 2 < count; ++i)
    for (std::size_t j = 0; j < count; j += 5) {
      const float c = j % 2 ? x[i + 1] : -(x[i] * x[j]);
      const float soft = kernel::soft_fma(x[i], x[j], c), ours = kernel::On<float, 1>::fma(x[i], x[j], c);
      if (__builtin_bit_cast(std::uint32_t, soft) != __builtin_bit_cast(std::uint32_t, ours) && soft == soft)
        ++different;
      hash.add(soft);
    }
  CHECK(different == 0);
  print("fma", hash);
}
}  // namespace

void kernels() {
  elementary(), dense(), sums(), fixed_point(), fma();
  Random random(7, 1, 3);
  Hash hash;
  for (int i = 0; i < 16; ++i) hash.add(random.uniform()).add(random.normal()).word(random.below(1000));
  print("random", hash);
}
}  // namespace device
