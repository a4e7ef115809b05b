// A word and a number on a line, in a few bytes of flash.
#pragma once
#include "board.hpp"

namespace print {
inline void line(const char* word, unsigned long value, unsigned base) {
  char text[16];
  char* at = text + sizeof text;
  *--at = 0, *--at = '\n';
  do *--at = "0123456789abcdef"[value % base];
  while ((value /= base) != 0);
  board::write(word);
  board::write(at);
}
}  // namespace print
