// The one elementwise loop of lib/. A function of packs gives every element the same bits at any width, so where an
// element falls does not matter.
#pragma once
#include "revode/impl/pack.hpp"

namespace revode::kernel {
/// As sweep_from() of all.
template <class T, class F>
REVODE_INLINE void sweep(std::size_t n, const F& f) {
  constexpr std::size_t W = width<T>;
  std::size_t k = 0;
  if constexpr (W > 1) {
    for (; k + 2 * W <= n; k += 2 * W) {  // two chains hide each other's latency
      f.template operator()<width<T>>(k);
      f.template operator()<width<T>>(k + W);
    }
  }
  sweep_from<T, width<T>>(k, n, f);
}
}  // namespace revode::kernel
