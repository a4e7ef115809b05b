/// Bodies of Flow; included by lib/solve/ (run-time field) and by a device that instantiates a static field.
#pragma once
#include <string.h>

#include "revode/impl/estimate_impl.hpp"

namespace revode {
template <class N, class F, class C>
void Flow<N, F, C>::init(const T* theta, const int (&fraction_bits)[2]) {
  number = N{};
  number.init(fraction_bits);
  status = Status::ok;
  evaluations = vjps = 0;
  times = owes_ = fresh_ = measure = ran_ahead_ = false;
  call.theta = theta;
  call.status = &status;
  keep(nullptr);
}

template <class N, class F, class C>
void Flow<N, F, C>::keep(std::byte* bytes) {
  kept_ = bytes;
  moved();
  if (!bytes) desk_ = own_;
}

template <class N, class F, class C>
typename Flow<N, F, C>::T* Flow<N, F, C>::sit(int letter) {
  if (kept()) {
    Arena arena(kept_ + static_cast<std::size_t>(letter) * desk_bytes_, desk_bytes_);
    desk_ = desk(arena);
  }
  return desk_.x;
}

template <class N, class F, class C>
void Flow<N, F, C>::lift(T t0, const T* y0) {
  for (int r = 0; r < method_.read; ++r) number.load(r, n_, state + at(r), y0 + at(r));
  if (method_.lifts()) {
    number.value(0, n_, desk_.x, state);
    act(method_.lift, {0, t0, t0, 0, 1, 0}, state, desk_.x, nullptr);
  }
  moved();
  read();
}

template <class N, class F, class C>
void Flow<N, F, C>::step(const Step<T>& s, BitLog* log) {
  for (int i = 0; i < method_.letters; ++i) {
    const Letter& l = method_.word[i];
    if (idle(l, s)) continue;
    T* x = sit(i);
    if (!relaxes(l) || l.field) number.value(l.b, n_, x, state + at(l.b));
    act(l, s, state, x, log);
    if (measures() && i == estimate_.letter) measure_letter(s, x);
  }
  fresh_ = method_.shares_ends() && !kept();
  if (measures()) measure_end(s);
}

template <class N, class F, class C>
void Flow<N, F, C>::unpull(const Step<T>& s, BitLog* log) {
  for (int i = method_.letters; i-- > 0;) {
    const Letter& l = method_.word[i];
    if (idle(l, s)) continue;
    if (!relaxes(l) || l.field) number.value(l.b, n_, desk_.x, state + at(l.b));
    undo(l, s, log);
    transpose(l, s, desk_.x);
  }
  fresh_ = method_.shares_ends();
}

template <class N, class F, class C>
void Flow<N, F, C>::pull(const Step<T>& s) {
  memcpy(copy_, state, words() * sizeof(Word));
  moved();
  int arranged = -1;  // the letter whose stages and tape stand in memory
  for (int i = 0; i < method_.letters; ++i) {
    const Letter& l = method_.word[i];
    if (idle(l, s)) continue;
    number.value(l.b, n_, argument(i), copy_ + at(l.b));
    if (i + 1 < method_.letters) {
      act(l, s, copy_, argument(i), nullptr);
      if (l.kind != Kind::drift && l.field) arranged = i;
    }
  }
  for (int i = method_.letters; i-- > 0;) {
    const Letter& l = method_.word[i];
    if (idle(l, s)) continue;
    if (l.field && arranged != i && !(shares(l) && !wants_times())) arrange(l, s, argument(i)), arranged = i;
    transpose(l, s, argument(i));
  }
  moved();
}

template <class N, class F, class C>
void Flow<N, F, C>::pull_kept(const Step<T>& s) {
  for (int i = method_.letters; i-- > 0;) {
    const Letter& l = method_.word[i];
    if (!idle(l, s)) transpose(l, s, sit(i));
  }
}

template <class N, class F, class C>
void Flow<N, F, C>::unlift(T t0, T* y0_bar) {
  if (owes_) {
    const Letter& l = method_.word[0];
    number.value(l.b, n_, desk_.x, state + at(l.b));
    if (!fresh_) evaluate(t0, desk_.x, slope(0), tape(0));
    t_bar += add_vjp(t0, desk_.x, slope(0), tape(0), owed_, bar + at(l.b));
    owes_ = false;
  }
  moved();
  if (method_.lifts()) {
    const Step<T> s{0, t0, t0, 0, 1, 0};
    number.value(method_.lift.b, n_, desk_.x, state + at(method_.lift.b));
    if (C::slopes && method_.lift.field) arrange(method_.lift, s, desk_.x);
    transpose(method_.lift, s, desk_.x);
  }
  if (y0_bar)
    for (std::size_t i = 0; i < read_size(); ++i) y0_bar[i] += bar[i];
}

template <class N, class F, class C>
bool Flow<N, F, C>::guard() {
  bool good = true;
  for (int r = 0; r < method_.registers; ++r) good &= number.guard(r, n_, state + at(r));
  return good;
}

template <class N, class F, class C>
float Flow<N, F, C>::separation() const {
  if (!method_.lifts() || method_.lift.field) return 0;
  T most = 0;
  number.value(1, n_, w_, state + n_);
  for (std::size_t i = 0; i < n_; ++i) {
    const T apart = w_[i] < y[i] ? y[i] - w_[i] : w_[i] - y[i];
    if (!(apart <= most) && most - most == 0) most = apart;  // an infinity or NaN stays
  }
  return static_cast<float>(most);
}

template <class N, class F, class C>
typename Flow<N, F, C>::T Flow<N, F, C>::time(const Step<T>& s, float tau) const {
  return tau <= 0 ? s.t0 : tau >= 1 ? s.t1 : s.t0 + static_cast<T>(tau) * s.h;
}

template <class N, class F, class C>
void Flow<N, F, C>::act(const Letter& l, const Step<T>& s, Word* registers, const T* x, BitLog* log) {
  Word* a = registers + at(l.a);
  const Word* to = registers + at(l.b);
  if (!relaxes(l)) {
    arrange(l, s, x);
    return number.add(l.a, n_, a, delta_);
  }
  if (C::slopes && l.field) {
    arrange(l, s, x);
    number.load(l.a, n_, target_, delta_);
    to = target_;
  }
  halved_ = l.s != 0 && watches() ? number.halvings(n_, a, to, halve_above) : 0;
  if (l.s == 0) {
    memcpy(a, to, n_ * sizeof(Word));
  } else if (C::plain) {
    number.reflect(n_, a, to);  // one with s > 0 is idle
  } else if (watches() && halved_ > 0) {
    number.halve(n_, a, l.s, to, halved_, log);
    if (!log) return;
    log->push(static_cast<std::uint32_t>(s.n), 32);
    log->push(static_cast<std::uint32_t>(static_cast<std::uint64_t>(s.n) >> 32) & 0xfff, 12);
    log->push(static_cast<std::uint32_t>(halved_), 4);
  } else if (l.s < 0 || damps(s)) {
    number.relax(n_, a, l.s, to, s.damping, s.offset, log);
  }
}

template <class N, class F, class C>
int Flow<N, F, C>::recall_event(long n, BitLog* log) {
  if (log->empty()) return 0;
  const std::size_t mark = log->bits();
  const auto times = static_cast<int>(log->pop(4));
  const std::uint64_t high = log->pop(12), low = log->pop(32);
  if ((high << 32 | low) == (static_cast<std::uint64_t>(n) & ((std::uint64_t{1} << 44) - 1))) return times;
  log->rewind(mark);
  return 0;
}

template <class N, class F, class C>
void Flow<N, F, C>::undo(const Letter& l, const Step<T>& s, BitLog* log) {
  Word* a = state + at(l.a);
  const Word* to = state + at(l.b);
  if (!relaxes(l)) {
    arrange(l, s, desk_.x);
    return number.subtract(l.a, n_, a, delta_);
  }
  if (C::slopes && l.field) {
    arrange(l, s, desk_.x);
    number.load(l.a, n_, target_, delta_);
    to = target_;
  }
  halved_ = watches() ? recall_event(s.n, log) : 0;
  if (watches() && halved_ > 0) return number.unhalve(n_, a, l.s, to, halved_, log);
  if (C::plain) return l.s < 0 ? number.reflect(n_, a, to) : void();
  if (l.s < 0 || damps(s)) number.unrelax(n_, a, l.s, to, s.damping, s.offset, log);
}

/// What a letter needs that depends on b alone, into delta_; stages and tapes stay for transpose().
template <class N, class F, class C>
[[gnu::noinline]] void Flow<N, F, C>::arrange(const Letter& l, const Step<T>& s, const T* x) {
  if (drifts(l)) {
    const T c = static_cast<T>(l.c) * s.h;
    kernel::combine(n_, delta_, static_cast<const T*>(nullptr), 1, &c, &x);
  } else if (!relaxes(l)) {
    increment(time(s, l.tau), static_cast<T>(l.c) * s.h, x);
    if (l.s < 0)
      for (std::size_t i = 0; i < n_; ++i) delta_[i] = -delta_[i];
  } else {
    evaluate(time(s, l.tau), x, slope(0), tape(0));
    memcpy(delta_, slope(0), n_ * sizeof(T));
  }
}

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
    if (i == stages_) return kernel::combine(n_, delta_, static_cast<const T*>(nullptr), terms, c, k);
    if (i > 0) kernel::combine(n_, stage_input(i), x, terms, c, k);
    if (!fresh_) evaluate(stage_time(t, h, i), stage_input(i, x), slope(i), tape(i));
    moved();
  }
}

