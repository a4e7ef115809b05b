#include "revode/moving_norm.hpp"
#include "scalars.hpp"

#include <string.h>

namespace revode {
/// s = exp(g) / sqrt(var + epsilon), and sum log s.
template <class T>
T MovingNorm<T>::scale(const Call<T>& call, T* s) const {
  const auto d = static_cast<std::size_t>(dim_);
  T* other = reinterpret_cast<T*>(call.work + tile_bytes<T>(dim_, {1, 0}));
  for (std::size_t i = 0; i < d; ++i) other[i] = var_[i] + epsilon;
  kernel::evaluate(kernel::Function::log, d, other, s);
  T sum = 0;
  for (std::size_t i = 0; i < d; ++i) s[i] = call.theta[i] - T(.5) * s[i], sum += s[i];
  kernel::evaluate(kernel::Function::exp, d, s, s);
  return sum;
}

template <class T>
void MovingNorm<T>::eval(const Call<T>& call, const T* x, T* y, std::byte*) const {
  if (refuses_tangents(call, rows_, y)) return;
  const auto d = static_cast<std::size_t>(dim_), lanes = static_cast<std::size_t>(call.extent.lanes);
  T* s = reinterpret_cast<T*>(call.work);
  const T gain = scale(call, s);
  for (std::size_t i = 0; i < d; ++i)
    for (std::size_t l = 0; l < lanes; ++l) y[i * lanes + l] = (x[i * lanes + l] - mean_[i]) * s[i] + call.theta[d + i];
  memcpy(y + d * lanes, x + d * lanes, (static_cast<std::size_t>(rows_) - d) * lanes * sizeof(T));
  for (std::size_t l = 0; l < lanes; ++l) y[d * lanes + l] -= gain;
}

template <class T>
void MovingNorm<T>::invert(const Call<T>& call, const T* y, T* x) const {
  const auto d = static_cast<std::size_t>(dim_), lanes = static_cast<std::size_t>(call.extent.lanes);
  T* s = reinterpret_cast<T*>(call.work);
  const T gain = scale(call, s);
  for (std::size_t i = 0; i < d; ++i)
    for (std::size_t l = 0; l < lanes; ++l) x[i * lanes + l] = (y[i * lanes + l] - call.theta[d + i]) / s[i] + mean_[i];
  memcpy(x + d * lanes, y + d * lanes, (static_cast<std::size_t>(rows_) - d) * lanes * sizeof(T));
  for (std::size_t l = 0; l < lanes; ++l) x[d * lanes + l] += gain;
}

template <class T>
void MovingNorm<T>::vjp(const Call<T>& call, const T* x, const T*, std::byte*, const T* y_bar, T* x_bar,
                        const Bar<T>& bar) const {
  if (call.extent.tangents) return;
  const auto d = static_cast<std::size_t>(dim_), lanes = static_cast<std::size_t>(call.extent.lanes), n = d * lanes;
  T* s = reinterpret_cast<T*>(call.work);
  T* rows = reinterpret_cast<T*>(call.work + 2 * tile_bytes<T>(dim_, {1, 0}));
  scale(call, s);
  const T* gain_bar = y_bar + n;
  for (std::size_t i = 0; i < d; ++i)
    for (std::size_t l = 0; l < lanes; ++l)
      rows[i * lanes + l] = y_bar[i * lanes + l] * (x[i * lanes + l] - mean_[i]) * s[i] - gain_bar[l];
  add_rows(bar.theta, 0, dim_, call.extent.lanes, rows);
  add_rows(bar.theta, dim_, dim_, call.extent.lanes, y_bar);
  if (!x_bar) return;
  for (std::size_t i = 0; i < d; ++i)
    for (std::size_t l = 0; l < lanes; ++l) x_bar[i * lanes + l] += s[i] * y_bar[i * lanes + l];
  for (std::size_t i = n; i < static_cast<std::size_t>(rows_) * lanes; ++i) x_bar[i] += y_bar[i];
}

template class MovingNorm<float>;
REVODE_DOUBLE(template class MovingNorm<double>;)
}  // namespace revode
