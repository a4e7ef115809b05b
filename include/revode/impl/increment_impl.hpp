/// Bodies of Flow: the increment of a tableau and its transpose, over f and its VJP.
#pragma once
#include "revode/flow.hpp"
#include "revode/impl/few.hpp"

namespace revode {
template <class N, class F, class C>
REVODE_INLINE void Flow<N, F, C>::increment(T t, T h, const T* x, T* delta) {
  const Tableau<T>& m = method_.base;
  T* const at_hand = desk_.slopes;
  T c[max_stages];
  const T* k[max_stages];
  for (int i = 0; i <= stages_; ++i) {  // the stages' inputs, and last the increment itself
    int terms = 0;
    for (int j = 0; j < i; ++j) {
      const T a = i < stages_ ? m.A(i, j) : m.b[j];
      if (!(a < 0) && !(a > 0)) continue;
      c[terms] = h * a;
      k[terms++] = at_hand + static_cast<std::size_t>(j) * n_;
    }
    if (i == stages_) return combine<true>(n_, delta, static_cast<const T*>(nullptr), terms, c, k);
    if (i > 0) combine(n_, stage_input(i), x, terms, c, k);
    if (!fresh())
      evaluate_here(stage_time(t, h, i), stage_input(i, x), at_hand + static_cast<std::size_t>(i) * n_, tape(i));
    moved();
  }
}

template <class N, class F, class C>
REVODE_INLINE typename Flow<N, F, C>::Times Flow<N, F, C>::pull_increment(T t, T h, const T* x, const T* w, T* b_bar) {
  const Tableau<T>& m = method_.base;
  T here[C::few];
  T *const delta = C::near ? here : delta_, *const at_hand = desk_.slopes;
  // G_j takes the place of k_{j+1}, which is no longer needed
  const auto G = [&](int j) REVODE_INLINED { return at_hand + static_cast<std::size_t>(j + 1) * n_; };
  T c[max_stages];
  const T* g[max_stages];
  Times sum{0, 0};
  if (wants_times())
    for (int i = 0; i < stages_; ++i) sum.h += m.b[i] * dot(slope(i), w);
  for (int i = stages_; i-- > 0;) {
    const T weight = h * m.b[i];
    int terms = 0;
    c[terms] = weight;
    g[terms++] = w;
    for (int j = i + 1; j < stages_; ++j) {
      const T a = m.A(j, i);
      if (!(a < 0) && !(a > 0)) continue;
      c[terms] = h * a;
      g[terms++] = G(j);
    }
    if (i == 0 && owes()) c[terms] = 1, g[terms++] = owed_, owes_ = false;  // one stage: terms is 1 here
    combine<true>(n_, delta, static_cast<const T*>(nullptr), terms, c, g);
    const T part = vjp_here(stage_time(t, h, i), stage_input(i, x), slope(i), tape(i), delta, G(i));
    if (!wants_times()) continue;
    sum.t += part;
    sum.h += m.c(i) * part;
    for (int j = 0; j < i; ++j) sum.h += m.A(i, j) * dot(slope(j), G(i));
  }
  for (int i = 0; i < stages_; ++i) c[i] = 1, g[i] = G(i);
  combine<C::near, false>(n_, b_bar, b_bar, stages_, c, g);
  return sum;
}

template <class N, class F, class C>
void Flow<N, F, C>::evaluate(T t, const T* x, T* f, std::byte* tape) {
  call.t = t;
  ++evaluations;
  field_->eval(call, x, f, tape);
}
template <class N, class F, class C>
REVODE_INLINE void Flow<N, F, C>::evaluate_here(T t, const T* x, T* f, std::byte* tape) {
  if constexpr (C::near) {
    T in[C::n_], out[C::n_];  // of which a compiler sees that nothing else points there
    for (std::size_t i = 0; i < C::n_; ++i) in[i] = x[i];
    call.t = t;
    ++evaluations;
    field_->eval(call, in, out, tape);
    detail::in_packs<T>(C::n_, [&]<int W>(std::size_t i)
                                   REVODE_INLINED { kernel::On<T, W>::store(f + i, kernel::On<T, W>::load(out + i)); });
  } else {
    evaluate(t, x, f, tape);
  }
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
REVODE_INLINE typename Flow<N, F, C>::T Flow<N, F, C>::vjp_here(T t, const T* x, const T* f, std::byte* tape,
                                                                const T* f_bar, T* x_bar) {
  if constexpr (C::near) {
    T in_bar[C::n_] = {};
    T part = 0;
    call.t = t;
    bar_out.t = wants_times() ? &part : nullptr;
    ++vjps;
    field_->vjp(call, x, f, tape, f_bar, in_bar, bar_out);
    detail::in_packs<T>(C::n_, [&]<int W>(std::size_t i) REVODE_INLINED {
      kernel::On<T, W>::store(x_bar + i, kernel::On<T, W>::load(in_bar + i));
    });
    return part;
  } else {
    __builtin_memset(x_bar, 0, n_ * sizeof(T));
    return add_vjp(t, x, f, tape, f_bar, x_bar);
  }
}

template <class N, class F, class C>
typename Flow<N, F, C>::T Flow<N, F, C>::dot(const T* a, const T* b) const {
  T sum = 0;
  for (std::size_t i = 0; i < n_; ++i) sum += a[i] * b[i];
  return sum;
}

template <class N, class F, class C>
template <bool whole, bool whole_base>
REVODE_INLINE void Flow<N, F, C>::combine(std::size_t n, T* out, const T* base, int terms, const T* c,
                                          const T* const* v) {
#if !defined(__OPTIMIZE_SIZE__)
  if constexpr (C::known) {
    return detail::in_packs<T>(n, [&]<int W>(std::size_t i) REVODE_INLINED {
      using O = kernel::On<T, W>;
      const auto load = [&](const T* from)
                            REVODE_INLINED { return whole ? O::load(from + i) : detail::pieces<W>(n, from + i); };
      auto sum = !base ? O::all(T(0)) : whole_base ? O::load(base + i) : detail::pieces<W>(n, base + i);
      if (terms > 0) sum = base ? O::fma(O::all(c[0]), load(v[0]), sum) : c[0] * load(v[0]);
      for (int j = 1; j < terms; ++j) sum = O::fma(O::all(c[j]), load(v[j]), sum);
      O::store(out + i, sum);
    });
  }
#endif
  kernel::combine(n, out, base, terms, c, v);
}
}  // namespace revode
