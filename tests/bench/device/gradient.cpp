// Instructions of one gradient on a Cortex-M4F: 100 steps of reversible Heun of a 2-16-2 tanh network and back. With
// USE_EIGEN the same method as one would write it with Eigen's fixed sizes, in floats; else StaticSolve, exactly
// undone. QEMU counts an instruction a nanosecond (-icount shift=0), and a tick of the board's 25 MHz timer is 40 of
// them.
#include <cstdint>

#include "board.hpp"
#include "device/budget/print.hpp"
#ifdef USE_EIGEN
#include "by_eigen.hpp"
#else
#include "by_revode.hpp"
#endif

namespace {
struct Timer {
  volatile std::uint32_t control, reload, current;
};
Timer& timer = *reinterpret_cast<Timer*>(0xE000E010);

std::uint32_t ticks() {
  return 0xFFFFFF - timer.current;
}
}  // namespace

int main() {
  timer.reload = 0xFFFFFF;
  timer.current = 0;
  timer.control = 5;
  while (timer.current == 0) {  // until its first reload
  }
  board::paint_stack();
  bench::prepare();
  const std::uint32_t before = ticks();
  const float loss = bench::gradient();
  const std::uint32_t after = ticks();
  print::line("instructions ", 40 * (after - before), 10);
  print::line("stack ", board::stack_used(), 10);
  print::line("loss ", __builtin_bit_cast(unsigned, loss), 16);
  for (int i = 0; i < bench::params; i += 27)
    print::line("theta_bar ", __builtin_bit_cast(unsigned, bench::theta_bar(i)), 16);
  return 0;
}
