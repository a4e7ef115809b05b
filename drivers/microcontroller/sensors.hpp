// What the device listens to: streams of (y_0, y_1) at equal intervals, with noise. They stand where a driver of a real
// sensor would; nothing here is known to the learner but the drive, which is the device's own doing.
#pragma once
#include "revode/kernels.hpp"
#include "revode/random.hpp"

namespace sensors {
/// One step of the classical Runge-Kutta method.
template <class Slope>
void rk4(const Slope& slope, float t, float h, float* y) {
  float k[4][2], x[2] = {y[0], y[1]};
  slope(t, x, k[0]);
  for (int s = 1; s < 4; ++s) {
    const float ahead = s == 3 ? h : h / 2;
    for (int d = 0; d < 2; ++d) x[d] = y[d] + ahead * k[s - 1][d];
    slope(t + ahead, x, k[s]);
  }
  for (int d = 0; d < 2; ++d) y[d] += h / 6 * (k[0][d] + 2 * k[1][d] + 2 * k[2][d] + k[3][d]);
}
inline float cosine(float x) {
  revode::kernel::evaluate(revode::kernel::Function::cos, 1, &x, &x);
  return x;
}
inline float sine(float x) {
  revode::kernel::evaluate(revode::kernel::Function::sin, 1, &x, &x);
  return x;
}

inline constexpr float interval = .1f;  // seconds between two samples
inline constexpr float noise = .003f;   // standard deviation of a sample

/// A pendulum, theta'' = 0.35 u(t) - sin(theta) - damping theta', pushed by u, the cosine of the device's own motor.
/// Time is counted in samples: in ten days a float would have lost the phase.
class Pendulum {
 public:
  static constexpr unsigned long period = 94;  // samples of the push: 9.4 s
  static constexpr float rate = .005f;         // of the learner: what is fast and wide wants larger weights
  static float push(float samples) { return cosine(samples * (6.2831853f / static_cast<float>(period))); }

  bool next(float* seen) {
    const auto at = static_cast<float>(count_ % period);
    const auto slope = [&](float t, const float* y, float* k) {
      k[0] = y[1], k[1] = .35f * push(at + t / interval) - sine(y[0]) - damping * y[1];
    };
    for (int i = 0; i < 4; ++i) rk4(slope, static_cast<float>(i) * interval / 4, interval / 4, y_);
    ++count_;
    for (int d = 0; d < 2; ++d) seen[d] = y_[d] + noise * random_.normal();
    return false;
  }
  void wear_out() { damping *= 2; }
  float damping = .2f;

 private:
  float y_[2] = {.5f, 0};
  unsigned long count_ = 0;
  revode::Random random_{1, 0};
};

/// torchdiffeq's demonstration, y' = A y^3; a new spiral every 101 samples of a two-hundredth of a second. Nothing
/// pushes it.
class Spiral {
 public:
  static constexpr unsigned long period = 101;
  static constexpr float rate = .01f;
  static float push(float) { return 0; }
  /// True when seen[] begins a new spiral.
  bool next(float* seen) {
    const bool begins = count_++ % period == 0;
    if (begins) y_[0] = 2 - .5f * random_.uniform(), y_[1] = random_.uniform() - .5f;
    const auto slope = [](float, const float* y, float* k) {
      const float a = y[0] * y[0] * y[0], b = y[1] * y[1] * y[1];
      k[0] = -.1f * a + 2 * b, k[1] = -2 * a - .1f * b;
    };
    for (int i = 0; i < 4 && !begins; ++i) rk4(slope, 0, interval / 80, y_);
    for (int d = 0; d < 2; ++d) seen[d] = y_[d] + noise * random_.normal();
    return begins;
  }
  void wear_out() {}

 private:
  float y_[2] = {2, 0};
  unsigned long count_ = 0;
  revode::Random random_{2, 0};
};
}  // namespace sensors
