/// WinogradConv: what Conv computes where its kernel is 3 x 3 of stride 1, or 4 x 4 of stride 2 without a channel of t,
/// and its padding 1, by Winograd's F(2x2, 3x3), F(3x3, 3x3) or F(2x2, 2x2) (winograd_kernels.hpp): a third to three
/// quarters of the multiplications for as much work memory as the transforms take. A linear map like Conv, theta as
/// its; its roundings are others, so which of the two a network has is part of the network: winograd_pays() looks at
/// the shape alone. Leaves of one sample take Conv's weight gradient.
#pragma once
#include "revode/conv.hpp"
#include "revode/winograd_kernels.hpp"

namespace revode {
template <class T>
class WinogradConv final : public Map<T> {
 public:
  using Sizes = kernel::Convolution;
  /// Sizes other than winograd_fits() make a map of zero rows, which every init refuses.
  constexpr explicit WinogradConv(const Sizes& sizes, bool bias = true) : direct_(sizes, bias) {}

  constexpr Shape shape(Extent e) const override {
    if (!kernel::winograd_fits(direct_.sizes())) return {};
    Shape s = direct_.shape(e);
    const std::size_t own = kernel::WinogradSizes(direct_.sizes(), e.lanes).scalars() * sizeof(T);
    if (own > s.work) s.work = own;  // the direct parts are done before
    return s;
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;
  constexpr bool writes() const override { return true; }
  constexpr const Sizes& sizes() const { return direct_.sizes(); }
  constexpr bool bias() const { return direct_.bias(); }

 private:
  Conv<T> direct_;
};
}  // namespace revode
