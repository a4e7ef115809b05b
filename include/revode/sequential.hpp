/// Sequential: maps one after another; layers, cells and whole solves mix, since all are maps. Mlp: the same over dense
/// layers that it holds itself. theta = theta of the layers, in order. Tape: what stands between layers, and their
/// tapes.
#pragma once
#include "revode/dense.hpp"

namespace revode {
/// The walk through a chain of maps, shared by Sequential and Mlp; `Layers` has size() and operator[](i).
template <class T, class Layers>
struct Chain {
  /// Bytes of a jet of `rows` at an extent.
  static constexpr std::size_t jet(int rows, Extent e) {
    return padded(static_cast<std::size_t>(1 + e.tangents) * static_cast<std::size_t>(rows) *
                  static_cast<std::size_t>(e.lanes) * sizeof(T));
  }
  static constexpr Shape shape(const Layers& layers, Extent e) {
    Shape all{};
    std::size_t inner = 0, widest = 0;
    for (int i = 0; i < layers.size(); ++i) {
      const Shape s = layers[i].shape(e);
      if (i == 0) all.in = s.in;
      if (i > 0) all.tape += jet(s.in, e);
      if (i > 0 && jet(s.in, e) > widest) widest = jet(s.in, e);
      all.out = s.out, all.params += s.params, all.tape += padded(s.tape);
      if (s.work > inner) inner = s.work;
    }
    all.work = padded(inner) + 2 * widest;
    return all;
  }
  static void eval(const Layers& layers, const Call<T>& call, const T* x, T* y, std::byte* tape);
  static void vjp(const Layers& layers, const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar,
                  T* x_bar, const Bar<T>& bar);
};

template <class T>
class Sequential final : public Map<T> {
 public:
  /// `maps` is the caller's array and outlives this; where rows of neighbours do not fit, it is a map of zero rows,
  /// which every init refuses.
  template <int N>
  constexpr explicit Sequential(const Map<T>* const (&maps)[N]) : layers_{maps, N} {}
  constexpr Sequential(const Map<T>* const* maps, int count) : layers_{maps, count} {}

  constexpr Shape shape(Extent extent) const override {
    return consistent() ? Chain<T, Layers>::shape(layers_, extent) : Shape{};
  }
  /// True when each map's rows in are the rows out of the one before it.
  constexpr bool consistent() const {
    for (int i = 1; i < layers_.count; ++i)
      if (layers_[i].shape({}).in != layers_[i - 1].shape({}).out) return false;
    return layers_.count > 0;
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;

 private:
  struct Layers {
    const Map<T>* const* map;
    int count;
    constexpr int size() const { return count; }
    constexpr const Map<T>& operator[](int i) const { return *map[i]; }
  };
  Layers layers_;
};

inline constexpr int max_layers = 8;

template <class T>
class Mlp final : public Map<T> {
 public:
  /// widths[0] rows in, hidden layers with `act`, a linear last one; `time`: every layer sees t. At most max_layers
  /// layers; more, or fewer than one, make a map of zero rows, which every init refuses.
  template <int N>
  constexpr Mlp(const int (&widths)[N], Activation act, bool time = false) : Mlp(widths, N, act, time) {}
  constexpr Mlp(const int* widths, int count, Activation act, bool time) {
    if (count < 2 || count - 1 > max_layers) return;
    layers_.count = count - 1;
    for (int i = 0; i + 1 < count; ++i)
      layers_.layer[i] = Dense<T>(widths[i], widths[i + 1], i + 2 < count ? act : Activation::identity, time);
  }
  constexpr Shape shape(Extent extent) const override { return Chain<T, Layers>::shape(layers_, extent); }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;
  constexpr int size() const { return layers_.count; }
  constexpr const Dense<T>& layer(int i) const { return layers_.layer[i]; }

 private:
  struct Layers {
    Dense<T> layer[max_layers];
    int count = 0;
    constexpr int size() const { return count; }
    constexpr const Dense<T>& operator[](int i) const { return layer[i]; }
  };
  bool shallow(const Call<T>& call) const;
  Layers layers_;
};
}  // namespace revode
