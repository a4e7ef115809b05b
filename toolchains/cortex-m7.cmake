# Cortex-M7: single precision in hardware
set(cpu "-mcpu=cortex-m7 -mfpu=fpv5-sp-d16 -mfloat-abi=hard")
set(machine "mps2-an500")
set(REVODE_BOARD mps2)
include(${CMAKE_CURRENT_LIST_DIR}/arm-none-eabi.cmake)
