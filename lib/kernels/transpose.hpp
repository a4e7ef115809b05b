// Turning a block of samples so that features lie in a pack: W x W transposes by shuffles, log2(W) rounds of exchanges.
#pragma once
#include <utility>

#include "revode/impl/pack.hpp"

namespace revode::kernel {
/// Exchanges, for pairs of rows S apart, the elements whose column has bit S unset with those whose column has it set.
template <int S, class V, int... I>
REVODE_INLINE void exchange(V& a, V& b, std::integer_sequence<int, I...>) {
  constexpr int W = sizeof...(I);
  const V low = __builtin_shufflevector(a, b, (I & S ? I - S + W : I)...);
  b = __builtin_shufflevector(a, b, (I & S ? I + W : I + S)...);
  a = low;
}
template <class V, int W, int S = 1>
REVODE_INLINE void transpose(V (&m)[W]) {
  if constexpr (S < W) {
    REVODE_UNROLL for (int i = 0; i < W; ++i) if (!(i & S))
        exchange<S>(m[i], m[i + S], std::make_integer_sequence<int, W>{});
    transpose<V, W, S * 2>(m);
  }
}

/// m[l][i] = rows[i][l] of W rows.
template <class T, int W>
REVODE_INLINE void load_turned(const T* rows, Index stride, Pack<T, W> (&m)[W]) {
  REVODE_UNROLL for (int r = 0; r < W; ++r) m[r] = On<T, W>::load(rows + r * stride);
  transpose<Pack<T, W>, W>(m);
}

/// Neighbouring lanes of W rows joined until one number a row is left: log2(W) rounds of exchange and add.
template <int S, class V, int W>
REVODE_INLINE V join(V (&rows)[W]) {
  if constexpr (S < W) {
    REVODE_UNROLL for (int r = 0; r < W; r += 2 * S) {
      exchange<S>(rows[r], rows[r + S], std::make_integer_sequence<int, W>{});
      rows[r] = rows[r] + rows[r + S];
    }
    return join<2 * S>(rows);
  } else {
    return rows[0];
  }
}
/// Of W rows the tree over n lanes, a power of two and at least W.
template <class T, int W, int n>
REVODE_INLINE Pack<T, W> sum_lanes(const T* rows, Index stride) {
  Pack<T, W> part[n / W];
  REVODE_UNROLL for (int i = 0; i < n / W; ++i) {
    Pack<T, W> m[W];
    REVODE_UNROLL for (int r = 0; r < W; ++r) m[r] = On<T, W>::load(rows + r * stride + i * W);
    part[i] = join<1>(m);
  }
  REVODE_UNROLL for (int step = 1; step < n / W; step *= 2) REVODE_UNROLL for (int i = 0; i < n / W; i += 2 * step)
      part[i] = part[i] + part[i + step];
  return part[0];
}

/// t[l][i] = rows[i][l] for i < features, l < samples. Blocks at the edges overlap their neighbours instead of being
/// small: what lies in both is written twice with the same value.
template <class T, int W>
REVODE_INLINE void turn(Index features, Index lanes, Index samples, const T* __restrict rows, T* __restrict t,
                        Index stride) {
  if constexpr (W == 1) {
    for (Index l = 0; l < samples; ++l)
      for (Index i = 0; i < features; ++i) t[l * stride + i] = rows[i * lanes + l];
  } else {
    if (features < W || samples < W) return turn<T, narrower<T, W>>(features, lanes, samples, rows, t, stride);
    for (Index ahead = 0; ahead < samples; ahead += W) {
      const Index l = ahead + W <= samples ? ahead : samples - W;
      for (Index right = 0; right < features; right += W) {
        const Index i = right + W <= features ? right : features - W;
        typename On<T, W>::V m[W];
        load_turned<T, W>(rows + i * lanes + l, lanes, m);
        REVODE_UNROLL for (int r = 0; r < W; ++r) On<T, W>::store(t + (l + r) * stride + i, m[r]);
      }
    }
  }
}
}  // namespace revode::kernel
