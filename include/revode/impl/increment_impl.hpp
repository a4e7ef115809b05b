/// Bodies of Flow: the increment of a tableau and its transpose, over f and its VJP.
#pragma once
#include <string.h>

#include "revode/flow.hpp"
#include "revode/impl/pack.hpp"

namespace revode {
template <class N, class F, class C>
void Flow<N, F, C>::increment(T t, T h, const T* x) {
  const Tableau<T>& m = method_.base;
  T c[max_stages];
  const T* k[max_stages];
  for (int i = 0; i <= stages_; ++i) {  // the stages' inputs, and last the increment itself
    int terms = 0;
    for (int j = 0; j < i; ++j) {
      const T a = i < stages_ ? m.A(i, j) : m.b[j];
      if (!(a < 0) && !(a > 0)) continue;
      c[terms] = h * a;
      k[terms++] = slope(j);
    }
    if (i == stages_) return combine(n_, delta_, static_cast<const T*>(nullptr), terms, c, k);
    if (i > 0) combine(n_, stage_input(i), x, terms, c, k);
    if (!fresh_) evaluate(stage_time(t, h, i), stage_input(i, x), slope(i), tape(i));
    moved();
  }
}

template <class N, class F, class C>
typename Flow<N, F, C>::Times Flow<N, F, C>::pull_increment(T t, T h, const T* x, T* b_bar) {
  const Tableau<T>& m = method_.base;
  T c[max_stages];
  const T* g[max_stages];
  Times sum{0, 0};
  if (wants_times())
    for (int i = 0; i < stages_; ++i) sum.h += m.b[i] * dot(slope(i), w_);
  for (int i = stages_; i-- > 0;) {
    const T weight = h * m.b[i];
    int terms = 0;
    c[terms] = weight;
    g[terms++] = w_;
    for (int j = i + 1; j < stages_; ++j) {
      const T a = m.A(j, i);
      if (!(a < 0) && !(a > 0)) continue;
      c[terms] = h * a;
      g[terms++] = slope(j + 1);  // G_j took the place of k_{j+1}, which is no longer needed
    }
    if (i == 0 && owes_) c[terms] = 1, g[terms++] = owed_, owes_ = false;  // one stage: terms is 1 here
    combine(n_, delta_, static_cast<const T*>(nullptr), terms, c, g);
    T* G = slope(i + 1);
    memset(G, 0, n_ * sizeof(T));
    const T part = add_vjp(stage_time(t, h, i), stage_input(i, x), slope(i), tape(i), delta_, G);
    if (!wants_times()) continue;
    sum.t += part;
    sum.h += m.c(i) * part;
    for (int j = 0; j < i; ++j) sum.h += m.A(i, j) * dot(slope(j), G);
  }
  for (int i = 0; i < stages_; ++i) c[i] = 1, g[i] = slope(i + 1);
  combine(n_, b_bar, b_bar, stages_, c, g);
  return sum;
}

template <class N, class F, class C>
void Flow<N, F, C>::evaluate(T t, const T* x, T* f, std::byte* tape) {
  call.t = t;
  ++evaluations;
  field_->eval(call, x, f, tape);
}

template <class N, class F, class C>
typename Flow<N, F, C>::T Flow<N, F, C>::add_vjp(T t, const T* x, const T* f, std::byte* tape, const T* f_bar,
                                                 T* x_bar) {
  T part = 0;
  call.t = t;
  bar_out.t = wants_times() ? &part : nullptr;
  ++vjps;
  field_->vjp(call, x, f, tape, f_bar, x_bar, bar_out);
  return part;
}

template <class N, class F, class C>
typename Flow<N, F, C>::T Flow<N, F, C>::dot(const T* a, const T* b) const {
  T sum = 0;
  for (std::size_t i = 0; i < n_; ++i) sum += a[i] * b[i];
  return sum;
}

template <class N, class F, class C>
void Flow<N, F, C>::combine(std::size_t n, T* out, const T* base, int terms, const T* c, const T* const* v) {
#if !defined(__OPTIMIZE_SIZE__)
  if constexpr (C::known) {
    using O = kernel::On<T, 1>;
    for (std::size_t i = 0; i < n; ++i) {
      T sum = base ? base[i] : T(0);
      if (terms > 0) sum = base ? O::fma(c[0], v[0][i], sum) : c[0] * v[0][i];
      for (int j = 1; j < terms; ++j) sum = O::fma(c[j], v[j][i], sum);
      out[i] = sum;
    }
    return;
  }
#endif
  kernel::combine(n, out, base, terms, c, v);
}
}  // namespace revode
