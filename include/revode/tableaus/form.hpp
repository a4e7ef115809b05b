/// The form of a Butcher tableau of an explicit Runge-Kutta method. The figures stand in constexpr arrays that a
/// Tableau points to, so that it and a Method stay small however many stages a method has.
#pragma once

namespace revode {
inline constexpr int max_stages = 13;

template <class T>
struct Tableau {
  const char* name;
  int stages, order, embedded_order;
  const T *a, *b;          // the strict lower triangle by rows; the weights
  const T *b_hat, *bulge;  // or null: weights of the embedded solution; of the continuous one, see weight()

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
  /// b_i(x) of the solution inside a step, y(t + x h) = y + h sum_i b_i(x) k_i with 0 <= x <= 1, of order 4: the cubic
  /// of Hermite through the step's ends and their slopes, plus bulge_i x^2 (1 - x)^2. Exactly 0 at x = 0 and b_i at x
  /// = 1. Only where bulge is not null; all stages are needed, the last is the slope at the end.
  constexpr T weight(int i, T x) const {
    const T first = i == 0 ? 1 : 0, last = i == stages - 1 ? 1 : 0, rest = 1 - x;
    return x * (b[i] + rest * (first - b[i] + x * (2 * b[i] - first - last + rest * bulge[i])));
  }
};

namespace tableau {
namespace detail {
template <class T, int n>
constexpr int length(const T (&)[n]) {
  return n;
}
}  // namespace detail
/// The tableau of Data, whose static members are the arrays b and, where the method has them, a, b_hat and bulge.
template <class T, class Data>
constexpr Tableau<T> from(const char* name, int order, int embedded_order = 0) {
  constexpr int s = detail::length(Data::b);
  static_assert(s <= max_stages);
  Tableau<T> m{name, s, order, embedded_order, nullptr, Data::b, nullptr, nullptr};
  if constexpr (s > 1) {
    static_assert(detail::length(Data::a) == s * (s - 1) / 2);
    m.a = Data::a;
  }
  if constexpr (requires { Data::b_hat; }) {
    static_assert(detail::length(Data::b_hat) == s);
    m.b_hat = Data::b_hat;
  }
  if constexpr (requires { Data::bulge; }) {
    static_assert(detail::length(Data::bulge) == s);
    m.bulge = Data::bulge;
  }
  return m;
}
}  // namespace tableau
}  // namespace revode
