/// Clock: the only maker of steps. at(n) gives the same bits whoever asks and in whichever direction; never t += h.
#pragma once

namespace revode {
/// What both passes must agree on about step n.
template <class T>
struct Step {
  long n;
  T t0, t1, h;
  T damping;   ///< m of the word's relax letters: lambda; 1/2 at a halving event, where the dropped bit is logged
  int offset;  ///< of that bit's rounding, alternating 0 and 1 so that no direction is favoured

  bool damped() const { return damping < 1; }
};

/// The time grid: `steps` equal steps from t0 to t1 (t1 < t0 integrates backwards); or, when `times` is given, through
/// times[nodes] exactly, `steps` equal steps in each interval (monotone, either way; t0 and t1 are then ignored).
template <class T>
struct Grid {
  T t0 = 0, t1 = 1;
  long steps = 1;
  const T* times = nullptr;  ///< [nodes]
  long nodes = 0;

  long total() const { return times ? (nodes - 1) * steps : steps; }
};

template <class T>
class Clock {
 public:
  /// False when the grid is empty, not finite or not monotone.
  bool init(const Grid<T>& grid, int halve_every, T lambda = 1) {
    grid_ = grid, halve_every_ = halve_every, lambda_ = lambda;
    if (grid.steps < 1 || (grid.times && grid.nodes < 2)) return false;
    if (!grid.times) return finite(grid.t1 - grid.t0) && (grid.t1 < grid.t0 || grid.t1 > grid.t0);
    const bool forward = grid.times[1] > grid.times[0];
    for (long i = 1; i < grid.nodes; ++i) {
      const T h = grid.times[i] - grid.times[i - 1];
      if (!finite(h) || !(forward ? h > 0 : h < 0)) return false;
    }
    return true;
  }
  long steps() const { return grid_.total(); }
  /// A step as part of the interval between two given times: t0 = (1 - x) a + x b, h = c (b - a).
  struct Place {
    long interval;
    T x, c;
  };
  Place place(const Step<T>& s) const {
    const long i = grid_.times ? s.n / grid_.steps : 0;
    const auto steps = static_cast<T>(grid_.steps);
    return {i, static_cast<T>(s.n - i * grid_.steps) / steps, 1 / steps};
  }
  [[gnu::noinline]] Step<T> at(long n) const {
    const T h = grid_.times ? interval(n / grid_.steps) : (grid_.t1 - grid_.t0) / static_cast<T>(grid_.steps);
    const bool halve = halve_every_ && (n + 1) % halve_every_ == 0;
    const int offset = halve ? static_cast<int>((n + 1) / halve_every_ & 1) : 0;
    return {n, node(n), node(n + 1), h, halve ? T(.5) : lambda_, offset};
  }
  T node(long n) const {
    if (!grid_.times) return between(grid_.t0, grid_.t1, n);
    const long i = n / grid_.steps, j = n % grid_.steps;
    return j == 0 ? grid_.times[i] : between(grid_.times[i], grid_.times[i + 1], j);
  }

 private:
  static bool finite(T x) { return x - x == 0; }
  T interval(long i) const { return (grid_.times[i + 1] - grid_.times[i]) / static_cast<T>(grid_.steps); }
  T between(T a, T b, long j) const {
    return j == grid_.steps ? b : a + (b - a) * (static_cast<T>(j) / static_cast<T>(grid_.steps));
  }
  Grid<T> grid_;
  int halve_every_ = 0;
  T lambda_ = 1;
};
}  // namespace revode
