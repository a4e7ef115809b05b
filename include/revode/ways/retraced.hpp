/// Retraced: reversal in floats, as the literature has it (MALI, reversible Heun, McCallum and Foster with lambda < 1).
/// A bijective word is undone; a word of one register is stepped with -h from its end, which EES methods return from to
/// O(h^6) and O(h^8) a step and others to their own order. A float cannot hold what a contracting flow destroys: the
/// rounding grows like max(e^{h |mu|}, 1 / lambda) a step, so restore points are kept every Plan::restore_every steps,
/// and how far the walk back missed them, and the beginning, is the drift. Memory: (2 + slots) d.
#pragma once
#include "revode/scalar.hpp"
#include "revode/way.hpp"

namespace revode {
template <class Flow>
class Retraced {
 public:
  using T = typename Flow::T;
  static constexpr bool pulls = true;
  constexpr void place(Arena& arena, const Flow& flow, const Plan<T>& plan) {
    undoes_ = bijective(flow.method());
    every_ = plan.restore_every, bound_ = plan.drift_bound;
    slots_.place(arena, static_cast<std::size_t>(plan.slots) + 1, flow.words());
  }
  void begin(const Flow& flow, long) {
    drift_ = 0;
    slots_.clear();
    slots_.push(0, flow.state);
  }
  Status before(const Step<T>& s, const Flow& flow) {
    if (every_ == 0 || s.n == 0 || s.n % every_ != 0) return Status::ok;
    if (slots_.full()) return Status::capacity;
    slots_.push(s.n, flow.state);
    return Status::ok;
  }
  BitLog* log() { return nullptr; }
  Status retreat(long n, Flow& flow, const auto& clock) {
    while (slots_.top() > n) slots_.pop();  // of a step that failed
    if (undoes_) flow.unpull(clock.at(n), nullptr);
    if (!undoes_) flow.step_back(clock.at(n));
    if (slots_.top() == n) {
      drift_ = revode::drift(flow.words(), flow.state, slots_.state(), drift_);
      slots_.recall(flow.state), flow.moved();
      if (n > 0) slots_.pop();
    }
    if (!undoes_) flow.pull(clock.at(n));
    return bound_ > 0 && !(drift_ <= bound_) ? Status::drift : Status::ok;
  }
  Status finish(const Flow&) { return Status::ok; }
  long recomputed() const { return 0; }
  T drift() const { return drift_; }

 private:
  Slots<typename Flow::Word> slots_;
  T drift_ = 0, bound_ = 0;
  long every_ = 0;
  bool undoes_ = true;
};
}  // namespace revode
