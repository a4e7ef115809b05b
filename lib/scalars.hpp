// The types of numbers the library is compiled for: REVODE_DOUBLE(...) is nothing where floats are all (CMake's
// REVODE_FLOAT_ONLY).
#pragma once

#if defined(REVODE_FLOAT_ONLY)
#define REVODE_DOUBLE(...)
#else
#define REVODE_DOUBLE(...) __VA_ARGS__
#endif

namespace revode {
#if defined(REVODE_FLOAT_ONLY)
using Widest = float;
#else
using Widest = double;
#endif
}  // namespace revode
