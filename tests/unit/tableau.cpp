// Tableaus in float and double: the same methods, orders, nodes; and the published closed forms of EES.
#include "revode/tableau.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace {
using namespace revode;

/// What the static_assert rests on does see a wrong figure.
TEST(Tableau, OrderFindsAWrongCoefficient) {
  for (const Tableau<double>* m : tableau::all<double>) {
    std::vector<double> a(m->a, m->a + m->stages * (m->stages - 1) / 2), b(m->b, m->b + m->stages);
    Tableau<double> wrong = *m;
    wrong.a = a.data(), wrong.b = b.data();
    EXPECT_EQ(tableau::order_of(wrong, wrong.b), std::min(m->order, 5)) << m->name;
    b[0] += 1e-9;
    EXPECT_EQ(tableau::order_of(wrong, wrong.b), 0) << m->name;
    if (m->order < 2) continue;
    b[0] = m->b[0];
    const auto last = static_cast<std::size_t>(m->advancing() - 1);
    a[last * (last - 1) / 2] += 1e-9;  // the last node is wrong, sum b is right
    EXPECT_EQ(tableau::order_of(wrong, wrong.b), 1) << m->name;
  }
}

TEST(Tableau, FloatsAreTheDoublesRounded) {
  constexpr int n = static_cast<int>(std::size(tableau::all<double>));
  static_assert(n == std::size(tableau::all<float>));
  const auto near = [](float x, double y) {
    // Quotients of two rounded integers, or closed forms computed in double: two roundings at most.
    return std::abs(static_cast<double>(x) - y) <=
           static_cast<double>(std::numeric_limits<float>::epsilon()) * std::fmax(1., std::abs(y));
  };
  for (int i = 0; i < n; ++i) {
    const Tableau<float>& f = *tableau::all<float>[i];
    const Tableau<double>& d = *tableau::all<double>[i];
    EXPECT_EQ(std::string(f.name), d.name);
    EXPECT_EQ(f.stages, d.stages);
    EXPECT_EQ(f.order, d.order);
    EXPECT_EQ(f.embedded_order, d.embedded_order);
    EXPECT_EQ(f.advancing(), d.advancing()) << d.name;
    const auto rounded = [&](const float* x, const double* y, int count, const char* what) {
      EXPECT_EQ(x == nullptr, y == nullptr) << d.name << what;
      for (int k = 0; y && k < count; ++k) EXPECT_TRUE(near(x[k], y[k])) << d.name << what << k;
    };
    rounded(f.a, d.a, d.stages * (d.stages - 1) / 2, " a ");
    rounded(f.b, d.b, d.stages, " b ");
    rounded(f.b_hat, d.b_hat, d.stages, " b_hat ");
    rounded(f.bulge, d.bulge, d.stages, " bulge ");
  }
}

TEST(Tableau, NodesAreThePublishedOnes) {
  const auto check = [](const Tableau<double>& m, std::initializer_list<double> nodes) {
    int i = 0;
    for (const double c : nodes) {
      // Dormand and Prince's and Tsitouras' rows hold terms of order 12 that cancel: a few of their ulp.
      EXPECT_NEAR(m.c(i), c, 16 * 12 * std::numeric_limits<double>::epsilon()) << m.name << " stage " << i;
      ++i;
    }
    EXPECT_EQ(i, m.stages) << m.name;
  };
  check(tableau::rk4<double>, {0, .5, .5, 1});
  check(tableau::three_eighths<double>, {0, 1 / 3., 2 / 3., 1});
  check(tableau::ralston3<double>, {0, .5, .75});
  check(tableau::bogacki_shampine<double>, {0, .5, .75, 1});
  check(tableau::dormand_prince5<double>, {0, .2, .3, .8, 8 / 9., 1, 1});
  check(tableau::tsitouras5<double>, {0, .161, .327, .9, .9800255409045097, 1, 1});
  check(tableau::fehlberg12<double>, {0, .5, 1});
  check(tableau::cash_karp<double>, {0, .2, .3, .6, 1, 7 / 8.});
  check(tableau::dormand_prince8<double>, {0, 1 / 18., 1 / 12., 1 / 8., 5 / 16., 3 / 8., 59 / 400., 93 / 200.,
                                           5490023248 / 9719169821., 13 / 20., 1201146811 / 1299019798., 1, 1});
  check(tableau::ees25<double>, {0, 1 / 3., 5 / 6.});
  check(tableau::ees27<double>, {0, .19526214587563495, .56903559372884915, .90236892706218241});
}

/// The one-parameter family EES(2,5; x) at the optimal x = 1/10, and the digits of EES(2,7) printed with the paper.
TEST(Tableau, EesAreTheClosedForms) {
  const Tableau<double>& five = tableau::ees25<double>;
  const double x = .1, ulp = std::numeric_limits<double>::epsilon();
  const double a[] = {(1 + 2 * x) / (4 * (1 - x)), (4 * x - 1) * (4 * x - 1) / (4 * (x - 1) * (1 - 4 * x * x)),
                      (1 - x) / (1 - 4 * x * x)};
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(five.a[i], a[i], 4 * ulp);  // a handful of roundings of numbers below 1
  EXPECT_NEAR(five.b[0], x, ulp);
  EXPECT_NEAR(five.b[1], .5, ulp);
  EXPECT_NEAR(five.b[2], .5 - x, ulp);

  const Tableau<double>& seven = tableau::ees27<double>;
  const double a7[] = {.19526214587563495, -.1077411015677877,  .67677669529663687,
                       .17298194371487385, .049764224364349519, .67962275898295932};
  const double b7[] = {.054097093777193905, .31530096874093538, .39180581244561219, .23879612503625858};
  // (-176 + 145 sqrt 2) / 168 cancels numbers of 200 to 29: their ulp over 168, beside the printed digits.
  for (int i = 0; i < 6; ++i) EXPECT_NEAR(seven.a[i], a7[i], 8 * ulp);
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(seven.b[i], b7[i], 4 * ulp);
}

TEST(Tableau, StagesThatOnlyEstimateAreNotAdvancing) {
  EXPECT_EQ(tableau::euler<double>.advancing(), 1);
  EXPECT_EQ(tableau::bogacki_shampine<double>.advancing(), 3);
  EXPECT_EQ(tableau::dormand_prince5<double>.advancing(), 6);
  EXPECT_EQ(tableau::tsitouras5<double>.advancing(), 6);
  EXPECT_EQ(tableau::rk4<double>.advancing(), 4);
  EXPECT_EQ(tableau::ees27<double>.advancing(), 4);
  EXPECT_EQ(tableau::fehlberg12<double>.advancing(), 3);
  EXPECT_EQ(tableau::cash_karp<double>.advancing(), 6);
  EXPECT_EQ(tableau::dormand_prince8<double>.advancing(), 13);
}
}  // namespace
