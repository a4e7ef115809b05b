/// Running cost: a field with one row more that integrates a cost along the solution, d/dt (y, q) = (f(t, y), c(t, y)),
/// so that the loss int c dt is the last row of y(t1) when it begins at 0. It has the order of the method, and every
/// way to the gradient carries it. theta: the field's, then the cost's. No tangents.
#pragma once
#include "revode/map.hpp"

namespace revode {
template <class T>
class RunningCost final : public Map<T> {
 public:
  /// cost: dim -> 1. Both outlive it.
  constexpr RunningCost(const Map<T>& field, const Map<T>& cost) : field_(&field), cost_(&cost) {}
  constexpr Shape shape(Extent e) const override {
    const Shape f = field_->shape(e), c = cost_->shape(e);
    return {f.in + 1, f.out + 1, f.params + c.params, padded(f.tape) + c.tape, f.work > c.work ? f.work : c.work};
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;

 private:
  const Map<T>*field_, *cost_;
};
}  // namespace revode
