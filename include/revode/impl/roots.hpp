// Square roots on packs: the processor's instruction, or integers where it has none.
#pragma once
#include "revode/impl/pack.hpp"

#if defined(__arm__) && !defined(__aarch64__)
#define REVODE_HAS_SQRT(T) ((__ARM_FP & (sizeof(T) == 4 ? 4 : 8)) != 0)
#ifndef __ARM_FP
#define __ARM_FP 0
#endif
#elif defined(__riscv)
#ifdef __riscv_flen
#define REVODE_HAS_SQRT(T) (__riscv_flen >= 8 * sizeof(T))
#else
#define REVODE_HAS_SQRT(T) false
#endif
#else
#define REVODE_HAS_SQRT(T) true
#endif
#include "revode/impl/soft_sqrt.hpp"

namespace revode::kernel {
template <class T>
REVODE_INLINE T sqrt_one(T x) {
  if constexpr (!REVODE_HAS_SQRT(T))
    return soft_sqrt<T, typename Unsigned<T>::type>(x);
  else if constexpr (sizeof(T) == 4)
    return __builtin_sqrtf(x);
  else
    return __builtin_sqrt(x);
}
template <class T, int W>
REVODE_INLINE Pack<T, W> sqrt(Pack<T, W> x) {
  if constexpr (W == 1) {
    return sqrt_one<T>(x);
  } else {
    for (int l = 0; l < W; ++l) x[l] = sqrt_one<T>(x[l]);
    return x;
  }
}
}  // namespace revode::kernel
