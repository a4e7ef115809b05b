// The end of a program whose size is watched: its stack, and whether it did its work.
#pragma once
#include "board.hpp"
#include "revode/status.hpp"

namespace image {
/// "# stack N"
inline int end(revode::Status status) {
  char text[] = "# stack 000000\n";
  char* digit = text + 13;
  for (auto n = static_cast<unsigned>(board::stack_used()); n != 0; n /= 10) *digit-- = static_cast<char>('0' + n % 10);
  board::write(text);
  return static_cast<int>(status);
}
}  // namespace image
