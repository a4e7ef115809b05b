/// Grid: the time that a solve covers, and Step: what both passes must agree on about step n.
#pragma once

namespace revode {
template <class T>
struct Step {
  long n;
  T t0, t1, h;
  T damping;   ///< m of the word's relax letters: lambda; 1/2 at a halving event, where the dropped bit is logged
  int offset;  ///< of that bit's rounding, alternating 0 and 1 so that no direction is favoured

  bool damped() const { return damping < 1; }
};
/// A step as part of the interval between two given times: t0 = (1 - x) a + x b, h = c (b - a).
template <class T>
struct Place {
  long interval;
  T x, c;
};

/// `steps` equal steps from t0 to t1 (t1 < t0 integrates backwards); or, when `times` is given, through times[nodes]
/// exactly, `steps` equal steps in each interval (monotone, either way; t0 and t1 are then ignored). A solve with
/// tolerances chooses its own steps: it asks neither for `steps` nor for equal ones, and stands on the times exactly.
template <class T>
struct Grid {
  T t0 = 0, t1 = 1;
  long steps = 1;
  const T* times = nullptr;  ///< [nodes]
  long nodes = 0;

  long total() const { return times ? (nodes - 1) * steps : steps; }
  long intervals() const { return times ? nodes - 1 : 1; }
  T end(long i) const { return times ? times[i] : i == 0 ? t0 : t1; }  ///< of the intervals, 0 to intervals()
  /// Finite and monotone, either way.
  bool valid() const {
    if (times && nodes < 2) return false;
    const long last = intervals();
    const bool forward = end(last) > end(0);
    for (long i = 0; i < last; ++i) {
      const T h = end(i + 1) - end(i);
      if (!(h - h == 0) || !(forward ? h > 0 : h < 0)) return false;
    }
    return end(last) - end(0) - (end(last) - end(0)) == 0;
  }
};
}  // namespace revode
