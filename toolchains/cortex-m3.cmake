# Cortex-M3: no floating-point unit
set(cpu "-mcpu=cortex-m3 -mfloat-abi=soft")
set(machine "mps2-an385")
set(REVODE_BOARD mps2)
include(${CMAKE_CURRENT_LIST_DIR}/arm-none-eabi.cmake)
