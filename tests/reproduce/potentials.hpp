// The potentials of Rezende and Mohamed 2015, Table 1, p = e^-U / Z, with a wall beyond |z| = 4 that makes the three
// open ones densities.
#pragma once
#include <algorithm>
#include <cmath>

namespace reproduce {
/// U and its gradient.
struct Potential {
  double u, by[2];
};

/// -log(e^-a + e^-b) with gradients.
inline Potential soft_least(const Potential& a, const Potential& b) {
  const double least = std::min(a.u, b.u), ea = std::exp(least - a.u), eb = std::exp(least - b.u), sum = ea + eb;
  return {least - std::log(sum), {(ea * a.by[0] + eb * b.by[0]) / sum, (ea * a.by[1] + eb * b.by[1]) / sum}};
}
/// (v / s)^2 / 2, of v with gradient (v0, v1).
inline Potential square(double v, double v0, double v1, double s) {
  return {.5 * v * v / (s * s), {v * v0 / (s * s), v * v1 / (s * s)}};
}

inline Potential inner_potential(int which, double x, double y) {
  const double pi = 3.141592653589793, w1 = std::sin(.5 * pi * x), w1_x = .5 * pi * std::cos(.5 * pi * x);
  if (which == 1) {
    const double r = std::sqrt(x * x + y * y) + 1e-12;
    const Potential ring = square(r - 2, x / r, y / r, .4),
                    sides = soft_least(square(x - 2, 1, 0, .6), square(x + 2, 1, 0, .6));
    return {ring.u + sides.u, {ring.by[0] + sides.by[0], ring.by[1] + sides.by[1]}};
  }
  const Potential wave = square(y - w1, -w1_x, 1, which == 3 ? .35 : .4);
  if (which == 2) return wave;
  double w, w_x;
  if (which == 3) {
    w = 3 * std::exp(-.5 * (x - 1) * (x - 1) / .36), w_x = -w * (x - 1) / .36;
  } else {
    const double s = 1 / (1 + std::exp(-(x - 1) / .3));
    w = 3 * s, w_x = 3 * s * (1 - s) / .3;
  }
  return soft_least(wave, square(y - w1 + w, w_x - w1_x, 1, .35));
}

inline Potential potential(int which, double x, double y) {
  Potential p = inner_potential(which, x, y);
  const double z[2] = {x, y};
  for (int i = 0; i < 2; ++i) {
    const double beyond = std::abs(z[i]) - 4;
    if (beyond <= 0) continue;
    p.u += .5 * beyond * beyond / .04, p.by[i] += beyond / .04 * (z[i] < 0 ? -1 : 1);
  }
  return p;
}

/// At inverse temperature beta.
inline Potential annealed(double beta, int which, double x, double y) {
  const Potential p = potential(which, x, y);
  return {beta * p.u, {beta * p.by[0], beta * p.by[1]}};
}

/// log of the integral of e^-U, midpoint rule: the narrowest feature, 0.2, has ten points.
inline double log_normalisation(int which) {
  double sum = 0;
  const double h = .02;
  for (double x = -6 + h / 2; x < 6; x += h)
    for (double y = -6 + h / 2; y < 6; y += h) sum += std::exp(-potential(which, x, y).u) * h * h;
  return std::log(sum);
}
}  // namespace reproduce
