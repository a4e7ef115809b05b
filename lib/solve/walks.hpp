// Which walks Solve is built with: REVODE_SOLVE of CMake, a bit a word. What is left out is Status::unsupported.
#pragma once
#include "revode/way.hpp"

#if !defined(REVODE_SOLVE)
#define REVODE_SOLVE 511
#endif

namespace revode::walks {
enum Part : unsigned {
  stored = 1,
  checkpointed = 2,
  reversed = 4,
  taped = 8,
  none = 16,
  real = 32,
  fixed = 64,
  several_steps = 128,  // adams
  two_registers = 256   // low_storage
};

constexpr bool built(unsigned parts) {
  return (REVODE_SOLVE & parts) == parts;
}
/// What a plan asks for.
template <class T>
constexpr unsigned needed(const Plan<T>& plan) {
  return 1u << static_cast<unsigned>(plan.way) | (plan.arithmetic == Arithmetic::fixed ? fixed : real) |
         (plan.method.multistep > 0 ? several_steps : 0u) | (plan.method.low_storage ? two_registers : 0u);
}
static_assert(stored == 1u << static_cast<unsigned>(Way::stored) && none == 1u << static_cast<unsigned>(Way::none));
static_assert(reversed == 1u << static_cast<unsigned>(Way::reversed) &&
              taped == 1u << static_cast<unsigned>(Way::taped));
}  // namespace revode::walks
