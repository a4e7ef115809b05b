// What a program needs of the board under it, the same on every target: text out, an exit code, and its stack's depth.
// On bare metal through semihosting (a debugger or QEMU answers), else through the C library.
#pragma once
#include <cstddef>

namespace board {
void write(const char* text);
[[noreturn]] void exit(int code);

/// Fills the free stack with a pattern; stack_used() tells how deep it was overwritten since, from its top. On a host
/// both do nothing and say 0.
void paint_stack();
std::size_t stack_used();
}  // namespace board
