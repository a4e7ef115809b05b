/// Reversed: exact reversal of a bijective word over Fixed numbers; nothing is kept but what halving events drop.
/// A full log leaves a restore point and starts again; on the way back each closed segment is run once
/// more to fill its log. The self-check compares a hash of the state at both ends: a field that is not a deterministic
/// function of (t, y, theta) almost surely fails it.
#pragma once
#include "revode/way.hpp"

namespace revode {
template <class Flow>
class Reversed {
 public:
  using T = typename Flow::T;
  static constexpr bool pulls = false;
  constexpr void place(Arena& arena, const Flow& flow, const Plan<T>& plan) {
    halves_ = plan.halves(), watches_ = plan.halve_above > 0;
    row_ = plan.event_bits(flow.size());
    if (halves_) log_.place(arena, plan.log_bits);
    if (halves_) slots_.place(arena, static_cast<std::size_t>(plan.slots), flow.words());
  }
  void begin(const Flow& flow, long) {
    first_ = fingerprint(flow);
    recomputed_ = 0, peak_ = 0;
    log_.clear();
    slots_.clear();
    if (halves_ && !slots_.full()) slots_.push(0, flow.state);
  }
  Status before(const Step<T>& s, const Flow& flow) {
    if (!(watches_ || s.damped()) || log_.room(row_)) return Status::ok;
    if (slots_.full() || log_.empty()) return Status::capacity;
    slots_.push(s.n, flow.state);
    log_.clear();
    return Status::ok;
  }
  /// The step may have logged an event.
  Status after(const Step<T>&, const Flow&) {
    if (log_.bits() > peak_) peak_ = log_.bits();
    return Status::ok;
  }
  std::size_t tape_bits() const { return peak_; }
  BitLog* log() { return &log_; }
  Status retreat(long n, Flow& flow, const auto& clock) {
    if (slots_.used() > 1 && slots_.top() == n + 1) {
      const std::uint64_t here = fingerprint(flow);
      slots_.pop();
      slots_.recall(flow.state), flow.moved();
      log_.clear();
      for (long m = slots_.top(); m <= n; ++m, ++recomputed_) flow.step(clock.at(m), &log_);
      if (fingerprint(flow) != here) return Status::irreversible;
    }
    flow.unpull(clock.at(n), &log_);
    return Status::ok;
  }
  Status finish(const Flow& flow) {
    return fingerprint(flow) == first_ && (!halves_ || log_.empty()) ? Status::ok : Status::irreversible;
  }
  long recomputed() const { return recomputed_; }

 private:
  BitLog log_;
  Slots<typename Flow::Word> slots_;
  std::size_t row_ = 0, peak_ = 0;
  std::uint64_t first_ = 0;
  long recomputed_ = 0;
  bool halves_ = false, watches_ = false;
};
}  // namespace revode
