/// Casts without a loss that warnings ask for.
#pragma once
#include <cstddef>
#include <cstdint>

namespace revode::host {
/// Of a count that is not negative.
constexpr std::size_t size(int n) {
  return static_cast<std::size_t>(n);
}
constexpr std::uint8_t byte(char c) {
  return static_cast<std::uint8_t>(c);
}
}  // namespace revode::host
