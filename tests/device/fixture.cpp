#include "fixture.hpp"

namespace device {
alignas(REVODE_ALIGN) std::byte arena_memory[arena_bytes];

void fill(std::uint32_t stream, std::size_t n, float scale, float* x) {
  Random random(20260723, stream);
  for (std::size_t i = 0; i < n; ++i) x[i] = scale * (2 * random.uniform() - 1);
}
}  // namespace device
