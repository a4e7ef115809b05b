/// Layers that hold no parameters of their own: an activation by itself, rows of zeros beside x (augmented neural ODEs,
/// Dupont et al. 2019, arXiv 1904.01681), a map with a path around it (He et al. 2016).
#pragma once
#include "revode/kernels.hpp"
#include "revode/map.hpp"

namespace revode {
/// y = act(x). No tangents; no tape.
template <class T>
class Activate final : public Map<T> {
 public:
  constexpr Activate(int rows, Activation act) : rows_(rows), act_(act) {}
  constexpr Shape shape(Extent e) const override { return {rows_, rows_, 0, 0, tile_bytes<T>(rows_, e)}; }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;

 private:
  int rows_;
  Activation act_;
};

/// y = (x, 0): `extra` rows of zeros behind x's, as channels of an image or dimensions of a state. Linear: tangents go
/// through.
template <class T>
class Augment final : public Map<T> {
 public:
  constexpr Augment(int rows, int extra) : rows_(rows), extra_(extra) {}
  constexpr Shape shape(Extent) const override { return {rows_, rows_ + extra_, 0, 0, 0}; }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;

 private:
  int rows_, extra_;
};

/// y = x + m(x), m with as many rows out as in, its tangents too. `map` outlives this.
template <class T>
class Residual final : public Map<T> {
 public:
  constexpr explicit Residual(const Map<T>& map) : map_(&map) {}
  constexpr Shape shape(Extent e) const override {
    const Shape s = map_->shape(e);
    return s.in == s.out ? Shape{s.in, s.out, s.params, jet(s.out, e) + s.tape, s.work} : Shape{};
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;

 private:
  static constexpr std::size_t jet(int rows, Extent e) { return tile_bytes<T>((1 + e.tangents) * rows, e); }
  const Map<T>* map_;
};
}  // namespace revode
