// One hash for every kernel and number type: FNV-1a over the bits of its results, NaN made one. The same table on every
// instruction set, compiler and level of optimisation is what "equal bits" means.
#pragma once
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "revode/image_kernels.hpp"
#include "revode/impl/soft_fma.hpp"
#include "revode/impl/soft_sqrt.hpp"
#include "revode/kernels.hpp"
#include "revode/winograd_kernels.hpp"
#include "unit/kernel_text.hpp"

namespace bits {
namespace kernel = revode::kernel;
using revode::Activation;
using text::Tile;
using Table = std::vector<std::pair<std::string, std::uint64_t>>;

class Hash {
 public:
  template <class T>
  void add(T value) {
    unsigned char bytes[sizeof(T)];
    if (value != value) value = std::numeric_limits<T>::quiet_NaN();
    std::memcpy(bytes, &value, sizeof value);
    for (const unsigned char byte : bytes) value_ = (value_ ^ byte) * 1099511628211ULL;
  }
  template <class T>
  void add(const std::vector<T>& values) {
    for (const T v : values) add(v);
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 14695981039346656037ULL;
};

/// Arguments of every size, the edges among them.
template <class T>
Tile<T> arguments(text::Random& random) {
  using Limits = std::numeric_limits<T>;
  Tile<T> x = {T(0),
               T(-0.0),
               T(1e30),
               T(-1e30),
               Limits::infinity(),
               -Limits::infinity(),
               Limits::min(),
               Limits::max(),
               -Limits::max(),
               T(1),
               Limits::epsilon(),
               Limits::denorm_min(),
               -Limits::min(),
               Limits::lowest(),
               Limits::quiet_NaN()};
  for (const T scale : {T(100), T(10), T(1), T(1e-3), T(1e-30), T(1e5)})
    for (int i = 0; i < 1000; ++i) x.push_back(scale * random.unit<T>());
  return x;
}

template <class T>
void elementwise(const std::string& type, Table& table) {
  const std::pair<Activation, const char*> activations[] = {
      {Activation::tanh, "tanh"}, {Activation::elu, "elu"},   {Activation::softplus, "softplus"},
      {Activation::relu, "relu"}, {Activation::silu, "silu"}, {Activation::sigmoid, "sigmoid"}};
  const std::pair<kernel::Function, const char*> functions[] = {
      {kernel::Function::exp, "exp"}, {kernel::Function::log, "log"},   {kernel::Function::sin, "sin"},
      {kernel::Function::cos, "cos"}, {kernel::Function::sqrt, "sqrt"}, {kernel::Function::reciprocal, "reciprocal"}};
  text::Random random;
  const Tile<T> x = arguments<T>(random), x_dot = random.tile<T>(static_cast<int>(x.size()));
  for (const auto& [activation, name] : activations) {
    Tile<T> y(x.size()), x_bar(x.size()), curve = x_dot;
    kernel::activate(activation, x.size(), x.data(), y.data());
    kernel::activate_vjp(activation, x.size(), x.data(), y.data(), x_dot.data(), x_bar.data());
    kernel::activate_curve(activation, x.size(), x.data(), y.data(), x_dot.data(), x_dot.data(), curve.data());
    for (const auto& [what, values] : {std::pair{"", &y}, std::pair{"_vjp", &x_bar}, std::pair{"_curve", &curve}}) {
      Hash hash;
      hash.add(*values);
      table.emplace_back(type + name + what, hash.value());
    }
  }
  for (const auto& [function, name] : functions) {
    Hash hash;
    Tile<T> y(x.size());
    kernel::evaluate(function, x.size(), x.data(), y.data());
    hash.add(y);
    table.emplace_back(type + name, hash.value());
  }
}

template <class T>
void layers(const std::string& type, Table& table) {
  const int shapes[][3] = {{2, 2, 16},   {16, 2, 16}, {2, 16, 16}, {20, 20, 32}, {40, 33, 16}, {7, 13, 20},
                           {40, 40, 1},  {5, 3, 1},   {17, 9, 5},  {33, 31, 64}, {3, 700, 8},  {300, 5, 19},
                           {64, 64, 32}, {1, 1, 3},   {50, 2, 48}, {24, 50, 23}};
  text::Random random;
  Hash forward, input, weight, weight_lanes, rows;
  for (const auto& [out, in, lanes] : shapes) {
    const auto W = random.tile<T>(out * in), b = random.tile<T>(out), x = random.tile<T>(in * lanes);
    auto y = random.tile<T>(out * lanes), x_bar = random.tile<T>(in * lanes), sum = random.tile<T>(out);
    auto W_bar = random.tile<T>(out * in), b_bar = random.tile<T>(out);
    auto W_lanes = random.tile<T>(out * in * lanes), b_lanes = random.tile<T>(out * lanes);
    for (const bool add : {false, true}) {
      kernel::dense(out, in, lanes, W.data(), b.data(), x.data(), y.data(), add);
      forward.add(y);
      kernel::dense_vjp_input(out, in, lanes, W.data(), y.data(), x_bar.data(), add);
      input.add(x_bar);
    }
    for (const int samples : {lanes, 1 + lanes / 2}) {
      kernel::dense_vjp_weight(out, in, lanes, samples, y.data(), x.data(), W_bar.data(), b_bar.data());
      kernel::sum_rows(out, lanes, samples, y.data(), sum.data());
    }
    kernel::dense_vjp_weight_lanes(out, in, lanes, y.data(), x.data(), W_lanes.data(), b_lanes.data());
    weight.add(W_bar);
    weight.add(b_bar);
    weight_lanes.add(W_lanes);
    weight_lanes.add(b_lanes);
    rows.add(sum);
  }
  table.emplace_back(type + "dense", forward.value());
  table.emplace_back(type + "dense_vjp_input", input.value());
  table.emplace_back(type + "dense_vjp_weight", weight.value());
  table.emplace_back(type + "dense_vjp_weight_lanes", weight_lanes.value());
  table.emplace_back(type + "sum_rows", rows.value());
}

template <class T>
void convolutions(const std::string& type, Table& table) {
  const std::pair<kernel::Convolution, int> shapes[] = {
      {{3, 13, 4, 5, 3, 1, 1, true}, 32}, {{2, 5, 6, 5, 4, 2, 1}, 16},      {{4, 4, 3, 3, 3, 1, 1}, 1},
      {{5, 7, 3, 4, 3, 1, 1, true}, 20},  {{1, 25, 4, 4, 3, 1, 0}, 16},     {{13, 2, 2, 3, 1, 1, 0}, 8},
      {{3, 3, 5, 4, 5, 3, 2, true}, 7},   {{9, 6, 3, 3, 3, 1, 1, true}, 64}};
  text::Random random;
  Hash forward, input, weight, weight_lanes;
  for (const auto& [c, lanes] : shapes) {
    const auto W = random.tile<T>(c.weights()), b = random.tile<T>(c.out), x = random.tile<T>(c.rows_in() * lanes);
    auto y = random.tile<T>(c.rows_out() * lanes), x_bar = random.tile<T>(c.rows_in() * lanes);
    auto W_bar = random.tile<T>(c.weights()), b_bar = random.tile<T>(c.out);
    auto W_lanes = random.tile<T>(c.weights() * lanes), b_lanes = random.tile<T>(c.out * lanes);
    for (const bool add : {false, true}) {
      kernel::convolve(c, lanes, W.data(), b.data(), T(0.7), x.data(), y.data(), add);
      forward.add(y);
      kernel::convolve_vjp_input(c, lanes, W.data(), y.data(), x_bar.data(), add);
      input.add(x_bar);
    }
    for (const int samples : {lanes, 1 + lanes / 2})
      kernel::convolve_vjp_weight(c, lanes, samples, T(0.7), y.data(), x.data(), W_bar.data(), b_bar.data());
    kernel::convolve_vjp_weight_lanes(c, lanes, T(0.7), y.data(), x.data(), W_lanes.data(), b_lanes.data());
    weight.add(W_bar);
    weight.add(b_bar);
    weight_lanes.add(W_lanes);
    weight_lanes.add(b_lanes);
  }
  table.emplace_back(type + "convolve", forward.value());
  table.emplace_back(type + "convolve_vjp_input", input.value());
  table.emplace_back(type + "convolve_vjp_weight", weight.value());
  table.emplace_back(type + "convolve_vjp_weight_lanes", weight_lanes.value());
}

/// Weight gradients of images of several runs a line and several pieces, and of kernels of many taps.
template <class T>
void large_images(const std::string& type, Table& table) {
  const std::pair<kernel::Convolution, int> shapes[] = {{{15, 18, 10, 9, 3, 1, 1, true}, 16},
                                                        {{1, 33, 8, 26, 3, 1, 0}, 20},
                                                        {{5, 3, 13, 18, 4, 2, 1}, 64},
                                                        {{2, 5, 14, 13, 12, 1, 6, true}, 1}};
  text::Random random;
  Hash weight;
  for (const auto& [c, lanes] : shapes) {
    const auto x = random.tile<T>(c.rows_in() * lanes), y_bar = random.tile<T>(c.rows_out() * lanes);
    auto W_bar = random.tile<T>(c.weights()), b_bar = random.tile<T>(c.out);
    for (const int samples : {lanes, 1 + lanes / 2})
      kernel::convolve_vjp_weight(c, lanes, samples, T(0.7), y_bar.data(), x.data(), W_bar.data(), b_bar.data());
    weight.add(W_bar);
    weight.add(b_bar);
  }
  table.emplace_back(type + "convolve_vjp_weight_large", weight.value());
}

template <class T>
void winograds(const std::string& name, std::span<const std::pair<kernel::Convolution, int>> shapes, Table& table) {
  text::Random random;
  Hash forward, input, weight;
  for (const auto& [c, lanes] : shapes) {
    const auto W = random.tile<T>(c.weights()), b = random.tile<T>(c.out), x = random.tile<T>(c.rows_in() * lanes);
    auto y = random.tile<T>(c.rows_out() * lanes), x_bar = random.tile<T>(c.rows_in() * lanes);
    auto W_bar = random.tile<T>(c.weights()), b_bar = random.tile<T>(c.out);
    Tile<T> work(kernel::WinogradSizes(c, lanes).scalars());
    for (const bool add : {false, true}) {
      kernel::winograd(c, lanes, W.data(), b.data(), T(0.7), x.data(), y.data(), add, work.data());
      forward.add(y);
      kernel::winograd_vjp_input(c, lanes, W.data(), y.data(), x_bar.data(), add, work.data());
      input.add(x_bar);
    }
    for (const int samples : {lanes, 1 + lanes / 2})
      kernel::winograd_vjp_weight(c, lanes, samples, T(0.7), y.data(), x.data(), W_bar.data(), b_bar.data(),
                                  work.data());
    weight.add(W_bar);
    weight.add(b_bar);
  }
  table.emplace_back(name, forward.value());
  table.emplace_back(name + "_vjp_input", input.value());
  table.emplace_back(name + "_vjp_weight", weight.value());
}
template <class T>
void winograds(const std::string& type, Table& table) {
  const std::pair<kernel::Convolution, int> whole[] = {{{3, 13, 4, 5, 3, 1, 1, true}, 32},
                                                       {{34, 25, 6, 6, 3, 1, 1}, 16},
                                                       {{5, 7, 3, 4, 3, 1, 1, true}, 20},
                                                       {{9, 6, 7, 2}, 1}};
  winograds<T>(type + "winograd", whole, table);
  const std::pair<kernel::Convolution, int> strided[] = {{{3, 13, 8, 9, 4, 2, 1}, 32},
                                                         {{34, 25, 13, 12, 4, 2, 1}, 16},
                                                         {{5, 7, 2, 23, 4, 2, 1}, 20},
                                                         {{9, 6, 7, 4, 4, 2, 1}, 1}};
  winograds<T>(type + "winograd_strided", strided, table);
}

template <class T>
void images(const std::string& type, Table& table) {
  text::Random random;
  Hash norm, pool, loss;
  const kernel::Grouping g{6, 3, 7};
  const kernel::Pooling p{2, 4, 5, 2, 3, 1};
  for (const int lanes : {1, 5, 16, 23, 32}) {
    const auto gamma = random.tile<T>(6), beta = random.tile<T>(6), x = random.tile<T>(42 * lanes);
    Tile<T> y(x.size()), moments(static_cast<std::size_t>(6 * lanes)), gamma_bar = moments, beta_bar = moments;
    auto x_bar = random.tile<T>(42 * lanes);
    for (const bool relu : {false, true}) {
      kernel::group_norm(g, lanes, relu, T(1e-5), gamma.data(), beta.data(), x.data(), y.data(), moments.data());
      kernel::group_norm_vjp(g, lanes, relu, gamma.data(), x.data(), y.data(), moments.data(), x.data(), x_bar.data(),
                             true, gamma_bar.data(), beta_bar.data());
      for (const auto* values : {&y, &moments, &x_bar, &gamma_bar, &beta_bar}) norm.add(*values);
    }
    kernel::pool_average(p, lanes, x.data(), y.data());
    kernel::pool_average_vjp(p, lanes, y.data(), x_bar.data());
    kernel::pool_max(p, lanes, x.data(), y.data());
    kernel::pool_max_vjp(p, lanes, x.data(), y.data(), y.data(), x_bar.data());
    pool.add(y);
    pool.add(x_bar);
    std::vector<int> label(static_cast<std::size_t>(lanes));
    for (int l = 0; l < lanes; ++l) label[static_cast<std::size_t>(l)] = l % 8 - 1;
    Tile<T> each(static_cast<std::size_t>(lanes));
    kernel::softmax_loss(7, lanes, x.data(), label.data(), each.data(), y.data());
    loss.add(each);
    loss.add(y);
  }
  table.emplace_back(type + "group_norm", norm.value());
  table.emplace_back(type + "pool", pool.value());
  table.emplace_back(type + "softmax_loss", loss.value());
}

template <class T>
void sums(const std::string& type, Table& table) {
  text::Random random;
  Hash combined, products, trees, squares;
  for (const int n : {1, 5, 16, 33, 100, 257}) {
    const auto a = random.tile<T>(n), b = random.tile<T>(n), rows = random.tile<T>(n * 45);
    Tile<T> out(a.size()), sum(a.size());
    const T c[] = {T(0.1), T(-0.7), T(1.3), T(2), T(-5)};
    const T* v[] = {a.data(), b.data(), rows.data(), rows.data() + n, rows.data() + 2 * n};
    for (int terms = 1; terms <= 5; ++terms) {
      kernel::combine(out.size(), out.data(), terms % 2 ? a.data() : nullptr, terms, c, v);
      combined.add(out);
    }
    for (const bool add : {false, true}) kernel::multiply(out.size(), a.data(), b.data(), out.data(), add);
    products.add(out);
    for (const int lanes : {1, 3, 16, 20, 45}) {
      kernel::tree_lanes(sum.size(), lanes, rows.data(), sum.data());
      trees.add(sum);
      auto slices = rows;
      kernel::tree_slices(sum.size(), lanes, sum.size(), slices.data());
      trees.add(slices);
    }
    squares.add(kernel::sum_of_squares(rows.size(), rows.data()));
    squares.add(kernel::finite(rows.size(), rows.data()) ? 1 : 0);
  }
  table.emplace_back(type + "combine", combined.value());
  table.emplace_back(type + "multiply", products.value());
  table.emplace_back(type + "tree", trees.value());
  table.emplace_back(type + "sum_of_squares", squares.value());
}

template <class T>
void fixed_point(const std::string& type, Table& table) {
  text::Random random;
  const Tile<T> x = arguments<T>(random);
  std::vector<kernel::Word<T>> state(x.size());
  Tile<T> back(x.size());
  Hash hash;
  for (const T scale : {T(1), T(1024), T(4194304), T(3e8)}) {
    hash.add(kernel::quantise(x.size(), scale, x.data(), state.data()) ? 1 : 0);
    hash.add(state);
    for (int i = 0; i < 5; ++i) {
      hash.add(kernel::quantise_add(x.size(), scale, x.data(), state.data()) ? 1 : 0);
      hash.add(kernel::in_range<T>(state.size(), state.data()) ? 1 : 0);
    }
    hash.add(state);
    kernel::quantise_subtract(x.size(), scale * T(0.3), x.data(), state.data());
    kernel::dequantise(state.size(), 1 / scale, state.data(), back.data());
    hash.add(back);
  }
  table.emplace_back(type + "fixed_point", hash.value());
}

inline void integers(Table& table) {
  text::Random random;
  Hash fma, root;
  const Tile<float> x = arguments<float>(random);
  for (std::size_t i = 0; i + 2 < x.size(); ++i) fma.add(kernel::soft_fma(x[i], x[i + 1], -x[i] * x[i + 1]));
  for (const float v : x) root.add(kernel::soft_sqrt<float, std::uint32_t>(v));
  for (const double v : arguments<double>(random)) root.add(kernel::soft_sqrt<double, std::uint64_t>(v));
  table.emplace_back("soft_fma", fma.value());
  table.emplace_back("soft_sqrt", root.value());
}

template <class T>
void every_kernel(const std::string& type, Table& table) {
  elementwise<T>(type, table);
  layers<T>(type, table);
  sums<T>(type, table);
  fixed_point<T>(type, table);
  convolutions<T>(type, table);
  images<T>(type, table);
  winograds<T>(type, table);
  large_images<T>(type, table);
}
inline Table table() {
  Table all;
  every_kernel<float>("f32/", all);
  every_kernel<double>("f64/", all);
  integers(all);
  return all;
}
}  // namespace bits
