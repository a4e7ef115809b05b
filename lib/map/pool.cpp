#include "revode/pool.hpp"
#include "scalars.hpp"

namespace revode {
template <class T>
void Pool<T>::eval(const Call<T>& call, const T* x, T* y, std::byte*) const {
  if (kind_ == Pooled::average) return kernel::pool_average(jet(call.extent), call.extent.lanes, x, y);
  if (refuses_tangents(call, shape({}).out, y)) return;
  kernel::pool_max(sizes_, call.extent.lanes, x, y);
}

template <class T>
void Pool<T>::vjp(const Call<T>& call, const T* x, const T* y, std::byte*, const T* y_bar, T* x_bar,
                  const Bar<T>&) const {
  if (!x_bar) return;
  if (kind_ == Pooled::average) return kernel::pool_average_vjp(jet(call.extent), call.extent.lanes, y_bar, x_bar);
  if (call.extent.tangents == 0) kernel::pool_max_vjp(sizes_, call.extent.lanes, x, y, y_bar, x_bar);
}

template class Pool<float>;
REVODE_DOUBLE(template class Pool<double>;)
}  // namespace revode
