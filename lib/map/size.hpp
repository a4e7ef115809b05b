// Counts of rows and lanes are int in the interface, and products of them addresses.
#pragma once
#include <cstddef>

namespace revode {
inline std::size_t size(int n) {
  return static_cast<std::size_t>(n);
}
}  // namespace revode
