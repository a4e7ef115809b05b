/// Pairs of order 5(4). The figures of the continuous extensions are those of x^4 in Hairer, Norsett and Wanner's
/// DOPRI5 (of Shampine 1986) and in Tsitouras 2011.
#pragma once
#include "revode/tableaus/form.hpp"

namespace revode::tableau {
template <class T>
struct CashKarp {
  static constexpr T a[] = {
      T(1) / 5,                                                                         // c = 1/5
      T(3) / 40,       T(9) / 40,                                                       // 3/10
      T(3) / 10,       T(-9) / 10,   T(6) / 5,                                          // 3/5
      T(-11) / 54,     T(5) / 2,     T(-70) / 27,    T(35) / 27,                        // 1
      T(1631) / 55296, T(175) / 512, T(575) / 13824, T(44275) / 110592, T(253) / 4096,  // 7/8
  };
  static constexpr T b[] = {T(37) / 378, 0, T(250) / 621, T(125) / 594, 0, T(512) / 1771};
  static constexpr T b_hat[] = {T(2825) / 27648, 0, T(18575) / 48384, T(13525) / 55296, T(277) / 14336, T(1) / 4};
};
/// Cash and Karp 1990, 5(4).
template <class T>
inline constexpr Tableau<T> cash_karp = from<T, CashKarp<T>>("cash_karp", 5, 4);

template <class T>
struct DormandPrince5 {
  static constexpr T a[] = {
      T(1) / 5,
      T(3) / 40,
      T(9) / 40,
      T(44) / 45,
      T(-56) / 15,
      T(32) / 9,
      T(19372) / 6561,
      T(-25360) / 2187,
      T(64448) / 6561,
      T(-212) / 729,
      T(9017) / 3168,
      T(-355) / 33,
      T(46732) / 5247,
      T(49) / 176,
      T(-5103) / 18656,
      T(35) / 384,
      0,
      T(500) / 1113,
      T(125) / 192,
      T(-2187) / 6784,
      T(11) / 84,
  };
  static constexpr T b[] = {T(35) / 384, 0, T(500) / 1113, T(125) / 192, T(-2187) / 6784, T(11) / 84, 0};
  static constexpr T b_hat[] = {T(5179) / 57600, 0,        T(7571) / 16695, T(393) / 640, T(-92097) / 339200,
                                T(187) / 2100,   T(1) / 40};
  static constexpr T bulge[] = {T(-12715105075.L / 11282082432),  0,
                                T(87487479700.L / 32700410799),   T(-10690763975.L / 1880347072),
                                T(701980252875.L / 199316789632), T(-1453857185.L / 822651844),
                                T(69997945.L / 29380423)};
};
/// Dormand and Prince 1980, 5(4).
template <class T>
inline constexpr Tableau<T> dormand_prince5 = from<T, DormandPrince5<T>>("dormand_prince5", 5, 4);

template <class T>
struct Tsitouras5 {
  static constexpr T a[] = {
      T(0.161),  // c = 0.161
      T(-0.008480655492356989),
      T(0.335480655492357),  // 0.327
      T(2.8971530571054935),
      T(-6.359448489975075),
      T(4.3622954328695815),  // 0.9
      T(5.325864828439257),
      T(-11.748883564062828),
      T(7.4955393428898365),
      T(-0.09249506636175525),  // 0.9800255409
      T(5.86145544294642),
      T(-12.92096931784711),
      T(8.159367898576159),
      T(-0.071584973281401),
      T(-0.028269050394068383),  // 1
      T(0.09646076681806523),
      T(0.01),
      T(0.4798896504144996),
      T(1.379008574103742),
      T(-3.290069515436081),
      T(2.324710524099774),  // 1
  };
  static constexpr T b[] = {
      T(0.09646076681806523), T(0.01), T(0.4798896504144996), T(1.379008574103742), T(-3.290069515436081),
      T(2.324710524099774),   0};
  static constexpr T b_hat[] = {T(0.09468075576583945),
                                T(0.009183565540343254),
                                T(0.4877705284247616),
                                T(1.234297566930479),
                                T(-2.7077123499835256),
                                T(1.866628418170587),
                                T(1) / 66};
  static constexpr T bulge[] = {
      T(-1.0530884977290216),   T(0.1017), T(2.490627285651252793), T(-16.54810288924490272), T(47.37952196281928122),
      T(-34.87065786149660974), T(2.5)};
};
/// Tsitouras 2011, 5(4).
template <class T>
inline constexpr Tableau<T> tsitouras5 = from<T, Tsitouras5<T>>("tsitouras5", 5, 4);
}  // namespace revode::tableau
