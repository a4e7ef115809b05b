/// Bodies of Flow: one letter acts, is undone, is transposed.
#pragma once
#include "revode/flow.hpp"
#include "revode/impl/few.hpp"

namespace revode {
template <class N, class F, class C>
typename Flow<N, F, C>::T Flow<N, F, C>::time(const Step<T>& s, float tau) const {
  return tau <= 0 ? s.t0 : tau >= 1 ? s.t1 : s.t0 + static_cast<T>(tau) * s.h;
}

template <class N, class F, class C>
template <bool from_last, class Body>
REVODE_INLINE void Flow<N, F, C>::each_letter(const Body& body) {
  if constexpr (C::near) {
    detail::unrolled<C::method_.letters>([&]<int i>() REVODE_INLINED {
      constexpr int place = from_last ? C::method_.letters - 1 - i : i;
      body(std::integral_constant<int, place>());
    });
  } else {
    for (int i = 0; i < method_.letters; ++i) body(from_last ? method_.letters - 1 - i : i);
  }
}

template <class N, class F, class C>
template <class Which>
REVODE_INLINE void Flow<N, F, C>::act(Which which, const Step<T>& s, Word* registers, T* x, BitLog* log, Hand& hand) {
  const Letter& l = letter(which);
  if (!relaxes(l)) return shift(which, s, l.s, registers, x, hand);
  hand.of = -1;
  relax(l, s, registers, x, log);
}
template <class N, class F, class C>
void Flow<N, F, C>::relax(const Letter& l, const Step<T>& s, Word* registers, T* x, BitLog* log) {
  Word* a = registers + at(l.a);
  const Word* to = registers + at(l.b);
  if (C::slopes && l.field) {
    number.value(l.b, n_, x, to);
    arrange(l, s, x);
    number.load(l.a, n_, target_, delta_);
    to = target_;
  }
  halved_ = l.s != 0 && watches() ? number.halvings(n_, a, to, halve_above) : 0;
  if (l.s == 0) {
    __builtin_memcpy(a, to, n_ * sizeof(Word));
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
template <class Which>
REVODE_INLINE void Flow<N, F, C>::undo(Which which, const Step<T>& s, BitLog* log, Hand& hand) {
  const Letter& l = letter(which);
  if (!relaxes(l)) return shift(which, s, -l.s, state, desk_.x, hand);
  hand.of = -1;
  unrelax(l, s, log);
}
template <class N, class F, class C>
void Flow<N, F, C>::unrelax(const Letter& l, const Step<T>& s, BitLog* log) {
  Word* a = state + at(l.a);
  const Word* to = state + at(l.b);
  if (C::slopes && l.field) {
    number.value(l.b, n_, desk_.x, to);
    arrange(l, s, desk_.x);
    number.load(l.a, n_, target_, delta_);
    to = target_;
  }
  halved_ = watches() ? recall_event(s.n, log) : 0;
  if (watches() && halved_ > 0) return number.unhalve(n_, a, l.s, to, halved_, log);
  if (C::plain) return l.s < 0 ? number.reflect(n_, a, to) : void();
  if (l.s < 0 || damps(s)) number.unrelax(n_, a, l.s, to, s.damping, s.offset, log);
}

/// What a letter needs that depends on b alone, into delta; stages and tapes stay for transpose().
template <class N, class F, class C>
REVODE_INLINE void Flow<N, F, C>::arrange_here(const Letter& l, T t, T h, const T* x, T* delta) {
  if (drifts(l))
    combine(n_, delta, static_cast<const T*>(nullptr), 1, &h, &x);
  else
    increment(t, h, x, delta);
}
template <class N, class F, class C>
[[gnu::noinline]] void Flow<N, F, C>::arrange(const Letter& l, const Step<T>& s, const T* x) {
  if (!relaxes(l)) return arrange_here(l, time(s, l.tau), static_cast<T>(l.c) * s.h, x, delta_);
  evaluate(time(s, l.tau), x, slope(0), tape(0));
  __builtin_memcpy(delta_, slope(0), n_ * sizeof(T));
}

/// A push or a drift, or its inverse: x = b, then a += or -= what it gives. Near flows do so behind one call, which has
/// in registers what it waits for; others behind that of arrange().
template <class N, class F, class C>
template <class Which>
REVODE_INLINE void Flow<N, F, C>::shift(Which which, const Step<T>& s, int sign, Word* registers, T* x, Hand& hand) {
  const Letter& l = letter(which);
  if constexpr (C::near) {
    if (C::one_pack && hand.of != l.b) number.value(l.b, n_, x, registers + at(l.b)), hand.value = pack(x);
    hand.value = shifted(which, hand.value, s.t0, s.t1, s.h, sign, registers, x);
    hand.of = l.a;
  } else {
    number.value(l.b, n_, x, registers + at(l.b));
    arrange(l, s, x);
    if (sign < 0)
      number.subtract(l.a, n_, registers + at(l.a), delta_);
    else
      number.add(l.a, n_, registers + at(l.a), delta_);
  }
}
template <class N, class F, class C>
template <class Which>
[[gnu::noinline]] typename Flow<N, F, C>::Value Flow<N, F, C>::shifted(Which which, Value b, T t0, T t1, T h, int sign,
                                                                       Word* registers, T* x) {
  const Letter& l = letter(which);
  if constexpr (C::one_pack)
    Whole::store(x, b);
  else
    number.value(l.b, n_, x, registers + at(l.b));
  T delta[C::few], now[C::few];  // not in memory, for which the next letter would wait
  arrange_here(l, time({0, t0, t1, h, 1, 0}, l.tau), static_cast<T>(l.c) * h, x, delta);
  number.move(l.a, sign, n_, registers + at(l.a), delta, now);
  return pack(now);
}

/// b_bar += (d letter / d b)' a_bar, after arrange() at the same x.
template <class N, class F, class C>
template <class Which>
void Flow<N, F, C>::transpose(Which which, const Step<T>& s, const T* x) {
  const Letter& l = letter(which);
  T* a_bar = bar + at(l.a);
  T* b_bar = bar + at(l.b);
  if (drifts(l)) {
    const T c = static_cast<T>(l.c) * s.h;
    const T* v = a_bar;
    if (wants_times()) h_bar += static_cast<T>(l.c) * dot(x, a_bar);
    return combine(n_, b_bar, b_bar, 1, &c, &v);
  }
  if (!relaxes(l)) {
    T here[C::few];
    T* const w = C::near ? here : w_;
    detail::in_packs<T>(n_, [&]<int W>(std::size_t i) REVODE_INLINED {
      const auto from = detail::pieces<W>(n_, a_bar + i);
      kernel::On<T, W>::store(w + i, l.s < 0 ? -from : from);
    });
    if (shares(which)) return owe(l, s, w);
    const Times part = pull_increment(time(s, l.tau), static_cast<T>(l.c) * s.h, x, w, b_bar);
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
void Flow<N, F, C>::owe(const Letter& l, const Step<T>& s, const T* w) {
  const T c = static_cast<T>(l.c) * s.h * method_.base.b[0];
  combine(n_, owed_, static_cast<const T*>(nullptr), 1, &c, &w);
  if (wants_times()) h_bar += static_cast<T>(l.c) * method_.base.b[0] * dot(slope(0), w);
  owes_ = true;
}
}  // namespace revode
