// torchdiffeq's demonstration, y' = A y^3 from (2, 0), as 20 observations that the compiler integrates.
#pragma once

namespace spiral {
inline constexpr int count = 20;
inline constexpr float start[2] = {2, 0}, t1 = .5f;

struct Observations {
  float at[count][2]{};
};
/// Classical Runge-Kutta in double, 500 steps between two of them: errors far below a float's.
consteval Observations observe() {
  Observations all;
  double y[2] = {2, 0};
  constexpr int between = 500;
  constexpr double h = static_cast<double>(t1) / (count * between);
  const auto slope = [](const double* x, double* k) {
    const double a = x[0] * x[0] * x[0], b = x[1] * x[1] * x[1];
    k[0] = -.1 * a + 2 * b, k[1] = -2 * a - .1 * b;
  };
  for (int i = 0; i < count; ++i) {
    for (int j = 0; j < between; ++j) {
      double k[4][2], x[2];
      slope(y, k[0]);
      for (int s = 1; s < 4; ++s) {
        for (int d = 0; d < 2; ++d) x[d] = y[d] + (s == 3 ? h : h / 2) * k[s - 1][d];
        slope(x, k[s]);
      }
      for (int d = 0; d < 2; ++d) y[d] += h / 6 * (k[0][d] + 2 * k[1][d] + 2 * k[2][d] + k[3][d]);
    }
    for (int d = 0; d < 2; ++d) all.at[i][d] = static_cast<float>(y[d]);
  }
  return all;
}
inline constexpr Observations seen = observe();
}  // namespace spiral
