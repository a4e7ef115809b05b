// How a leaf's weight gradient cuts an image, which is part of its chain, and the product that sums up one run.
#pragma once
#include "blocks.hpp"
#include "revode/image_kernels.hpp"

namespace revode::kernel::leaf {
inline constexpr int run_pixels = 8, piece_terms = 640;  ///< most of a run, of a piece: part of the chain
inline constexpr int block_inputs = registers == 32 ? 13 : block_rows;  ///< 64 in five blocks
/// Packs of outputs, weights of an output, inputs of a block.
template <int W>
inline constexpr int most_packs = W > 1 ? 2 : 1;
template <int W>
inline constexpr int most_columns = W > 1 ? 128 : 32;
template <int W>
inline constexpr int most_inputs = W > 1 ? block_inputs : 4;

/// Where the n-th of equal parts of a size begins.
inline int cut(int size, int parts, int n) {
  return static_cast<int>(static_cast<Index>(size) * n / parts);
}
/// Pixels of y along one axis whose tap `tap` lies in the image.
struct Span {
  int first, end;
};
inline Span span(int tap, const Convolution& c, int size, int out_size) {
  const auto strides = [&](int n) REVODE_INLINED { return c.stride == 1 ? n : n / c.stride; };
  const int before = c.padding - tap, last = size - 1 + before;
  const int end = last < 0 ? 0 : strides(last) + 1;
  return {before > 0 ? strides(before + c.stride - 1) : 0, end < out_size ? end : out_size};
}
inline Span meet(const Span& a, const Span& b) {
  return {a.first > b.first ? a.first : b.first, a.end < b.end ? a.end : b.end};
}

/// y's pixels in runs, each within a line, and the runs in pieces.
struct Cuts {
  int width, height, runs, all_runs, pieces;  ///< of y; runs: of a line
  Cuts(const Convolution& c, int samples)
      : width(c.out_width()),
        height(c.out_height()),
        runs((width + run_pixels - 1) / run_pixels),
        all_runs(runs * height) {
    const int most = piece_terms / ((width + runs - 1) / runs * samples);
    pieces = (all_runs + most - 1) / most;
  }
  Span columns(int run) const { return {cut(width, runs, run % runs), cut(width, runs, run % runs + 1)}; }
  int line(int run) const { return run / runs; }
  int pixel(int run) const { return line(run) * width + columns(run).first; }  ///< also of the run after the last
  Span piece(int n) const { return {cut(all_runs, pieces, n), cut(all_runs, pieces, n + 1)}; }
};

/// Pixels of a run that meet a tap of one kernel row: where the first lies behind the run's, and the tap's place.
struct Meeting {
  Index t, x, pixels;
  int tap;
};
/// A run and what one kernel row sees of it.
template <class T>
struct Line {
  const T *t, *x;
  Index samples, pack_t, jump_t;   ///< jump: behind a pixel's samples
  Index channel_x, jump_x, apart;  ///< channel: between rows of the product, apart: between their sums
};
/// sums[tap][X of them apart][P * W] += the run's sum from 0, or = where nothing has been summed yet.
template <class T, int W, int P, int X>
__attribute__((noinline)) void multiply(const Line<T>& m, const Meeting* meeting, int meetings, T* sums, bool* met) {
  using O = On<T, W>;
  constexpr Index rows = P * W, step = W > 1 ? rows : 1;
  const Index pack_t = W > 1 ? W : m.pack_t, channel = m.channel_x, samples = m.samples, apart = m.apart;
  for (const Meeting* const end = meeting + meetings; meeting != end; ++meeting) {
    const T* __restrict t = m.t + meeting->t;
    const T* __restrict x = m.x + meeting->x;
    typename O::V sum[X][P];
    REVODE_UNROLL for (int q = 0; q < X; ++q) REVODE_UNROLL for (int p = 0; p < P; ++p) sum[q][p] = O::all(T(0));
    const auto add = [&](const auto& of) REVODE_INLINED {
      typename O::V v[P];
      REVODE_UNROLL for (int p = 0; p < P; ++p) v[p] = O::load(t + p * pack_t);
      REVODE_UNROLL for (int q = 0; q < X; ++q) accumulate_in_place<T, W, P>(sum[q], of(q), v);
      t += step;
    };
    const bool together = W > 1 && m.jump_x == 0;
    Index pixels = together ? 1 : meeting->pixels, terms = together ? samples * meeting->pixels : samples;
    if constexpr (registers == 32 && W == width<T> && X > block_rows / 2)
      if (together) {  // counting takes the FMA units' ports
        constexpr int turn = 16;
        Corner<T, X, false> at(x, channel);
        for (; terms >= turn; terms -= turn, at.advance(turn))
          REVODE_UNROLL for (int l = 0; l < turn; ++l) add([&](int q) REVODE_INLINED -> const T& { return at(q, l); });
        x = at.at[0];
      }
    for (; pixels > 0; --pixels, t += m.jump_t, x += m.jump_x)
      _Pragma("GCC unroll 2") for (Index l = terms; l > 0; --l, ++x)
          add([&](int q) REVODE_INLINED -> const T& { return x[q * channel]; });
    T* to = sums + meeting->tap * rows;
    const bool fresh = !met[meeting->tap];
    met[meeting->tap] = true;
    REVODE_UNROLL for (int q = 0; q < X; ++q, to += apart) REVODE_UNROLL for (int p = 0; p < P; ++p)
        O::store(to + p * W, fresh ? sum[q][p] : O::load(to + p * W) + sum[q][p]);
  }
}
}  // namespace revode::kernel::leaf
