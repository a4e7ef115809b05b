/// Tableaus of orders 1 to 4.
#pragma once
#include "revode/tableaus/form.hpp"

namespace revode::tableau {
template <class T>
struct Euler {
  static constexpr T b[] = {1};
};
/// Euler 1768.
template <class T>
inline constexpr Tableau<T> euler = from<T, Euler<T>>("euler", 1);

template <class T>
struct Midpoint {
  static constexpr T a[] = {T(.5)}, b[] = {0, 1}, b_hat[] = {1, 0};
};
/// Runge 1895; embedded Euler.
template <class T>
inline constexpr Tableau<T> midpoint = from<T, Midpoint<T>>("midpoint", 2, 1);

template <class T>
struct Heun {
  static constexpr T a[] = {1}, b[] = {T(.5), T(.5)}, b_hat[] = {1, 0};
};
/// Heun 1900; embedded Euler.
template <class T>
inline constexpr Tableau<T> heun = from<T, Heun<T>>("heun", 2, 1);

template <class T>
struct Fehlberg12 {
  static constexpr T a[] = {T(.5), T(1) / 256, T(255) / 256}, b[] = {T(1) / 512, T(255) / 256, T(1) / 512},
                     b_hat[] = {T(1) / 256, T(255) / 256, 0};
};
/// Fehlberg 1969, 1(2), continued with the second order.
template <class T>
inline constexpr Tableau<T> fehlberg12 = from<T, Fehlberg12<T>>("fehlberg12", 2, 1);

template <class T>
struct Ralston3 {
  static constexpr T a[] = {T(.5), 0, T(.75)}, b[] = {T(2) / 9, T(1) / 3, T(4) / 9}, b_hat[] = {0, 1, 0};
};
/// Ralston 1962, third order; embedded midpoint.
template <class T>
inline constexpr Tableau<T> ralston3 = from<T, Ralston3<T>>("ralston3", 3, 2);

template <class T>
struct BogackiShampine {
  static constexpr T a[] = {T(.5), 0, T(.75), T(2) / 9, T(1) / 3, T(4) / 9}, b[] = {T(2) / 9, T(1) / 3, T(4) / 9, 0},
                     b_hat[] = {T(7) / 24, T(1) / 4, T(1) / 3, T(1) / 8};
};
/// Bogacki and Shampine 1989, 3(2).
template <class T>
inline constexpr Tableau<T> bogacki_shampine = from<T, BogackiShampine<T>>("bogacki_shampine", 3, 2);

template <class T>
struct Rk4 {
  static constexpr T a[] = {T(.5), 0, T(.5), 0, 0, 1}, b[] = {T(1) / 6, T(1) / 3, T(1) / 3, T(1) / 6};
};
/// Kutta 1901.
template <class T>
inline constexpr Tableau<T> rk4 = from<T, Rk4<T>>("rk4", 4);

template <class T>
struct ThreeEighths {
  static constexpr T a[] = {T(1) / 3, T(-1) / 3, 1, 1, -1, 1}, b[] = {T(1) / 8, T(3) / 8, T(3) / 8, T(1) / 8};
};
/// Kutta's 3/8 rule, 1901.
template <class T>
inline constexpr Tableau<T> three_eighths = from<T, ThreeEighths<T>>("three_eighths", 4);
}  // namespace revode::tableau
