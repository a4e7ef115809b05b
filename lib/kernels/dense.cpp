// Dense layer forward and its input cotangent: one product A x with A = W or W transposed, blocks of rows times packs
// of lanes, W broadcast from where it lies.
#include "blocks.hpp"
#include "scalars.hpp"
#include "wide.hpp"

namespace revode::kernel {
namespace {
inline constexpr int depth_chunk = 256;  // keeps the tile's rows and W's lines in L1
inline constexpr int page_chunk = 64;    // where each row of W begins a page of its own: what the first TLB holds
inline constexpr int short_depth = 20;   // up to it a product on the usual tile has blocks of its own
inline constexpr int short_lanes = 32;   // that tile

template <class T>
struct Product {  // y[rows][lanes] = start + sum over k of A(row, k) x[k][lanes]
  Index stride, lanes;
  int rows, depth;
  const T* A;
  const T* b;
  const T* x;
  T* y;
  bool add;
};

template <class T, int W, int R, int Q>
REVODE_INLINE void begin(const Product<T>& p, Index row, const T* y, Pack<T, W> (&sum)[R][Q]) {
  using O = On<T, W>;
  if (p.add) {
    load_rows<T, W>(y, p.lanes, sum);
  } else if (p.b) {
    REVODE_UNROLL for (int r = 0; r < R; ++r) REVODE_UNROLL for (int q = 0; q < Q; ++q) sum[r][q] =
        O::all(p.b[row + r]);
  } else {
    REVODE_UNROLL for (int r = 0; r < R; ++r) REVODE_UNROLL for (int q = 0; q < Q; ++q) sum[r][q] = O::all(T(0));
  }
}

template <class T, int W, int R, int Q, bool transposed>
REVODE_INLINE void block(const Product<T>& p, Index row, Index lane) {
  using O = On<T, W>;
  const Index stride = p.stride, lanes = p.lanes;
  Corner<T, R, transposed> A(p.A + (transposed ? row : row * stride), stride);
  const T* __restrict x = p.x + lane;
  T* y = p.y + row * lanes + lane;
  typename O::V sum[R][Q];
  begin<T, W, R, Q>(p, row, y, sum);
  const auto steps = [&]<int n>() REVODE_INLINED {
    REVODE_UNROLL for (int k = 0; k < n; ++k) {
      typename O::V v[Q];
      REVODE_UNROLL for (int q = 0; q < Q; ++q) v[q] = O::load(x + q * W);
      REVODE_UNROLL for (int r = 0; r < R; ++r) {
        if constexpr (transposed)
          accumulate_in_place<T, W, Q, R == block_rows>(sum[r], A(r, k), v);
        else
          accumulate_row<T, W, Q, R == block_rows>(sum[r], A(r, k), v);
      }
      x += lanes;
    }
    A.advance(n);
  };
  if constexpr (W == width<T> && W > 1) {  // counting takes the FMA units' ports: four terms a turn
    for (int k = p.depth >> 2; k > 0; --k) steps.template operator()<4>();
    if (p.depth & 2) steps.template operator()<2>();
    if (p.depth & 1) steps.template operator()<1>();
  } else {
    for (int k = p.depth; k > 0; --k) steps.template operator()<1>();
  }
  store_rows<T, W>(y, lanes, sum);
}

template <class T, int W, int R, int Q, bool transposed>
REVODE_INLINE void columns(const Product<T>& p, Index lane) {
  even_blocks<R>(p.rows, [&]<int rows>(int row) REVODE_INLINED { block<T, W, rows, Q, transposed>(p, row, lane); });
}

template <class T, int W, bool transposed>
void narrow_columns(const Product<T>& p, Index lane) {
  for (; lane + W <= p.lanes; lane += W) columns<T, W, 4, 1, transposed>(p, lane);
  if constexpr (W > 1) narrow_columns<T, narrower<T, W>, transposed>(p, lane);
}

template <class T, bool transposed>
void product(const Product<T>& p) {
  constexpr int W = width<T>;
  Index lane = 0;
  if constexpr (W == 1) {
    if (p.lanes == 1) {  // the stride known
      Product<T> one = p;
      one.lanes = 1;
      return narrow_columns<T, 1, transposed>(one, 0);
    }
  } else {
    if (p.rows <= few_rows)
      for (; lane + 2 * block_packs * W <= p.lanes; lane += 2 * block_packs * W)
        columns<T, W, few_rows, 2 * block_packs, transposed>(p, lane);
    if constexpr (register_bytes == 64)
      if (const Index packs = (p.lanes - lane) / W; packs % 2 == 1 && packs > 1) {  // one alone starves the FMA units
        columns<T, W, 8, 3, transposed>(p, lane);
        lane += 3 * W;
      }
    for (; lane + block_packs * W <= p.lanes; lane += block_packs * W)
      columns<T, W, block_rows, block_packs, transposed>(p, lane);
    for (; lane + W <= p.lanes; lane += W) columns<T, W, block_rows, 1, transposed>(p, lane);
  }
  if (lane < p.lanes) narrow_columns<T, narrower<T, W>, transposed>(p, lane);
}

/// `count` blocks of R rows and Q packs over a short depth. The stores of a block come in one burst; more than a dozen
/// of 64 bytes stop the core for longer than a short block can hide, hence few rows. What the next block starts from
/// stays in registers: a reload from the stack can be held up by those stores.
template <class T, int R, int Q, bool transposed>
__attribute__((noinline)) void short_blocks(const T* A, const T* b, const T* x, T* y, Index stride, int depth,
                                            int count) {
  constexpr int W = width<T>;
  using O = On<T, W>;
  do {
    Corner<T, R, transposed> at(A, stride);
    const T* from = x;
    typename O::V sum[R][Q];
    REVODE_UNROLL for (int r = 0; r < R; ++r) REVODE_UNROLL for (int q = 0; q < Q; ++q) sum[r][q] =
        O::all(transposed ? T(0) : b[r]);
    const auto steps = [&]<int n>() REVODE_INLINED {
      REVODE_UNROLL for (int k = 0; k < n; ++k) {
        typename O::V v[Q];
        REVODE_UNROLL for (int q = 0; q < Q; ++q) v[q] = O::load(from + q * W);
        REVODE_UNROLL for (int r = 0; r < R; ++r) accumulate_in_place<T, W, Q>(sum[r], at(r, k), v);
        from += short_lanes;
      }
      at.advance(n);
    };
    constexpr int half = transposed ? 4 : short_depth / 2;
    if (!transposed && depth == 2 * half) {  // in two turns, for counting takes the FMA units' ports
      int k = 2;
      do steps.template operator()<half>();
      while (--k > 0);
    } else {
      int k = depth >> 2;
      do steps.template operator()<4>();
      while (--k > 0);
      if (depth & 2) steps.template operator()<2>();
      if (depth & 1) steps.template operator()<1>();
    }
    REVODE_UNROLL for (int r = 0; r < R; ++r, y += short_lanes) REVODE_UNROLL for (int q = 0; q < Q; ++q)
        O::store(y + q * W, sum[r][q]);
    A += transposed ? R : R * stride;
    if constexpr (!transposed) b += R;
  } while (--count > 0);
}

/// True where a product is as small as that and has been computed.
template <class T, bool transposed>
REVODE_INLINE bool short_product(const Product<T>& p) {
  if constexpr (register_bytes == 64) {
    if (p.lanes != short_lanes || p.depth < 4 || p.depth > short_depth || p.add || (!transposed && !p.b)) return false;
    constexpr int most = transposed ? 10 : 5;  // from zeros the burst is hidden
    constexpr int packs = transposed ? block_packs : short_lanes / width<T>;
    const int rows = p.rows % most == 0 ? most : 4;
    if (p.rows <= few_rows || p.rows % rows != 0) return false;
    for (Index lane = 0; lane < short_lanes; lane += packs * width<T>) {
      if (rows == most)
        short_blocks<T, most, packs, transposed>(p.A, p.b, p.x + lane, p.y + lane, p.stride, p.depth, p.rows / most);
      else
        short_blocks<T, 4, packs, transposed>(p.A, p.b, p.x + lane, p.y + lane, p.stride, p.depth, p.rows / 4);
    }
    return true;
  } else {
    return false;
  }
}

/// Cuts the depth; a later part goes on with the chains that the earlier one left in y.
template <class T, bool transposed>
REVODE_INLINE void chunks(Product<T> p) {
  if (short_product<T, transposed>(p)) return;
  const int depth = p.depth;
  const bool pages = transposed && p.stride * static_cast<Index>(sizeof(T)) > 2048;
  const int chunk = pages ? page_chunk : depth_chunk;
  for (int k = 0; k < depth || k == 0; k += chunk) {
    p.depth = depth - k < chunk ? depth - k : chunk;
    product<T, transposed>(p);
    p.A += chunk * (transposed ? p.stride : 1);
    p.x += chunk * p.lanes;
    p.add = true;
  }
}
}  // namespace

template <class T>
void dense(int out, int in, int lanes, const T* W, const T* b, const T* x, T* y, bool add) {
  if (wide::dense(out, in, lanes, W, b, x, y, add)) return;
  chunks<T, false>({in, lanes, out, in, W, b, x, y, add});
}

template <class T>
void dense_vjp_input(int out, int in, int lanes, const T* W, const T* y_bar, T* x_bar, bool add) {
  if (wide::dense_vjp_input(out, in, lanes, W, y_bar, x_bar, add)) return;
  chunks<T, true>({in, lanes, in, out, W, nullptr, y_bar, x_bar, add});
}

bool same_bits(int out, int in) {
  return !wide::takes(out, in);
}

#define REVODE_INSTANTIATE(T)                                                    \
  template void dense<T>(int, int, int, const T*, const T*, const T*, T*, bool); \
  template void dense_vjp_input<T>(int, int, int, const T*, const T*, T*, bool);
REVODE_INSTANTIATE(float)
REVODE_DOUBLE(REVODE_INSTANTIATE(double))
}  // namespace revode::kernel
