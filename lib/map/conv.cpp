#include "revode/conv.hpp"
#include "scalars.hpp"

namespace revode {
template <class T>
void Conv<T>::eval(const Call<T>& call, const T* x, T* y, std::byte*) const {
  const int lanes = call.extent.lanes;
  const std::size_t in = static_cast<std::size_t>(sizes_.rows_in()) * static_cast<std::size_t>(lanes);
  const std::size_t out = static_cast<std::size_t>(sizes_.rows_out()) * static_cast<std::size_t>(lanes);
  const T* b = bias_ ? call.theta + sizes_.weights() : nullptr;
  for (int j = 0; j <= call.extent.tangents; ++j, x += in, y += out)
    kernel::convolve(sizes_, lanes, call.theta, j == 0 ? b : nullptr, time(call, j), x, y);
}

template <class T>
void Conv<T>::vjp(const Call<T>& call, const T* x, const T*, std::byte*, const T* y_bar, T* x_bar,
                  const Bar<T>& bar) const {
  const int lanes = call.extent.lanes;
  const std::size_t in = static_cast<std::size_t>(sizes_.rows_in()) * static_cast<std::size_t>(lanes);
  const std::size_t out = static_cast<std::size_t>(sizes_.rows_out()) * static_cast<std::size_t>(lanes);
  if (bar.t && sizes_.time) add_time(call, y_bar, bar.t);
  for (int j = 0; j <= call.extent.tangents; ++j, x += in, y_bar += out) {
    add_theta(call, j, x, y_bar, bar.theta);
    if (!x_bar) continue;
    kernel::convolve_vjp_input(sizes_, lanes, call.theta, y_bar, x_bar, !bar.writes);
    x_bar += in;
  }
}

template <class T>
void Conv<T>::add_theta(const Call<T>& call, int j, const T* x, const T* y_bar, const ThetaBar<T>& theta) const {
  if (!theta.at) return;
  const int lanes = call.extent.lanes, weights = sizes_.weights();
  const bool bias = bias_ && j == 0;
  if (theta.leaf == 1)
    return kernel::convolve_vjp_weight_lanes(sizes_, lanes, time(call, j), y_bar, x, theta.at,
                                             bias ? theta.from(weights, lanes).at : nullptr);
  T* leaf = theta.at;
  for (int l = 0; l < lanes; l += theta.leaf, leaf += theta.stride)
    kernel::convolve_vjp_weight(sizes_, lanes, lanes - l < theta.leaf ? lanes - l : theta.leaf, time(call, j),
                                y_bar + l, x + l, leaf, bias ? leaf + weights : nullptr);
}

/// t_bar = sum over outputs, pixels and lanes of y_bar times what W's channel of t comes to there.
template <class T>
void Conv<T>::add_time(const Call<T>& call, const T* y_bar, T* t_bar) const {
  const int rows = sizes_.rows_out(), lanes = call.extent.lanes;
  T* slope = reinterpret_cast<T*>(call.work);
  T* per_lane = reinterpret_cast<T*>(call.work + tile_bytes<T>(rows, {1, 0}));
  T sum;
  kernel::convolve_time(sizes_, call.theta, slope);
  kernel::dense_vjp_input(rows, 1, lanes, slope, y_bar, per_lane);
  kernel::tree_lanes(1, lanes, per_lane, &sum);
  *t_bar += sum;
}

template class Conv<float>;
REVODE_DOUBLE(template class Conv<double>;)
}  // namespace revode
