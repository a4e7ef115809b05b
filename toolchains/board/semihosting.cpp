// Semihosting ("Semihosting for AArch32 and AArch64", Arm 2021; RISC-V uses the same numbers behind its own trap). On a
// board without a debugger the trap is a fault: link a board.hpp of your own there.
#include "board.hpp"

namespace {
enum : int { sys_write0 = 0x04, sys_exit_extended = 0x20 };
constexpr int application_exit = 0x20026;

int call(int operation, const void* argument) {
#if defined(__riscv)
  register long a0 asm("a0") = operation;
  register const void* a1 asm("a1") = argument;
  asm volatile(
      ".balign 16\n.option push\n.option norvc\n"
      "slli zero, zero, 0x1f\nebreak\nsrai zero, zero, 7\n.option pop"
      : "+r"(a0)
      : "r"(a1)
      : "memory");
  return static_cast<int>(a0);
#else
  register int r0 asm("r0") = operation;
  register const void* r1 asm("r1") = argument;
  asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
#endif
}
}  // namespace

void board::write(const char* text) {
  call(sys_write0, text);
}

void board::exit(int code) {
  const long block[] = {application_exit, code};
  for (;;) call(sys_exit_extended, block);
}
