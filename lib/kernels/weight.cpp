// Weight gradients. A leaf of many samples: the features of x are turned to lie in a pack, then outer products
// accumulate onto W_bar in registers. Leaves of one sample: a tile of their own, one fma each.
#include <type_traits>

#include "blocks.hpp"
#include "outer.hpp"
#include "scalars.hpp"
#include "transpose.hpp"
#include "wide.hpp"

namespace revode::kernel {
namespace {
/// A block: leaves are short, so that with more rows they fill the store queue, and with fewer packs the operands'
/// loads leave no room for those of W_bar.
struct Shape {
  int rows, packs, least_rows = 1, least_packs = 1;
};
inline constexpr Shape wide_leaf = {6, 4, 3, 2};  // of more than two packs, where registers are 32 of 64 bytes
inline constexpr Shape narrow_leaf = {block_rows < 8 ? block_rows : 8, 2};
template <int W>
inline constexpr int panel_size = W > 1 ? 4096 : 256;  // scalars of x turned at a time

template <class T>
struct Leaf {
  Index in, lanes;
  int out, samples;
  const T* y_bar;
  const T* x;
  T* W_bar;
  bool add = true;
};

template <class T>
struct Panel {  // columns first ... last - 1 of x, turned: t[samples][last - first]
  Index first, last;
  const T* t;
};

/// R rows times Q packs of columns, the last of which, at `last`, may overlap the one before it: so all are loaded
/// before any is stored.
template <class T, int W, int R, int Q, bool whole, class Last>
REVODE_INLINE void outer(const Leaf<T>& leaf, const Panel<T>& panel, Index row, Index column, Last last) {
  using O = On<T, W>;
  const Index stride = panel.last - panel.first;
  Corner<T, R, false> y(leaf.y_bar + row * leaf.lanes, leaf.lanes);
  const T* __restrict t = panel.t + column;
  T* const W_bar = leaf.W_bar + row * leaf.in + panel.first + column;
  typename O::V sum[R][Q];
  if constexpr (std::is_same_v<Last, Index>) hide(last);
  if (leaf.add) {
    load_rows<T, W>(W_bar, leaf.in, sum, last);
  } else {
    REVODE_UNROLL for (int r = 0; r < R; ++r) REVODE_UNROLL for (int q = 0; q < Q; ++q) sum[r][q] = O::all(T(0));
  }
  const auto steps = [&]<int n>() REVODE_INLINED {
    REVODE_UNROLL for (int l = 0; l < n; ++l) {
      typename O::V v[Q];
      REVODE_UNROLL for (int q = 0; q < Q; ++q) v[q] = O::load(t + pack_at<W, Q>(q, last));
      REVODE_UNROLL for (int r = 0; r < R; ++r) accumulate_in_place<T, W, Q, whole>(sum[r], y(r, l), v);
      t += stride;
    }
    y.advance(n);
  };
  int l = leaf.samples;
  if constexpr (W == width<T> && W > 1)  // counting takes the FMA units' ports
    for (; l >= 8; l -= 8) steps.template operator()<8>();
  for (; l > 0; --l) steps.template operator()<1>();
  store_rows<T, W>(W_bar, leaf.in, sum, last);
}

/// Packs along R rows of W_bar, so that memory is walked in lines. Of pairs, with two packs and a remainder left, the
/// remainder goes with the second.
template <class T, int W, Shape shape, int R>
REVODE_INLINE void outer_rows(const Leaf<T>& leaf, const Panel<T>& panel, Index row) {
  constexpr bool whole = R == shape.rows;
  const Index columns = panel.last - panel.first;
  if constexpr (shape.packs == 2) {
    for (Index i = 0; i < columns;) {
      const Index rest = columns - i;
      if (W > 1 && rest > W && (rest <= 2 * W || rest >= 3 * W)) {
        outer<T, W, R, 2, whole>(leaf, panel, row, i, rest < 2 * W ? rest - W : W);
        i += rest < 2 * W ? rest : 2 * W;
      } else {
        outer<T, W, R, 1, whole>(leaf, panel, row, i, Index{0});
        i += W;
      }
    }
  } else {
    even_blocks<shape.packs, shape.least_packs>(
        static_cast<int>((columns + W - 1) / W), [&]<int Q>(int pack) REVODE_INLINED {
          const Index i = Index{pack} * W, rest = columns - i;
          if (Q == shape.packs && rest >= Q * W)
            outer<T, W, R, Q, whole>(leaf, panel, row, i, std::integral_constant<Index, (Q - 1) * W>{});
          else
            outer<T, W, R, Q, whole>(leaf, panel, row, i, (rest < Q * W ? rest : Q * W) - W);
        });
  }
}

/// All rows of a panel's columns.
template <class T, int W, Shape shape>
REVODE_INLINE void outer_panel(const Leaf<T>& leaf, const Panel<T>& panel) {
  even_blocks<shape.rows, shape.least_rows>(
      leaf.out, [&]<int R>(int row) REVODE_INLINED { outer_rows<T, W, shape, R>(leaf, panel, row); });
}

template <class T, int W>
void outer_all(const Leaf<T>& leaf) {
  if constexpr (W > 1)
    if (leaf.in < W) return outer_all<T, narrower<T, W>>(leaf);
  alignas(64) T t[panel_size<W>];
  const Index most = panel_size<W> / leaf.samples / (2 * W) * (2 * W);
  for (Index first = 0, last = 0; first < leaf.in; first = last) {
    last = leaf.in - first <= most ? leaf.in : first + most;
    if (leaf.in - last > 0 && leaf.in - last < W) last -= W;  // what remains must fill a pack
    turn<T, W>(last - first, leaf.lanes, leaf.samples, leaf.x + first * leaf.lanes, t, last - first);
    const Panel<T> panel = {first, last, t};
    if constexpr (W == width<T> && registers == 32)
      if (last - first > 2 * W && leaf.out >= wide_leaf.least_rows) {
        outer_panel<T, W, wide_leaf>(leaf, panel);
        continue;
      }
    outer_panel<T, W, W == width<T> ? narrow_leaf : Shape{4, 2}>(leaf, panel);
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
      auto total = O::load(sum + r);
      const T* const from = rows + r * lanes;
      int l = 0;
      for (; l + W <= samples; l += W) {
        Pack<T, W> m[W];
        load_turned<T, W>(from + l, lanes, m);
        REVODE_UNROLL for (int i = 0; i < W; ++i) total = total + m[i];
      }
      if (l < samples) {
        alignas(64) T t[W * W];
        turn<T, W>(W, lanes, samples - l, from + l, t, W);
        for (int i = 0; l < samples; ++i, ++l) total = total + O::load(t + i * W);
      }
      O::store(sum + r, total);
    }
    sum_turned<T, narrower<T, W>>(count - r, lanes, samples, rows + r * lanes, sum + r);
  }
}

/// P packs of rows and R columns of a W_bar whose columns do not fill a pack: y_bar is turned, t[samples][stride] of
/// the rows from the first on, and the biases take part. W_bar's rows are gathered and scattered, once a leaf.
template <class T, int W, int P, int R>
REVODE_INLINE void outer_narrow(const Leaf<T>& leaf, const T* t, Index stride, Index column, T* b_bar) {
  using O = On<T, W>;
  alignas(64) T w[P * R * W];
  T* const W_bar = leaf.W_bar + column;
  const Index in = leaf.in;
  for (int j = 0; j < P * W; ++j)
    for (int r = 0; r < R; ++r) w[r * P * W + j] = W_bar[j * in + r];
  typename O::V sum[R][P], bias[P];
  REVODE_UNROLL for (int p = 0; p < P; ++p) {
    bias[p] = b_bar ? O::load(b_bar + p * W) : O::all(T(0));
    REVODE_UNROLL for (int r = 0; r < R; ++r) sum[r][p] = O::load(w + (r * P + p) * W);
  }
  const T* x = leaf.x + column * leaf.lanes;
  for (int l = 0; l < leaf.samples; ++l, t += stride, ++x) REVODE_UNROLL for (int p = 0; p < P; ++p) {
      const auto v = O::load(t + p * W);
      bias[p] = bias[p] + v;
      REVODE_UNROLL for (int r = 0; r < R; ++r) sum[r][p] = O::fma(v, O::all(x[r * leaf.lanes]), sum[r][p]);
    }
  REVODE_UNROLL for (int p = 0; p < P; ++p) {
    if (b_bar) O::store(b_bar + p * W, bias[p]);
    REVODE_UNROLL for (int r = 0; r < R; ++r) O::store(w + (r * P + p) * W, sum[r][p]);
  }
  for (int j = 0; j < P * W; ++j)
    for (int r = 0; r < R; ++r) W_bar[j * in + r] = w[r * P * W + j];
}

/// All whole packs of rows; how many rows these are.
template <class T, int W>
int outer_narrow_all(Leaf<T> leaf, T* b_bar) {
  alignas(64) T t[panel_size<W>];
  const int rows = leaf.out / W * W, most = static_cast<int>(panel_size<W> / leaf.samples / W * W);
  for (int first = 0; first < rows; first += most) {
    const int count = rows - first < most ? rows - first : most;
    turn<T, W>(count, leaf.lanes, leaf.samples, leaf.y_bar + first * leaf.lanes, t, count);
    descending_blocks<4, 2, 1>(count / W, [&]<int P>(int pack) REVODE_INLINED {
      Leaf<T> part = leaf;
      part.W_bar += static_cast<Index>(first + pack * W) * leaf.in;
      T* const b = b_bar ? b_bar + first + pack * W : nullptr;
      descending_blocks<2, 1>(static_cast<int>(leaf.in), [&]<int R>(int column) REVODE_INLINED {
        outer_narrow<T, W, P, R>(part, t + pack * W, count, column, column == 0 ? b : nullptr);
      });
    });
  }
  return rows;
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
  constexpr int W = width<T>;
  if (!wide::dense_vjp_weight(out, in, lanes, samples, y_bar, x, W_bar)) {
    if (const int rows = W > 1 && in < W && out >= W && samples >= W
                             ? outer_narrow_all<T, W>({in, lanes, out, samples, y_bar, x, W_bar}, b_bar)
                             : 0;
        rows > 0) {
      out -= rows, y_bar += static_cast<Index>(rows) * lanes, W_bar += static_cast<Index>(rows) * in;
      if (b_bar) b_bar += rows;
    }
    if (out > 0) outer_all<T, W>({in, lanes, out, samples, y_bar, x, W_bar});
  }
  if (b_bar && out > 0) sum_rows(out, lanes, samples, y_bar, b_bar);
}

template <class T>
void outer_products(int out, int in, int lanes, int samples, const T* y_bar, const T* x, T* W_bar, bool add) {
  if (!add && in >= width<T> && !wide::takes(out, in))
    return outer_all<T, width<T>>({in, lanes, out, samples, y_bar, x, W_bar, false});
  for (Index k = 0; !add && k < Index{out} * in; ++k) W_bar[k] = 0;
  dense_vjp_weight<T>(out, in, lanes, samples, y_bar, x, W_bar, nullptr);
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
  template void outer_products<T>(int, int, int, int, const T*, const T*, T*, bool);  \
  template void dense_vjp_weight_lanes<T>(int, int, int, const T*, const T*, T*, T*); \
  template void sum_rows<T>(int, int, int, const T*, T*);
REVODE_INSTANTIATE(float)
REVODE_DOUBLE(REVODE_INSTANTIATE(double))
}  // namespace revode::kernel
