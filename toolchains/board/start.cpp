// Start-up behind the machine's own part: .data and .bss, main. No C library runs before or after it, and nothing
// constructs: sections.ld refuses static constructors.
#include "start.hpp"

#include <cstdint>

#include "board.hpp"

extern "C" {
extern std::uint32_t __data_load, __data_start, __data_end, __bss_start, __bss_end;
int program() asm("main");  // C++ does not let main be called by its name
}

void board_start() {
  const std::uint32_t* from = &__data_load;
  for (std::uint32_t* to = &__data_start; to < &__data_end;) {
    *to++ = *from++;
    asm volatile("" ::: "memory");  // a loop that stays a loop: memcpy may not be linked
  }
  for (std::uint32_t* to = &__bss_start; to < &__bss_end;) {
    *to++ = 0;
    asm volatile("" ::: "memory");
  }
  board::exit(program());
}

// A crash is a failure with a message, never a silent loop. Aligned as RISC-V wants its trap vector.
[[gnu::aligned(4)]] void board_fault() {
  board::write("fault\n");
  board::exit(70);
}
