// Start-up of a Cortex-M: vector table, FPU, .data and .bss, main. No C library runs before or after it, and nothing
// constructs: sections.ld refuses static constructors.
#include <cstdint>

#include "board.hpp"

extern "C" {
extern std::uint32_t __data_load, __data_start, __data_end, __bss_start, __bss_end, __stack_top;
int program() asm("main");  // C++ does not let main be called by its name
[[noreturn]] void board_reset();
[[noreturn]] void board_start();
[[noreturn]] void board_fault();
}

// The FPU is off after reset, and a compiler may use its registers for plain copies: so before any compiled code.
[[gnu::naked]] void board_reset() {
#if defined(__ARM_FP)
  asm volatile(
      "ldr r0, =0xE000ED88\n"  // CPACR: full access to coprocessors 10 and 11
      "ldr r1, [r0]\n"
      "orr r1, r1, #0xF00000\n"
      "str r1, [r0]\n"
      "dsb\n"
      "isb\n");
#endif
  asm volatile("bl board_start");
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

// A crash is a failure with a message, never a silent loop.
void board_fault() {
  board::write("fault\n");
  board::exit(70);
}

namespace {
using Handler = void (*)();
struct Vectors {
  std::uint32_t* stack;
  Handler reset, faults[14];  // NMI, hard fault, memory, bus, usage; reserved; SVC, debug, PendSV, SysTick
};
}  // namespace
extern "C" {
extern const Vectors board_vectors;
[[gnu::section(".vectors"), gnu::used]] const Vectors board_vectors = {
    &__stack_top,
    board_reset,
    {board_fault, board_fault, board_fault, board_fault, board_fault, board_fault, board_fault, board_fault,
     board_fault, board_fault, board_fault, board_fault, board_fault, board_fault}};
}
