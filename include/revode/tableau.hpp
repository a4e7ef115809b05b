/// Butcher tableaus of explicit Runge-Kutta methods as constexpr data, a family a file of tableaus/: a method is its
/// figures there and its place in `all` here. Every order is a static_assert, by the conditions of the 17 rooted trees
/// up to order 5 (Hairer, Norsett, Wanner, Solving ODEs I, Table II.2.1); tests/unit/order_conditions.cpp goes on to
/// order 9.
///
///   tableau           order  f a step  real   imaginary  when
///   euler             1      1         2      0          comparison; one tape where memory is all
///   midpoint, heun    2 (1)  2         2      0          low accuracy at low cost; heun sees f at the nodes alone
///   fehlberg12        2 (1)  3         2.01   0          the smallest pair: step control at the loosest tolerances
///   ralston3          3 (2)  3         2.51   1.73       order 3 on given steps, least error bound of its kind
///   bogacki_shampine  3 (2)  3         2.51   1.73       step control at loose tolerances, 1e-2 to 1e-4
///   rk4               4      4         2.79   2.83       given steps: the default; oscillators
///   three_eighths     4      4         2.79   2.83       the same, somewhat smaller errors, less sparse
///   dormand_prince5   5 (4)  6         3.31   1.00       step control at 1e-4 to 1e-8, fourth-order readings
///   tsitouras5        5 (4)  6         3.51   .48        the same, smaller errors
///   cash_karp         5 (4)  6         3.73   0          parity with others; starts Adams
///   dormand_prince8   8 (7)  13        5.17   0          step control at 1e-8 and below, in double
///   ees25, ees27      2      3, 4      3.09, 3.92  0     walked back in floats, to O(h^6) and O(h^8) a step
///
/// order: of the solution and, in brackets, of the embedded one. f a step: evaluations of the step itself; a pair under
/// step control may ask for one more, which the next step has for nothing. real, imaginary: the interval from 0 on
/// which y' = mu y is stable, -h mu and h |Im mu|, as tests/reproduce/run stability finds them (an imaginary 0: growth,
/// if slow, from 0 on). Equations and memory, (7 + 2 s) d and s tapes, are those of runge_kutta() in word.hpp.
#pragma once
#include "revode/tableaus/dormand_prince8.hpp"
#include "revode/tableaus/ees.hpp"
#include "revode/tableaus/fifth.hpp"
#include "revode/tableaus/form.hpp"
#include "revode/tableaus/low.hpp"

namespace revode::tableau {
/// All of them, for tests, tables and choice by name.
template <class T>
inline constexpr const Tableau<T>* all[] = {&euler<T>,
                                            &midpoint<T>,
                                            &heun<T>,
                                            &ralston3<T>,
                                            &rk4<T>,
                                            &three_eighths<T>,
                                            &bogacki_shampine<T>,
                                            &dormand_prince5<T>,
                                            &tsitouras5<T>,
                                            &ees25<T>,
                                            &ees27<T>,
                                            &fehlberg12<T>,
                                            &cash_karp<T>,
                                            &dormand_prince8<T>};

namespace detail {
struct Weights {  // a value a stage
  double v[max_stages]{};
  friend constexpr Weights operator*(Weights x, const Weights& y) {
    for (int i = 0; i < max_stages; ++i) x.v[i] *= y.v[i];
    return x;
  }
};
template <class T>
constexpr Weights times_A(const Tableau<T>& m, const Weights& x) {
  Weights y;
  for (int i = 0; i < m.stages; ++i)
    for (int j = 0; j < i; ++j) y.v[i] += static_cast<double>(m.A(i, j)) * x.v[j];
  return y;
}
}  // namespace detail

/// The order of the weights b or b_hat, up to 5. The tolerance is that of Tsitouras' published digits:
/// their largest defect is 1.05e-14, at the tree c^4.
template <class T>
constexpr int order_of(const Tableau<T>& m, const T* b) {
  using detail::Weights;
  Weights one;
  for (double& w : one.v) w = 1;
  const Weights c = times_A(m, one), c2 = c * c, c3 = c2 * c, Ac = times_A(m, c), Ac2 = times_A(m, c2),
                AAc = times_A(m, Ac);
  const struct {
    int order;
    Weights tree;
    double density;
  } conditions[] = {{1, one, 1},
                    {2, c, 2},
                    {3, c2, 3},
                    {3, Ac, 6},
                    {4, c3, 4},
                    {4, c * Ac, 8},
                    {4, Ac2, 12},
                    {4, AAc, 24},
                    {5, c3 * c, 5},
                    {5, c2 * Ac, 10},
                    {5, c * Ac2, 15},
                    {5, c * AAc, 30},
                    {5, Ac * Ac, 20},
                    {5, times_A(m, c3), 20},
                    {5, times_A(m, c * Ac), 40},
                    {5, times_A(m, Ac2), 60},
                    {5, times_A(m, AAc), 120}};
  for (const auto& [order, tree, density] : conditions) {
    double sum = 0;
    for (int i = 0; i < m.stages; ++i) sum += static_cast<double>(b[i]) * tree.v[i];
    const double defect = sum - 1 / density;
    if (defect > 2e-14 || defect < -2e-14) return order - 1;
  }
  return 5;
}
template <class T>
constexpr bool orders_hold() {
  const auto is = [](int found, int order) { return found == (order < 5 ? order : 5); };
  for (const Tableau<T>* m : all<T>) {
    if (!is(order_of(*m, m->b), m->order)) return false;
    if (m->embedded_order > 0 && !is(order_of(*m, m->b_hat), m->embedded_order)) return false;
  }
  return true;
}
static_assert(orders_hold<double>());

/// The last stage of a method with a continuous extension is the slope at the end of its step.
template <class T>
constexpr bool ends_meet() {
  for (const Tableau<T>* m : all<T>)
    for (int last = m->stages - 1, j = 0; m->continuous && j <= last; ++j) {
      const T difference = m->b[j] - (j < last ? m->A(last, j) : 0);
      if (difference < 0 || difference > 0) return false;
    }
  return true;
}
static_assert(ends_meet<float>() && ends_meet<double>());
}  // namespace revode::tableau
