// The kernels of images as their comments state them: scalar loops over every tap, one fma a term. Tests compare bits.
#pragma once
#include "revode/image_kernels.hpp"
#include "unit/kernel_text.hpp"

namespace text {
using revode::kernel::Convolution;

/// f(output, input or -1 for t, tap, row of y, row of x) for every pair of pixels that meet, outputs' pixels outermost.
template <class F>
void each_tap(const Convolution& c, const F& f) {
  const int k = c.kernel, first = c.time ? -1 : 0, channels = c.in + (c.time ? 1 : 0);
  for (int o = 0; o < c.out; ++o)
    for (int oy = 0; oy < c.out_height(); ++oy)
      for (int ox = 0; ox < c.out_width(); ++ox)
        for (int i = first; i < c.in; ++i)
          for (int ky = 0; ky < k; ++ky)
            for (int kx = 0; kx < k; ++kx) {
              const int y = oy * c.stride - c.padding + ky, x = ox * c.stride - c.padding + kx;
              if (y < 0 || y >= c.height || x < 0 || x >= c.width) continue;
              const int weight = ((o * channels + i - first) * k + ky) * k + kx;
              f(o, i, weight, (o * c.out_height() + oy) * c.out_width() + ox, (i * c.height + y) * c.width + x);
            }
}

template <class T>
void convolve(const Convolution& c, int lanes, const Tile<T>& W, const T* b, T t, const Tile<T>& x, Tile<T>& y,
              bool add) {
  const int plane = c.out_height() * c.out_width();
  for (int r = 0; r < c.rows_out() && !add; ++r)
    for (int l = 0; l < lanes; ++l) y[at(r, l, lanes)] = b ? b[r / plane] : T(0);
  each_tap(c, [&](int, int i, int weight, int row, int from) {
    for (int l = 0; l < lanes; ++l) {
      T& sum = y[at(row, l, lanes)];
      sum = std::fma(W[static_cast<std::size_t>(weight)], i < 0 ? t : x[at(from, l, lanes)], sum);
    }
  });
}
/// An input's chain goes over outputs and then over taps: of one output's pixels the last meets the first tap.
template <class T>
void convolve_vjp_input(const Convolution& c, int lanes, const Tile<T>& W, const Tile<T>& y_bar, Tile<T>& x_bar,
                        bool add) {
  if (!add) x_bar.assign(x_bar.size(), T(0));
  const int k = c.kernel, channels = c.in + (c.time ? 1 : 0);
  for (int i = 0; i < c.in; ++i)
    for (int y = 0; y < c.height; ++y)
      for (int x = 0; x < c.width; ++x)
        for (int l = 0; l < lanes; ++l) {
          T& sum = x_bar[at((i * c.height + y) * c.width + x, l, lanes)];
          for (int o = 0; o < c.out; ++o)
            for (int ky = 0; ky < k; ++ky)
              for (int kx = 0; kx < k; ++kx) {
                const int down = y + c.padding - ky, right = x + c.padding - kx;
                if (down < 0 || right < 0 || down % c.stride || right % c.stride) continue;
                const int oy = down / c.stride, ox = right / c.stride;
                if (oy >= c.out_height() || ox >= c.out_width()) continue;
                const T w = W[at((o * channels + i + channels - c.in) * k + ky, kx, k)];
                sum = std::fma(w, y_bar[at((o * c.out_height() + oy) * c.out_width() + ox, l, lanes)], sum);
              }
        }
}
/// A lane's sums over pixels, [weights][lanes] and [out][lanes], on top of what is there.
template <class T>
void convolve_vjp_weight_lanes(const Convolution& c, int lanes, T t, const Tile<T>& y_bar, const Tile<T>& x,
                               Tile<T>& W_bar, Tile<T>& b_bar) {
  each_tap(c, [&](int, int i, int weight, int row, int from) {
    for (int l = 0; l < lanes; ++l) {
      T& sum = W_bar[at(weight, l, lanes)];
      sum = std::fma(y_bar[at(row, l, lanes)], i < 0 ? t : x[at(from, l, lanes)], sum);
    }
  });
  const int plane = c.out_height() * c.out_width();
  for (int row = 0; row < c.rows_out(); ++row)
    for (int l = 0; l < lanes; ++l) b_bar[at(row / plane, l, lanes)] += y_bar[at(row, l, lanes)];
}
/// One leaf of the first `samples` lanes: its lanes' sums by the tree, then added.
template <class T>
void convolve_vjp_weight(const Convolution& c, int lanes, int samples, T t, const Tile<T>& y_bar, const Tile<T>& x,
                         Tile<T>& W_bar, Tile<T>& b_bar) {
  Tile<T> W_lanes(W_bar.size() * static_cast<std::size_t>(lanes)),
      b_lanes(b_bar.size() * static_cast<std::size_t>(lanes));
  convolve_vjp_weight_lanes(c, lanes, t, y_bar, x, W_lanes, b_lanes);
  const auto leaf = [&](const Tile<T>& rows, Tile<T>& to) {
    for (std::size_t r = 0; r < to.size(); ++r) {
      const auto first = rows.begin() + static_cast<std::ptrdiff_t>(r * static_cast<std::size_t>(lanes));
      to[r] += tree(Tile<T>(first, first + samples));
    }
  };
  leaf(W_lanes, W_bar);
  leaf(b_lanes, b_bar);
}
}  // namespace text
