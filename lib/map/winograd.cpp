#include "revode/winograd.hpp"
#include "scalars.hpp"

namespace revode {
template <class T>
void WinogradConv<T>::eval(const Call<T>& call, const T* x, T* y, std::byte*) const {
  const Sizes& c = sizes();
  const auto lanes = static_cast<std::size_t>(call.extent.lanes);
  T* const work = reinterpret_cast<T*>(call.work);
  for (int j = 0; j <= call.extent.tangents; ++j) {
    const T* const b = bias() && j == 0 ? call.theta + c.weights() : nullptr;
    const T t = j == 0 ? call.t : call.t_dot ? call.t_dot[j - 1] : T(0);
    kernel::winograd(c, call.extent.lanes, call.theta, b, t, x, y, false, work);
    x += static_cast<std::size_t>(c.rows_in()) * lanes, y += static_cast<std::size_t>(c.rows_out()) * lanes;
  }
}

template <class T>
void WinogradConv<T>::vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
                          const Bar<T>& bar) const {
  const Sizes& c = sizes();
  const int lanes = call.extent.lanes;
  const bool apart = bar.theta.leaf == 1;
  T* const work = reinterpret_cast<T*>(call.work);
  direct_.vjp(call, x, y, tape, y_bar, nullptr, {apart ? bar.theta : ThetaBar<T>{}, bar.t});
  for (int j = 0; j <= call.extent.tangents; ++j) {
    const T t = j == 0 ? call.t : call.t_dot ? call.t_dot[j - 1] : T(0);
    T* leaf = apart ? nullptr : bar.theta.at;
    for (int l = 0; leaf && l < lanes; l += bar.theta.leaf, leaf += bar.theta.stride)
      kernel::winograd_vjp_weight(c, lanes, lanes - l < bar.theta.leaf ? lanes - l : bar.theta.leaf, t, y_bar + l,
                                  x + l, leaf, bias() && j == 0 ? leaf + c.weights() : nullptr, work);
    if (x_bar) {
      kernel::winograd_vjp_input(c, lanes, call.theta, y_bar, x_bar, !bar.writes, work);
      x_bar += static_cast<std::size_t>(c.rows_in()) * static_cast<std::size_t>(lanes);
    }
    x += static_cast<std::size_t>(c.rows_in()) * static_cast<std::size_t>(lanes);
    y_bar += static_cast<std::size_t>(c.rows_out()) * static_cast<std::size_t>(lanes);
  }
}

template class WinogradConv<float>;
REVODE_DOUBLE(template class WinogradConv<double>;)
}  // namespace revode
