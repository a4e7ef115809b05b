/// Bodies of InlinedFlow under step control.
#pragma once
#include "revode/inlined.hpp"

namespace revode {
namespace detail {
template <class T, int W>
REVODE_INLINE kernel::Pack<T, W> modulus(kernel::Pack<T, W> x) {
  if constexpr (W > 1)
    return kernel::On<T, W>::magnitude(x);
  else if constexpr (sizeof(T) == 4)
    return __builtin_fabsf(x);
  else
    return __builtin_fabs(x);
}
/// Squares of errors that scaled_norm() adds up, those of W rows at d.
template <int W, class T>
REVODE_INLINE kernel::Pack<T, W> square(const T* miss, const T* y0, const T* y1, const Control<T>& c, int d) {
  using O = kernel::On<T, W>;
  const auto e = O::load(miss + d), a = modulus<T, W>(O::load(y0 + d)), b = modulus<T, W>(O::load(y1 + d));
  const auto scale = c.atol + c.rtol * (a > b ? a : b);
  const auto part = e / (e == T(0) ? O::all(T(1)) : scale);
  return part * part;
}
}  // namespace detail

/// Of one sample: the sum of the squares that scaled_norm() takes the mean of, its chains in packs; a NaN where y1 is
/// not finite.
template <class N, class F, const Tableau<typename N::Scalar>& base, int W>
REVODE_INLINE typename N::Scalar InlinedFlow<N, F, base, W>::squares(const T* miss, const T* y0, const T* y1,
                                                                     const Control<T>& control) {
  using detail::square;
  constexpr int chains = dim < norm_chains ? dim : norm_chains, left = dim % chains;
  constexpr int V = dim < norm_chains ? 1 : std::min(kernel::width<T>, norm_chains);
  using O = kernel::On<T, V>;
  T sums[chains], lost[chains];
  typename O::V sum[chains / V], zero[chains / V];
  for (int j = 0; j < chains / V; ++j)
    sum[j] = square<V>(miss, y0, y1, control, j * V), zero[j] = T(0) * O::load(y1 + j * V);
  for (int d = chains; d + chains <= dim; d += chains)
    for (int j = 0; j < chains / V; ++j)
      sum[j] += square<V>(miss, y0, y1, control, d + j * V), zero[j] += T(0) * O::load(y1 + d + j * V);
  for (int j = 0; j < chains / V; ++j) O::store(sums + j * V, sum[j]), O::store(lost + j * V, zero[j]);
  for (int j = 0, d = dim - left; j < left; ++j)
    sums[j] += square<1>(miss, y0, y1, control, d + j), lost[j] += T(0) * y1[d + j];
  for (int j = 1; j < chains; ++j) sums[0] += sums[j], lost[0] += lost[j];
  return sums[0] + lost[0];
}

template <class N, class F, const Tableau<typename N::Scalar>& base, int W>
REVODE_INLINE typename N::Scalar InlinedFlow<N, F, base, W>::error(const Control<T>& control) {
  if constexpr (W == 1)
    return root_mean(squares(error_, y, state, control));
  else
    return Base::error(control);
}

template <class N, class F, const Tableau<typename N::Scalar>& base, int W>
template <class Pace>
typename N::Scalar InlinedFlow<N, F, base, W>::stride(Pace& pace) {
  using S = Lanes<T, 1>;
  const Theta<1> theta(Base::call.theta);
  const Control<T> control = pace.control();
  S x[dim], psi[dim], u[dim], e[dim], k[stages][dim];
  detail::each<dim>([&](int d) REVODE_INLINED { x[d] = S::load(state + d), k[0][d] = S::load(slope(0) + d); });
  const auto numbers = [](const S* at) REVODE_INLINED { return reinterpret_cast<const T*>(at); };
  const auto slope_at = [&](const Step<T>& s) REVODE_INLINED {
    if (fresh_) return;
    Rule{}(S::all(s.t0 + base.c(0) * s.h), static_cast<const S*>(x), theta.at, k[0]);
    ++Base::evaluations, fresh_ = true;
  };
  const auto commit = [&]() REVODE_INLINED {
    fresh_ = ahead;
    detail::each<dim>([&](int d) REVODE_INLINED { x[d] = u[d], k[0][d] = k[ahead ? advancing : 0][d]; });
  };
  T sum = 0;
  while (pace.propose()) {
    Step<T> s = pace.s;
    const Scaled* c = &scaled(s.h, pace.rung);
    const T low = pace.low, high = pace.high;
    bool alike, good;
    long run = 0;
    slope_at(s);
    do {
      if constexpr (!ahead) slope_at(s);
      asm("" : "+r"(c));  // read where they lie: copies of so many would not stay in registers
      attempt(s, *c, theta.at, x, k, psi, u);
      estimate_of(s, *c, theta.at, x, psi, u, k, e);
      sum = squares(numbers(e), numbers(x), numbers(u), control);
      alike = sum > low && sum < high;
      if (!alike) break;
      commit();
      s.t0 = s.t1, s.t1 = pace.ahead(++run + 1);
    } while (run < pace.alike);
    Base::evaluations += ((pair ? stages : advancing) - 1) * (run + !alike);
    if (alike)
      pace.pass(run);
    else if (pace.clear(run, sum, good) ? good : pace.judge(run, root_mean(sum)))
      commit();
  }
  detail::each<dim>([&](int d)
                        REVODE_INLINED { x[d].store(y + d), x[d].store(state + d), k[0][d].store(slope(0) + d); });
  ran_ahead_ = false;
  return sum;
}
}  // namespace revode
