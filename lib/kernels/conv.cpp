// Direct convolution, forward and input cotangent: one walk over the terms of a pixel (channels, kernel rows, kernel
// columns), for blocks of rows times two packs of lanes or two neighbouring pixels, W broadcast from where it lies.
#include "blocks.hpp"
#include "revode/image_kernels.hpp"
#include "scalars.hpp"

#define REVODE_APART __attribute__((noinline))  // one body: a call is nothing beside a block, and there are many blocks

namespace revode::kernel {
namespace {
/// The terms of one pixel: A(row; term) x[term][lanes].
template <class T>
struct Patch {
  const T* A;  ///< of the first row
  const T* x;
  Index corner;  ///< from the first tap of the kernel to the first one here
  int channels, lines, steps;
  Index channel_A, channel_x, line_A, line_x, step_A, step_x;
  bool follows(const Patch& p) const { return A == p.A && x != p.x && lines == p.lines && steps == p.steps; }
};
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
/// How taps along one axis meet an image: first tap, taps, and the place that the first one meets.
struct Reach {
  int first, count, at;
};
Reach forward_reach(int place, const Convolution& c, int size) {
  const int origin = place * c.stride - c.padding, first = origin < 0 ? -origin : 0;
  const int last = size - origin < c.kernel ? size - origin : c.kernel;
  return {first, last > first ? last - first : 0, origin + first};
}
/// Taps of an input's place: every stride-th one, the output's places descending.
Reach input_reach(int place, const Convolution& c, int out_size) {
  const int end = place + c.padding, least = end - c.stride * (out_size - 1);
  int first = end % c.stride;
  while (first < least) first += c.stride;
  const int last = end < c.kernel - 1 ? end : c.kernel - 1;
  if (first > last) return {0, 0, 0};
  return {first, (last - first) / c.stride + 1, (end - first) / c.stride};
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
  Index apart_x;

  REVODE_INLINE void term(const Rows<T, R>& A, int k, const T* x) {
    typename O::V v[Q];
    REVODE_UNROLL for (int q = 0; q < Q; ++q) v[q] = O::load(x + q * apart_x);
    REVODE_UNROLL for (int r = 0; r < R; ++r) {
      const auto a = O::all(A(r, k));
      REVODE_UNROLL for (int q = 0; q < Q; ++q) sum[r][q] = O::fma(a, v[q], sum[r][q]);
    }
  }
  /// f(A, x) for the beginning of every line of taps.
  template <class F>
  REVODE_INLINE void lines(const Patch<T>& p, Index rows_A, Index row, Index lane, const F& f) {
    Rows<T, R> A(p.A + row * rows_A, rows_A);
    const T* x = p.x + lane;
    const Index rest_A = p.channel_A - p.lines * p.line_A, rest_x = p.channel_x - p.lines * p.line_x;
    for (int c = p.channels; c > 0; --c) {
      for (int j = p.lines; j > 0; --j) {
        f(A, x);
        A.advance(p.line_A);
        x += p.line_x;
      }
      A.advance(rest_A);
      x += rest_x;
    }
  }
  REVODE_INLINE void time(const Patch<T>& p, const Output<T>& out, Index row) {
    const auto t = O::all(out.t);
    for (int j = 0; j < p.lines; ++j)
      for (int i = 0; i < p.steps; ++i) REVODE_UNROLL for (int r = 0; r < R; ++r) {
          const auto a = O::all(out.time[(row + r) * out.rows_A + p.corner + j * p.line_A + i]);
          REVODE_UNROLL for (int q = 0; q < Q; ++q) sum[r][q] = O::fma(a, t, sum[r][q]);
        }
  }
};

/// R rows of y at one place: lanes `lane` on, and Q packs `apart` from each other.
template <class T, int W, int R, int Q>
REVODE_APART void block(const Patch<T>& p, const Output<T>& out, Index row, Index lane, Index apart_x, Index apart_y) {
  using O = On<T, W>;
  Block<T, W, R, Q> b;
  b.apart_x = apart_x;
  T* y = out.y + row * out.rows_y + lane;
  REVODE_UNROLL for (int r = 0; r < R; ++r) REVODE_UNROLL for (int q = 0; q < Q; ++q) b.sum[r][q] =
      out.add ? O::load(y + r * out.rows_y + q * apart_y) : O::all(out.b ? out.b[row + r] : T(0));
  if (out.time) b.time(p, out, row);
  const auto known = [&]<int steps, int step>() REVODE_INLINED {
    b.lines(p, out.rows_A, row, lane, [&](const Rows<T, R>& A, const T* x) REVODE_INLINED {
      REVODE_UNROLL for (int i = 0; i < steps; ++i) b.term(A, i * step, x + i * p.step_x);
    });
  };
  const int kind = R >= 4 && W == width<T> ? 10 * p.steps + static_cast<int>(p.step_A) : 0;
  if (kind == 31)
    known.template operator()<3, 1>();
  else if (kind == 21)
    known.template operator()<2, 1>();
  else if (kind == 41)
    known.template operator()<4, 1>();
  else if (kind == 22)
    known.template operator()<2, 2>();
  else
    b.lines(p, out.rows_A, row, lane, [&](Rows<T, R> A, const T* x) REVODE_INLINED {
      for (int i = p.steps; i > 0; --i, x += p.step_x) {
        b.term(A, 0, x);
        A.advance(p.step_A);
      }
    });
  REVODE_UNROLL for (int r = 0; r < R; ++r) REVODE_UNROLL for (int q = 0; q < Q; ++q)
      O::store(y + r * out.rows_y + q * apart_y, b.sum[r][q]);
}

/// One place of an image, or it and the next one (pair_y is not 0) where their terms are alike.
template <class T, int W, int R>
void place(const Patch<T>& p, const Output<T>& out, Index row, Index from, Index to, Index pair_x, Index pair_y) {
  Index lane = from;
  if constexpr (W == width<T> && block_packs == 2) {
    if (pair_y)
      for (; lane + W <= to; lane += W) block<T, W, R, 2>(p, out, row, lane, pair_x, pair_y);
    for (; lane + 2 * W <= to; lane += 2 * W) block<T, W, R, 2>(p, out, row, lane, W, W);
  }
  for (; lane + W <= to; lane += W) block<T, W, R, 1>(p, out, row, lane, 0, 0);
}

/// The terms of every place of an image: forward over y's places, or back over x's.
template <class T>
struct Walk {
  Convolution c;
  const T* A;  ///< W without the taps of t
  const T* x;  ///< what is read: x, or y_bar
  Index lanes;
  bool back;
  int height() const { return back ? c.height : c.out_height(); }
  int width() const { return back ? c.width : c.out_width(); }
  Index area() const { return static_cast<Index>(c.kernel) * c.kernel; }
  Index row() const { return area() * (c.in + (c.time ? 1 : 0)); }  ///< weights of one output

