/// Convolution of an image [channel][height][width][lanes]: y = W * x + b, without an activation; direct, no im2col.
/// theta = W[out][in][kernel][kernel] | b[out] where there is a bias. Where the layer sees time (ConcatConv2d of Chen
/// et al. 2018) W is [out][1 + in][kernel][kernel] and its first input channel is t everywhere. A linear map: tangents
/// are more images. No tape; work is what the cotangent of t takes.
#pragma once
#include "revode/image_kernels.hpp"
#include "revode/map.hpp"

namespace revode {
template <class T>
class Conv final : public Map<T> {
 public:
  using Sizes = kernel::Convolution;
  /// Sizes that do not fit each other make a map of zero rows, which every init refuses.
  constexpr explicit Conv(const Sizes& sizes, bool bias = true) : sizes_(sizes), bias_(bias) {}

  constexpr Shape shape(Extent e) const override {
    if (!sizes_.valid()) return {};
    Shape s{sizes_.rows_in(), sizes_.rows_out(), sizes_.weights() + (bias_ ? sizes_.out : 0), 0, 0};
    s.work = sizes_.time ? tile_bytes<T>(s.out, {1, 0}) + tile_bytes<T>(1, e) : 0;
    return s;
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;
  constexpr bool writes() const override { return true; }
  constexpr const Sizes& sizes() const { return sizes_; }
  constexpr bool bias() const { return bias_; }

 private:
  /// t of the value (j = 0) or its j-th tangent.
  static T time(const Call<T>& call, int j) { return j == 0 ? call.t : call.t_dot ? call.t_dot[j - 1] : T(0); }
  void add_theta(const Call<T>& call, int j, const T* x, const T* y_bar, const ThetaBar<T>& theta) const;
  void add_time(const Call<T>& call, const T* y_bar, T* t_bar) const;
  Sizes sizes_;
  bool bias_;
};
}  // namespace revode
