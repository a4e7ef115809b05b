/// Undone: exact reversal of a bijective word over Fixed numbers without events: nothing is kept. The self-check
/// compares a hash of the state at both ends: a field that is not a deterministic function of (t, y, theta) almost
/// surely fails it.
#pragma once
#include "revode/way.hpp"

namespace revode {
template <class Flow>
class Undone {
 public:
  using T = typename Flow::T;
  static constexpr bool pulls = false;
  constexpr void place(Arena&, const Flow&, const Plan<T>&) {}
  void begin(const Flow& flow, long) { first_ = fingerprint(flow); }
  Status before(const Step<T>&, const Flow&) { return Status::ok; }
  BitLog* log() { return nullptr; }
  Status retreat(long n, Flow& flow, const auto& clock) {
    flow.unpull(clock.at(n), nullptr);
    return Status::ok;
  }
  Status finish(const Flow& flow) { return fingerprint(flow) == first_ ? Status::ok : Status::irreversible; }
  long recomputed() const { return 0; }

 private:
  std::uint64_t first_ = 0;
};
}  // namespace revode
