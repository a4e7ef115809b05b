// a * b + c with one rounding, in integers, for processors without a fused multiply-add: the libm of bare-metal tool
// chains rounds twice (newlib's fmaf goes through double, its fma is a plain sum), which no promise of equal bits
// survives.
#pragma once
#include <cstdint>

namespace revode::kernel {
namespace soft {
struct Unpacked {
  int exponent;  // of the last bit of the significand, biased; significand 0 for zero
  std::uint32_t significand;
};

inline Unpacked unpack(std::uint32_t bits) {
  const int exponent = static_cast<int>(bits >> 23 & 255);
  const std::uint32_t fraction = bits & 0x7fffff;
  if (exponent) return {exponent, fraction | 0x800000};
  if (!fraction) return {0, 0};
  const int up = __builtin_clz(fraction) - 8;  // subnormal
  return {1 - up, fraction << up};
}

/// v >> n where whatever falls off is remembered in the last bit
inline std::uint64_t shift_sticky(std::uint64_t v, int n) {
  if (n <= 0) return v;
  if (n > 63) return v != 0;
  return v >> n | static_cast<std::uint64_t>((v << (64 - n)) != 0);
}

/// sign, v * 2^exponent (v != 0) to the nearest float, half to even
inline float round_pack(std::uint32_t sign, std::uint64_t v, int exponent) {
  const int top = 63 - __builtin_clzll(v);
  int biased = top + exponent + 127, drop = top - 23;
  if (biased <= 0) {  // subnormal: fewer bits stay
    drop += 1 - biased;
    biased = 1;
  }
  if (biased >= 255) return __builtin_bit_cast(float, sign | 0x7f800000u);
  std::uint32_t kept = 0;
  if (drop <= 0) {
    kept = static_cast<std::uint32_t>(v << -drop);
  } else if (drop <= 63) {
    kept = static_cast<std::uint32_t>(v >> drop);
    const std::uint64_t rest = v << (64 - drop), half = std::uint64_t{1} << 63;
    kept += rest > half || (rest == half && (kept & 1));
  }  // else less than a quarter of the smallest subnormal
  // a significand without its leading bit takes one from the exponent: subnormals come out right, and a carry adds one
  return __builtin_bit_cast(float, sign | ((static_cast<std::uint32_t>(biased - 1) << 23) + kept));
}
}  // namespace soft

inline float soft_fma(float a, float b, float c) {
  const auto ua = __builtin_bit_cast(std::uint32_t, a), ub = __builtin_bit_cast(std::uint32_t, b),
             uc = __builtin_bit_cast(std::uint32_t, c);
  const auto special = [](std::uint32_t u) { return (u >> 23 & 255) == 255; };
  if (special(ua) || special(ub) || ua << 1 == 0 || ub << 1 == 0) return a * b + c;  // the product is exact
  if (special(uc)) return c + c;  // a * b may overflow on the way, and infinity less infinity is not c
  const soft::Unpacked fa = soft::unpack(ua), fb = soft::unpack(ub), fc = soft::unpack(uc);
  // product p 2^at and addend q 2^(fc.exponent - 188) with room above for a carry and below for the sticky bit
  std::uint64_t p = (static_cast<std::uint64_t>(fa.significand) * fb.significand) << 14;
  std::uint64_t q = static_cast<std::uint64_t>(fc.significand) << 38;
  int at = fa.exponent + fb.exponent - 314;
  const int ahead = q ? at - (fc.exponent - 188) : 0;
  q = soft::shift_sticky(q, ahead);
  p = soft::shift_sticky(p, -ahead);
  if (ahead < 0) at -= ahead;
  std::uint32_t sign = (ua ^ ub) & 0x80000000u;
  std::uint64_t sum = p + q;
  if ((sign ^ uc) & 0x80000000u) {
    sum = p >= q ? p - q : q - p;
    if (p < q) sign ^= 0x80000000u;
    if (!sum) return 0.0f;
  }
  return soft::round_pack(sign, sum, at);
}
}  // namespace revode::kernel
