// Bytes for all cases, one after another, numbers to fill them with, and the fields that are solved.
#pragma once
#include "check.hpp"
#include "numerics/fields.hpp"
#include "revode/random.hpp"
#include "revode/sequential.hpp"
#include "revode/solve.hpp"

namespace device {
using namespace revode;

/// What the smallest board can spare; a host's pointers and cache lines take more.
inline constexpr std::size_t arena_bytes = REVODE_ALIGN <= 8 && sizeof(void*) == 4 ? 7168 : 65536;
extern std::byte arena_memory[arena_bytes];

inline Arena whole_arena() {
  return Arena(arena_memory, arena_bytes);
}

/// a b, as a size.
constexpr std::size_t product(int a, int b) {
  return static_cast<std::size_t>(a) * static_cast<std::size_t>(b);
}

/// Uniform in (-scale, scale).
void fill(std::uint32_t stream, std::size_t n, float scale, float* x);

inline constexpr int widths[] = {2, 16, 2};
inline constexpr Mlp<float> network{widths, Activation::tanh};
inline constexpr std::size_t network_params = 82;

using fields::Lorenz;
}  // namespace device
