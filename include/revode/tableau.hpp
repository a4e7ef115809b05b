/// Butcher tableaus of explicit Runge-Kutta methods as constexpr data. a is the strict lower triangle by rows; the
/// nodes are its row sums; b_hat is the embedded solution where the method has one. Every order is a static_assert: the
/// conditions of the 17 rooted trees up to order 5 (Hairer, Norsett, Wanner, Solving ODEs I, Table II.2.1).
#pragma once

namespace revode {
inline constexpr int max_stages = 7;

template <class T>
struct Tableau {
  const char* name;
  int stages, order, embedded_order;  // embedded_order 0: no b_hat
  T a[max_stages * (max_stages - 1) / 2], b[max_stages], b_hat[max_stages];

  constexpr T A(int i, int j) const { return a[i * (i - 1) / 2 + j]; }
  constexpr T c(int i) const {
    T sum = 0;
    for (int j = 0; j < i; ++j) sum += A(i, j);
    return sum;
  }
  /// Stages the step itself needs: a pair's last stage may serve its estimate only.
  constexpr int advancing() const {
    int s = stages;
    while (s > 1 && !(b[s - 1] < 0) && !(b[s - 1] > 0)) --s;
    return s;
  }
};

namespace tableau {
template <class T>
inline constexpr Tableau<T> euler{"euler", 1, 1, 0, {}, {1}, {}};
template <class T>
inline constexpr Tableau<T> midpoint{"midpoint", 2, 2, 1, {T(.5)}, {0, 1}, {1, 0}};
template <class T>
inline constexpr Tableau<T> heun{"heun", 2, 2, 1, {1}, {T(.5), T(.5)}, {1, 0}};
/// Ralston 1962, third order; embedded midpoint.
template <class T>
inline constexpr Tableau<T> ralston3{"ralston3", 3, 3, 2, {T(.5), 0, T(.75)}, {T(2) / 9, T(1) / 3, T(4) / 9},
                                     {0, 1, 0}};
template <class T>
inline constexpr Tableau<T> rk4{"rk4", 4, 4, 0, {T(.5), 0, T(.5), 0, 0, 1}, {T(1) / 6, T(1) / 3, T(1) / 3, T(1) / 6},
                                {}};
/// Kutta's 3/8 rule, 1901.
template <class T>
inline constexpr Tableau<T> three_eighths{
    "three_eighths", 4, 4, 0, {T(1) / 3, T(-1) / 3, 1, 1, -1, 1}, {T(1) / 8, T(3) / 8, T(3) / 8, T(1) / 8}, {}};
/// Bogacki and Shampine 1989, 3(2).
template <class T>
inline constexpr Tableau<T> bogacki_shampine{"bogacki_shampine",
                                             4,
                                             3,
                                             2,
                                             {T(.5), 0, T(.75), T(2) / 9, T(1) / 3, T(4) / 9},
                                             {T(2) / 9, T(1) / 3, T(4) / 9, 0},
                                             {T(7) / 24, T(1) / 4, T(1) / 3, T(1) / 8}};
/// Dormand and Prince 1980, 5(4).
template <class T>
inline constexpr Tableau<T> dormand_prince5{
    "dormand_prince5",
    7,
    5,
    4,
    {T(1) / 5,
     T(3) / 40,
     T(9) / 40,
     T(44) / 45,
     T(-56) / 15,
     T(32) / 9,
     T(19372) / 6561,
     T(-25360) / 2187,
     T(64448) / 6561,
     T(-212) / 729,
     T(9017) / 3168,
     T(-355) / 33,
     T(46732) / 5247,
     T(49) / 176,
     T(-5103) / 18656,
     T(35) / 384,
     0,
     T(500) / 1113,
     T(125) / 192,
     T(-2187) / 6784,
     T(11) / 84},
    {T(35) / 384, 0, T(500) / 1113, T(125) / 192, T(-2187) / 6784, T(11) / 84, 0},
    {T(5179) / 57600, 0, T(7571) / 16695, T(393) / 640, T(-92097) / 339200, T(187) / 2100, T(1) / 40}};
/// Tsitouras 2011, 5(4).
template <class T>
inline constexpr Tableau<T> tsitouras5{"tsitouras5",
                                       7,
                                       5,
                                       4,
                                       {T(0.161),
                                        T(-0.008480655492356989),
                                        T(0.335480655492357),
                                        T(2.8971530571054935),
                                        T(-6.359448489975075),
                                        T(4.3622954328695815),
                                        T(5.325864828439257),
                                        T(-11.748883564062828),
                                        T(7.4955393428898365),
                                        T(-0.09249506636175525),
                                        T(5.86145544294642),
                                        T(-12.92096931784711),
                                        T(8.159367898576159),
                                        T(-0.071584973281401),
                                        T(-0.028269050394068383),
                                        T(0.09646076681806523),
                                        T(0.01),
                                        T(0.4798896504144996),
                                        T(1.379008574103742),
                                        T(-3.290069515436081),
                                        T(2.324710524099774)},
                                       {T(0.09646076681806523), T(0.01), T(0.4798896504144996), T(1.379008574103742),
                                        T(-3.290069515436081), T(2.324710524099774), 0},
                                       {T(0.09468075576583945), T(0.009183565540343254), T(0.4877705284247616),
                                        T(1.234297566930479), T(-2.7077123499835256), T(1.866628418170587), T(1) / 66}};
/// EES(2,5; x = 1/10): order 2, and stepping back by -h returns to order 5 (Shmelev et al., arXiv 2507.21006).
template <class T>
inline constexpr Tableau<T> ees25{"ees25", 3, 2, 0, {T(1) / 3, T(-5) / 48, T(15) / 16}, {T(1) / 10, T(1) / 2, T(2) / 5},
                                  {}};
inline constexpr double root2 = 1.41421356237309504880;
/// EES(2,7; x = (5 - 3 sqrt 2)/14): order 2, symmetric to order 7 (the same paper).
template <class T>
inline constexpr Tableau<T> ees27{
    "ees27",
    4,
    2,
    0,
    {T((2 - root2) / 3), T((-4 + root2) / 24), T((4 + root2) / 8), T((-176 + 145 * root2) / 168),
     T(3 * (8 - 5 * root2) / 56), T(3 * (3 - root2) / 7)},
    {T((5 - 3 * root2) / 14), T((3 + root2) / 14), T(3 * (-1 + 2 * root2) / 14), T((9 - 4 * root2) / 14)},
    {}};

/// All of them, for tests, tables and choice by name.
template <class T>
inline constexpr const Tableau<T>* all[] = {
    &euler<T>,           &midpoint<T>,   &heun<T>,  &ralston3<T>, &rk4<T>, &three_eighths<T>, &bogacki_shampine<T>,
    &dormand_prince5<T>, &tsitouras5<T>, &ees25<T>, &ees27<T>};

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
constexpr int order_of(const Tableau<T>& m, const T (&b)[max_stages]) {
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
  for (const Tableau<T>* m : all<T>) {
    if (order_of(*m, m->b) != m->order) return false;
    if (m->embedded_order && order_of(*m, m->b_hat) != m->embedded_order) return false;
  }
  return true;
}
static_assert(orders_hold<double>());
}  // namespace tableau
}  // namespace revode
