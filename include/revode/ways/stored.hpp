/// Stored: every state is kept, and with Plan::keep_stages the stages too. The oracle of all other ways. Any word.
/// Memory N d, forwards s evaluations, back s evaluations and s VJPs a step (none and s with the stages kept).
#pragma once
#include "revode/way.hpp"

namespace revode {
template <class Flow>
class Stored {
 public:
  using T = typename Flow::T;
  static constexpr bool pulls = true;
  constexpr void place(Arena& arena, const Flow& flow, const Plan<T>& plan) {
    const auto steps = static_cast<std::size_t>(plan.stored_steps);
    slots_.place(arena, steps, flow.words());
    kept_bytes_ = flow.kept_bytes();
    if (plan.keep_stages) kept_ = arena.take<std::byte>(steps * kept_bytes_);
  }
  void begin(Flow& flow, long) {
    slots_.clear();
    if (kept_ && !slots_.full()) flow.keep(nullptr, kept(0));
  }
  Status before(const Step<T>& s, Flow& flow) {
    if (slots_.full()) return Status::capacity;
    if (kept_) flow.keep(kept(slots_.used()), slots_.free() > 1 ? kept(slots_.used() + 1) : nullptr);
    slots_.push(s.n, flow.state);
    return Status::ok;
  }
  BitLog* log() { return nullptr; }
  Status retreat(long n, Flow& flow, const auto& clock) {
    while (slots_.top() > n) slots_.pop();  // of a step that failed
    slots_.recall(flow.state), flow.moved();
    slots_.pop();
    if (!kept_) return flow.pull(clock.at(n)), Status::ok;
    flow.keep(kept(slots_.used()));
    flow.pull_kept(clock.at(n));
    flow.keep(nullptr);
    return Status::ok;
  }
  Status finish(const Flow&) { return Status::ok; }
  long recomputed() const { return 0; }

 private:
  std::byte* kept(std::size_t i) const { return kept_ + i * kept_bytes_; }
  Slots<typename Flow::Word> slots_;
  std::byte* kept_ = nullptr;  // [steps][kept_bytes]
  std::size_t kept_bytes_ = 0;
};
}  // namespace revode
