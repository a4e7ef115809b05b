/// Sizes and bytes out of what other interfaces give them as.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace revode::host {
/// Of a count that is not negative.
constexpr std::size_t size(int n) {
  return static_cast<std::size_t>(n);
}
constexpr std::uint8_t byte(char c) {
  return static_cast<std::uint8_t>(c);
}
/// Four bytes from `at` on, the highest first.
constexpr std::uint32_t big_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | byte(bytes[at + i]);
  return value;
}
}  // namespace revode::host
