# 64-bit RISC-V Linux
set(triplet riscv64-linux-gnu)
set(emulator qemu-riscv64-static)
set(CMAKE_SYSTEM_PROCESSOR riscv64)
include(${CMAKE_CURRENT_LIST_DIR}/linux.cmake)
