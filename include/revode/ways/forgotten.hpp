/// Forgotten: the way of inference. Nothing is kept, so there is no way back and no room for one: neither cotangents
/// nor tapes of stages. Any word. Memory none.
#pragma once
#include "revode/way.hpp"

namespace revode {
template <class Flow>
class Forgotten {
 public:
  using T = typename Flow::T;
  static constexpr bool pulls = false, forgets = true;
  constexpr void place(Arena&, const Flow&, const Plan<T>&) {}
  void begin(const Flow&, long) {}
  Status before(const Step<T>&, const Flow&) { return Status::ok; }
  BitLog* log() { return nullptr; }
  Status retreat(long, Flow&, const auto&) { return Status::not_reversible; }
  Status finish(const Flow&) { return Status::not_reversible; }
  long recomputed() const { return 0; }
};
}  // namespace revode
