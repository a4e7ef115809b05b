# Bare-metal Arm with Debian's gcc-arm-none-eabi and newlib; included by cortex-*.cmake, which set
#   cpu      flags of the processor
#   machine  QEMU's board, REVODE_BOARD its linker script in board/
# newlib is there for memcpy and memset. Neither _sbrk nor --specs=nosys is linked: whatever reached malloc would not.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
set(CMAKE_SIZE arm-none-eabi-size)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_C_FLAGS_INIT "${cpu} -mthumb -ffunction-sections -fdata-sections")
set(CMAKE_CXX_FLAGS_INIT "${CMAKE_C_FLAGS_INIT} -fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-unwind-tables \
-fno-asynchronous-unwind-tables")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostartfiles -nostdlib -Wl,--gc-sections -Wl,--fatal-warnings")
set(CMAKE_CXX_STANDARD_LIBRARIES "-Wl,--start-group -lc -lm -lgcc -Wl,--end-group")
set(CMAKE_C_STANDARD_LIBRARIES "${CMAKE_CXX_STANDARD_LIBRARIES}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
# One instruction of QEMU is one nanosecond, so that runs and their counts repeat.
set(CMAKE_CROSSCOMPILING_EMULATOR
    qemu-system-arm -M ${machine} -display none -monitor none -serial none -chardev stdio,id=out
    -semihosting-config enable=on,target=native,chardev=out -icount shift=0,sleep=off -kernel)
