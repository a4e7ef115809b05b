// The register block of a direct convolution: sums of R rows at Q neighbouring pixels, while channels, kernel rows and
// kernel columns pass.
#pragma once
#include <utility>

#include "blocks.hpp"
#include "conv_runs.hpp"

namespace revode::kernel::runs {
inline constexpr bool few_registers = register_bytes == 32;
inline constexpr int usual = 16;  // lanes of a tile for which addresses are known when compiling

template <class T>
struct Output {
  Index rows_A;  ///< of A, from row to row
  Index rows_y;  ///< of y
  int rows;
  const T* b;     ///< [rows] or null
  const T* time;  ///< the weights of t, or null
  T t;
  T* y;  ///< of the first row
  bool add;
};
/// Kernels of 3 and stride 1, of 4 and stride 2 forward, all distances known when compiling: a pixel is read once for
/// all steps that meet it.
template <class T>
bool shares_pixels(const Patch<T>& p) {
  if (p.step_A != 1) return false;
  if (p.steps == 4) return p.apart_x == 2 * usual && p.step_x == usual;
  return p.steps == 3 && p.apart_x == usual && (p.step_x == usual || p.step_x == -usual);
}
/// Rows of A `stride` apart: three share a pointer, as far as an address of x86 reaches.
template <class T, int R>
struct Rows {
  static constexpr int pointers = (R + 2) / 3;
  const T* at[pointers];
  Index stride, twice;
  REVODE_INLINE Rows(const T* A, Index s) : stride(s), twice(2 * s) {
    REVODE_UNROLL for (int g = 0; g < pointers; ++g, A += 3 * s) at[g] = A;
  }
  REVODE_INLINE const T& operator()(int r, int k) const {
    const T* a = at[r / 3] + k;
    return r % 3 == 0 ? a[0] : a[r % 3 == 1 ? stride : twice];
  }
  REVODE_INLINE void advance(Index k) { REVODE_UNROLL for (int g = 0; g < pointers; ++g) at[g] += k; }
};

template <class T, int W, int R, int Q>
struct Block {
  using O = On<T, W>;
  typename O::V sum[R][Q];

