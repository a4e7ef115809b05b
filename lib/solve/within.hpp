/// Which step a time is read in, and where in it.
#pragma once
#include "revode/grid.hpp"

namespace revode {
/// A step owns the times after its beginning up to its end; the first step owns its beginning too. Comparisons of the
/// times themselves: every time has exactly one owner.
template <class T>
bool before(const Step<T>& s, T t) {
  if (s.n == 0) return s.h > 0 ? t < s.t0 : t > s.t0;
  return s.h > 0 ? t <= s.t0 : t >= s.t0;
}
template <class T>
bool beyond(const Step<T>& s, T t) {
  return !(s.h > 0 ? t <= s.t1 : t >= s.t1);
}
/// Do the times of all lanes lie there: before or beyond?
template <class T>
bool all(bool there(const Step<T>&, T), const Step<T>& s, std::size_t lanes, const T* times) {
  for (std::size_t l = 0; l < lanes; ++l)
    if (!there(s, times[l])) return false;
  return true;
}
/// Where in a step a time lies; x is 0 outside of it.
template <class T>
struct Within {
  bool inside;
  T x;
};
template <class T>
Within<T> within(const Step<T>& s, T t) {
  const bool inside = !before(s, t) && !beyond(s, t);
  return {inside, inside ? (t - s.t0) / (s.t1 - s.t0) : T(0)};
}
}  // namespace revode
