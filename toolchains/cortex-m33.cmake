# Cortex-M33: single precision in hardware
set(cpu "-mcpu=cortex-m33 -mfpu=fpv5-sp-d16 -mfloat-abi=hard")
set(machine "mps2-an505")
set(REVODE_BOARD mps2-an505)
include(${CMAKE_CURRENT_LIST_DIR}/arm-none-eabi.cmake)
