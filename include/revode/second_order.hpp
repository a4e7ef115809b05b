/// SecondOrder: q'' = a(t, q, q') as a field on (q, v): q' = v, v' = a(t, q[, v]; theta) - c v (SONODE: Norcliffe et
/// al., arXiv 2006.07220). The acceleration is a map of n rows out and of n rows in, which then sees q alone, or of 2
/// n. With `friction` the last n parameters are c. Methods of positions and velocities (word.hpp) take a(t, q) itself.
/// Tape: a's own and, with friction, a. No tangents.
#pragma once
#include "revode/kernels.hpp"
#include "revode/map.hpp"

namespace revode {
template <class T>
class SecondOrder final : public Map<T> {
 public:
  /// `acceleration` outlives this; rows that do not fit make a map of zero rows, which every init refuses.
  constexpr explicit SecondOrder(const Map<T>& acceleration, bool friction = false)
      : acceleration_(&acceleration), friction_(friction) {}
  constexpr Shape shape(Extent e) const override {
    const Shape a = acceleration_->shape({e.lanes, 0});
    if (a.in != a.out && a.in != 2 * a.out) return {};
    const std::size_t kept = friction_ ? tile_bytes<T>(a.out, e) : 0;
    return {2 * a.out, 2 * a.out, a.params + (friction_ ? a.out : 0), kept + a.tape, kept + a.work};
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;

 private:
  Call<T> inside(const Call<T>& call, int rows) const {
    Call<T> inner = call;
    if (friction_) inner.work += tile_bytes<T>(rows, call.extent);
    return inner;
  }
  const Map<T>* acceleration_;
  bool friction_;
};
}  // namespace revode
