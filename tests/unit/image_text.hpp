// The kernels of images as their comments state them: scalar loops over every tap, one fma a term. Tests compare bits.
#pragma once
#include <algorithm>
#include <limits>
#include <utility>

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
/// The places at which a size is cut into as few equal parts of at most `most` as will do.
inline std::vector<int> cuts(int size, int most) {
  const int parts = (size + most - 1) / most;
  std::vector<int> at;
  for (int n = 0; n <= parts; ++n) at.push_back(size * n / parts);
  return at;
}
/// y's pixels in runs of one line of at most 8, the runs in pieces of at most 640 pixels and samples: [piece][run] =
/// first pixel and the one after the last.
inline std::vector<std::vector<std::pair<int, int>>> pieces(const Convolution& c, int samples) {
  const std::vector<int> columns = cuts(c.out_width(), 8);
  std::vector<std::pair<int, int>> runs;
  int longest = 0;
  for (int line = 0; line < c.out_height(); ++line)
    for (std::size_t n = 1; n < columns.size(); ++n) {
      runs.emplace_back(line * c.out_width() + columns[n - 1], line * c.out_width() + columns[n]);
      longest = std::max(longest, columns[n] - columns[n - 1]);
    }
  const std::vector<int> first = cuts(static_cast<int>(runs.size()), 640 / (longest * samples));
  std::vector<std::vector<std::pair<int, int>>> all;
  for (std::size_t n = 1; n < first.size(); ++n) all.emplace_back(runs.begin() + first[n - 1], runs.begin() + first[n]);
  return all;
}
/// One leaf of the first `samples` lanes: runs of pixels and samples, pieces of runs.
template <class T>
void convolve_vjp_weight(const Convolution& c, int lanes, int samples, T t, const Tile<T>& y_bar, const Tile<T>& x,
                         Tile<T>& W_bar, Tile<T>& b_bar) {
  const int pixels = c.out_height() * c.out_width(), area = c.kernel * c.kernel;
  constexpr int absent = std::numeric_limits<int>::min();
  const auto one_y = [&](int row, int l) { return y_bar[at(row, l, lanes)]; };
  const auto total_of = [&](int row) {
    T sum = 0;
    for (int l = 0; l < samples; ++l) sum += one_y(row, l);
    return sum;
  };
  std::vector<std::vector<int>> met(W_bar.size(), std::vector<int>(static_cast<std::size_t>(pixels), absent));
  each_tap(c, [&](int, int, int weight, int row, int from) {
    met[static_cast<std::size_t>(weight)][static_cast<std::size_t>(row % pixels)] = from;
  });
  const auto biases = [&](int o, const std::pair<int, int>& run) {
    T sum = 0;
    for (int p = run.first; p < run.second; ++p) sum += total_of(o * pixels + p);
    return sum;
  };
  const int channels = c.in + (c.time ? 1 : 0);
  for (const auto& piece : pieces(c, samples)) {
    for (std::size_t weight = 0; weight < W_bar.size(); ++weight) {
      const int each = static_cast<int>(weight) / area, o = each / channels;
      const bool of_time = c.time && each % channels == 0;
      T total = 0;
      bool any = of_time;  // a tap's sum begins with its first run, t's with 0
      for (const auto& [first, end] : piece) {
        T sum = 0;
        bool here = false;
        for (int p = first; p < end; ++p) {
          const int from = met[weight][static_cast<std::size_t>(p)], row = o * pixels + p;
          if (from == absent) continue;
          here = true;
          if (of_time) sum += total_of(row);
          for (int l = 0; l < samples && !of_time; ++l) sum = std::fma(one_y(row, l), x[at(from, l, lanes)], sum);
        }
        if (here) total = any ? total + sum : sum, any = true;
      }
      W_bar[weight] = of_time ? std::fma(t, total, W_bar[weight]) : W_bar[weight] + total;
    }
    for (int o = 0; o < c.out; ++o) {
      T total = 0;
      for (const auto& run : piece) total += biases(o, run);
      b_bar[static_cast<std::size_t>(o)] += total;
    }
  }
}
}  // namespace text
