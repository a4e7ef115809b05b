#include "revode/gradient_field.hpp"
#include "scalars.hpp"

#include <string.h>

namespace revode {
/// x and the unit tangents, [1 + d][d][lanes], at the beginning of work.
template <class T>
T* GradientField<T>::unit_jet(const Call<T>& call, const T* x) const {
  const auto d = static_cast<std::size_t>(rows()), lanes = static_cast<std::size_t>(call.extent.lanes);
  T* all = reinterpret_cast<T*>(call.work);
  memcpy(all, x, d * lanes * sizeof(T));
  memset(all + d * lanes, 0, d * d * lanes * sizeof(T));
  for (std::size_t i = 0; i < d; ++i)
    for (std::size_t l = 0; l < lanes; ++l) all[((1 + i) * d + i) * lanes + l] = 1;
  return all;
}

template <class T>
Call<T> GradientField<T>::inside(const Call<T>& call) const {
  Call<T> inner_call = call;
  inner_call.extent = inner(call.extent), inner_call.t_dot = nullptr;
  inner_call.work = call.work + 2 * jet(rows(), call.extent) + jet(1, call.extent);
  return inner_call;
}

template <class T>
void GradientField<T>::eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const {
  const int d = rows();
  if (refuses_tangents(call, d, y)) return;
  const auto lanes = static_cast<std::size_t>(call.extent.lanes);
  T* energy = reinterpret_cast<T*>(tape);  // [1 + d][lanes]
  energy_->eval(inside(call), unit_jet(call, x), energy, tape + jet(1, call.extent));
  for (int i = 0; i < d; ++i) {
    const T* from = energy + static_cast<std::size_t>(1 + source(i, d)) * lanes;
    T* to = y + static_cast<std::size_t>(i) * lanes;
    for (std::size_t l = 0; l < lanes; ++l) to[l] = negative(i, d) ? -from[l] : from[l];
  }
}

template <class T>
void GradientField<T>::vjp(const Call<T>& call, const T* x, const T*, std::byte* tape, const T* y_bar, T* x_bar,
                           const Bar<T>& bar) const {
  if (call.extent.tangents) return;
  const int d = rows();
  const auto lanes = static_cast<std::size_t>(call.extent.lanes), n = static_cast<std::size_t>(d) * lanes;
  T* energy_bar = reinterpret_cast<T*>(call.work + 2 * jet(d, call.extent));
  memset(energy_bar, 0, lanes * sizeof(T));
  for (int i = 0; i < d; ++i) {
    T* to = energy_bar + static_cast<std::size_t>(1 + source(i, d)) * lanes;
    const T* from = y_bar + static_cast<std::size_t>(i) * lanes;
    for (std::size_t l = 0; l < lanes; ++l) to[l] = negative(i, d) ? -from[l] : from[l];
  }
  T* jet_bar = x_bar ? reinterpret_cast<T*>(call.work + jet(d, call.extent)) : nullptr;
  if (jet_bar) memset(jet_bar, 0, static_cast<std::size_t>(1 + d) * n * sizeof(T));
  energy_->vjp(inside(call), unit_jet(call, x), reinterpret_cast<const T*>(tape), tape + jet(1, call.extent),
               energy_bar, jet_bar, bar);
  for (std::size_t i = 0; jet_bar && i < n; ++i) x_bar[i] += jet_bar[i];
}

template class GradientField<float>;
REVODE_DOUBLE(template class GradientField<double>;)
}  // namespace revode
