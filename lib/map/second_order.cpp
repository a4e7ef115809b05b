#include "revode/second_order.hpp"
#include "scalars.hpp"

#include <string.h>

namespace revode {
template <class T>
void SecondOrder<T>::eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const {
  const Shape a = acceleration_->shape({});
  if (refuses_tangents(call, 2 * a.out, y)) return;
  const auto lanes = static_cast<std::size_t>(call.extent.lanes), n = static_cast<std::size_t>(a.out) * lanes;
  memcpy(y, x + n, n * sizeof(T));
  if (!friction_) return acceleration_->eval(call, x, y + n, tape);
  T* force = reinterpret_cast<T*>(tape);  // [n][lanes]
  acceleration_->eval(inside(call, a.out), x, force, tape + tile_bytes<T>(a.out, call.extent));
  for (std::size_t i = 0; i < static_cast<std::size_t>(a.out); ++i) {
    const T c = -call.theta[static_cast<std::size_t>(a.params) + i];
    const T* v = x + n + i * lanes;
    kernel::combine(lanes, y + n + i * lanes, force + i * lanes, 1, &c, &v);
  }
}

template <class T>
void SecondOrder<T>::vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
                         const Bar<T>& bar) const {
  if (call.extent.tangents) return;
  const Shape a = acceleration_->shape({});
  const auto lanes = static_cast<std::size_t>(call.extent.lanes), n = static_cast<std::size_t>(a.out) * lanes;
  const T *force = y + n, *v_bar = y_bar + n;
  for (std::size_t i = 0; x_bar && i < n; ++i) x_bar[n + i] += y_bar[i];
  if (friction_) {
    for (std::size_t i = 0; x_bar && i < static_cast<std::size_t>(a.out); ++i) {
      const T c = -call.theta[static_cast<std::size_t>(a.params) + i];
      const T* from = v_bar + i * lanes;
      kernel::combine(lanes, x_bar + n + i * lanes, x_bar + n + i * lanes, 1, &c, &from);
    }
    T* c_bar = reinterpret_cast<T*>(call.work);
    for (std::size_t i = 0; i < n; ++i) c_bar[i] = -(x[n + i] * v_bar[i]);
    if (bar.theta.at) add_rows(bar.theta, a.params, a.out, call.extent.lanes, c_bar);
    force = reinterpret_cast<const T*>(tape), tape += tile_bytes<T>(a.out, call.extent);
  }
  acceleration_->vjp(inside(call, a.out), x, force, tape, v_bar, x_bar, bar);
}

template class SecondOrder<float>;
REVODE_DOUBLE(template class SecondOrder<double>;)
}  // namespace revode
