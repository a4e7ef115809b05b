// Direct convolution, forward and input cotangent: blocks of rows times a run of neighbouring pixels whose sums stay in
// registers while channels, kernel rows and kernel columns pass; W is broadcast from where it lies.
#include "blocks.hpp"
#include "conv_runs.hpp"
#include "revode/image_kernels.hpp"
#include "scalars.hpp"

#define REVODE_APART __attribute__((noinline))  // one body: a call is nothing beside a block, and there are many blocks

namespace revode::kernel {
namespace {
using runs::Patch;
using runs::Reach;
using runs::Walk;
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
/// Rows of A `stride` apart: three share a pointer, as far as an address of x86 reaches.
template <class T, int R>
struct Rows {
  static constexpr int pointers = (R + 2) / 3;
  const T* at[pointers];
  Index stride, twice;
  REVODE_INLINE Rows(const T* A, Index s) : stride(s), twice(2 * s) {
    REVODE_UNROLL for (int g = 0; g < pointers; ++g, A += 3 * s) at[g] = A;
  }
  REVODE_INLINE T operator()(int r, int k) const {
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
  REVODE_INLINE void channels(const Patch<T>& p, Index rows_A, Index row, Index lane) {
    const Index far = p.apart_x, next = p.step_x;
    const int kind = R > 1 && W == width<T> && W > 1 ? 10 * p.steps + static_cast<int>(p.step_A) : 0;
    if (kind == 31 && far == usual && next == usual) return known<3, 1, usual, usual>(p, rows_A, row, lane);
    if (kind == 31 && far == usual && next == -usual) return known<3, 1, usual, -usual>(p, rows_A, row, lane);
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

/// R rows of y at Q neighbouring places, W lanes from `lane` on.
template <class T, int W, int R, int Q>
REVODE_APART void block(const Patch<T>& p, const Output<T>& out, Index row, Index lane) {
  using O = On<T, W>;
  Block<T, W, R, Q> b;
  T* y = out.y + row * out.rows_y + lane;
  REVODE_UNROLL for (int r = 0; r < R; ++r) REVODE_UNROLL for (int q = 0; q < Q; ++q) b.sum[r][q] =
      out.add ? O::load(y + r * out.rows_y + q * p.apart_y) : O::all(out.b ? out.b[row + r] : T(0));
  if (out.time) b.time(p, out, row);
  b.channels(p, out.rows_A, row, lane);
  REVODE_UNROLL for (int r = 0; r < R; ++r) REVODE_UNROLL for (int q = 0; q < Q; ++q)
      O::store(y + r * out.rows_y + q * p.apart_y, b.sum[r][q]);
}

/// Pixels of a run, and rows that fit into registers beside them, their weights and one pixel of x.
template <class T, int W>
inline constexpr int most_pixels = W != width<T> || W == 1 ? 1
                                   : register_bytes == 64  ? 7
                                                           : 4;
template <class T, int W, int Q>
inline constexpr int most_rows = most_pixels<T, W> == 1 ? 4 : (register_bytes == 64 ? 30 : 14) / (Q + 1);

/// All rows of y for a run of Q pixels, lanes from ... to - 1, a multiple of W.
template <class T, int W, int Q>
void run_of(int pixels, const Walk<T>& walk, const typename Walk<T>::Run& run, Output<T> out, Index from, Index to) {
  if constexpr (Q > 1)
    if (pixels < Q) return run_of<T, W, Q - 1>(pixels, walk, run, out, from, to);
  constexpr int most = most_rows<T, W, Q>;
  T* const y = out.y;
  for (int i = 0, height = walk.height(); i < height; ++i) {
    const Patch<T> p = walk.patch(i, run);
    out.y = y + static_cast<Index>(i) * walk.width() * walk.lanes;
    descending_blocks<most, (most + 2) / 3, 1>(out.rows, [&]<int R>(int row) REVODE_INLINED {
      for (Index lane = from; lane < to; lane += W) block<T, W, R, Q>(p, out, row, lane);
    });
  }
}
/// All rows and places of an image, cut into runs.
template <class T, int W>
void image(const Walk<T>& walk, Output<T> out, Index from, Index to) {
  constexpr int most = most_pixels<T, W>;
  T* const y = out.y;
  const int columns = walk.width(), apart = walk.apart();
  for (int phase = 0; phase < apart; ++phase)
    for (int j = phase; j < columns;) {
      const int left = (columns - j + apart - 1) / apart, runs = (left + most - 1) / most;
      int pixels = (left + runs - 1) / runs;
      typename Walk<T>::Run run;
      while (!walk.run(j, pixels, run)) --pixels;
      out.y = y + j * walk.lanes;
      run_of<T, W, most>(pixels, walk, run, out, from, to);
      j += pixels * apart;
    }
}
template <class T, int W>
void images(const Walk<T>& walk, const Output<T>& out, Index from) {
  const Index to = from + (walk.lanes - from) / W * W;
  if (to > from) image<T, W>(walk, out, from, to);
  if constexpr (W > 1)
    if (to < walk.lanes) images<T, narrower<T, W>>(walk, out, to);
}
}  // namespace

template <class T>
void convolve(const Convolution& c, int lanes, const T* W, const T* b, T t, const T* x, T* y, bool add) {
  Walk<T> walk{c, W, x, lanes, false};
  walk.A += c.time ? walk.area() : 0;
  const Index plane = static_cast<Index>(c.out_height()) * c.out_width() * lanes;
  images<T, width<T>>(walk, {walk.row(), plane, c.out, b, c.time ? W : nullptr, t, y, add}, 0);
}

template <class T>
void convolve_vjp_input(const Convolution& c, int lanes, const T* W, const T* y_bar, T* x_bar, bool add) {
  Walk<T> walk{c, W, y_bar, lanes, true};
  walk.A += c.time ? walk.area() : 0;
  const Index plane = static_cast<Index>(c.height) * c.width * lanes;
  images<T, width<T>>(walk, {walk.area(), plane, c.in, nullptr, nullptr, 0, x_bar, add}, 0);
}

template <class T>
void convolve_time(const Convolution& c, const T* W, T* s) {
  const int k = c.kernel, height = c.out_height(), width_ = c.out_width();
  for (int o = 0; o < c.out; ++o, W += (c.in + 1) * k * k)
    for (int i = 0; i < height; ++i)
      for (int j = 0; j < width_; ++j, ++s) {
        const Reach v = runs::forward_reach(i, c, c.height), h = runs::forward_reach(j, c, c.width);
        T sum = 0;
        for (int y = v.first; y < v.first + v.count; ++y)
          for (int x = h.first; x < h.first + h.count; ++x) sum += W[y * k + x];
        *s = sum;
      }
}

#define REVODE_INSTANTIATE(T)                                                                    \
  template void convolve<T>(const Convolution&, int, const T*, const T*, T, const T*, T*, bool); \
  template void convolve_vjp_input<T>(const Convolution&, int, const T*, const T*, T*, bool);    \
  template void convolve_time<T>(const Convolution&, const T*, T*);
REVODE_INSTANTIATE(float)
REVODE_DOUBLE(REVODE_INSTANTIATE(double))
}  // namespace revode::kernel
