// tanh of single precision where the divider is what a loop waits for (AVX-512: 8 to 10 clk a pack on Intel's, which
// meanwhile has room for other instructions): one of some packs has its quotient without it, with the same bits.
#pragma once
#include <concepts>

#include "revode/impl/slopes.hpp"

namespace revode::kernel {
namespace named {
void undivided(None);
#if defined(__AVX512F__) && defined(__AVX512DQ__)
/// tanh's p / q, rounded once (Markstein 1990). From an approximation within 2^-14 a Newton step leaves r within
/// 1/16 ulp of 1 / q before it is rounded, so r is the nearest number or next to it. Over all x the corrected quotient
/// has the bits of the division from the nearest; from its neighbours but for six |x|, whose 1 / q is farther than
/// that from the middle between two numbers: tests/unit/elementary.cpp tries all three.
template <std::same_as<Pack<float, 16>> V>
REVODE_INLINE V undivided(V p, V q) {
  using O = On<float, 16>;
  const auto about = __builtin_ia32_rcp14ps512_mask(q, q, static_cast<unsigned short>(-1));
  const auto r = O::fma(O::fma(-q, about, O::all(1)), about, about), y = p * r;
  return O::fma(-O::fma(q, y, -p), r, y);  // of this sign: a zero keeps its own
}
#endif
}  // namespace named

/// Packs side by side, of which one may leave the divider to the others.
inline constexpr int to_a_divider = 4;

template <class V>
concept Undivided = requires(V v) {
  named::undivided(v, v);
};
template <Activation A, class T>
inline constexpr bool leaves_divider = Undivided<Pack<T, width<T>>>&& A == Activation::tanh;

/// a(x[k]) of packs side by side, in place; the last one without the divider where it can be done without.
template <Activation A, class T, int W, int N>
REVODE_INLINE void activate_abreast(Pack<T, W> (&x)[N]) {
  if constexpr (leaves_divider<A, T> && W == width<T> && N > 1)
    Elementary<T, W>::tanh_abreast(
        x, [](auto p, auto q, int k) REVODE_INLINED { return k + 1 < N ? p / q : named::undivided(p, q); });
  else
    REVODE_UNROLL for (int k = 0; k < N; ++k) x[k] = Slopes<T, W>::value(A, x[k]);
}
}  // namespace revode::kernel
