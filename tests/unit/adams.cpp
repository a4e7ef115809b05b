// The quadrature of Adams, Bashforth and Moulton: classical coefficients on equal steps, polynomials on any.
#include "revode/adams.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "revode/impl/adams_impl.hpp"

namespace {
using namespace revode;

/// Of equal steps, as quotients of integers rounded once (Hairer et al., tables III.1.1 and III.1.2).
template <class S>
void check_classical() {
  constexpr S bashforth[6][6] = {
      {1},
      {S(3) / 2, S(-1) / 2},
      {S(23) / 12, S(-16) / 12, S(5) / 12},
      {S(55) / 24, S(-59) / 24, S(37) / 24, S(-9) / 24},
      {S(1901) / 720, S(-2774) / 720, S(2616) / 720, S(-1274) / 720, S(251) / 720},
      {S(4277) / 1440, S(-7923) / 1440, S(9982) / 1440, S(-7298) / 1440, S(2877) / 1440, S(-475) / 1440}};
  constexpr S moulton[6][6] = {
      {1},
      {S(1) / 2, S(1) / 2},
      {S(5) / 12, S(8) / 12, S(-1) / 12},
      {S(9) / 24, S(19) / 24, S(-5) / 24, S(1) / 24},
      {S(251) / 720, S(646) / 720, S(-264) / 720, S(106) / 720, S(-19) / 720},
      {S(475) / 1440, S(1427) / 1440, S(-798) / 1440, S(482) / 1440, S(-173) / 1440, S(27) / 1440}};
  constexpr S nodes[] = {1, 0, -1, -2, -3, -4, -5};
  for (int q = 1; q <= most_multistep; ++q) {
    const Quadrature<S> p = integrate(q, nodes + 1), c = integrate(q, nodes);
    for (int j = 0; j < q; ++j) {
      EXPECT_EQ(p.weight[j], bashforth[q - 1][j]) << q << j;
      EXPECT_EQ(c.weight[j], moulton[q - 1][j]) << q << j;
    }
  }
  // Milne's device of order 4: 251/720 and -19/720 of h^5 y^(5), here times 4!
  EXPECT_EQ(integrate(4, nodes + 1).product, S(251) / 30);
  EXPECT_EQ(integrate(4, nodes).product, S(-19) / 30);
}
TEST(AdamsQuadrature, EqualStepsGiveTheClassicalCoefficients) {
  check_classical<float>();
  check_classical<double>();
}

/// q nodes anywhere integrate and derive polynomials of degree q - 1 exactly, but for some ten roundings of terms of up
/// to 1e2.
TEST(AdamsQuadrature, UnequalStepsAreExactForPolynomials) {
  constexpr double nodes[] = {1, 0, -.3, -1.9, -2.25, -4};
  for (int q = 1; q <= most_multistep; ++q) {
    const Quadrature<double> w = integrate(q, nodes);
    for (int degree = 0; degree < q; ++degree) {
      double sum = 0, values[most_multistep];
      for (int j = 0; j < q; ++j) sum += w.weight[j] * (values[j] = std::pow(nodes[j], degree));
      EXPECT_NEAR(sum, 1. / (degree + 1), 1e-13);
      for (int m = 0; m < q; ++m)
        EXPECT_NEAR(derivative(q, nodes, values, m), degree * std::pow(nodes[m], std::max(degree - 1, 0)), 2e-12);
    }
  }
}
}  // namespace
