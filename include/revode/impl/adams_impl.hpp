/// Bodies of Adams; included by lib/solve/ and by a device that instantiates static types.
#pragma once
#include "revode/adams.hpp"
#include "revode/impl/flow_impl.hpp"

namespace revode {
/// Over the common denominator 420 = lcm(1 .. 7): with equal steps all but the last division is exact.
template <class T>
[[gnu::noinline]] Quadrature<T> integrate(int count, const T* nodes) {
  constexpr T common = 420;
  Quadrature<T> q{};
  for (int j = 0; j <= count; ++j) {  // at j = count all factors
    T c[most_multistep + 1] = {1}, scale = common;
    int degree = 0;
    for (int i = 0; i < count; ++i) {
      if (i == j) continue;
      for (int k = ++degree; k > 0; --k) c[k] = c[k - 1] - nodes[i] * c[k];
      c[0] *= -nodes[i];
      if (j < count) scale *= nodes[j] - nodes[i];
    }
    T sum = 0;
    for (int k = degree; k >= 0; --k) sum += c[k] * (common / static_cast<T>(k + 1));
    (j < count ? q.weight[j] : q.product) = sum / scale;
  }
  return q;
}

template <class T>
T derivative(int count, const T* nodes, const T* values, int m) {
  T sum = 0;
  for (int j = 0; j < count; ++j) {
    if (j == m) continue;
    T part = 1 / (nodes[j] - nodes[m]);  // l_j'(x_m)
    for (int i = 0; i < count; ++i)
      if (i != j && i != m) part *= (nodes[m] - nodes[i]) / (nodes[j] - nodes[i]);
    sum += part * values[j] + values[m] / (nodes[m] - nodes[j]);
  }
  return sum;
}

template <class N, class F>
void Adams<N, F>::lift(T t0, const T* y0) {
  __builtin_memset(state, 0, Base::words() * sizeof(Word));
  Base::lift(t0, y0);
}

template <class N, class F>
void Adams<N, F>::step(const Step<T>& s, BitLog* log) {
  if (starts(s)) {
    Base::step(s, log);
    return remember(s);
  }
  this->number.value(0, n_, desk_.x, state);
  const Stencil e = arrange_both(s);
  T c[most_multistep + 1];
  if (Base::measure) {
    const T A = e.predictor.product, B = e.corrector.product, scale = s.h * (B / (A - B));
    for (int j = 0; j <= e.order; ++j)
      c[j] = scale * ((j < e.order ? e.corrector.weight[j] : 0) - (j > 0 ? e.predictor.weight[j - 1] : 0));
    kernel::combine(n_, Base::error_, static_cast<const T*>(nullptr), e.order + 1, c, e.f);
  }
  for (int j = 0; j < e.order; ++j) c[j] = s.h * e.corrector.weight[j];
  kernel::combine(n_, delta_, static_cast<const T*>(nullptr), e.order, c, e.f);
  this->number.add(0, n_, state, delta_);
  remember(s);
}

/// The slope that the step began with, and its length, become the latest of the past.
template <class N, class F>
void Adams<N, F>::remember(const Step<T>& s) {
  const int most = method_.past();
  if (most == 0) return;
  T* h = steps(state);
  for (int j = most; j > 1; --j) __builtin_memcpy(past(j), past(j - 1), n_ * sizeof(Word)), h[j - 1] = h[j - 2];
  __builtin_memcpy(past(1), Base::slope(0), n_ * sizeof(Word));
  h[0] = s.h;
}

template <class N, class F>
typename Adams<N, F>::Stencil Adams<N, F>::stencil(const Step<T>& s) {
  Stencil e{};
  e.order = method_.multistep;
  const T* h = steps(state);
  T back = 0;
  e.x[0] = 1, e.f[0] = Base::slope(1), e.f[1] = Base::slope(0);
  for (int j = 1; j < e.order; ++j) {
    back += h[j - 1];
    e.x[j + 1] = -back / s.h, e.f[j + 1] = past(j);
  }
  e.predictor = integrate(e.order, e.x + 1);
  e.corrector = integrate(e.order, e.x);
  return e;
}

/// Evaluates the slope at the node and at the predictor, for both directions.
template <class N, class F>
[[gnu::noinline]] typename Adams<N, F>::Stencil Adams<N, F>::arrange_both(const Step<T>& s) {
  const Stencil e = stencil(s);
  T c[most_multistep];
  for (int j = 0; j < e.order; ++j) c[j] = s.h * e.predictor.weight[j];
  if (!fresh_) Base::evaluate(s.t0, desk_.x, Base::slope(0), Base::tape(0));
  Base::moved();
  kernel::combine(n_, Base::stage_input(1), static_cast<const T*>(desk_.x), e.order, c, e.f + 1);
  Base::evaluate(s.t1, Base::stage_input(1), Base::slope(1), Base::tape(1));
  return e;
}

template <class N, class F>
void Adams<N, F>::pull(const Step<T>& s) {
  const int most = method_.past();
  if (starts(s)) {
    // The first stage's slope is the past's latest: one VJP serves both.
    Base::owed_ = past_bar(1), Base::owes_ = true;
    if (times) h_bar += steps(bar)[0];
    Base::pull(s);
    for (int j = 1; j < most; ++j)
      __builtin_memcpy(past_bar(j), past_bar(j + 1), n_ * sizeof(T)), steps(bar)[j - 1] = steps(bar)[j];
    __builtin_memset(past_bar(most), 0, n_ * sizeof(T));
    steps(bar)[most - 1] = 0;
    return;
  }
  Base::moved();
  this->number.value(0, n_, desk_.x, state);
  const Stencil e = arrange_both(s);
  T* p_bar = Base::slope(2);
  __builtin_memset(p_bar, 0, n_ * sizeof(T));
  const T c = s.h * e.corrector.weight[0], *w = bar;
  kernel::combine(n_, w_, static_cast<const T*>(nullptr), 1, &c, &w);
  const T part = Base::add_vjp(s.t1, Base::stage_input(1), Base::slope(1), Base::tape(1), w_, p_bar);
  t_bar += part, h_bar += part;
  if (times) pull_times(e, p_bar);
  pull_past(e, s, p_bar);
  const T one = 1, *v = p_bar;
  kernel::combine(n_, bar, bar, 1, &one, &v);
  t_bar += Base::add_vjp(s.t0, desk_.x, Base::slope(0), Base::tape(0), delta_, bar);
  Base::moved();
}

/// Cotangents of f_0, into delta_, and of the past as the step found it, from that of y_{n+1}, of the past as the step
/// left it, and of the predictor.
template <class N, class F>
void Adams<N, F>::pull_past(const Stencil& e, const Step<T>& s, const T* p_bar) {
  for (int j = 0; j < e.order; ++j) {
    T c[3];
    const T* v[3];
    int terms = 0;
    c[terms] = s.h * e.predictor.weight[j], v[terms++] = p_bar;
    if (j + 1 < e.order) {
      c[terms] = s.h * e.corrector.weight[j + 1], v[terms++] = bar;
      c[terms] = 1, v[terms++] = past_bar(j + 1);
    }
    kernel::combine(n_, j == 0 ? delta_ : past_bar(j), static_cast<const T*>(nullptr), terms, c, v);
  }
}

/// h and h_j take part in the sums as a factor and through the nodes x_j = -(h_1 + .. + h_j) / h.
template <class N, class F>
void Adams<N, F>::pull_times(const Stencil& e, const T* p_bar) {
  T x_bar[most_multistep + 1] = {};
  pull_nodes(e.order, e.x + 1, e.f + 1, e.predictor.weight, p_bar, x_bar + 1);
  pull_nodes(e.order, e.x, e.f, e.corrector.weight, bar, x_bar);
  if (e.order == 1) return;
  T* h = steps(bar);
  h_bar += h[0];  // the step is the past's latest
  T sum = 0;
  for (int j = e.order - 1; j > 0; --j) {
    h_bar -= x_bar[j + 1] * e.x[j + 1];
    sum -= x_bar[j + 1];
    x_bar[j + 1] = sum;
  }
  for (int j = 1; j < e.order; ++j) h[j - 1] = (j + 1 < e.order ? h[j] : 0) + x_bar[j + 1];
}

/// Of sum_j weight_j f_j . w: itself to h_bar, and the cotangents of the nodes over h.
template <class N, class F>
void Adams<N, F>::pull_nodes(int count, const T* x, const T* const* f, const T* weight, const T* w, T* x_bar) {
  T g[most_multistep];
  for (int j = 0; j < count; ++j) g[j] = Base::dot(f[j], w), h_bar += weight[j] * g[j];
  for (int m = 0; m < count; ++m) x_bar[m] -= derivative(count, x, g, m) * weight[m];
}
}  // namespace revode
