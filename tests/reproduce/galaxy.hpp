// The galactic orbit of Binney and Tremaine as Hairer, Lubich and Wanner pose it, for forty million steps: its field is
// a static type, so the walk calls it directly.
#pragma once
#include "experiment.hpp"
#include "revode/impl/solve_impl.hpp"

namespace galaxy {
using namespace experiment;
using T = double;

// H = |p|^2 / 2 + Omega (p1 q2 - p2 q1) + A ln(C + q1^2/a^2 + q2^2/b^2 + q3^2/c^2); rows p1 p2 p3 q1 q2 q3.
inline constexpr T a2 = 1.25 * 1.25, b2 = 1, c2 = .75 * .75, A = 1, C = 1, Omega = .25;
inline const std::vector<T> start = {0, 1.6888370059044757, .2, 2.5, 0, 0};

inline T depth(const T* y) {
  return C + y[3] * y[3] / a2 + y[4] * y[4] / b2 + y[5] * y[5] / c2;
}
inline T energy(const T* y) {
  return (y[0] * y[0] + y[1] * y[1] + y[2] * y[2]) / 2 + Omega * (y[0] * y[4] - y[1] * y[3]) + A * std::log(depth(y));
}
class Field final {
 public:
  static constexpr Shape shape(Extent) { return {6, 6, 0, 0, 0}; }
  void eval(const Call<T>&, const T* y, T* dy, std::byte*) const {
    const T pull = -2 * A / depth(y);
    dy[0] = pull * y[3] / a2 + Omega * y[1];
    dy[1] = pull * y[4] / b2 - Omega * y[0];
    dy[2] = pull * y[5] / c2;
    dy[3] = y[0] + Omega * y[4];
    dy[4] = y[1] - Omega * y[3];
    dy[5] = y[2];
  }
};

struct Outcome {
  double published = 0;  ///< every 107th error summed and divided by the number of all steps
  double mean = 0;       ///< of all errors
  double worst = 0;
  long crossings = 1;  ///< of the half plane q1 > 0, q2 = 0 with q2 rising: the start lies in it
};
/// Forty steps a unit of time, over `duration` units.
inline Outcome orbit(const Tableau<T>& base, long duration) {
  const Field field;
  const Method<T> method = runge_kutta(base);
  Flow<Real<T>, Field> flow;
  Arena measure;
  flow.place(measure, field, method, 1, false, false);
  const Bytes bytes(measure.bytes());
  Arena arena = bytes.arena();
  flow.place(arena, field, method, 1, false, false);
  flow.init(nullptr, {0, 0});
  flow.lift(0, start.data());
  const long steps = 40 * duration;
  Clock<T> clock;
  if (!clock.init({0, static_cast<T>(duration), steps}, 0)) expect(Status::bad_argument, "galaxy");
  const T first = energy(start.data());
  Outcome o;
  for (long n = 0; n < steps; ++n) {
    const T q1 = flow.state[3], q2 = flow.state[4];
    flow.step(clock.at(n), nullptr);
    const T* y = flow.state;
    const double error = std::abs(energy(y) - first);
    o.mean += error;
    o.worst = std::max(o.worst, error);
    if ((n + 1) % 107 == 0) o.published += error;
    if (q2 < 0 && y[4] >= 0 && q1 + y[3] > 0) ++o.crossings;
  }
  o.mean /= static_cast<double>(steps);
  o.published /= static_cast<double>(steps);
  return o;
}
}  // namespace galaxy
