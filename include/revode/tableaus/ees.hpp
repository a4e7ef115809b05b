/// Explicit and effectively symmetric: of order 2, but stepping back by -h returns to a higher one (Shmelev et al.,
/// arXiv 2507.21006).
#pragma once
#include "revode/tableaus/form.hpp"

namespace revode::tableau {
template <class T>
struct Ees25 {
  static constexpr T a[] = {T(1) / 3, T(-5) / 48, T(15) / 16}, b[] = {T(1) / 10, T(1) / 2, T(2) / 5};
};
/// EES(2,5; x = 1/10): symmetric to order 5.
template <class T>
inline constexpr Tableau<T> ees25 = from<T, Ees25<T>>("ees25", 2);

inline constexpr double root2 = 1.41421356237309504880;
template <class T>
struct Ees27 {
  static constexpr T a[] = {T((2 - root2) / 3),          T((-4 + root2) / 24),
                            T((4 + root2) / 8),          T((-176 + 145 * root2) / 168),
                            T(3 * (8 - 5 * root2) / 56), T(3 * (3 - root2) / 7)};
  static constexpr T b[] = {T((5 - 3 * root2) / 14), T((3 + root2) / 14), T(3 * (-1 + 2 * root2) / 14),
                            T((9 - 4 * root2) / 14)};
};
/// EES(2,7; x = (5 - 3 sqrt 2)/14): symmetric to order 7.
template <class T>
inline constexpr Tableau<T> ees27 = from<T, Ees27<T>>("ees27", 2);
}  // namespace revode::tableau
