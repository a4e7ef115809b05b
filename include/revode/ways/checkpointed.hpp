/// Checkpointed: a fixed number of states is kept at binomial places and the steps between are run again. Any word.
/// Memory slots d.
#pragma once
#include "revode/way.hpp"

namespace revode {
/// Steps from here to the next checkpoint with `slots` free ones, this state in hand and `steps` ahead: the binomial
/// rule beta(c, r) = C(c + r, c) of Griewank and Walther, ACM TOMS 26 (2000).
long binomial_advance(long steps, std::size_t slots);

template <class Flow>
class Checkpointed {
 public:
  using T = typename Flow::T;
  static constexpr bool pulls = true;
  constexpr void place(Arena& arena, const Flow& flow, const Plan<T>& plan) {
    slots_.place(arena, static_cast<std::size_t>(plan.slots), flow.words());
  }
  void begin(const Flow&, long steps) {
    slots_.clear();
    next_ = recomputed_ = 0;
    end_ = steps + 1;  // the pass forwards goes on to the last state: the loss there is one step more
  }
  Status before(const Step<T>& s, const Flow& flow) {
    if (s.n == next_ && !slots_.full()) {
      slots_.push(s.n, flow.state);
      next_ = s.n + binomial_advance(end_ - s.n, slots_.free());
    }
    return Status::ok;
  }
  BitLog* log() { return nullptr; }
  Status retreat(long n, Flow& flow, const Clock<T>& clock) {
    while (slots_.top() > n) slots_.pop();
    slots_.recall(flow.state), flow.moved();
    end_ = n + 1;
    long m = slots_.top();
    next_ = m + binomial_advance(end_ - m, slots_.free());
    for (; m < n; ++m, ++recomputed_) {
      const Step<T> s = clock.at(m);
      if (Status status = before(s, flow); status != Status::ok) return status;
      flow.step(s, nullptr);
    }
    const Step<T> s = clock.at(n);
    flow.pull(s);
    return Status::ok;
  }
  Status finish(const Flow&) { return Status::ok; }
  long recomputed() const { return recomputed_; }

 private:
  Slots<typename Flow::Word> slots_;
  long next_ = 0, end_ = 0, recomputed_ = 0;
};
}  // namespace revode