  Patch<T> patch(int i, int j) const {
    const Index k = c.kernel, s = c.stride;
    if (back) {
      const Index line = c.out_width() * lanes;
      const Reach v = input_reach(i, c, c.out_height()), h = input_reach(j, c, c.out_width());
      const Index corner = v.first * k + h.first;
      return {A + corner, x + v.at * line + h.at * lanes, corner, c.out, v.count, h.count,
              row(),      c.out_height() * line,          s * k,  -line, s,       -lanes};
    }
    const Index line = c.width * lanes;
    const Reach v = forward_reach(i, c, c.height), h = forward_reach(j, c, c.width);
    const Index corner = v.first * k + h.first;
    return {
        A + corner, x + v.at * line + h.at * lanes, corner, c.in, v.count, h.count, area(), c.height * line, k, line, 1,
        lanes};
  }
};

/// All rows and places of an image for lanes from ... to - 1, a multiple of W.
template <class T, int W, int most>
void image(const Walk<T>& walk, Output<T> out, Index from, Index to) {
  T* const y = out.y;
  // With one pack of lanes two neighbouring pixels fill the block.
  const bool pairs = W == width<T> && block_packs == 2 && (to - from) % (2 * W) != 0;
  const int height = walk.height(), columns = walk.width();
  descending_blocks<most, (most + 2) / 3, 1>(out.rows, [&]<int R>(int row) REVODE_INLINED {
    for (int i = 0; i < height; ++i)
      for (int j = 0; j < columns; ++j) {
        const Patch<T> p = walk.patch(i, j);
        out.y = y + (static_cast<Index>(i) * columns + j) * walk.lanes;
        Index pair = 0;
        if (pairs && j + 1 < columns) {
          const Patch<T> next = walk.patch(i, j + 1);
          if (next.follows(p)) pair = next.x - p.x, ++j;
        }
        place<T, W, R>(p, out, row, from, to, pair, pair ? walk.lanes : 0);
      }
  });
}
template <class T, int W>
void rest(const Walk<T>& walk, const Output<T>& out, Index from) {
  const Index to = from + (walk.lanes - from) / W * W;
  if (to > from) image<T, W, 4>(walk, out, from, to);
  if constexpr (W > 1)
    if (to < walk.lanes) rest<T, narrower<T, W>>(walk, out, to);
}
template <class T>
void images(const Walk<T>& walk, const Output<T>& out) {
  constexpr int W = width<T>;
  Index from = 0;
  if constexpr (W > 1) {
    from = walk.lanes / W * W;
    if (from > 0) image<T, W, block_rows>(walk, out, 0, from);
  }
  if (from < walk.lanes) rest<T, narrower<T, W>>(walk, out, from);
}
}  // namespace

template <class T>
void convolve(const Convolution& c, int lanes, const T* W, const T* b, T t, const T* x, T* y, bool add) {
  Walk<T> walk{c, W, x, lanes, false};
  walk.A += c.time ? walk.area() : 0;
  const Index plane = static_cast<Index>(c.out_height()) * c.out_width() * lanes;
  images<T>(walk, {walk.row(), plane, c.out, b, c.time ? W : nullptr, t, y, add});
}

template <class T>
void convolve_vjp_input(const Convolution& c, int lanes, const T* W, const T* y_bar, T* x_bar, bool add) {
  Walk<T> walk{c, W, y_bar, lanes, true};
  walk.A += c.time ? walk.area() : 0;
  const Index plane = static_cast<Index>(c.height) * c.width * lanes;
  images<T>(walk, {walk.area(), plane, c.in, nullptr, nullptr, 0, x_bar, add});
}

template <class T>
void convolve_time(const Convolution& c, const T* W, T* s) {
  const int k = c.kernel, height = c.out_height(), width_ = c.out_width();
  for (int o = 0; o < c.out; ++o, W += (c.in + 1) * k * k)
    for (int i = 0; i < height; ++i)
      for (int j = 0; j < width_; ++j, ++s) {
        const Reach v = forward_reach(i, c, c.height), h = forward_reach(j, c, c.width);
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
