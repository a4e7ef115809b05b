// Memory of the benchmarks: bytes from the heap, aligned as an arena wants them.
#pragma once
#include <cstddef>
#include <vector>

#include "revode/arena.hpp"

namespace bench {
class Bytes {
 public:
  explicit Bytes(std::size_t size) : lines_((size + REVODE_ALIGN - 1) / REVODE_ALIGN) {}
  revode::Arena arena() { return {lines_.data(), lines_.size() * REVODE_ALIGN}; }

 private:
  struct alignas(REVODE_ALIGN) Line {
    std::byte byte[REVODE_ALIGN];
  };
  std::vector<Line> lines_;
};
}  // namespace bench
