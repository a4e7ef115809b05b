// sin and cos on packs. The reduction is exact up to |x| = 2^22 (2^51) quarter turns; beyond it, where neighbouring
// numbers are a radian apart, the answer is NaN rather than noise.
#pragma once
#include "revode/impl/polynomial.hpp"

namespace revode::kernel {
template <class T, int W>
struct Trigonometry : On<T, W> {
  using O = On<T, W>;
  using P = Polynomial<T, W>;
  using O::all;
  using O::fma;
  using O::single;
  using typename O::U;
  using typename O::V;

  static REVODE_INLINE V sin(V x) { return quarter<0>(x); }
  static REVODE_INLINE V cos(V x) { return quarter<1>(x); }

 private:
  template <unsigned ahead>
  static REVODE_INLINE V quarter(V x) {
    constexpr T shift = single ? T(12582912) : T(6755399441055744), limit = single ? T(0x1p22) : T(0x1p51);
    constexpr T high = single ? T(0x1.921fb6p0) : T(0x1.921fb54442d18p0);  // pi / 2 in three words
    constexpr T middle = single ? T(-0x1.777a5cp-25) : T(0x1.1a62633145c07p-54);
    constexpr T low = single ? T(-0x1.ee59dap-50) : T(-0x1.f1976b7ed8fbcp-110);
    const V t = fma(x, all(T(0.63661977236758134308)), all(shift)), n = t - shift;
    V r = fma(n, all(-low), fma(n, all(-middle), fma(n, all(-high), x)));
    r = O::magnitude(x) <= limit ? r : all(static_cast<T>(__builtin_nanf("")));
    const V z = r * r, s = fma(sin_rest(z) * z, r, r), c = fma(z * z, cos_rest(z), fma(z, all(T(-0.5)), all(T(1))));
    const U q = O::bits(t) + ahead;
    const V value = (q & 1) != 0 ? c : s;
    return O::real(O::bits(value) ^ ((q & 2) << (8 * sizeof(T) - 2)));
  }
  static REVODE_INLINE V sin_rest(V z) {  // (sin(r) / r - 1) / z
    if constexpr (single)
      return P::horner(z, {T(-0.16666666641977476227), T(0.0083333293442740981894), T(-0.00019839306578446408133),
                           T(2.7179515124360728444e-6)});
    else
      return P::estrin(z, {T(-0.16666666666666666645), T(0.0083333333333333235144), T(-0.00019841269841255419092),
                           T(2.755731921420185355e-6), T(-2.5052104882583424477e-8), T(1.605835984354994212e-10),
                           T(-7.5782409328977716612e-13)});
  }
  static REVODE_INLINE V cos_rest(V z) {  // (cos(r) - 1 + z / 2) / z^2
    if constexpr (single)
      return P::horner(z, {T(0.041666655974866295853), T(-0.0013887731392586805587), T(0.000024473359028647621842)});
    else
      return P::estrin(z, {T(0.041666666666666659571), T(-0.0013888888888883986911), T(0.000024801587295228522201),
                           T(-2.7557315891663477336e-7), T(2.0875916871712703753e-9), T(-1.1368917569283423042e-11)});
  }
};
}  // namespace revode::kernel
