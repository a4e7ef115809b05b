/// Clock: the only maker of steps. at(n) gives the same bits whoever asks and in whichever direction; never t += h.
/// Without a ladder the grid's equal steps; with one, steps that are proposed, judged elsewhere, and accepted. A plain
/// clock has equal steps from t0 to t1 and nothing else.
#pragma once
#include <limits>
#include <new>
#include <type_traits>

#include "revode/impl/few.hpp"
#include "revode/ladder.hpp"

namespace revode {
template <class T, bool plain = false>
class Clock {
 public:
  /// Room for adaptive steps.
  constexpr void place(Arena& arena, long most_steps, long most_jumps) {
    Ladder<T> measured;
    ladder_ = arena.take<Ladder<T>>(1);
    if (ladder_) new (ladder_) Ladder<T>;
    (ladder_ ? *ladder_ : measured).place(arena, most_steps, most_jumps);
  }
  bool adaptive() const { return !plain && ladder_ != nullptr; }
  Ladder<T>* ladder() { return ladder_; }

  /// False when the grid is empty, not finite or not monotone.
  bool init(const Grid<T>& grid, int halve_every, T lambda = 1) {
    grid_ = grid, halve_every_ = halve_every, lambda_ = lambda;
    if constexpr (looks_ahead) turn_ = {.h = length(0)};
    if (plain)
      return !grid.times && grid.steps > 0 && grid.t0 - grid.t1 != 0 && grid.t0 - grid.t1 - (grid.t0 - grid.t1) == 0;
    if (!grid.valid() || (!adaptive() && grid.steps < 1)) return false;
    if (adaptive()) ladder_->begin(grid);
    return true;
  }
  /// Of the grid; of an adaptive solve: accepted so far.
  long steps() const { return adaptive() ? ladder_->steps() : plain ? grid_.steps : grid_.total(); }
  /// Does the solve end at node n?
  bool ends_at(long n) const { return n == steps() && (!adaptive() || ladder_->finished()); }
  const Grid<T>& grid() const { return grid_; }

  Place<T> place_of(const Step<T>& s) const {
    if (adaptive()) return ladder_->place_of(s.n);
    const long i = interval(s.n);
    const auto steps = static_cast<T>(grid_.steps);
    return {i, static_cast<T>(s.n - i * grid_.steps) / steps, 1 / steps};
  }
  [[gnu::noinline]] Step<T> at(long n) const {
    Step<T> s = damped(n);
    if (adaptive()) return ladder_->fill(n, s), s;
    if constexpr (looks_ahead) {
      turn_to(n);
      s.t0 = turn_.t0, s.t1 = turn_.t1, s.h = turn_.h;
    } else {
      s.t0 = node(n), s.t1 = node(n + 1), s.h = length(interval(n));
    }
    return s;
  }
  T node(long n) const {
    if (adaptive()) return ladder_->time(n);
    const long i = interval(n), j = n - i * grid_.steps;
    return j == 0 ? end(i) : between(end(i), end(i + 1), j);
  }
  /// Adaptive: the next step at this rung, and why it cannot be taken, if so.
  Status propose(int rung, Step<T>& s) const {
    s = damped(ladder_->steps());
    return ladder_->propose(rung, s);
  }

 private:
  /// Step n but for its times.
  Step<T> damped(long n) const {
    if (plain) return {n, 0, 0, 0, 1, 0};
    const bool halve = halve_every_ && (n + 1) % halve_every_ == 0;
    const int offset = halve ? static_cast<int>((n + 1) / halve_every_ & 1) : 0;
    return {n, 0, 0, 0, halve ? T(.5) : lambda_, offset};
  }
  /// Steps are asked for in turn. A node is a division, which evaluations of few numbers would wait for; so where code
  /// may grow it is known a step before it is asked for.
  static constexpr bool looks_ahead = plain && detail::in_registers<T>;
  struct Turn {
    long n = std::numeric_limits<long>::min(), by = 1;  // the last step (no step yet), and how the next one differs
    T t0 = 0, t1 = 0, next = 0, h = 0;
  };
  void turn_to(long n) const {
    if (n == turn_.n) return;
    if (n != turn_.n + turn_.by)
      turn_.t0 = apart(n), turn_.t1 = apart(n + 1), turn_.by = n < turn_.n ? -1 : 1;
    else if (turn_.by > 0)
      turn_.t0 = turn_.t1, turn_.t1 = turn_.next;
    else
      turn_.t1 = turn_.t0, turn_.t0 = turn_.next;
    turn_.n = n, turn_.next = apart(turn_.by > 0 ? n + 2 : n - 1);
  }
  [[gnu::noinline]] T apart(long n) const { return node(n); }  // one body, so one rounding, for all of them
  T length(long i) const { return (end(i + 1) - end(i)) / static_cast<T>(grid_.steps); }
  long interval(long n) const { return !plain && grid_.times ? n / grid_.steps : 0; }
  T end(long i) const { return plain ? (i == 0 ? grid_.t0 : grid_.t1) : grid_.end(i); }
  T between(T a, T b, long j) const {
    return j == grid_.steps ? b : a + (b - a) * (static_cast<T>(j) / static_cast<T>(grid_.steps));
  }
  Grid<T> grid_{0, 0, 0};  // all zero until init(): static walks are then no part of a device's flash
  Ladder<T>* ladder_ = nullptr;
  int halve_every_ = 0;
  T lambda_ = 0;
  [[no_unique_address]] mutable std::conditional_t<looks_ahead, Turn, detail::Nothing> turn_{};
};
}  // namespace revode
