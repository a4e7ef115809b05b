// Start-up of a RISC-V hart in machine mode: stack, trap vector, FPU, .data and .bss, main.
#include <cstdint>

#include "board.hpp"

extern "C" {
extern std::uint32_t __data_load, __data_start, __data_end, __bss_start, __bss_end;
int program() asm("main");  // C++ does not let main be called by its name
[[noreturn]] void board_reset();
[[noreturn]] void board_start();
[[noreturn]] void board_fault();
}

[[gnu::naked, gnu::section(".vectors"), gnu::used]] void board_reset() {
  asm volatile(
      ".option push\n.option norelax\n"
      "la gp, __global_pointer$\n"
      ".option pop\n"
      "la sp, __stack_top\n"
      ".option push\n.option arch, +zicsr\n"
      "la t0, board_fault\n"
      "csrw mtvec, t0\n"
      "li t0, 0x2000\n"  // mstatus.FS: on, or the first floating-point instruction traps
      "csrs mstatus, t0\n"
      ".option pop\n"
      "j board_start");
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

[[gnu::aligned(4)]] void board_fault() {
  board::write("fault\n");
  board::exit(70);
}