  /// One step of a line: its weights, k from A on, stay in registers while the pixels pass.
  template <class X>
  REVODE_INLINE void step(const Rows<T, R>& A, int k, bool first, bool last, const X& x) {
    typename O::V a[R];
    REVODE_UNROLL for (int r = 0; r < R; ++r) a[r] = O::all(A(r, k));
    const auto pixel = [&](int q) REVODE_INLINED {
      const auto v = x(q);
      REVODE_UNROLL for (int r = 0; r < R; ++r) sum[r][q] = O::fma(a[r], v, sum[r][q]);
    };
    if (Q == 1 || first) pixel(0);
    REVODE_UNROLL for (int q = 1; q < Q - 1; ++q) pixel(q);
    if (Q > 1 && last) pixel(Q - 1);
  }
  template <class X>
  REVODE_INLINE void line(const Patch<T>& p, Rows<T, R> A, const X& x) {
    for (int i = 0; i < p.steps; ++i) {
      step(A, 0, i != p.first_lacks, i != p.last_lacks, [&](int q) REVODE_INLINED { return x(i, q); });
      A.advance(p.step_A);
    }
  }
  REVODE_INLINE void time(const Patch<T>& p, const Output<T>& out, Index row) {
    const auto t = O::all(out.t);
    Rows<T, R> A(out.time + row * out.rows_A + p.corner, out.rows_A);
    for (int j = p.lines; j > 0; --j, A.advance(p.line_A)) line(p, A, [&](int, int) REVODE_INLINED { return t; });
  }
  /// f(A, x) for the beginning of every line of every channel: one loop, whose end alone has to be predicted.
  template <class F>
  REVODE_INLINE void lines(const Patch<T>& p, Index rows_A, Index row, Index lane, const F& f) {
    Rows<T, R> A(p.A + row * rows_A, rows_A);
    const T* x = p.x + lane;
    const Index line_A = p.line_A, line_x = p.line_x;
    const Index jump_A = p.channel_A - p.lines * line_A, jump_x = p.channel_x - p.lines * line_x;
    Index j = p.lines;
    for (Index n = p.channels * j; n > 0; --n) {
      f(A, x);
      const Index last = line_ends(j, p.lines);
      A.advance(line_A + (last & jump_A));
      x += line_x + (last & jump_x);
    }
  }
  /// Lines of as many steps as are known when compiling; so may be how far apart pixels and steps are (0: not). Only
  /// the outermost steps can be lacking.
  template <int steps, int step_A, int apart_x = 0, int step_x = 0>
  REVODE_INLINE void known(const Patch<T>& p, Index rows_A, Index row, Index lane) {
    const Index apart = apart_x ? apart_x : p.apart_x, next = step_x ? step_x : p.step_x;
    const bool all_first = p.first_lacks != 0, all_last = p.last_lacks != 0;
    const bool end_first = p.first_lacks != steps - 1, end_last = p.last_lacks != steps - 1;
    lines(p, rows_A, row, lane, [&](const Rows<T, R>& A, const T* x) REVODE_INLINED {
      REVODE_UNROLL for (int i = 0; i < steps; ++i)
          step(A, i * step_A,
               i == 0           ? all_first
               : i == steps - 1 ? end_first
                                : true,
               i == 0           ? all_last
               : i == steps - 1 ? end_last
                                : true,
               [&](int q) REVODE_INLINED { return O::load(x + i * next + q * apart); });
    });
  }
  /// One step of pixels begin ... end - 1. Of weights and pixels the fewer stay in registers while the others pass.
  template <int begin, int end, class X>
  REVODE_INLINE void pixels(const Rows<T, R>& A, int k, const X& x) {
    if constexpr (R <= Q) {
      typename O::V a[R];
      REVODE_UNROLL for (int r = 0; r < R; ++r) a[r] = O::all(A(r, k));
      REVODE_UNROLL for (int q = begin; q < end; ++q) {
        const auto v = x(q);
        REVODE_UNROLL for (int r = 0; r < R; ++r) accumulate<T, W>(sum[r][q], a[r], v);
      }
    } else {
      typename O::V v[Q];
      REVODE_UNROLL for (int q = begin; q < end; ++q) v[q] = x(q);
      REVODE_UNROLL for (int r = 0; r < R; ++r) accumulate_row<T, W, end - begin>(sum[r] + begin, A(r, k), v + begin);
    }
  }
  /// f.operator()<first_lacks, last_lacks>() as p has them, forward or back; false where it has others.
  template <int steps, bool forward, class F>
  static REVODE_INLINE bool lacking(const Patch<T>& p, const F& f) {
    constexpr int begin = forward ? 0 : steps - 1, end = steps - 1 - begin;
    const int first = p.first_lacks, last = p.last_lacks;
    if (first < 0 && last < 0) return f.template operator()<-1, -1>(), true;
    if (first == begin && last < 0) return f.template operator()<begin, -1>(), true;
    if (first < 0 && last == end) return f.template operator()<-1, end>(), true;
    return false;
  }
  template <int i, int steps, int first_lacks, int last_lacks, class X>
  REVODE_INLINE void straight_step(const Rows<T, R>& A, int k, const X& x) {
    pixels<i == first_lacks ? 1 : 0, i == last_lacks ? Q - 1 : Q>(A, k, [&](int q) REVODE_INLINED { return x(i, q); });
  }
  /// Lines of `steps` steps, of which an outer pixel may lack an outer one: straight code, for which registers suffice.
  template <int steps, int step_A, int first_lacks, int last_lacks>
  REVODE_INLINE void straight_lines(const Patch<T>& p, Index rows_A, Index row, Index lane) {
    const T* x = p.x + lane;
    Rows<T, R> A(p.A + row * rows_A, rows_A);
    const Index apart = p.apart_x, next = p.step_x, line_A = p.line_A, line_x = p.line_x;
    const Index jump_A = p.channel_A - p.lines * line_A, jump_x = p.channel_x - p.lines * line_x;
    const auto line = [&]<int... i>(std::integer_sequence<int, i...>) REVODE_INLINED {
      const auto at = [&](int step, int q) REVODE_INLINED { return O::load(x + step * next + q * apart); };
      (straight_step<i, steps, first_lacks, last_lacks>(A, i * step_A, at), ...);
    };
    for (int n = p.channels; n > 0; --n, A.advance(jump_A), x += jump_x)
      for (int j = p.lines; j > 0; --j, A.advance(line_A), x += line_x) line(std::make_integer_sequence<int, steps>{});
  }
  /// The same of a whole channel, where all distances but the lines' in x are known when compiling: its terms are so
  /// few that what is counted and added up for each line would show.
  template <int lines, int steps, int step_A, int line_A, int apart, int next, int first_lacks, int last_lacks>
  REVODE_INLINE void straight_channels(const Patch<T>& p, Index rows_A, Index row, Index lane) {
    const T* x = p.x + lane;
    Rows<T, R> A(p.A + row * rows_A, rows_A);
    const Index line_x = p.line_x;
    const auto channel = [&]<int... k>(std::integer_sequence<int, k...>) REVODE_INLINED {
      (straight_step<k % steps, steps, first_lacks, last_lacks>(
           A, k / steps * line_A + k % steps * step_A,
           [&](int i, int q) REVODE_INLINED { return O::load(x + k / steps * line_x + (i * next + q * apart)); }),
       ...);
    };
    for (int n = p.channels; n > 0; --n, A.advance(p.channel_A), x += p.channel_x)
      channel(std::make_integer_sequence<int, lines * steps>{});
  }
  template <int steps, int step_A, bool forward>
  REVODE_INLINE bool lines_of(const Patch<T>& p, Index rows_A, Index row, Index lane) {
    if (p.steps != steps || p.step_A != step_A || (p.step_x > 0) != forward) return false;
    return lacking<steps, forward>(p, [&]<int first, int last>() REVODE_INLINED {
      straight_lines<steps, step_A, first, last>(p, rows_A, row, lane);
    });
  }
  template <int lines, int step_A, int line_A, int apart, int next, int steps = lines>
  REVODE_INLINE bool channels_of(const Patch<T>& p, Index rows_A, Index row, Index lane) {
    const bool known = p.steps == steps && p.step_A == step_A && p.line_A == line_A;
    if (!known || p.lines != lines || p.apart_x != apart || p.step_x != next) return false;
    return lacking<steps, (next > 0)>(p, [&]<int first, int last>() REVODE_INLINED {
      straight_channels<lines, steps, step_A, line_A, apart, next, first, last>(p, rows_A, row, lane);
    });
  }
  REVODE_INLINE void channels(const Patch<T>& p, Index rows_A, Index row, Index lane) {
    if constexpr (few_registers && W == width<T>) {
      if constexpr (R * Q == 12 && Q > 1 && sizeof(T) == 4)
        if (channels_of<2, 2, 8, usual, -usual>(p, rows_A, row, lane) ||
            channels_of<3, 1, 3, usual, usual>(p, rows_A, row, lane) ||
            channels_of<3, 1, 3, usual, -usual>(p, rows_A, row, lane) ||
            channels_of<2, 1, 3, usual, usual, 3>(p, rows_A, row, lane) ||
            channels_of<2, 1, 3, usual, -usual, 3>(p, rows_A, row, lane))
          return;
      if (lines_of<3, 1, true>(p, rows_A, row, lane) || lines_of<3, 1, false>(p, rows_A, row, lane) ||
          lines_of<4, 1, true>(p, rows_A, row, lane) || lines_of<2, 2, false>(p, rows_A, row, lane))
        return;
      return any(p, rows_A, row, lane);
    }
    const Index far = p.apart_x, next = p.step_x;
    const int kind = R > 1 && W == width<T> && W > 1 ? 10 * p.steps + static_cast<int>(p.step_A) : 0;
    const bool shares = shares_pixels(p);
    if (kind == 41 && shares) return known<4, 1, 2 * usual, usual>(p, rows_A, row, lane);
    if (kind == 31 && shares)
      return next > 0 ? known<3, 1, usual, usual>(p, rows_A, row, lane)
                      : known<3, 1, usual, -usual>(p, rows_A, row, lane);
    if (kind == 22 && far == usual && next == -usual) return known<2, 2, usual, -usual>(p, rows_A, row, lane);
    if (kind == 31) return known<3, 1>(p, rows_A, row, lane);
    if (kind == 41) return known<4, 1>(p, rows_A, row, lane);
    if (kind == 22) return known<2, 2>(p, rows_A, row, lane);
    any(p, rows_A, row, lane);
  }
  REVODE_INLINE void any(const Patch<T>& p, Index rows_A, Index row, Index lane) {
    lines(p, rows_A, row, lane, [&](const Rows<T, R>& A, const T* x) REVODE_INLINED {
      line(p, A, [&](int i, int q) REVODE_INLINED { return O::load(x + i * p.step_x + q * p.apart_x); });
    });
  }
};
}  // namespace revode::kernel::runs
