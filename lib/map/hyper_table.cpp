#include "revode/hyper_table.hpp"

#include <string.h>

#include "map/size.hpp"
#include "scalars.hpp"

namespace revode {
template <class T>
Call<T> HyperTable<T>::call(const T* theta, Status* status) const {
  Call<T> c;
  c.extent = {times_->count, 0}, c.theta = theta, c.work = work_, c.status = status;
  return c;
}

// A row of phi: W[width][d] | B[width] | V[d][width] = U' sigmoid(G) / width | 0[d] | C[width], out of
// W | U' | G | B, whose lanes the times are.
template <class T>
Status HyperTable<T>::fill(const T* theta, T* phi) {
  const std::size_t count = size(times_->count), d = size(dim_), width = size(width_), n = d * width;
  Status status = Status::ok;
  for (std::size_t k = 0; k < count; ++k) t_[k] = times_->first + static_cast<T>(k) * times_->spacing;
  net_->eval(call(theta, &status), t_, out_, tape_);
  const T *U = out_ + n * count, *G = U + n * count, *B = G + n * count;
  kernel::activate(Activation::sigmoid, n * count, G, gates_);
  const T mean = 1 / static_cast<T>(width_);
  for (std::size_t k = 0; k < count; ++k, phi += field_->row()) {
    T *b = phi + n, *V = b + width;
    for (std::size_t m = 0; m < n; ++m) phi[m] = out_[m * count + k];
    for (std::size_t m = 0; m < width; ++m) b[m] = B[m * count + k];
    for (std::size_t m = 0; m < n; ++m) V[m % d * width + m / d] = mean * (U[m * count + k] * gates_[m * count + k]);
    memset(V + n, 0, d * sizeof(T));
    field_->complete(phi);
  }
  return status;
}

template <class T>
Status HyperTable<T>::pull(const T* theta, const T* phi, const T* phi_bar, T* theta_bar) {
  const std::size_t count = size(times_->count), d = size(dim_), width = size(width_), n = d * width;
  const std::size_t row = size(field_->row()), params = size(net_->shape({}).params);
  const T *U = out_ + n * count, mean = 1 / static_cast<T>(width_);
  T *U_bar = out_bar_ + n * count, *G_bar = U_bar + n * count, *B_bar = G_bar + n * count;
  for (std::size_t k = 0; k < count; ++k, phi += row, phi_bar += row) {
    memcpy(row_bar_, phi_bar, row * sizeof(T));
    field_->fold(phi, phi_bar, row_bar_);
    const T *b_bar = row_bar_ + n, *V_bar = b_bar + width;
    for (std::size_t m = 0; m < n; ++m) out_bar_[m * count + k] = row_bar_[m];
    for (std::size_t m = 0; m < width; ++m) B_bar[m * count + k] = b_bar[m];
    for (std::size_t m = 0; m < n; ++m) {
      const std::size_t at = m * count + k;
      const T v = mean * V_bar[m % d * width + m / d], g = gates_[at];
      U_bar[at] = v * g;
      G_bar[at] = v * U[at] * (g * (1 - g));
    }
  }
  const int leaves = (times_->count + leaf - 1) / leaf;
  memset(slices_, 0, size(leaves) * params * sizeof(T));
  Status status = Status::ok;
  net_->vjp(call(theta, &status), t_, out_, tape_, out_bar_, nullptr, {{slices_, leaf, params}, nullptr});
  kernel::tree_slices(params, leaves, params, slices_);
  for (std::size_t i = 0; i < params; ++i) theta_bar[i] += slices_[i];
  return status;
}

template class HyperTable<float>;
REVODE_DOUBLE(template class HyperTable<double>;)
}  // namespace revode
