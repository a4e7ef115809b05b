// The transforms of Winograd's F(2x2, 3x3), F(3x3, 3x3) and F(2x2, 2x2) on packs, as winograd_kernels.hpp states them,
// and kernels of weights that lie one after another turned to lie in packs.
#pragma once
#include <utility>

#include "revode/impl/pack.hpp"
#include "transpose.hpp"

namespace revode::kernel::transform {
/// (v0, v1, ...) of one line of tiles' pixels: B^T, A^T and A, G and G^T; of each form by its sizes.
template <class T, int W>
struct Line : On<T, W> {
  using O = On<T, W>;
  using V = typename O::V;

  // F(2, 3)
  static REVODE_INLINE void inward(const V (&d)[4], V (&v)[4]) {
    v[0] = d[0] - d[2], v[1] = d[1] + d[2], v[2] = d[2] - d[1], v[3] = d[1] - d[3];
  }
  static REVODE_INLINE void outward(const V (&m)[4], V (&y)[2]) {
    y[0] = m[0] + m[1] + m[2], y[1] = m[1] - m[2] - m[3];
  }
  static REVODE_INLINE void outward_vjp(const V (&y)[2], V (&m)[4]) {
    m[0] = y[0], m[1] = y[0] + y[1], m[2] = y[0] - y[1], m[3] = -y[1];
  }
  static REVODE_INLINE void weights(const V (&g)[3], V (&u)[4]) {
    const V ends = g[0] + g[2];
    u[0] = g[0], u[1] = (ends + g[1]) * T(0.5), u[2] = (ends - g[1]) * T(0.5), u[3] = g[2];
  }
  static REVODE_INLINE void weights_vjp(const V (&m)[4], V (&w)[3]) {
    const V even = (m[1] + m[2]) * T(0.5);
    w[0] = m[0] + even, w[1] = (m[1] - m[2]) * T(0.5), w[2] = even + m[3];
  }

  // F(3, 3): three taps are transformed as three pixels of y are, and scaled.
  static REVODE_INLINE void inward(const V (&d)[5], V (&v)[5]) {
    const V odd = d[3] - d[1];
    v[0] = O::fma(O::all(2), d[0] - d[2], odd);
    v[1] = d[1] + d[2] - odd;
    v[2] = O::fma(O::all(3), d[2] - d[1], -odd);
    v[3] = odd;
    v[4] = O::fma(O::all(-2), odd, d[4] - d[2]);
  }
  static REVODE_INLINE void outward(const V (&m)[5], V (&y)[3]) {
    const V even = m[1] + m[2];
    y[0] = m[0] + even + m[3];
    y[1] = O::fma(O::all(2), m[3], m[1] - m[2]);
    y[2] = O::fma(O::all(4), m[3], even) + m[4];
  }
  static REVODE_INLINE void outward_vjp(const V (&y)[3], V (&m)[5]) {
    const V ends = y[0] + y[2];
    m[0] = y[0], m[1] = ends + y[1], m[2] = ends - y[1], m[4] = y[2];
    m[3] = O::fma(O::all(4), y[2], O::fma(O::all(2), y[1], y[0]));
  }
  static REVODE_INLINE void weights(const V (&g)[3], V (&u)[5]) {
    outward_vjp(g, u);
    scale(u);
  }
  static REVODE_INLINE void weights_vjp(const V (&m)[5], V (&w)[3]) {
    V scaled[5] = {m[0], m[1], m[2], m[3], m[4]};
    scale(scaled);
    outward(scaled, w);
  }

  // F(2, 2)
  static REVODE_INLINE void inward(const V (&d)[3], V (&v)[3]) { v[0] = d[0] - d[1], v[1] = d[1], v[2] = d[2] - d[1]; }
  static REVODE_INLINE void outward(const V (&m)[3], V (&y)[2]) { y[0] = m[0] + m[1], y[1] = m[1] + m[2]; }
  static REVODE_INLINE void outward_vjp(const V (&y)[2], V (&m)[3]) { m[0] = y[0], m[1] = y[0] + y[1], m[2] = y[1]; }
  static REVODE_INLINE void weights(const V (&g)[2], V (&u)[3]) { outward_vjp(g, u); }
  static REVODE_INLINE void weights_vjp(const V (&m)[3], V (&w)[2]) { outward(m, w); }

