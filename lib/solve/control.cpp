#include "revode/control.hpp"

#include "revode/impl/elementary.hpp"
#include "revode/impl/roots.hpp"
#include "revode/scalar.hpp"
#include "scalars.hpp"

namespace revode {
namespace {
template <class T>
REVODE_INLINE T log2(T x) {
  return kernel::Elementary<T, 1>::log(x) * T(1.44269504088896340736);
}
template <class T>
int floor(T x) {
  return Controller<T>::floor(x);
}
constexpr int rungs = 4;  // to a factor of two
}  // namespace

template <class T>
void Controller<T>::init(const Control<T>& control, int order) {
  control_ = control, exponent_ = 1 / static_cast<T>(order + 1);
  safety_ = rungs * log2(control_.safety);
  least_ = static_cast<T>(-floor(-rungs * log2(control_.shrink)));
  most_ = static_cast<T>(floor(rungs * log2(control_.grow)));
  for (T& edge : edge_) edge = 0;
  const auto& [p, i, d] = control_.coefficients;
  if (p < 0 || p > 0 || d < 0 || d > 0 || i < 1 || i > 1) return;
  for (int k = 0; k < edges; ++k) {
    const T move = static_cast<T>(farthest + 1 - k);  // below the edge, one less above it
    const T at = (safety_ - move) / (rungs * exponent_ * T(1.44269504088896340736));
    edge_[k] = kernel::Elementary<T, 1>::exp(at);
    if (move > most_) edge_[k] = 0;
    if (move - 1 < least_) edge_[k] = static_cast<T>(__builtin_inff());
  }
}

template <class T>
void Controller<T>::first(T h, T span) {
  const T part = magnitude(h) / magnitude(span);
  wish(!(part > 0) ? T(-240) : part < 1 ? rungs * log2(part) : T(0));
}

template <class T>
T Controller<T>::first_step(T h0, T f0, T change) const {
  const T d = f0 > change ? f0 : change;
  const T least = h0 * T(1e-3);
  T h = least > T(1e-6) ? least : T(1e-6);
  if (d > T(1e-15)) h = kernel::Elementary<T, 1>::exp(exponent_ * kernel::Elementary<T, 1>::log(T(.01) / d));
  return h < 100 * h0 ? h : 100 * h0;
}

/// A step of the wish itself, which lies up to a rung higher, would have had a larger error: the control is of that
/// one.
template <class T>
bool Controller<T>::weigh(T error, bool clipped, int taken) {
  const auto& [p, i, d] = control_.coefficients;
  constexpr T tiny = T(0x1p-40);  // an error of nothing asks for the largest factor, not for all of them
  const T from = clipped ? static_cast<T>(taken) : wish_, whole = static_cast<T>(floor(from));
  if (!clipped) {
    const int by = squares(1).move(error * error);
    if (by != unclear && error <= 1 && move(by)) return true;
    if (by != unclear && error > 1) return refuse(by), false;
  }
  const T e = rungs * exponent_ * log2(finite(error) && error > tiny ? error : tiny) + from - whole;
  T moved = safety_ - (p + i + d) * e + (p + 2 * d) * last_ - d * before_last_;
  if (!(moved > least_) || !finite(error)) moved = least_;
  if (moved > most_) moved = most_;
  if (!(error <= 1) || !finite(error)) {
    const T below = whole - 1;
    wish(from + moved < below ? from + moved : below);
    return rejected_ = true, false;
  }
  if (clipped) {
    if (moved < 0 && from + moved < wish_) wish(from + moved);  // a step cut short says nothing about longer ones
  } else {
    if (!rejected_ || moved < 0) wish(from + moved < 0 ? from + moved : 0);
    before_last_ = last_, last_ = e;
  }
  return rejected_ = false, true;
}

template <class T>
T scaled_norm(int dim, int lanes, const Control<T>& c, T* e, const T* y0, const T* y1) {
  const auto width = static_cast<std::size_t>(lanes), rows = static_cast<std::size_t>(dim);
  for (std::size_t d = 0, i = 0; d < rows; ++d)
    for (std::size_t l = 0; l < width; ++l, ++i) {
      const T a = magnitude(y0[i]), b = magnitude(y1[i]);
      const T part = e[i] == T(0) ? T(0) : e[i] / (c.atol + c.rtol * (a > b ? a : b));
      T& sum = e[d % norm_chains * width + l];
      sum = d < norm_chains ? part * part : sum + part * part;
    }
  for (std::size_t d = 1; d < (rows < norm_chains ? rows : norm_chains); ++d)
    for (std::size_t l = 0; l < width; ++l) e[l] += e[d * width + l];
  T worst = 0;
  for (std::size_t l = 0; l < width; ++l) {
    if (!finite(e[l])) return e[l];
    if (e[l] > worst) worst = e[l];
  }
  return kernel::sqrt<T, 1>(worst / static_cast<T>(dim));
}

template class Controller<float>;
REVODE_DOUBLE(template class Controller<double>;)
template float scaled_norm(int, int, const Control<float>&, float*, const float*, const float*);
REVODE_DOUBLE(template double scaled_norm(int, int, const Control<double>&, double*, const double*, const double*);)
}  // namespace revode
