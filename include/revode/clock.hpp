/// Clock: the only maker of steps. at(n) gives the same bits whoever asks and in whichever direction; never t += h.
/// Without a ladder the grid's equal steps; with one, steps that are proposed, judged elsewhere, and accepted.
#pragma once
#include <new>

#include "revode/ladder.hpp"

namespace revode {
template <class T>
class Clock {
 public:
  /// Room for adaptive steps.
  constexpr void place(Arena& arena, long most_steps, long most_jumps) {
    Ladder<T> measured;
    ladder_ = arena.take<Ladder<T>>(1);
    if (ladder_) new (ladder_) Ladder<T>;
    (ladder_ ? *ladder_ : measured).place(arena, most_steps, most_jumps);
  }
  bool adaptive() const { return ladder_ != nullptr; }
  Ladder<T>* ladder() { return ladder_; }

  /// False when the grid is empty, not finite or not monotone.
  bool init(const Grid<T>& grid, int halve_every, T lambda = 1) {
    grid_ = grid, halve_every_ = halve_every, lambda_ = lambda;
    if (!grid.valid() || (!ladder_ && grid.steps < 1)) return false;
    if (ladder_) ladder_->begin(grid);
    return true;
  }
  /// Of the grid; of an adaptive solve: accepted so far.
  long steps() const { return ladder_ ? ladder_->steps() : grid_.total(); }
  /// Does the solve end at node n?
  bool ends_at(long n) const { return ladder_ ? ladder_->finished() && n == ladder_->steps() : n == grid_.total(); }
  const Grid<T>& grid() const { return grid_; }

  Place<T> place_of(const Step<T>& s) const {
    if (ladder_) return ladder_->place_of(s.n);
    const long i = grid_.times ? s.n / grid_.steps : 0;
    const auto steps = static_cast<T>(grid_.steps);
    return {i, static_cast<T>(s.n - i * grid_.steps) / steps, 1 / steps};
  }
  [[gnu::noinline]] Step<T> at(long n) const {
    Step<T> s = damped(n);
    if (ladder_) return ladder_->fill(n, s), s;
    const long i = grid_.times ? n / grid_.steps : 0, j = n - i * grid_.steps;
    const T a = grid_.end(i), b = grid_.end(i + 1);
    s.t0 = between(a, b, j), s.t1 = between(a, b, j + 1);
    s.h = (b - a) / static_cast<T>(grid_.steps);
    return s;
  }
  T node(long n) const {
    if (ladder_) return ladder_->time(n);
    const long i = grid_.times ? n / grid_.steps : 0, j = n - i * grid_.steps;
    return j == 0 ? grid_.end(i) : between(grid_.end(i), grid_.end(i + 1), j);
  }
  /// Adaptive: the next step at this rung, and why it cannot be taken, if so.
  Status propose(int rung, Step<T>& s) const {
    s = damped(ladder_->steps());
    return ladder_->propose(rung, s);
  }

 private:
  /// Step n but for its times.
  Step<T> damped(long n) const {
    const bool halve = halve_every_ && (n + 1) % halve_every_ == 0;
    const int offset = halve ? static_cast<int>((n + 1) / halve_every_ & 1) : 0;
    return {n, 0, 0, 0, halve ? T(.5) : lambda_, offset};
  }
  T between(T a, T b, long j) const {
    return j == 0 ? a : j == grid_.steps ? b : a + (b - a) * (static_cast<T>(j) / static_cast<T>(grid_.steps));
  }
  Grid<T> grid_;
  Ladder<T>* ladder_ = nullptr;
  int halve_every_ = 0;
  T lambda_ = 1;
};
}  // namespace revode
