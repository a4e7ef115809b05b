// What start-up of any processor hands over to: start_arm.cpp and start_riscv.cpp set the machine up, start.cpp goes
// on.
#pragma once

extern "C" {
[[noreturn]] void board_reset();
[[noreturn]] void board_start();
[[noreturn]] void board_fault();
}
