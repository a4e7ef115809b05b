/// What single numbers are asked in several places.
#pragma once
#include <cstddef>

namespace revode {
template <class T>
constexpr T magnitude(T x) {
  return x < 0 ? -x : x;
}
template <class T>
constexpr bool finite(T x) {
  return x - x == 0;
}
/// The largest |x - kept| / (1 + |kept|) of n numbers, and of what was the largest before; an infinity or NaN stays.
template <class T>
constexpr T drift(std::size_t n, const T* x, const T* kept, T most) {
  for (std::size_t i = 0; i < n; ++i) {
    const T part = magnitude(x[i] - kept[i]) / (1 + magnitude(kept[i]));
    if (!(part <= most) && finite(most)) most = part;
  }
  return most;
}
}  // namespace revode
