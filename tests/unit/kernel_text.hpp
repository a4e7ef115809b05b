// The kernels as their comments state them: scalar loops, one fma a term. Tests compare bits with these.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "revode/kernels.hpp"

namespace text {
template <class T>
using Tile = std::vector<T>;

/// A small generator of its own: numbers in (-1, 1), the same everywhere.
struct Random {
  std::uint64_t state = 0x853c49e6748fea9bULL;
  std::uint32_t next() {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::uint32_t>(state >> 32);
  }
  template <class T>
  T unit() {
    return static_cast<T>(static_cast<double>(next()) / 2147483648.0 - 1.0);
  }
  template <class T>
  Tile<T> tile(int n) {
    Tile<T> values(static_cast<std::size_t>(n));
    for (T& v : values) v = unit<T>();
    return values;
  }
};

inline constexpr revode::Activation activations[] = {
    revode::Activation::identity, revode::Activation::tanh, revode::Activation::elu,    revode::Activation::softplus,
    revode::Activation::relu,     revode::Activation::silu, revode::Activation::sigmoid};

template <class T>
bool same_bits(const Tile<T>& a, const Tile<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

inline std::size_t at(int row, int column, int columns) {
  return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(column);
}

template <class T>
void dense(int out, int in, int lanes, const Tile<T>& W, const T* b, const Tile<T>& x, Tile<T>& y, bool add) {
  for (int o = 0; o < out; ++o)
    for (int l = 0; l < lanes; ++l) {
      T sum = add ? y[at(o, l, lanes)] : b ? b[o] : T(0);
      for (int i = 0; i < in; ++i) sum = std::fma(W[at(o, i, in)], x[at(i, l, lanes)], sum);
      y[at(o, l, lanes)] = sum;
    }
}
template <class T>
void dense_vjp_input(int out, int in, int lanes, const Tile<T>& W, const Tile<T>& y_bar, Tile<T>& x_bar, bool add) {
  for (int i = 0; i < in; ++i)
    for (int l = 0; l < lanes; ++l) {
      T sum = add ? x_bar[at(i, l, lanes)] : T(0);
      for (int o = 0; o < out; ++o) sum = std::fma(W[at(o, i, in)], y_bar[at(o, l, lanes)], sum);
      x_bar[at(i, l, lanes)] = sum;
    }
}
template <class T>
void dense_vjp_weight(int out, int in, int lanes, int samples, const Tile<T>& y_bar, const Tile<T>& x, Tile<T>& W_bar,
                      Tile<T>& b_bar) {
  for (int o = 0; o < out; ++o) {
    for (int i = 0; i < in; ++i)
      for (int l = 0; l < samples; ++l)
        W_bar[at(o, i, in)] = std::fma(y_bar[at(o, l, lanes)], x[at(i, l, lanes)], W_bar[at(o, i, in)]);
    for (int l = 0; l < samples; ++l) b_bar[static_cast<std::size_t>(o)] += y_bar[at(o, l, lanes)];
  }
}
template <class T>
void dense_vjp_weight_lanes(int out, int in, int lanes, const Tile<T>& y_bar, const Tile<T>& x, Tile<T>& W_bar,
                            Tile<T>& b_bar) {
  for (int o = 0; o < out; ++o)
    for (int l = 0; l < lanes; ++l) {
      const T g = y_bar[at(o, l, lanes)];
      for (int i = 0; i < in; ++i) {
        T& w = W_bar[at(o * in + i, l, lanes)];
        w = std::fma(g, x[at(i, l, lanes)], w);
      }
      b_bar[at(o, l, lanes)] += g;
    }
}
/// The tree as its definition says: level by level, an odd one out moves up unchanged.
template <class T>
T tree(Tile<T> values) {
  while (values.size() > 1) {
    Tile<T> above;
    for (std::size_t i = 0; i + 1 < values.size(); i += 2) above.push_back(values[i] + values[i + 1]);
    if (values.size() % 2) above.push_back(values.back());
    values = above;
  }
  return values[0];
}
}  // namespace text
