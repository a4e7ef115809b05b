// Words and numbers on the board's only channel, without printf.
#pragma once
#include "board.hpp"

namespace text {
inline void put(const char* word) {
  board::write(word);
}
inline void put(unsigned long value) {
  char digits[12];
  char* at = digits + sizeof digits;
  *--at = 0;
  do *--at = static_cast<char>('0' + value % 10);
  while ((value /= 10) != 0);
  board::write(at);
}
/// Three digits and a power of ten, as in 1.23e-4; not negative.
inline void put(float value) {
  int power = 0;
  if (!(value - value == 0)) return put("not finite");
  for (; value > 0 && value < .9995f; --power) value *= 10;
  for (; value >= 9.995f; ++power) value /= 10;
  auto hundredths = static_cast<unsigned long>(value * 100);
  if (value * 100 - static_cast<float>(hundredths) >= .5f) ++hundredths;
  const char head[] = {static_cast<char>('0' + hundredths / 100), '.', static_cast<char>('0' + hundredths / 10 % 10),
                       static_cast<char>('0' + hundredths % 10),  'e', 0};
  put(head);
  if (power < 0) put("-");
  put(static_cast<unsigned long>(power < 0 ? -power : power));
}
template <class... Parts>
void line(const Parts&... parts) {
  (put(parts), ...);
  board::write("\n");
}
}  // namespace text
