// exp, expm1, log and their relatives on packs: one order of roundings, no table, no libm, no branch on a value; NaN in
// gives NaN out. Rounding to an integer adds and takes away 1.5 * 2^23 (2^52): the low bits of the sum are the integer.
// Reductions subtract n * constant by fma: the leading product is exact, so one rounding remains (Cody and Waite 1980).
#pragma once
#include "revode/impl/polynomial.hpp"

namespace revode::kernel {
template <class T, int W>
struct Elementary : On<T, W> {
  using O = On<T, W>;
  using P = Polynomial<T, W>;
  using O::all;
  using O::fma;
  using O::single;
  using typename O::U;
  using typename O::V;
  static constexpr int fraction_bits = single ? 23 : 52;
  static constexpr auto bias = static_cast<typename Unsigned<T>::type>(single ? 127 : 1023);
  static constexpr T round_shift = single ? T(12582912 + 127) : T(6755399441055744 + 1023);

  static REVODE_INLINE V exp(V x) { return exp_below(O::at_most(x, single ? T(89) : T(710))); }
  /// e^x - 1, x <= 88 (709)
  static REVODE_INLINE V expm1(V x) {
    const Reduced y = reduce(O::at_least(x, T(-60)));
    const V s = power_of_two(y.biased);
    return fma(expm1_near_zero(y.r), s, s - T(1));
  }
  static REVODE_INLINE V tanh(V x) {
    return tanh(x, [](V p, V q) { return p / q; });
  }
  /// quotient(p, q) is p / q, rounded once.
  template <class Quotient>
  static REVODE_INLINE V tanh(V x, const Quotient& quotient) {
    if constexpr (single) {
      V y[1] = {x};
      tanh_abreast(y, [&](V p, V q, int) REVODE_INLINED { return quotient(p, q); });
      return y[0];
    } else {
      // 2|x| = n ln 2 + r, e^r = (d + m) / (d - m) with d = 2 + z D(z), m = r + r z N(z), z = r^2 (error 2^-57.5): then
      // tanh = (e^2|x| - 1) / (e^2|x| + 1) = p / (p + d - m), p = ((2^n - 1) d + (2^n + 1) m) / 2. Never above one.
      const V a = O::magnitude(x), t = fma(a, all(2 * log2_e), all(round_shift - 1));
      const Reduced y = reduced(a + a, t, round_shift - 1);
      const V half = power_of_two(y.biased), less = half - T(0.5), more = half + T(0.5);
      const V z = y.near * y.near, rz = y.near * z;
      const V N = fma(z, all(T(6.6087470856297255e-5)), all(T(0.027774769805484711)));
      const V D = fma(z, all(T(0.0019835254651170974)), all(T(0.22221620627763207)));
      const V p = fma(more, y.r, less + less) + fma(more * rz, N, less * z * D);
      const V rest = T(2) - y.r + fma(-rz, N, z * D);
      const V q = quotient(p, p + rest);
      // with_sign() of what has none, in fewer operations
      return O::real(O::bits(a > T(19.1) ? all(T(1)) : q) | (O::bits(x) ^ O::bits(a)));
    }
  }
  /// Of N packs of floats, in place, each stage of all of them before the next; quotient(p, q, k) is that of pack k.
  /// Odd rational 9/8, error 2^-27.4 up to 7.9; from there one is within 5 ulp, and no more than it.
  template <int N, class Quotient>
  static REVODE_INLINE void tanh_abreast(V (&x)[N], const Quotient& quotient) requires(single) {
    constexpr T last = T(7.9);
    V z[N], p[N], q[N];
    typename O::Where above[N];
    REVODE_UNROLL for (int k = 0; k < N; ++k) z[k] = x[k] * x[k];
    REVODE_UNROLL for (int k = 0; k < N; ++k) above[k] = O::above(z[k], last * last);
    P::horner(z, q, {T(1), T(0.46783951695098), T(0.026192252088362), T(0.00034236567744887), T(8.5988178351277e-7)});
    P::horner(z, p, {T(1), T(0.1345062369382), T(0.0035789957723362), T(2.2023309318788e-5), T(1.5428069395322e-8)});
    REVODE_UNROLL for (int k = 0; k < N; ++k) p[k] = x[k] * p[k];
    REVODE_UNROLL for (int k = 0; k < N; ++k) p[k] = quotient(p[k], q[k], k);
    REVODE_UNROLL for (int k = 0; k < N; ++k) x[k] = O::sign_where(above[k], x[k], p[k]);
  }
  static REVODE_INLINE V sigmoid(V x) {  // e^-|x| in (0, 1]: no overflow, and the small tail keeps its digits
    const V u = exp_below(-O::magnitude(x)), top = x < T(0) ? u : all(T(1));
    return top / (u + T(1));
  }
  static REVODE_INLINE V silu(V x) {
    const V clamped = O::at_least(x, single ? T(-110) : T(-750));  // -inf * 0 would be NaN
    return clamped * sigmoid(x);
  }
  static REVODE_INLINE V elu(V x) {
    const V below = expm1(O::at_most(x, T(0)));
    return x > T(0) ? x : below;
  }
  static REVODE_INLINE V softplus(V x) {  // max(x, 0) + log1p(u), u = e^-|x|; log1p(u) = 2 artanh(u / (2 + u))
    const V u = exp_below(-O::magnitude(x)), s = u / (u + T(2)), z = s * s;
    V p;
    if constexpr (single)
      p = P::horner(z, {T(0.66666675622724369044), T(0.39998877680725478662), T(0.28616886407968855118),
                        T(0.21427641193855097992), T(0.243009948101817647)});
    else
      p = P::estrin(
          z, {T(0.66666666666666678319), T(0.3999999999999397771), T(0.28571428572510019169), T(0.22222222125471222842),
              T(0.18181823202893397589), T(0.15384451932809096779), T(0.1333680581043074476), T(0.1171595072630586729),
              T(0.10972566670142785563), T(0.069942466962384907583), T(0.16467636476351863804)});
    return fma(fma(p, z, all(T(2))), s, O::at_least(x, T(0)));
  }
  static REVODE_INLINE V log(V x) {
    constexpr T up = single ? T(33554432) : T(18014398509481984), least = single ? T(0x1p-126) : T(0x1p-1022);
    const V y = x < least ? x * up : x, lifted = x < least ? all(T(fraction_bits + 2)) : all(T(0));
    // y = 2^e (1 + f), sqrt(1/2) <= 1 + f < sqrt(2): the subtrahend of the bits is those of sqrt(1/2)
    constexpr auto root_half = static_cast<typename Unsigned<T>::type>(single ? 0x3f3504f3 : 0x3fe6a09e667f3bcd);
    const U above = O::bits(y) - root_half;
    const V e = signed_exponent(above) - lifted;
    constexpr auto fraction = (typename Unsigned<T>::type{1} << fraction_bits) - 1;
    const V f = O::real((above & fraction) + root_half) - T(1);
    const V s = f / (f + T(2)), z = s * s, half = f * f * T(0.5);
    V p;
    if constexpr (single)
      p = P::horner(z, {T(0.66666665635826510509), T(0.40000337567830764046), T(0.28537146225550223819),
                        T(0.23585428414796714587)});
    else
      p = P::estrin(z, {T(0.66666666666667355343), T(0.39999999999406346688), T(0.28571428744419997452),
                        T(0.22222198347568498449), T(0.18183576884315941881), T(0.15313709065294488926),
                        T(0.14799559211136554519)});
    const V tail = fma(s, fma(p, z, half), e * ln2_low);
    return log_edges(x, fma(e, all(ln2_high), f - (half - tail)));
  }

