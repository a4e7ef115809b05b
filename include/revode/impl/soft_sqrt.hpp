// Square root in integers, correctly rounded, for processors without the instruction: no libm symbol is needed
// anywhere.
#pragma once
#include <cstdint>

#include "revode/kernels.hpp"

namespace revode::kernel {
template <class T, class U>
T soft_sqrt(T x) {
  constexpr int fraction_bits = sizeof(T) == 4 ? 23 : 52, bias = sizeof(T) == 4 ? 127 : 1023;
  constexpr U one = U{1} << fraction_bits, sign = U{1} << (8 * sizeof(T) - 1);
  const U u = __builtin_bit_cast(U, x);
  if ((u & ~sign) == 0 || x != x) return x;
  if (u & sign) return (x - x) / (x - x);  // NaN
  int exponent = static_cast<int>(u >> fraction_bits);
  if (exponent == 2 * bias + 1) return x;
  U rest = u & (one - 1);
  if (exponent)
    rest |= one;
  else
    for (exponent = 1; !(rest & one); --exponent) rest <<= 1;
  exponent -= bias;
  if (exponent & 1) rest <<= 1;  // significand in [1, 4), exponent even
  exponent = (exponent & 1 ? exponent - 1 : exponent) / 2;
  // one bit of the root a turn, one more than are kept; the remainder tells the exact half from more (it is never half)
  U root = 0, partial = 0;
  for (U bit = one << 1; bit; bit >>= 1) {
    rest <<= 1;
    if (rest >= partial + bit) {
      rest -= partial + bit;
      partial += bit << 1;
      root += bit;
    }
  }
  root = (root + (root & 1)) >> 1;
  return __builtin_bit_cast(T, static_cast<U>((static_cast<U>(exponent + bias - 1) << fraction_bits) + root));
}
}  // namespace revode::kernel
