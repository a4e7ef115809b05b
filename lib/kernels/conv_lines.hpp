// Weight gradients of a convolution a line at a time: of Y outputs and X inputs all taps of one kernel row meet a run
// of pixels while their sums lie in registers; between lines these wait in L1. Kernels and images of the usual shapes.
#pragma once
#include <string.h>

#include "blocks.hpp"
#include "revode/image_kernels.hpp"
#include "transpose.hpp"

namespace revode::kernel::lines {
inline constexpr int samples = 16;                       ///< of a leaf
inline constexpr int least_pixels = 4, most_pixels = 7;  ///< of a run: any line from 4 on can be cut into them
inline constexpr bool worth = register_bytes >= 32;
/// Outputs and inputs of a block: with K taps each has a sum, an output and one input beside them.
template <int K>
inline constexpr int most_outputs = register_bytes == 64 ? (K == 4 ? 2 : 4) : 2;
template <int K>
inline constexpr int most_inputs = register_bytes == 64 ? 2
                                   : K == 4             ? 1
                                                        : 2;

/// y_bar and x of a block's first output and input, and what lies between their neighbours; 0 where all see one number.
template <class T>
struct Planes {
  const T *y, *x;
  Index channel_y, channel_x, line_y, line_x, down_x, step_y, step_x, apart_x;
};

/// sums[Y][X][K of K * K][samples] += taps of `count` lines of Q pixels; a line's first pixel may lack the first tap,
/// its last one the last tap. S: tiles of 16 lanes and stride S; 0: any.
template <class T, int W, int K, int Y, int X, int S, int Q>
__attribute__((noinline)) void line(const Planes<T>& p, const T* y, const T* x, int count, bool fresh, bool whole_first,
                                    bool whole_last, T* sums) {
  using O = On<T, W>;
  constexpr Index row = K * K * samples;
  const auto at = [&](int r, int q, int k) REVODE_INLINED { return sums + (r * X + q) * row + k * samples; };
  typename O::V sum[Y][X][K];
  REVODE_UNROLL for (int r = 0; r < Y; ++r) REVODE_UNROLL for (int q = 0; q < X; ++q)
      REVODE_UNROLL for (int k = 0; k < K; ++k) sum[r][q][k] = fresh ? O::all(T(0)) : O::load(at(r, q, k));
  const Index channel_y = p.channel_y, channel_x = p.channel_x, step_y = S ? samples : p.step_y;
  const Index step_x = S ? samples : p.step_x, apart_x = S ? S * samples : p.apart_x;
  const Index line_y = p.line_y, line_x = p.down_x;
  for (; count > 0; --count, y += line_y, x += line_x) REVODE_UNROLL for (int i = 0; i < Q; ++i) {
      typename O::V a[Y];
      REVODE_UNROLL for (int r = 0; r < Y; ++r) a[r] = O::load(y + i * step_y + r * channel_y);
      REVODE_UNROLL for (int k = 0; k < K; ++k) {
        if ((i == 0 && k == 0 && !whole_first) || (i == Q - 1 && k == K - 1 && !whole_last)) continue;
        REVODE_UNROLL for (int q = 0; q < X; ++q) {
          const auto v = O::load(x + i * apart_x + k * step_x + q * channel_x);
          REVODE_UNROLL for (int r = 0; r < Y; ++r) sum[r][q][k] = O::fma(a[r], v, sum[r][q][k]);
        }
      }
    }
  REVODE_UNROLL for (int r = 0; r < Y; ++r) REVODE_UNROLL for (int q = 0; q < X; ++q)
      REVODE_UNROLL for (int k = 0; k < K; ++k) O::store(at(r, q, k), sum[r][q][k]);
}
template <class T, int W, int K, int Y, int X, int S, int Q = most_pixels>
REVODE_INLINE void run(int pixels, const Planes<T>& p, const T* y, const T* x, int count, bool fresh, bool whole_first,
                       bool whole_last, T* sums) {
  if constexpr (Q > least_pixels)
    if (pixels < Q) return run<T, W, K, Y, X, S, Q - 1>(pixels, p, y, x, count, fresh, whole_first, whole_last, sums);
  line<T, W, K, Y, X, S, Q>(p, y, x, count, fresh, whole_first, whole_last, sums);
}

/// Pixels of y along one axis of which tap k lies in the image are first ... end - 1.
struct Axis {
  int first, end;
};
inline Axis axis(int k, const Convolution& c, int size, int out_size) {
  const int before = c.padding - k, last = size - 1 + before;
  const int end = last < 0 ? 0 : last / c.stride + 1;
  return {before > 0 ? (before + c.stride - 1) / c.stride : 0, end < out_size ? end : out_size};
}
/// True where a line of K taps lacks no more than its first pixel's first and its last pixel's last tap.
template <int K>
bool takes(const Convolution& c, int leaf) {
  const int out = c.out_width();
  const Axis first = axis(0, c, c.width, out), second = axis(1, c, c.width, out);
  const Axis before = axis(K - 2, c, c.width, out), last = axis(K - 1, c, c.width, out);
  return worth && c.kernel == K && leaf == samples && out >= least_pixels && first.first <= 1 && second.first == 0 &&
         last.end >= out - 1 && before.end == out && first.end == out && last.first == 0;
}

/// sums[Y][X][K][K][samples] of all pixels: tap row by tap row where one run is a line, or else line by line, whose
/// pixels are then still near.
template <class T, int W, int K, int Y, int X, int S>
void block(const Convolution& c, const Planes<T>& p, T* sums) {
  const int height = c.out_height(), columns = c.out_width(), runs = (columns + most_pixels - 1) / most_pixels;
  const bool whole_first = axis(0, c, c.width, columns).first == 0;
  const bool whole_last = axis(K - 1, c, c.width, columns).end == columns;
  const int at_once = runs == 1 ? height : 1;
  if (runs > 1 || height < K) memset(sums, 0, Y * X * K * K * samples * sizeof(T));
  for (int i = 0; i < height; i += at_once)
    for (int k = 0; k < K; ++k) {
      const Axis v = axis(k, c, c.height, height);
      const int first = v.first > i ? v.first : i, end = v.end < i + at_once ? v.end : i + at_once;
      for (int n = 0, j = 0; n < runs && first < end; ++n) {
        const int pixels = (columns - j + runs - n - 1) / (runs - n);
        const T* const y = p.y + first * p.line_y + j * p.step_y;
        const T* const x = p.x + (first * c.stride - c.padding + k) * p.line_x + j * p.apart_x - c.padding * p.step_x;
        for (int lane = 0; lane < samples; lane += W)
          run<T, W, K, Y, X, S>(pixels, p, y + lane, x + (p.step_x ? lane : 0), end - first, runs == 1,
                                whole_first || n > 0, whole_last || n + 1 < runs, sums + k * K * samples + lane);
        j += pixels;
      }
    }
}

/// Y outputs by X inputs, added to W_bar of the first of them.
template <class T, int K, int Y, int X, int S>
void add(const Convolution& c, const Planes<T>& p, Index row_W, T* W_bar) {
  constexpr int W = width<T>, count = X * K * K, rows = (Y * count + W - 1) / W * W;
  alignas(64) T sums[rows * samples], sum[rows];
  block<T, W, K, Y, X, S>(c, p, sums);
  for (int r = 0; r < rows; r += W) On<T, W>::store(sum + r, sum_lanes<T, W, samples>(sums + r * samples, samples));
  for (int r = 0; r < Y; ++r)
    for (int k = 0; k < count; ++k) W_bar[r * row_W + k] += sum[r * count + k];
}

/// W_bar += of all outputs and inputs, t's channel among them. Inputs outermost: the larger images are x's.
template <class T, int K>
void gradient(const Convolution& c, int lanes, T t, const T* y_bar, const T* x, T* W_bar) {
  constexpr int area = K * K, S = K == 4 ? 2 : 1;
  const Index plane_y = static_cast<Index>(c.out_height()) * c.out_width() * lanes;
  const Index plane_x = static_cast<Index>(c.height) * c.width * lanes, time = c.time ? 1 : 0;
  const Index row = (c.in + time) * area;
  const auto outputs = [&]<int X, int stride>(Planes<T> p, T* to) REVODE_INLINED {
    p.channel_y = plane_y, p.line_y = static_cast<Index>(c.out_width()) * lanes, p.step_y = lanes;
    descending_blocks<most_outputs<K>, 1>(c.out, [&]<int Y>(int o) REVODE_INLINED {
      p.y = y_bar + o * plane_y;
      add<T, K, Y, X, (Y > 1 && X > 1) * stride>(c, p, row, to + o * row);
    });
  };
  T times[width<T>];
  for (T& v : times) v = t;
  if (c.time) outputs.template operator()<1, 0>({nullptr, times, 0, 0, 0, 0, 0, 0, 0, 0}, W_bar);
  const Index line_x = static_cast<Index>(c.width) * lanes, far = static_cast<Index>(c.stride) * lanes;
  descending_blocks<most_inputs<K>, 1>(x ? c.in : 0, [&]<int X>(int i) REVODE_INLINED {
    const Planes<T> p{nullptr, x + i * plane_x, 0, plane_x, 0, line_x, c.stride * line_x, 0, lanes, far};
    T* const to = W_bar + (i + time) * area;
    if (X > 1 && lanes == samples && c.stride == S)
      outputs.template operator()<X, S>(p, to);
    else
      outputs.template operator()<X, 0>(p, to);
  });
}
}  // namespace revode::kernel::lines
