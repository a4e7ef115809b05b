// Weight gradients. A leaf of many samples: the features of x are turned to lie in a pack, then outer products
// accumulate onto W_bar in registers. Leaves of one sample: a tile of their own, one fma each.
#include "blocks.hpp"
#include "transpose.hpp"
#include "wide.hpp"

namespace revode::kernel {
namespace {
inline constexpr int most_samples = 64;

template <class T>
struct Leaf {
  Index in, lanes;
  int out, samples;
  const T* y_bar;
  const T* x;
  T* W_bar;
};

/// R rows times Q packs of columns, the last of which may overlap the one before it: all are loaded before any is
/// stored.
template <class T, int W, int R, int Q>
REVODE_INLINE void outer(const Leaf<T>& leaf, Index row, const Index (&column)[Q], const T* __restrict t, Index stride,
                         const Index (&turned)[Q]) {
  using O = On<T, W>;
  const Index lanes = leaf.lanes, in = leaf.in;
  const T* __restrict y_bar = leaf.y_bar + row * lanes;
  T* const W_bar = leaf.W_bar + row * in;
  typename O::V sum[R][Q];
  REVODE_UNROLL for (int r = 0; r < R; ++r) REVODE_UNROLL for (int q = 0; q < Q; ++q) sum[r][q] =
      O::load(W_bar + r * in + column[q]);
  _Pragma("GCC unroll 4") for (int l = 0; l < leaf.samples; ++l, t += stride, ++y_bar) {
    typename O::V v[Q];
    REVODE_UNROLL for (int q = 0; q < Q; ++q) v[q] = O::load(t + turned[q]);
    REVODE_UNROLL for (int r = 0; r < R; ++r) {
      const auto a = O::all(y_bar[r * lanes]);
      REVODE_UNROLL for (int q = 0; q < Q; ++q) sum[r][q] = O::fma(a, v[q], sum[r][q]);
    }
  }
  REVODE_UNROLL for (int r = 0; r < R; ++r) REVODE_UNROLL for (int q = 0; q < Q; ++q)
      O::store(W_bar + r * in + column[q], sum[r][q]);
}

/// Columns first ... last - 1, of which there are W or 2 W or, overlapping, some number between.
template <class T, int W, int Q>
void outer_columns(const Leaf<T>& leaf, Index first, Index last) {
  alignas(64) T t[most_samples * Q * W];
  turn<T, W>(last - first, leaf.lanes, leaf.samples, leaf.x + first * leaf.lanes, t, Q * W);
  Index column[Q], turned[Q];
  for (int q = 0; q < Q; ++q) {
    turned[q] = q + 1 < Q ? q * W : last - first - W;
    column[q] = first + turned[q];
  }
  constexpr int most = W == width<T> ? block_rows : 4;
  even_blocks<most>(leaf.out,
                    [&]<int R>(int row) REVODE_INLINED { outer<T, W, R, Q>(leaf, row, column, t, Q * W, turned); });
}

template <class T, int W>
void outer_all(const Leaf<T>& leaf) {
  if constexpr (W == 1) {
    for (Index i = 0; i < leaf.in; ++i) outer_columns<T, 1, 1>(leaf, i, i + 1);
  } else {
    if (leaf.in < W) return outer_all<T, narrower<T, W>>(leaf);
    Index i = 0;
    for (; i + 3 * W <= leaf.in; i += 2 * W) outer_columns<T, W, 2>(leaf, i, i + 2 * W);
    if (leaf.in - i > 2 * W) {  // two packs and a remainder: the remainder goes with the second
      outer_columns<T, W, 1>(leaf, i, i + W);
      i += W;
    }
    if (leaf.in - i > W)
      outer_columns<T, W, 2>(leaf, i, leaf.in);
    else
      outer_columns<T, W, 1>(leaf, i, leaf.in);
  }
}

template <class T, int W>
void sum_turned(Index count, Index lanes, int samples, const T* rows, T* sum) {
  if constexpr (W == 1) {
    for (Index r = 0; r < count; ++r)
      for (int l = 0; l < samples; ++l) sum[r] += rows[r * lanes + l];
  } else {
    using O = On<T, W>;
    Index r = 0;
    for (; r + W <= count; r += W) {
      alignas(64) T t[most_samples * W];
      turn<T, W>(W, lanes, samples, rows + r * lanes, t, W);
      auto total = O::load(sum + r);
      for (int l = 0; l < samples; ++l) total = total + O::load(t + l * W);
      O::store(sum + r, total);
    }
    sum_turned<T, narrower<T, W>>(count - r, lanes, samples, rows + r * lanes, sum + r);
  }
}

/// y is loaded for every column: GCC takes a pack that outlives its loop apart, lane by lane.
template <class T, int W>
REVODE_INLINE void outer_lanes(int out, int in, Index lanes, Index lane, const T* y_bar, const T* x, T* W_bar,
                               T* b_bar) {
  using O = On<T, W>;
  T* w = W_bar + lane;
  for (int o = 0; o < out; ++o) {
    const T* const y = y_bar + o * lanes + lane;
    const T* feature = x + lane;
    for (int i = 0; i < in; ++i, w += lanes, feature += lanes)
      O::store(w, O::fma(O::load(y), O::load(feature), O::load(w)));
    if (b_bar) O::store(b_bar + o * lanes + lane, O::load(b_bar + o * lanes + lane) + O::load(y));
  }
}
template <class T, int W>
void outer_lanes_from(int out, int in, Index lanes, Index lane, const T* y_bar, const T* x, T* W_bar, T* b_bar) {
  for (; lane + W <= lanes; lane += W) outer_lanes<T, W>(out, in, lanes, lane, y_bar, x, W_bar, b_bar);
  if constexpr (W > 1)
    if (lane < lanes) outer_lanes_from<T, narrower<T, W>>(out, in, lanes, lane, y_bar, x, W_bar, b_bar);
}
}  // namespace

template <class T>
void dense_vjp_weight(int out, int in, int lanes, int samples, const T* y_bar, const T* x, T* W_bar, T* b_bar) {
  if (!wide::dense_vjp_weight(out, in, lanes, samples, y_bar, x, W_bar))
    outer_all<T, width<T>>({in, lanes, out, samples, y_bar, x, W_bar});
  if (b_bar) sum_rows(out, lanes, samples, y_bar, b_bar);
}

template <class T>
void dense_vjp_weight_lanes(int out, int in, int lanes, const T* y_bar, const T* x, T* W_bar, T* b_bar) {
  if (lanes == 1)
    outer_lanes<T, 1>(out, in, 1, 0, y_bar, x, W_bar, b_bar);  // the stride known
  else
    outer_lanes_from<T, width<T>>(out, in, lanes, 0, y_bar, x, W_bar, b_bar);
}

template <class T>
void sum_rows(int count, int lanes, int samples, const T* rows, T* sum) {
  sum_turned<T, width<T>>(count, lanes, samples, rows, sum);
}

#define REVODE_INSTANTIATE(T)                                                         \
  template void dense_vjp_weight<T>(int, int, int, int, const T*, const T*, T*, T*);  \
  template void dense_vjp_weight_lanes<T>(int, int, int, const T*, const T*, T*, T*); \
  template void sum_rows<T>(int, int, int, const T*, T*);
REVODE_INSTANTIATE(float)
REVODE_INSTANTIATE(double)
}  // namespace revode::kernel
