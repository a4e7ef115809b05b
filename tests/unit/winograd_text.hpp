// Winograd's F(2x2, 3x3) as winograd_kernels.hpp states it: scalar, a tile and a lane at a time. With `bound` every sum
// and product is of magnitudes: what an element's roundings are relative to. Tests compare bits, and errors.
#pragma once
#include <array>
#include <cmath>

#include "revode/winograd_kernels.hpp"
#include "unit/image_text.hpp"

namespace text {
template <class T>
struct Winograd {
  Convolution c;
  int lanes;
  bool bound = false;
  using Line = std::array<T, 4>;
  using Square = std::array<Line, 4>;

  T minus(T a, T b) const { return bound ? std::abs(a) + std::abs(b) : a - b; }
  T plus(T a, T b) const { return bound ? std::abs(a) + std::abs(b) : a + b; }
  T fused(T a, T b, T s) const { return bound ? std::abs(a * b) + std::abs(s) : std::fma(a, b, s); }
  Line inward(const Line& d) const {
    return {minus(d[0], d[2]), plus(d[1], d[2]), minus(d[2], d[1]), minus(d[1], d[3])};
  }
  Line outward(const Line& m) const { return {plus(plus(m[0], m[1]), m[2]), minus(minus(m[1], m[2]), m[3])}; }
  Line outward_vjp(const Line& y) const { return {y[0], plus(y[0], y[1]), minus(y[0], y[1]), -y[1]}; }
  Line weights(const Line& g) const {
    const T ends = plus(g[0], g[2]);
    return {g[0], plus(ends, g[1]) * T(0.5), minus(ends, g[1]) * T(0.5), g[2]};
  }
  Line weights_vjp(const Line& m) const {
    const T even = plus(m[1], m[2]) * T(0.5);
    return {plus(m[0], even), minus(m[1], m[2]) * T(0.5), plus(even, m[3])};
  }
  /// Columns first (along a line), then rows.
  template <class F>
  static Square both(const Square& in, const F& f) {
    Square half{}, out{};
    for (std::size_t r = 0; r < 4; ++r) half[r] = f(in[r]);
    for (std::size_t s = 0; s < 4; ++s) {
      const Line line = f({half[0][s], half[1][s], half[2][s], half[3][s]});
      for (std::size_t r = 0; r < 4; ++r) out[r][s] = line[r];
    }
    return out;
  }
  int tiles_down() const { return (c.height + 1) / 2; }
  int tiles_right() const { return (c.width + 1) / 2; }
  Square square(const Tile<T>& image, int channel, int top, int left, int size, int lane) const {
    Square d{};
    for (int r = 0; r < size; ++r)
      for (int s = 0; s < size; ++s)
        if (top + r >= 0 && top + r < c.height && left + s >= 0 && left + s < c.width)
          d[static_cast<std::size_t>(r)][static_cast<std::size_t>(s)] =
              image[at((channel * c.height + top + r) * c.width + left + s, lane, lanes)];
    return d;
  }
  Square transformed(const Tile<T>& W, int o, int i) const {
    const int channels = c.in + (c.time ? 1 : 0);
    Square g{};
    for (std::size_t k = 0; k < 9; ++k)
      g[k / 3][k % 3] = W[at(o * channels + i + channels - c.in, static_cast<int>(k), 9)];
    return both(g, [&](const Line& l) { return weights(l); });
  }
  /// What a pixel of y begins with: b + t s.
  T base(const Tile<T>& W, const T* b, T t, int o, int down, int right) const {
    const T start = b ? b[o] : T(0);
    if (!c.time) return start;
    T s = 0;
    for (int k = 0; k < 3; ++k)
      for (int l = 0; l < 3; ++l) {
        const int y = down + k - 1, x = right + l - 1;
        if (y >= 0 && y < c.height && x >= 0 && x < c.width) s = plus(s, W[at(o * (c.in + 1) * 3 + k, l, 3)]);
      }
    return fused(t, s, start);
  }
  /// Forward over x's channels, or back over y's.
  void image(bool back, const Tile<T>& W, const T* b, T t, const Tile<T>& x, Tile<T>& y, bool add) const {
    const int from = back ? c.out : c.in, to = back ? c.in : c.out;
    const auto turned = [&](std::size_t p) { return back && (p == 0 || p == 3) ? 3 - p : p; };
    for (int lane = 0; lane < lanes; ++lane)
      for (int i = 0; i < tiles_down(); ++i)
        for (int j = 0; j < tiles_right(); ++j)
          for (int o = 0; o < to; ++o) {
            Square m{};
            for (int k = 0; k < from; ++k) {
              const Square u = back ? transformed(W, k, o) : transformed(W, o, k);
              const Square v =
                  both(square(x, k, 2 * i - 1, 2 * j - 1, 4, lane), [&](const Line& l) { return inward(l); });
              for (std::size_t p = 0; p < 16; ++p)
                m[p / 4][p % 4] = fused(u[turned(p / 4)][turned(p % 4)], v[p / 4][p % 4], m[p / 4][p % 4]);
            }
            const Square out = both(m, [&](const Line& l) { return outward(l); });
            for (int r = 0; r < 2 && 2 * i + r < c.height; ++r)
              for (int s = 0; s < 2 && 2 * j + s < c.width; ++s) {
                T& pixel = y[at((o * c.height + 2 * i + r) * c.width + 2 * j + s, lane, lanes)];
                T start = add ? pixel : T(0);
                if (!back) {
                  const T first = base(W, add ? nullptr : b, t, o, 2 * i + r, 2 * j + s);
                  start = add ? plus(pixel, first) : first;
                }
                pixel = plus(start, out[static_cast<std::size_t>(r)][static_cast<std::size_t>(s)]);
              }
          }
  }
  /// W_bar of x's channels, of the first `samples` lanes.
  void weight(int samples, const Tile<T>& y_bar, const Tile<T>& x, Tile<T>& W_bar) const {
    const int channels = c.in + (c.time ? 1 : 0);
    for (int o = 0; o < c.out; ++o)
      for (int k = 0; k < c.in; ++k) {
        Square u{};
        for (int i = 0; i < tiles_down(); ++i)
          for (int j = 0; j < tiles_right(); ++j)
            for (int lane = 0; lane < samples; ++lane) {
              const Square m =
                  both(square(y_bar, o, 2 * i, 2 * j, 2, lane), [&](const Line& l) { return outward_vjp(l); });
              const Square v =
                  both(square(x, k, 2 * i - 1, 2 * j - 1, 4, lane), [&](const Line& l) { return inward(l); });
              for (std::size_t p = 0; p < 16; ++p)
                u[p / 4][p % 4] = fused(m[p / 4][p % 4], v[p / 4][p % 4], u[p / 4][p % 4]);
            }
        const Square w = both(u, [&](const Line& l) { return weights_vjp(l); });
        for (std::size_t n = 0; n < 9; ++n) {
          T& to = W_bar[at(o * channels + k + channels - c.in, static_cast<int>(n), 9)];
          to = plus(to, w[n / 3][n % 3]);
        }
      }
  }
};
}  // namespace text
