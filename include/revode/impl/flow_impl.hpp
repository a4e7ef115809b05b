/// Bodies of Flow: steps of a whole word. Included by lib/solve/ (run-time field) and by a device that instantiates a
/// static field.
#pragma once
#include "revode/impl/estimate_impl.hpp"
#include "revode/impl/increment_impl.hpp"
#include "revode/impl/letter_impl.hpp"

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
  if constexpr (C::near)  // numbers have not looked at words of the solve before
    __builtin_memset(state, 0, words() * sizeof(Word));
}

template <class N, class F, class C>
void Flow<N, F, C>::keep(std::byte* bytes, std::byte* next) {
  const bool at_hand = C::keeps && fresh() && bytes && bytes == next_;
  kept_ = bytes, next_ = next;
  moved();
  if (!bytes) desk_ = own_;
  if (!at_hand) return;
  sit(0);
  __builtin_memcpy(slope(0), own_.slopes, n_ * sizeof(T));
  fresh_ = true;
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
    Hand hand;
    act(lifting(), {0, t0, t0, 0, 1, 0}, state, desk_.x, nullptr, hand);
  }
  moved();
  read();
}

template <class N, class F, class C>
void Flow<N, F, C>::step(const Step<T>& s, BitLog* log) {
  Hand hand;
  each_letter([&](auto i) REVODE_INLINED {
    if (idle(letter(i), s)) return;
    T* x = sit(i);
    act(i, s, state, x, log, hand);
    if (measures() && i == estimate_.letter) measure_letter(s, x);
  });
  fresh_ = method_.shares_ends() && !kept();
  if (measures()) measure_end(s);
}

template <class N, class F, class C>
void Flow<N, F, C>::unpull(const Step<T>& s, BitLog* log) {
  Hand hand;
  each_letter<true>([&](auto i) REVODE_INLINED {
    if (idle(letter(i), s)) return;
    undo(i, s, log, hand);
    transpose(i, s, desk_.x);
  });
  fresh_ = method_.shares_ends();
}

template <class N, class F, class C>
void Flow<N, F, C>::pull(const Step<T>& s) {
  __builtin_memcpy(copy_, state, words() * sizeof(Word));
  moved();
  Hand hand;
  int arranged = -1;  // the letter whose stages and tape stand in memory
  each_letter([&](auto i) REVODE_INLINED {
    const Letter& l = letter(i);
    if (idle(l, s)) return;
    if (i + 1 == method_.letters) {
      number.value(l.b, n_, argument(i), copy_ + at(l.b));
    } else {
      act(i, s, copy_, argument(i), nullptr, hand);
      if (l.kind != Kind::drift && l.field) arranged = i;
    }
  });
  each_letter<true>([&](auto i) REVODE_INLINED {
    const Letter& l = letter(i);
    if (idle(l, s)) return;
    if (l.field && arranged != i && !(shares(i) && !wants_times())) arrange(l, s, argument(i)), arranged = i;
    transpose(i, s, argument(i));
  });
  moved();
}

template <class N, class F, class C>
void Flow<N, F, C>::pull_kept(const Step<T>& s) {
  each_letter<true>([&](auto i) REVODE_INLINED {
    if (!idle(letter(i), s)) transpose(i, s, sit(i));
  });
}

template <class N, class F, class C>
void Flow<N, F, C>::unlift(T t0, T* y0_bar) {
  if (owes()) {
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
    transpose(lifting(), s, desk_.x);
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
}  // namespace revode
