/// Bodies of LowStorage; included by lib/solve/ and by a device that instantiates static types.
#pragma once
#include "revode/impl/flow_impl.hpp"
#include "revode/low_storage.hpp"

namespace revode {
/// All stages from y_n; without the last sum the state stays at the last stage, whose slope and tape are at hand.
template <class N, class F>
[[gnu::noinline]] void LowStorage<N, F>::climb(const Step<T>& s, bool whole) {
  T *Q = delta_, *k = Base::slope(0);
  for (int i = 0; i < Base::stages_; ++i) {
    Base::evaluate(stage_time(s, i), state, k, Base::tape(0));
    if (Base::measure && i == 0) {
      const T c = -s.h;
      const T* v = k;
      kernel::combine(n_, Base::error_, static_cast<const T*>(nullptr), 1, &c, &v);
    }
    const T *in[] = {k, Q}, c[] = {1, form_.A[i]}, hB = s.h * form_.B[i], *out = Q;
    kernel::combine(n_, Q, static_cast<const T*>(nullptr), i == 0 ? 1 : 2, c, in);
    if (whole || i + 1 < Base::stages_) kernel::combine(n_, state, state, 1, &hB, &out);
  }
}

template <class N, class F>
void LowStorage<N, F>::step(const Step<T>& s, BitLog*) {
  climb(s, true);
  if (!Base::measure) return;
  const T *ends[] = {state, y}, c[] = {1, -1};
  kernel::combine(n_, Base::error_, Base::error_, 2, c, ends);
}

template <class N, class F>
void LowStorage<N, F>::pull(const Step<T>& s) {
  T *Q = delta_, *Q_bar = w_;
  const T* k = Base::slope(0);
  Base::read();
  climb(s, false);
  for (int i = Base::stages_; i-- > 0;) {
    const bool last = i + 1 == Base::stages_;
    const T hB = s.h * form_.B[i];
    if (times) h_bar += form_.B[i] * Base::dot(Q, bar);
    const T c[] = {hB, last ? 0 : form_.A[i + 1]}, *in[] = {bar, Q_bar};
    kernel::combine(n_, Q_bar, static_cast<const T*>(nullptr), last ? 1 : 2, c, in);
    if (!last) {
      const T down = -hB, *of = Q;
      if (i > 0) kernel::combine(n_, state, state, 1, &down, &of);
      if (i == 0) __builtin_memcpy(state, y, n_ * sizeof(T));
      Base::evaluate(stage_time(s, i), state, Base::slope(0), Base::tape(0));
    }
    const T part = Base::add_vjp(stage_time(s, i), state, k, Base::tape(0), Q_bar, bar);
    t_bar += part, h_bar += method_.base.c(i) * part;
    if (i == 0) break;
    const T inverse = 1 / form_.A[i], back[] = {inverse, -inverse}, *both[] = {Q, k};
    kernel::combine(n_, Q, static_cast<const T*>(nullptr), 2, back, both);
  }
  __builtin_memcpy(state, y, n_ * sizeof(T));
}

template <class N, class F>
void LowStorage<N, F>::release() {
  __builtin_memcpy(state, y, n_ * sizeof(T));
}
}  // namespace revode
