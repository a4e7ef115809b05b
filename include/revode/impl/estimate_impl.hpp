/// Bodies of Flow that adaptive steps need: the error estimates of control.hpp, and a state that can be taken back.
#pragma once
#include "revode/flow.hpp"

namespace revode {
/// Behind the letter that the estimate looks at, with what it arranged still at the desk.
template <class N, class F, class C>
void Flow<N, F, C>::measure_letter(const Step<T>& s, const T* x) {
  const Letter& l = method_.word[estimate_.letter];
  const T h = estimate_.by == Estimator::step ? s.h : static_cast<T>(l.c) * s.h;
  if (estimate_.by == Estimator::pair) {
    if (!reuses_) evaluate_rest(time(s, l.tau), h, x), blend_pair(h);
  } else {
    const T c = -h;
    const T* slope_at_hand = l.kind == Kind::drift ? x : slope(0);
    kernel::combine(n_, error_, estimate_.by == Estimator::slope ? delta_ : nullptr, 1, &c, &slope_at_hand);
  }
}

/// With the state at the end of the step.
template <class N, class F, class C>
void Flow<N, F, C>::measure_end(const Step<T>& s) {
  if (estimate_.by == Estimator::step) {
    const T c[] = {1, -1};
    number.value(0, n_, w_, state);
    const T* ends[] = {w_, y};
    kernel::combine(n_, error_, error_, 2, c, ends);
  } else if (reuses_) {
    number.value(0, n_, w_, state);
    evaluate(s.t1 + method_.base.c(0) * s.h, w_, slope(stages_), tape_ahead());
    blend_pair(s.h);
    ran_ahead_ = true;
  }
}

/// The stages that the step itself does not need.
template <class N, class F, class C>
void Flow<N, F, C>::evaluate_rest(T t, T h, const T* x) {
  const Tableau<T>& m = method_.base;
  T c[max_stages];
  const T* k[max_stages];
  for (int i = stages_; i < m.stages; ++i) {
    for (int j = 0; j < i; ++j) c[j] = h * m.A(i, j), k[j] = slope(j);
    kernel::combine(n_, w_, x, i, c, k);
    evaluate(t + m.c(i) * h, w_, slope(i), spare_);
  }
}

template <class N, class F, class C>
void Flow<N, F, C>::blend_pair(T h) {
  const Tableau<T>& m = method_.base;
  T c[max_stages];
  const T* k[max_stages];
  for (int i = 0; i < m.stages; ++i) c[i] = h * (m.b[i] - m.b_hat[i]), k[i] = slope(i);
  kernel::combine(n_, error_, static_cast<const T*>(nullptr), m.stages, c, k);
}

template <class N, class F, class C>
void Flow<N, F, C>::hold() {
  __builtin_memcpy(copy_, state, words() * sizeof(Word));
  held_number_ = number;
}

template <class N, class F, class C>
void Flow<N, F, C>::release() {
  __builtin_memcpy(state, copy_, words() * sizeof(Word));
  number = held_number_;
  ran_ahead_ = false;
  fresh_ = method_.registers == 1;  // the first stage is that of the step which is tried again
}

template <class N, class F, class C>
void Flow<N, F, C>::settle() {
  if (ran_ahead_ && (!kept() || next_)) {
    __builtin_memcpy(own_.slopes, slope(stages_), n_ * sizeof(T));
    fresh_ = true;
  }
  ran_ahead_ = false;
}

template <class N, class F, class C>
typename Flow<N, F, C>::T Flow<N, F, C>::error(const Control<T>& control) {
  number.value(0, n_, w_, state);
  if (!kernel::finite(n_, w_)) return static_cast<T>(__builtin_inff());
  const int lanes = call.extent.lanes;
  return scaled_norm(static_cast<int>(n_) / lanes, lanes, control, error_, y, w_);
}

template <class N, class F, class C>
template <class Evaluate>
typename Flow<N, F, C>::T Flow<N, F, C>::first_step(const Controller<T>& controller, T t0, T span,
                                                    const Evaluate& evaluate_at) {
  const int lanes = call.extent.lanes, dim = static_cast<int>(n_) / lanes;
  const auto norm = [&](const T* v) {
    __builtin_memcpy(error_, v, n_ * sizeof(T));
    return scaled_norm(dim, lanes, controller.control(), error_, y, y);
  };
  evaluate_at(t0, y, slope(0), tape_ahead());
  const T f0 = norm(slope(0));
  const T h0 = controller.trial_step(norm(y), f0), c[] = {span < 0 ? -h0 : h0, -1};
  const T* f[] = {slope(0)};
  kernel::combine(n_, w_, static_cast<const T*>(y), 1, c, f);
  evaluate_at(t0 + c[0], w_, delta_, spare_);
  kernel::combine(n_, w_, static_cast<const T*>(delta_), 1, c + 1, f);
  const T change = norm(w_) / h0;
  fresh_ = method_.registers == 1;
  return controller.first_step(h0, f0, change);
}
}  // namespace revode
