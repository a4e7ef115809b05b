/// Checkpointed: a fixed number of states is kept and the steps between are run again. Any word. Where the number of
/// steps is known the places are binomial. Where it is not, the way forwards keeps every state it comes by and gives up
/// another one for it (Wang, Moin and Iaccarino, SIAM J. Sci. Comput. 31 (2009), algorithm 1): c states in all still
/// run no more than r N steps again for N <= C(c + r, c). On the way back, with the number known, binomial again.
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
    if (plan.control.adaptive()) level_ = arena.take<long>(static_cast<std::size_t>(plan.slots));
  }
  void begin(const Flow&, long steps) {
    slots_.clear();
    next_ = recomputed_ = 0;
    counted_ = steps > 0;
    end_ = steps + 1;  // the pass forwards goes on to the last state: the loss there is one step more
  }
  Status before(const Step<T>& s, const Flow& flow) {
    if (!counted_) return keep(s.n, flow), Status::ok;
    if (s.n == next_ && !slots_.full()) {
      slots_.push(s.n, flow.state);
      next_ = s.n + binomial_advance(end_ - s.n, slots_.free());
    }
    return Status::ok;
  }
  BitLog* log() { return nullptr; }
  Status retreat(long n, Flow& flow, const auto& clock) {
    while (slots_.top() > n) slots_.pop();
    slots_.recall(flow.state), flow.moved();
    end_ = n + 1, counted_ = true;
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
  /// Room for state n: a free slot, or the latest that a higher level follows, or, with the levels falling all along,
  /// the last, whose level plus one it then has. The first state stays.
  void keep(long n, const Flow& flow) {
    long level = 0, highest = -1;
    if (slots_.full()) {
      std::size_t i = slots_.used() - 1;
      for (; i > 0 && level_[i] >= highest; --i) highest = level_[i];
      if (i == 0) i = slots_.used() - 1, level = level_[i] + 1;
      if (i == 0) return;
      slots_.drop(i);
      for (; i < slots_.used(); ++i) level_[i] = level_[i + 1];
    }
    level_[slots_.used()] = level;
    slots_.push(n, flow.state);
  }

  Slots<typename Flow::Word> slots_;
  long* level_ = nullptr;  // [slots]; the first one's is not looked at
  long next_ = 0, end_ = 0, recomputed_ = 0;
  bool counted_ = true;
};
}  // namespace revode
