#include "revode/running_cost.hpp"
#include "scalars.hpp"

namespace revode {
template <class T>
void RunningCost<T>::eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const {
  const Shape f = field_->shape(call.extent);
  if (refuses_tangents(call, f.out + 1, y)) return;
  const std::size_t q = static_cast<std::size_t>(f.out) * static_cast<std::size_t>(call.extent.lanes);
  field_->eval(call, x, y, tape);
  Call<T> inner = call;
  inner.theta += f.params;
  cost_->eval(inner, x, y + q, tape + padded(f.tape));
}

template <class T>
void RunningCost<T>::vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
                         const Bar<T>& bar) const {
  if (call.extent.tangents) return;
  const Shape f = field_->shape(call.extent);
  const std::size_t q = static_cast<std::size_t>(f.out) * static_cast<std::size_t>(call.extent.lanes);
  field_->vjp(call, x, y, tape, y_bar, x_bar, bar);
  Call<T> inner = call;
  inner.theta += f.params;
  cost_->vjp(inner, x, y + q, tape + padded(f.tape), y_bar + q, x_bar,
             {bar.theta.from(f.params, call.extent.lanes), bar.t});
}

template class RunningCost<float>;
REVODE_DOUBLE(template class RunningCost<double>;)
}  // namespace revode
