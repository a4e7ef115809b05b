// Polynomials on packs, each with one fixed order of roundings: Horner where throughput counts (float), Estrin where
// the length of the chain does (double).
#pragma once
#include "revode/impl/pack.hpp"

namespace revode::kernel {
template <class T, int W>
struct Polynomial {
  using O = On<T, W>;
  using V = typename O::V;

  /// c[0] + x (c[1] + x (c[2] + ...))
  template <int N>
  static REVODE_INLINE V horner(V x, const T (&c)[N]) {
    V sum = O::all(c[N - 1]);
    REVODE_UNROLL for (int k = N - 2; k >= 0; --k) sum = O::fma(sum, x, O::all(c[k]));
    return sum;
  }
  /// The same of M packs abreast.
  template <int M, int N>
  static REVODE_INLINE void horner(const V (&x)[M], V (&sum)[M], const T (&c)[N]) {
    REVODE_UNROLL for (int m = 0; m < M; ++m) sum[m] = O::all(c[N - 1]);
    REVODE_UNROLL for (int k = N - 2; k >= 0; --k) REVODE_UNROLL for (int m = 0; m < M; ++m) sum[m] =
        O::fma(sum[m], x[m], O::all(c[k]));
  }
  /// The same polynomial, split at the largest power of two below its length, recursively.
  template <int N>
  static REVODE_INLINE V estrin(V x, const T (&c)[N]) {
    static_assert(N <= 16);
    const V x2 = x * x, x4 = x2 * x2, x8 = x4 * x4;
    const V power[4] = {x, x2, x4, x8};
    return part<N>(power, c);
  }
  /// The order of the number type.
  template <int N>
  static REVODE_INLINE V value(V x, const T (&c)[N]) {
    if constexpr (O::single)
      return horner(x, c);
    else
      return estrin(x, c);
  }

 private:
  template <int N>
  static REVODE_INLINE V part(const V* power, const T* c) {
    if constexpr (N == 1) {
      return O::all(c[0]);
    } else {
      constexpr int level = N <= 2 ? 0 : N <= 4 ? 1 : N <= 8 ? 2 : 3, low = 1 << level;
      return O::fma(part<N - low>(power, c + low), power[level], part<low>(power, c));
    }
  }
};
}  // namespace revode::kernel
