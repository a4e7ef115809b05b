# Cortex-M55: Helium without its floating point, which flushes denormals where the FPU does not
set(cpu "-mcpu=cortex-m55+nomve.fp -mfloat-abi=hard")
set(machine "mps3-an547")
set(REVODE_BOARD mps3-an547)
include(${CMAKE_CURRENT_LIST_DIR}/arm-none-eabi.cmake)
