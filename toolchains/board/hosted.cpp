// A target with an operating system.
#include <cstdio>
#include <cstdlib>

#include "board.hpp"

void board::write(const char* text) {
  std::fputs(text, stdout);
}
void board::exit(int code) {
  std::exit(code);
}
void board::paint_stack() {}
std::size_t board::stack_used() {
  return 0;
}
