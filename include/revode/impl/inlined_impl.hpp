/// Bodies of InlinedFlow.
#pragma once
#include "revode/inlined.hpp"

namespace revode {
namespace detail {
/// sum + c[0] k[0][d] + ..., the terms of which `takes` is true
template <int terms, auto takes, class T, class S, int dim>
REVODE_INLINE S chain(S sum, const T* c, const S (*k)[dim], int d) {
  unrolled<terms>([&]<int j>() REVODE_INLINED {
    if constexpr (takes(j)) sum = S::fma(c[j], k[j][d], sum);
  });
  return sum;
}
/// c[0] k[0][d] + ..., which begins with the product
template <int terms, auto takes, class T, class S, int dim>
REVODE_INLINE S chain(const T* c, const S (*k)[dim], int d) {
  constexpr int first = [] {
    int j = 0;
    while (!takes(j)) ++j;
    return j;
  }();
  S sum = S::all(c[first]) * k[first][d];
  unrolled<terms - first - 1>([&]<int more>() REVODE_INLINED {
    constexpr int j = first + 1 + more;
    if constexpr (takes(j)) sum = S::fma(c[j], k[j][d], sum);
  });
  return sum;
}
}  // namespace detail

template <class N, class F, const Tableau<typename N::Scalar>& base, int W>
[[gnu::noinline]] void InlinedFlow<N, F, base, W>::scale(Scaled& c, T h) {
  c.h = h;
  for (int i = 1, at = 0; i < stages; ++i)
    for (int j = 0; j < i; ++j) c.a[at++] = h * base.A(i, j);
  for (int i = 0; i < stages; ++i) {
    c.b[i] = h * base.b[i];
    if constexpr (pair) c.e[i] = h * (base.b[i] - base.b_hat[i]);
  }
}

template <class N, class F, const Tableau<typename N::Scalar>& base, int W>
template <int V>
void InlinedFlow<N, F, base, W>::evaluate(T t, const T* x, T* f, std::size_t n) const {
  using S = Lanes<T, V>;
  const Theta<V> theta(Base::call.theta);
  S in[dim], out[dim];
  for (std::size_t d = 0; d < dim; ++d) in[d] = S::load(x + d * n);
  Rule{}(S::all(t), static_cast<const S*>(in), theta.at, out);
  for (std::size_t d = 0; d < dim; ++d) out[d].store(f + d * n);
}

template <class N, class F, const Tableau<typename N::Scalar>& base, int W>
REVODE_INLINE void InlinedFlow<N, F, base, W>::step(const Step<T>& s, BitLog*) {
  const Scaled& c = scaled(s.h, 0);
  const std::size_t n = lanes();
  std::size_t l = 0;
  if constexpr (W == 1) {
    step_lanes<1>(s, c, 0, 1);
  } else {
    for (; l + W <= n; l += W) step_lanes<W>(s, c, l, n);
    for (; l < n; ++l) step_lanes<1>(s, c, l, n);
  }
  Base::evaluations += advancing - fresh_ + (measure && pair ? stages - advancing : 0);
  fresh_ = false, ran_ahead_ = measure && ahead;
}

/// From x, where k[0] is there: u, the state at the end, x + psi.
template <class N, class F, const Tableau<typename N::Scalar>& base, int W>
template <class S>
REVODE_INLINE void InlinedFlow<N, F, base, W>::attempt(const Step<T>& s, const Scaled& c, const S* theta, const S* x,
                                                       S (*k)[dim], S* psi, S* u) const {
  using detail::chain, detail::unrolled;
  unrolled<advancing - 1>([&]<int before>() REVODE_INLINED {
    constexpr int i = before + 1;
    S v[dim];
    for (int d = 0; d < dim; ++d)
      v[d] = chain<i, [](int j) { return !zero(base.A(i, j)); }>(x[d], c.a + i * (i - 1) / 2, k, d);
    Rule{}(S::all(s.t0 + base.c(i) * s.h), static_cast<const S*>(v), theta, k[i]);
  });
  for (int d = 0; d < dim; ++d) {
    const S increment = chain<advancing, moves>(c.b, k, d);
    if constexpr (!pair) psi[d] = increment;  // of use to the estimate
    u[d] = x[d] + increment;
  }
}

/// What that may miss.
template <class N, class F, const Tableau<typename N::Scalar>& base, int W>
template <class S>
REVODE_INLINE void InlinedFlow<N, F, base, W>::estimate_of(const Step<T>& s, const Scaled& c, const S* theta,
                                                           const S* x, const S* psi, const S* u, S (*k)[dim],
                                                           S* e) const {
  using detail::chain, detail::unrolled;
  if constexpr (!pair) {
    for (int d = 0; d < dim; ++d) e[d] = S::fma(-s.h, k[0][d], psi[d]);
  } else {
    unrolled<stages - advancing>([&]<int more>() REVODE_INLINED {
      constexpr int i = advancing + more;
      S v[dim];
      for (int d = 0; d < dim; ++d) v[d] = ahead ? u[d] : chain<i, always>(x[d], c.a + i * (i - 1) / 2, k, d);
      const T t = ahead ? s.t1 + base.c(0) * s.h : s.t0 + base.c(i) * s.h;
      Rule{}(S::all(t), static_cast<const S*>(v), theta, k[i]);
    });
    constexpr auto differs = [](int j) { return !zero(base.b[j] - base.b_hat[j]); };
    for (int d = 0; d < dim; ++d) e[d] = chain<stages, differs>(c.e, k, d);
  }
}

template <class N, class F, const Tableau<typename N::Scalar>& base, int W>
template <int V>
REVODE_INLINE void InlinedFlow<N, F, base, W>::step_lanes(const Step<T>& s, const Scaled& c, std::size_t l,
                                                          std::size_t n) {
  using S = Lanes<T, V>;
  const auto load = [&](const T* from, S* to) REVODE_INLINED {
    for (std::size_t d = 0; d < dim; ++d) to[d] = S::load(from + d * n + l);
  };
  const auto store = [&](const S* from, T* to) REVODE_INLINED {
    for (std::size_t d = 0; d < dim; ++d) from[d].store(to + d * n + l);
  };
  const Theta<V> theta(Base::call.theta);
  S x[dim], psi[dim], u[dim], e[dim], k[stages][dim];
  load(state, x);
  if (fresh_) {
    load(slope(0), k[0]);
  } else {
    Rule{}(S::all(s.t0 + base.c(0) * s.h), static_cast<const S*>(x), theta.at, k[0]);
    if (measure) store(k[0], slope(0));  // a rejected step begins with it again
  }
  attempt(s, c, theta.at, x, k, psi, u);
  store(u, state);
  if (!measure) return;
  estimate_of(s, c, theta.at, x, psi, u, k, e);
  if constexpr (ahead) store(k[advancing], slope(advancing));
  store(e, error_);
}

template <class N, class F, const Tableau<typename N::Scalar>& base, int W>
template <class Clock>
void InlinedFlow<N, F, base, W>::sweep(const Clock& clock, long from, long to) {
  const std::size_t n = lanes();
  while (from < to) {
    T t0[block];
    const T h = clock.at(from).h;
    int steps = 0;
    for (; steps < block && from + steps < to; ++steps) {
      const Step<T> s = clock.at(from + steps);
      if (!(s.h == h)) break;
      t0[steps] = s.t0;
    }
    const Scaled& c = scaled(h, 0);
    std::size_t l = 0;
    for (; l + W * abreast <= n; l += W * abreast) sweep_lanes<W, abreast>(c, t0, steps, l, n);
    if constexpr (abreast > 2)
      for (; l + W * 2 <= n; l += W * 2) sweep_lanes<W, 2>(c, t0, steps, l, n);
    for (; l + W <= n; l += W) sweep_lanes<W, 1>(c, t0, steps, l, n);
    for (; l < n; ++l) sweep_lanes<1, 1>(c, t0, steps, l, n);
    Base::evaluations += advancing * steps;
    from += steps;
  }
}

/// Stage i of the step from x, and its part of the increment: as soon as k is there, for then it need not stay.
template <class N, class F, const Tableau<typename N::Scalar>& base, int W>
template <int i, class S>
REVODE_INLINE void InlinedFlow<N, F, base, W>::stage(S t, const Scaled& c, const S* theta, const S* x, S (*k)[dim],
                                                     S* psi) const {
  if constexpr (i == 0) {
    Rule{}(t, x, theta, k[0]);
  } else {
    S u[dim];
    constexpr auto takes = [](int j) { return !zero(base.A(i, j)); };
    for (int d = 0; d < dim; ++d) u[d] = detail::chain<i, takes>(x[d], c.a + i * (i - 1) / 2, k, d);
    Rule{}(t, static_cast<const S*>(u), theta, k[i]);
  }
  if constexpr (moves(i))
    for (int d = 0; d < dim; ++d) psi[d] = begins(i) ? S::all(c.b[i]) * k[i][d] : S::fma(c.b[i], k[i][d], psi[d]);
}

template <class N, class F, const Tableau<typename N::Scalar>& base, int W>
template <int V, int count>
void InlinedFlow<N, F, base, W>::sweep_lanes(const Scaled& c, const T* t0, int steps, std::size_t l,
                                             std::size_t n) const {
  using S = Lanes<T, V>;
  const Theta<V> theta(Base::call.theta);
  S x[count][dim], k[count][stages][dim], psi[count][dim];
  const auto each = [](const auto& body) REVODE_INLINED {
    if constexpr (count > 1)
      detail::unrolled<count * dim>([&]<int i>() REVODE_INLINED { body(i / dim, i % dim); });
    else
      for (int d = 0; d < dim; ++d) body(0, d);
  };
  const auto at = [&](int g, int d) REVODE_INLINED {
    return state + static_cast<std::size_t>(d) * n + l + static_cast<std::size_t>(g * V);
  };
  each([&](int g, int d) REVODE_INLINED { x[g][d] = S::load(at(g, d)); });
  for (int step = 0; step < steps; ++step) {
    detail::unrolled<advancing>([&]<int i>() REVODE_INLINED {
      const S t = S::all(t0[step] + base.c(i) * c.h);
      for (int g = 0; g < count; ++g) stage<i>(t, c, theta.at, static_cast<const S*>(x[g]), k[g], psi[g]);
    });
    each([&](int g, int d) REVODE_INLINED { x[g][d] = x[g][d] + psi[g][d]; });
  }
  each([&](int g, int d) REVODE_INLINED { x[g][d].store(at(g, d)); });
}
}  // namespace revode
