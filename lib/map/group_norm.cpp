#include "revode/group_norm.hpp"

#include <string.h>

#include "scalars.hpp"

namespace revode {
template <class T>
void GroupNorm<T>::eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const {
  if (refuses_tangents(call, sizes_.channels * sizes_.pixels, y)) return;
  kernel::group_norm(sizes_, call.extent.lanes, relu_, epsilon_, call.theta, call.theta + sizes_.channels, x, y,
                     reinterpret_cast<T*>(tape));
}

template <class T>
void GroupNorm<T>::vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
                       const Bar<T>& bar) const {
  if (call.extent.tangents) {  // refused by eval
    const int rows = (1 + call.extent.tangents) * sizes_.channels * sizes_.pixels;
    const std::size_t numbers = static_cast<std::size_t>(rows) * static_cast<std::size_t>(call.extent.lanes);
    if (x_bar && bar.writes) memset(x_bar, 0, numbers * sizeof(T));
    return;
  }
  T* gamma_bar = reinterpret_cast<T*>(call.work);
  T* beta_bar = reinterpret_cast<T*>(call.work + tile_bytes<T>(sizes_.channels, call.extent));
  kernel::group_norm_vjp(sizes_, call.extent.lanes, relu_, call.theta, x, y, reinterpret_cast<const T*>(tape), y_bar,
                         x_bar, !bar.writes, gamma_bar, beta_bar);
  add_rows(bar.theta, 0, sizes_.channels, call.extent.lanes, gamma_bar);
  add_rows(bar.theta, sizes_.channels, sizes_.channels, call.extent.lanes, beta_bar);
}

template class GroupNorm<float>;
REVODE_DOUBLE(template class GroupNorm<double>;)
}  // namespace revode
