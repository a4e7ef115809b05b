# Cortex-M4F: single precision in hardware
set(cpu "-mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard")
set(machine "mps2-an386")
set(REVODE_BOARD mps2)
include(${CMAKE_CURRENT_LIST_DIR}/arm-none-eabi.cmake)