 private:
  static REVODE_INLINE void scale(V (&u)[5]) {
    u[0] = u[0] * T(0.5), u[1] = u[1] * T(0.5), u[2] = u[2] * (T(1) / 6), u[3] = u[3] * (T(1) / 6);
  }
};
/// Both axes of a square: along each line first, then down each column.
template <int N, int M, class V, class F>
REVODE_INLINE void both(const V (&in)[N][N], V (&out)[M][M], const F& f) {
  V half[M][N];
  REVODE_UNROLL for (int r = 0; r < N; ++r) {
    V line[M];
    f(in[r], line);
    REVODE_UNROLL for (int s = 0; s < M; ++s) half[s][r] = line[s];
  }
  REVODE_UNROLL for (int s = 0; s < M; ++s) {
    V line[M];
    f(half[s], line);
    REVODE_UNROLL for (int r = 0; r < M; ++r) out[r][s] = line[r];
  }
}

/// v[j][m] = what lies at 3 m + j of the three packs in a row, and back.
template <class V, int... M>
REVODE_INLINE void part(V (&v)[3], std::integer_sequence<int, M...>) {
  constexpr int N = sizeof...(M);
  const V a = v[0], b = v[1], c = v[2];
  const auto every_third = [&]<int J>() REVODE_INLINED {
    const V low = __builtin_shufflevector(a, b, (3 * M + J < 2 * N ? 3 * M + J : 0)...);
    return __builtin_shufflevector(low, c, (3 * M + J < 2 * N ? M : 3 * M + J - N)...);
  };
  v[0] = every_third.template operator()<0>();
  v[1] = every_third.template operator()<1>();
  v[2] = every_third.template operator()<2>();
}
template <class V, int... M>
REVODE_INLINE void braid(V (&v)[3], std::integer_sequence<int, M...>) {
  constexpr int N = sizeof...(M);
  const V a = v[0], b = v[1], c = v[2];
  const auto third = [&]<int G>() REVODE_INLINED {
    const V two = __builtin_shufflevector(a, b, ((G * N + M) % 3 == 2 ? 0 : (G * N + M) % 3 * N + (G * N + M) / 3)...);
    return __builtin_shufflevector(two, c, ((G * N + M) % 3 == 2 ? N + (G * N + M) / 3 : M)...);
  };
  v[0] = third.template operator()<0>();
  v[1] = third.template operator()<1>();
  v[2] = third.template operator()<2>();
}
/// g[ky][kx][n] = from[n][ky][kx] of N kernels
template <class T, int N>
REVODE_INLINE void load_kernels(const T* from, Pack<T, N> (&g)[3][3]) {
  REVODE_UNROLL for (int k = 0; k < 9; ++k) g[k / 3][k % 3] = On<T, N>::load(from + k * N);
  if constexpr (N > 1) {
    constexpr auto all = std::make_integer_sequence<int, N>{};
    REVODE_UNROLL for (int r = 0; r < 3; ++r) part(g[r], all);  // now g[third of the kernels][kx], kernels' rows mixed
    REVODE_UNROLL for (int s = 0; s < 3; ++s) {
      Pack<T, N> column[3] = {g[0][s], g[1][s], g[2][s]};
      part(column, all);
      REVODE_UNROLL for (int r = 0; r < 3; ++r) g[r][s] = column[r];
    }
  }
}
/// Kernels of 4 x 4: as many packs of taps as they take.
template <class T, int N>
REVODE_INLINE void load_kernels(const T* from, Pack<T, N> (&g)[4][4]) {
  REVODE_UNROLL for (int first = 0; first < 16; first += N) {
    Pack<T, N> taps[N];
    REVODE_UNROLL for (int n = 0; n < N; ++n) taps[n] = On<T, N>::load(from + n * 16 + first);
    transpose<Pack<T, N>, N>(taps);
    REVODE_UNROLL for (int k = 0; k < N; ++k) g[(first + k) / 4][(first + k) % 4] = taps[k];
  }
}
template <class T, int N>
REVODE_INLINE void add_kernels(Pack<T, N> (&w)[4][4], T* to) {
  REVODE_UNROLL for (int first = 0; first < 16; first += N) {
    Pack<T, N> taps[N];
    REVODE_UNROLL for (int k = 0; k < N; ++k) taps[k] = w[(first + k) / 4][(first + k) % 4];
    transpose<Pack<T, N>, N>(taps);
    REVODE_UNROLL for (int n = 0; n < N; ++n) {
      T* const at = to + n * 16 + first;
      On<T, N>::store(at, On<T, N>::load(at) + taps[n]);
    }
  }
}
template <class T, int N>
REVODE_INLINE void add_kernels(Pack<T, N> (&w)[3][3], T* to) {
  if constexpr (N > 1) {
    constexpr auto all = std::make_integer_sequence<int, N>{};
    REVODE_UNROLL for (int s = 0; s < 3; ++s) {
      Pack<T, N> column[3] = {w[0][s], w[1][s], w[2][s]};
      braid(column, all);
      REVODE_UNROLL for (int r = 0; r < 3; ++r) w[r][s] = column[r];
    }
    REVODE_UNROLL for (int r = 0; r < 3; ++r) braid(w[r], all);
  }
  REVODE_UNROLL for (int k = 0; k < 9; ++k) On<T, N>::store(to + k * N, On<T, N>::load(to + k * N) + w[k / 3][k % 3]);
}
}  // namespace revode::kernel::transform
