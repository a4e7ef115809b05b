# Cortex-M0+: no floating-point unit; emulated on the 16 KiB of a micro:bit
set(cpu "-mcpu=cortex-m0plus -mfloat-abi=soft")
set(machine "microbit")
set(REVODE_BOARD microbit)
include(${CMAKE_CURRENT_LIST_DIR}/arm-none-eabi.cmake)
