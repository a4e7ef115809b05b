// tanh of single precision where the divider is what a loop waits for (AVX-512: 8 to 10 clk a pack on Intel's, which
// meanwhile has room for other instructions): every fourth pack's quotient comes without it, with the same bits.
#pragma once
#include "revode/impl/elementary.hpp"

namespace revode::kernel {
/// y = tanh(x) of as many leading numbers as this is for; how many.
template <class T>
inline std::size_t tanh_undivided(std::size_t, const T*, T*) {
  return 0;
}
#if defined(__AVX512F__) && defined(__AVX512DQ__)
/// tanh's p / q, rounded once (Markstein 1990). From an approximation within 2^-14 a Newton step leaves r within
/// 1/16 ulp of 1 / q before it is rounded, so r is the nearest number or next to it. Over all x the corrected quotient
/// has the bits of the division from the nearest; from its neighbours but for six |x|, whose 1 / q is farther than
/// that from the middle between two numbers: tests/unit/elementary.cpp tries all three.
REVODE_INLINE Pack<float, 16> undivided(Pack<float, 16> p, Pack<float, 16> q) {
  using O = On<float, 16>;
  const auto about = __builtin_ia32_rcp14ps512_mask(q, q, static_cast<unsigned short>(-1));
  const auto r = O::fma(O::fma(-q, about, O::all(1)), about, about), y = p * r;
  return O::fma(-O::fma(q, y, -p), r, y);  // of this sign: a zero keeps its own
}
inline std::size_t tanh_undivided(std::size_t n, const float* x, float* y) {
  using O = On<float, 16>;
  using E = Elementary<float, 16>;
  std::size_t k = 0;
  for (; k + 64 <= n; k += 64) {
    O::store(y + k, E::tanh(O::load(x + k), undivided));
    for (std::size_t l = k + 16; l < k + 64; l += 16) O::store(y + l, E::tanh(O::load(x + l)));
  }
  return k;
}
#endif
}  // namespace revode::kernel
