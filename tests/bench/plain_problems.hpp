// The systems that plain solving is timed on, each written once: revode inlines it, and the peers call it.
#pragma once
#include <cmath>
#include <numbers>
#include <vector>

namespace bench {
struct Lorenz {
  static constexpr const char* name = "lorenz";
  static constexpr int dim = 3, params = 3;
  static constexpr double theta[] = {10, 28, 8. / 3}, end = 10;
  static constexpr int coarsest = 10;  // the largest tolerance is 10^(-coarsest / 2)
  template <class S>
  constexpr void operator()(S, const S* y, const S* p, S* dy) const {
    dy[0] = p[0] * (y[1] - y[0]);
    dy[1] = y[0] * (p[1] - y[2]) - y[1];
    dy[2] = y[0] * y[1] - p[2] * y[2];
  }
  static std::vector<double> start() { return {1, 1, 1}; }
};
struct VanDerPol {
  static constexpr const char* name = "van_der_pol";
  static constexpr int dim = 2, params = 1;
  static constexpr double theta[] = {5}, end = 50;
  static constexpr int coarsest = 10;
  template <class S>
  constexpr void operator()(S, const S* y, const S* p, S* dy) const {
    dy[0] = y[1];
    dy[1] = p[0] * (1. - y[0] * y[0]) * y[1] - y[0];
  }
  static std::vector<double> start() { return {2, 0}; }
};
/// The Brusselator in a row of cells that diffuse into their neighbours, (1, 3) beyond both ends (Hairer et al., I.16):
/// u' = A + u^2 v - (B + 1) u + d u_xx, v' = B u - u^2 v + d v_xx. d does not grow with the number of cells, so the
/// tolerance and not the stability chooses the steps.
template <int cells>
struct Brusselator {
  static constexpr const char* name = cells == 32 ? "brusselator_64" : "brusselator_256";
  static constexpr int dim = 2 * cells, params = 3;
  static constexpr double theta[] = {1, 3, 1}, end = 10;
  static constexpr int coarsest = 10;
  template <class S>
  constexpr void operator()(S, const S* y, const S* p, S* dy) const {
    const S *u = y, *v = y + cells;
    for (int i = 0; i < cells; ++i) {
      const S u0 = i > 0 ? u[i - 1] : S(1.), u1 = i < cells - 1 ? u[i + 1] : S(1.);
      const S v0 = i > 0 ? v[i - 1] : S(3.), v1 = i < cells - 1 ? v[i + 1] : S(3.);
      const S product = u[i] * u[i] * v[i], fed = p[1] * u[i];
      dy[i] = p[0] + product - fed - u[i] + p[2] * (u0 + u1 - 2. * u[i]);
      dy[cells + i] = fed - product + p[2] * (v0 + v1 - 2. * v[i]);
    }
  }
  static std::vector<double> start() {
    std::vector<double> y(dim, 3.);
    for (int i = 0; i < cells; ++i)
      y[static_cast<std::size_t>(i)] = 1 + std::sin(2 * std::numbers::pi * (i + 1) / (cells + 1));
    return y;
  }
};
}  // namespace bench
