// Start-up of a Cortex-M: vector table and FPU, then start.cpp.
#include <cstdint>

#include "start.hpp"

extern "C" std::uint32_t __stack_top;

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
