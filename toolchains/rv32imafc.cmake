# Bare-metal 32-bit RISC-V, single precision in hardware, with Debian's gcc-riscv64-unknown-elf and picolibc. Debian has
# no C++ library for it, nor one for any bare-metal RISC-V: freestanding/ holds the few headers that the core asks
# for. The architecture is written exactly as a multilib of the compiler: with _zicsr the linker takes those of rv64.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR riscv32)
set(CMAKE_C_COMPILER riscv64-unknown-elf-gcc)
set(CMAKE_CXX_COMPILER riscv64-unknown-elf-g++)
set(CMAKE_SIZE riscv64-unknown-elf-size)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(REVODE_BOARD virt)
set(CMAKE_C_FLAGS_INIT "-march=rv32imafc -mabi=ilp32f -mcmodel=medany -ffunction-sections -fdata-sections \
--specs=picolibc.specs")
set(CMAKE_CXX_FLAGS_INIT "${CMAKE_C_FLAGS_INIT} -isystem ${CMAKE_CURRENT_LIST_DIR}/freestanding -fno-exceptions \
-fno-rtti -fno-threadsafe-statics -fno-unwind-tables -fno-asynchronous-unwind-tables")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostartfiles -nostdlib -Wl,--gc-sections -Wl,-m,elf32lriscv")
set(CMAKE_CXX_STANDARD_LIBRARIES "-Wl,--start-group -lc -lm -lgcc -Wl,--end-group")
set(CMAKE_C_STANDARD_LIBRARIES "${CMAKE_CXX_STANDARD_LIBRARIES}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_CROSSCOMPILING_EMULATOR
    qemu-system-riscv32 -M virt -bios none -display none -monitor none -serial none -chardev stdio,id=out
    -semihosting-config enable=on,target=native,chardev=out -icount shift=0,sleep=off -kernel)
