// The one elementwise loop of lib/: full packs, then each narrower pack at most once. A function of packs gives every
// element the same bits at any width, so where an element falls does not matter.
#pragma once
#include "revode/impl/pack.hpp"

namespace revode::kernel {
/// The same from k on.
template <class T, int W, class K, class F>
REVODE_INLINE void sweep_from(K k, K n, const F& f) {
  for (; k + W <= n; k += W) f.template operator()<W>(k);
  if constexpr (W > 1)
    if (k < n) sweep_from<T, narrower<T, W>>(k, n, f);
}
/// f.template operator()<W>(k) handles elements k ... k + W - 1.
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