/// b_bar += (d letter / d b)' a_bar, after arrange() at the same x.
template <class N, class F, class C>
void Flow<N, F, C>::transpose(const Letter& l, const Step<T>& s, const T* x) {
  T* a_bar = bar + at(l.a);
  T* b_bar = bar + at(l.b);
  if (drifts(l)) {
    const T c = static_cast<T>(l.c) * s.h;
    const T* v = a_bar;
    if (wants_times()) h_bar += static_cast<T>(l.c) * dot(x, a_bar);
    return kernel::combine(n_, b_bar, b_bar, 1, &c, &v);
  }
  if (!relaxes(l)) {
    for (std::size_t i = 0; i < n_; ++i) w_[i] = l.s < 0 ? -a_bar[i] : a_bar[i];
    if (shares(l)) return owe(l, s);
    const Times part = pull_increment(time(s, l.tau), static_cast<T>(l.c) * s.h, x, b_bar);
    if (!wants_times()) return;
    t_bar += part.t;
    h_bar += static_cast<T>(l.c) * part.h + static_cast<T>(l.tau) * part.t;
    return;
  }
  const T m = static_cast<T>(l.s) * (C::plain ? 1 : halved_ > 0 ? 1 / static_cast<T>(1 << halved_) : s.damping);
  if (!(m < 1)) return;
  const bool field = C::slopes && l.field;
  T* to = field ? w_ : b_bar;
  for (std::size_t i = 0; i < n_; ++i) {
    const T part = (1 - m) * a_bar[i];
    to[i] = field ? part : to[i] + part;
    a_bar[i] *= m;
  }
  if (field) {
    const T part = add_vjp(time(s, l.tau), x, slope(0), tape(0), w_, b_bar);
    if (!wants_times()) return;
    t_bar += part;
    h_bar += static_cast<T>(l.tau) * part;
  }
}

/// The first letter of a word that shares its ends: its VJP is done with that of the step before, at the same f.
template <class N, class F, class C>
void Flow<N, F, C>::owe(const Letter& l, const Step<T>& s) {
  const T c = static_cast<T>(l.c) * s.h * method_.base.b[0];
  const T* w = w_;
  kernel::combine(n_, owed_, static_cast<const T*>(nullptr), 1, &c, &w);
  if (wants_times()) h_bar += static_cast<T>(l.c) * method_.base.b[0] * dot(slope(0), w_);
  owes_ = true;
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
    kernel::combine(n_, delta_, static_cast<const T*>(nullptr), terms, c, g);
    T* G = slope(i + 1);
    memset(G, 0, n_ * sizeof(T));
    const T part = add_vjp(stage_time(t, h, i), stage_input(i, x), slope(i), tape(i), delta_, G);
    if (!wants_times()) continue;
    sum.t += part;
    sum.h += m.c(i) * part;
    for (int j = 0; j < i; ++j) sum.h += m.A(i, j) * dot(slope(j), G);
  }
  for (int i = 0; i < stages_; ++i) c[i] = 1, g[i] = slope(i + 1);
  kernel::combine(n_, b_bar, b_bar, stages_, c, g);
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
}  // namespace revode
