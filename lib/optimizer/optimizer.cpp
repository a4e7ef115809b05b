#include "revode/optimizer.hpp"

#include <string.h>

#include "kernels/sweep.hpp"
#include "revode/impl/pack.hpp"
#include "revode/impl/roots.hpp"
#include "revode/kernels.hpp"
#include "scalars.hpp"

namespace revode {
using kernel::On;

namespace {
/// base^n by squaring: one order of roundings, no libm.
double power(double base, long n) {
  double result = 1;
  for (; n > 0; n >>= 1, base *= base)
    if (n & 1) result *= base;
  return result;
}
[[maybe_unused]] double unbias(double beta, long n) {
  return 1 / (1 - power(beta, n));
}

/// high + low, unevaluated: twice the digits of a float on processors that have no double (Dekker 1971).
struct Pair {
  float high, low;
};
Pair renormal(float high, float low) {
  const float sum = high + low;
  return {sum, low - (sum - high)};
}
Pair product(Pair a, Pair b) {
  using O = On<float, 1>;
  const float high = a.high * b.high, rest = O::fma(a.high, b.high, -high);
  return renormal(high, O::fma(a.high, b.low, O::fma(a.low, b.high, rest)));
}
Pair sum(Pair a, Pair b) {
  const float high = a.high + b.high, of_b = high - a.high;  // Knuth's, which needs no order
  return renormal(high, (a.high - (high - of_b)) + (b.high - of_b) + (a.low + b.low));
}
/// 1 / (1 - beta^n): d(n) = 1 - beta^n by d(2 n) = d (2 - d) and d(n + 1) = (1 - beta) + beta d, which cancel nothing.
float unbias(float beta, long n) {
  using O = On<float, 1>;
  const Pair rest = renormal(1, -beta);
  Pair d{0, 0};
  long bit = 1;
  while (bit <= n / 2) bit *= 2;
  for (; bit > 0; bit /= 2) {
    d = product(d, sum({2, 0}, {-d.high, -d.low}));
    if (n & bit) d = sum(rest, product({beta, 0}, d));
  }
  const float q = 1 / d.high;
  return O::fma(q, O::fma(-q, d.low, O::fma(-q, d.high, 1)), q);
}
template <class T>
void clear(T* moments, std::size_t n, long& count) {
  memset(moments, 0, n * sizeof(T));
  count = 0;
}
}  // namespace

template <class T>
void Sgd<T>::reset() {
  clear(v_, params_, count);
}
template <class T>
void Sgd<T>::update(T rate, const T* theta_bar, T* theta) {
  const T keep = count == 0 ? T(0) : momentum;
  ++count;
  kernel::sweep<T>(params_, [&]<int W>(std::size_t k) {
    using O = On<T, W>;
    const auto p = O::load(theta + k), g = O::fma(O::all(weight_decay), p, O::load(theta_bar + k));
    const auto v = O::fma(O::all(keep), O::load(v_ + k), g);
    O::store(v_ + k, v);
    O::store(theta + k, O::fma(O::all(-rate), v, p));
  });
}

template <class T>
void Adam<T>::reset() {
  clear(m_, size(), count);
}
template <class T>
void Adam<T>::update(T rate, const T* theta_bar, T* theta) {
  ++count;
  const T first = unbias(beta1, count);
  const T second = unbias(beta2, count);
  const T shrink = decoupled ? 1 - rate * weight_decay : T(1), decay = decoupled ? T(0) : weight_decay;
  T *m = m_, *v = m_ + params_;
  kernel::sweep<T>(params_, [&]<int W>(std::size_t k) {
    using O = On<T, W>;
    const auto p = O::load(theta + k) * shrink, g = O::fma(O::all(decay), p, O::load(theta_bar + k));
    const auto mk = O::fma(O::all(beta1), O::load(m + k), (1 - beta1) * g);
    const auto vk = O::fma(O::all(beta2), O::load(v + k), (1 - beta2) * g * g);
    O::store(m + k, mk);
    O::store(v + k, vk);
    const auto step = (mk * first) / (kernel::sqrt<T, W>(vk * second) + epsilon);
    O::store(theta + k, O::fma(O::all(-rate), step, p));
  });
}

template <class T>
void Adamax<T>::reset() {
  clear(m_, size(), count);
}
template <class T>
void Adamax<T>::update(T rate, const T* theta_bar, T* theta) {
  ++count;
  const T first = unbias(beta1, count);
  T *m = m_, *u = m_ + params_;
  kernel::sweep<T>(params_, [&]<int W>(std::size_t k) {
    using O = On<T, W>;
    const auto p = O::load(theta + k), g = O::fma(O::all(weight_decay), p, O::load(theta_bar + k));
    const auto mk = O::fma(O::all(beta1), O::load(m + k), (1 - beta1) * g);
    const auto size = (g < T(0) ? -g : g) + epsilon, kept = beta2 * O::load(u + k);
    const auto uk = kept > size ? kept : size;
    O::store(m + k, mk);
    O::store(u + k, uk);
    O::store(theta + k, O::fma(O::all(-rate), (mk * first) / uk, p));
  });
}

namespace {
/// From a to b along half a cosine, as `part` of `whole` goes from 0 to 1.
double half_cosine(double a, double b, long part, long whole) {
  auto angle = static_cast<Widest>(3.14159265358979323846 * static_cast<double>(part < whole ? part : whole) /
                                   static_cast<double>(whole > 0 ? whole : 1));
  kernel::evaluate(kernel::Function::cos, 1, &angle, &angle);
  return b + (a - b) * .5 * (1 + static_cast<double>(angle));
}
}  // namespace

double Schedule::at(long count) const {
  double value = rate;
  if (kind == Kind::exponential) value = rate * power(factor, count);
  if (kind == Kind::step) value = rate * power(factor, count / (period > 0 ? period : 1));
  if (kind == Kind::cosine) value = half_cosine(rate, floor, count, period);
  if (kind == Kind::one_cycle) {
    const long peak = period / 10 * 3 + period % 10 * 3 / 10;
    value = count < peak ? half_cosine(rate / 25, rate, count, peak)
                         : half_cosine(rate, floor, count - peak, period - peak);
  }
  for (int i = 0; i < 3 && kind == Kind::drops; ++i)
    if (drop[i] > 0 && count >= drop[i]) value *= factor;
  if (value < floor) value = floor;
  return count < warmup ? value * static_cast<double>(count + 1) / static_cast<double>(warmup + 1) : value;
}

template <class T>
T clip_by_norm(std::size_t n, T max_norm, T* g) {
  T norm = kernel::sum_of_squares(n, g);
  kernel::evaluate(kernel::Function::sqrt, 1, &norm, &norm);
  if (!(norm > max_norm) || !kernel::finite(1, &norm)) return norm;
  const T scale = max_norm / norm;
  const T* from = g;
  kernel::combine(n, g, static_cast<const T*>(nullptr), 1, &scale, &from);
  return norm;
}

template struct Sgd<float>;
REVODE_DOUBLE(template struct Sgd<double>;)
template struct Adam<float>;
REVODE_DOUBLE(template struct Adam<double>;)
template struct Adamax<float>;
REVODE_DOUBLE(template struct Adamax<double>;)
template float clip_by_norm<float>(std::size_t, float, float*);
REVODE_DOUBLE(template double clip_by_norm<double>(std::size_t, double, double*);)
}  // namespace revode
