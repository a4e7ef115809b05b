// The stack lies between __stack_limit and __stack_top and grows down (sections.ld).
#include <cstdint>

#include "board.hpp"

extern "C" {
extern std::uint32_t __stack_limit, __stack_top;
}

namespace {
constexpr std::uint32_t paint = 0xC5C5C5C5;
}

void board::paint_stack() {
  const std::uint32_t here = 0;
  const std::size_t margin = 16;  // this function's own words
  auto end = reinterpret_cast<std::uintptr_t>(&here) - margin * sizeof here;
  for (volatile std::uint32_t* at = &__stack_limit; reinterpret_cast<std::uintptr_t>(at) < end; ++at) *at = paint;
}

std::size_t board::stack_used() {
  const volatile std::uint32_t* at = &__stack_limit;
  while (at < &__stack_top && *at == paint) ++at;
  return static_cast<std::size_t>(&__stack_top - at) * sizeof *at;
}
