/// Evolving: a map whose weights go through time by an equation of their own, with the activations (ANODEV2, Zhang et
/// al., arXiv 1906.04596): m(t, x; w(t)), w(0) = theta and dw/dt = act(d w'' + v w' + r w), diffusion, convection and
/// reaction along each line of a weight matrix, whose ends meet. d, v and r are three parameters more, trained with the
/// rest. w(t) is what `steps` equal steps of Euler from 0 to t make of theta, a function of t and theta alone, so the
/// field stays a field: every method and every way back is as exact as without.
///   theta = m's theta[params] | d | v | r. Of m's parameters the first rows * line evolve, the others stay.
/// Stencil: (d - v/2, r - 2 d, d + v/2) on neighbours one apart. No tangents. Work: 2 steps + 3 times params, and a
/// gradient of m's for each sample.
#pragma once
#include "revode/kernels.hpp"
#include "revode/map.hpp"

namespace revode {
template <class T>
class Evolving final : public Map<T> {
 public:
  /// `map` outlives this; its weights are [rows][line], first in its theta. More than it has, no steps, or silu, whose
  /// slope does not follow from its value, make a map of zero rows, which every init refuses.
  constexpr Evolving(const Map<T>& map, int rows, int line, int steps = 4, Activation act = Activation::tanh)
      : map_(&map), rows_(rows), line_(line), steps_(steps), act_(act) {}
  constexpr Shape shape(Extent e) const override {
    Shape s = map_->shape(e);
    if (rows_ < 1 || line_ < 1 || steps_ < 1 || rows_ * line_ > s.params || act_ == Activation::silu) return {};
    s.work = padded(s.work) + array(s.params, 2 * steps_ + 3) + tile_bytes<T>(s.params, e) + tile_bytes<T>(1, e);
    s.params += coefficients;
    return s;
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;
  static constexpr int coefficients = 3;

 private:
  struct History;
  static constexpr std::size_t array(int params, int count) {
    return static_cast<std::size_t>(count) * padded(static_cast<std::size_t>(params) * sizeof(T));
  }
  int evolving() const { return rows_ * line_; }
  History evolve(const Call<T>& call, int params) const;
  T pull_back(const History& h, T* bar) const;
  const Map<T>* map_;
  int rows_, line_, steps_;
  Activation act_;
};
}  // namespace revode