 protected:
  static constexpr T log2_e = T(1.44269504088896340736);
  static constexpr T ln2_high = single ? T(0x1.62e43p-1) : T(0x1.62e42fefa39efp-1);
  static constexpr T ln2_low = single ? T(-0x1.05c61p-29) : T(0x1.abc9e3b39803fp-56);
  struct Reduced {  // x = n ln 2 + r
    V r, near;      // the same before the last digits of ln 2, for what r's square and more are
    U biased;       // n + bias in the low bits, what is left of round_shift above them
  };
  static REVODE_INLINE Reduced reduce(V x) { return reduced(x, fma(x, all(log2_e), all(round_shift)), round_shift); }
  static REVODE_INLINE Reduced reduced(V x, V t, T shift) {  // t = n + shift
    const V n = t - shift, near = fma(n, all(-ln2_high), x);
    return {fma(n, all(-ln2_low), near), near, O::bits(t)};
  }
  /// e^x, x <= 89 (710), by two scalings: right from the last subnormal up to infinity
  static REVODE_INLINE V exp_below(V x) {
    const Reduced y = reduce(O::at_least(x, single ? T(-105) : T(-746)));
    const U biased = y.biased - (O::bits(all(round_shift)) - (bias << 1)), half = biased >> 1;
    return (expm1_near_zero(y.r) + T(1)) * power_of_two(half) * power_of_two(biased - half);
  }
  /// 2^(biased - bias); bits above the exponent's fall off
  static REVODE_INLINE V power_of_two(U biased) { return O::real(biased << fraction_bits); }
  /// e^r - 1, |r| <= ln(2) / 2
  static REVODE_INLINE V expm1_near_zero(V r) {
    V p;
    if constexpr (single)
      p = P::horner(r, {T(0.50000000630184260498), T(0.16666665857993212056), T(0.041666306088456030677),
                        T(0.0083335016210885256702), T(0.0013944049475524893384), T(0.00019787219770413507674)});
    else
      p = P::estrin(r, {T(0.5000000000000008541), T(0.16666666666666425719), T(0.041666666666544739704),
                        T(0.0083333333334914729363), T(0.0013888888940320502415), T(0.00019841269505264296995),
                        T(0.000024801496129566866628), T(2.7557592367356275547e-6), T(2.7629278182409683344e-7),
                        T(2.4997072119759834072e-8)});
    return fma(r * r, p, r);
  }
  /// The exponent that bits hold above the fraction, as a number: exact, without an integer conversion.
  static REVODE_INLINE V signed_exponent(U above) {
    // the top bit of `above` is the sign of the exponent; flipping it makes a small natural number of it
    constexpr auto half = typename Unsigned<T>::type{1} << (8 * sizeof(T) - 1 - fraction_bits);
    const U natural = ((above >> fraction_bits) + half) & ((half << 1) - 1);
    constexpr T big = single ? T(8388608) : T(4503599627370496);
    return O::real(natural | O::bits(all(big))) - (big + T(half));
  }
  static REVODE_INLINE V log_edges(V x, V y) {
    constexpr T infinity = static_cast<T>(__builtin_inff());
    y = x < infinity ? y : x;  // infinity and NaN go through
    y = x == T(0) ? all(-infinity) : y;
    return x < T(0) ? all(static_cast<T>(__builtin_nanf(""))) : y;
  }
};
}  // namespace revode::kernel
