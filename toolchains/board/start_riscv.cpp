// Start-up of a RISC-V hart in machine mode: stack, trap vector and FPU, then start.cpp.
#include "start.hpp"

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
