/// Pooling of an image [channel][height][width][lanes] over windows, by their mean or their greatest; the whole image
/// in one window is global pooling. No parameters, no tape. Tangents: the mean's only.
#pragma once
#include "revode/image_kernels.hpp"
#include "revode/map.hpp"

namespace revode {
enum class Pooled : unsigned char { average, max };

template <class T>
class Pool final : public Map<T> {
 public:
  using Sizes = kernel::Pooling;
  /// Windows that do not fit make a map of zero rows, which every init refuses.
  constexpr explicit Pool(const Sizes& sizes, Pooled kind = Pooled::average) : sizes_(sizes), kind_(kind) {}
  /// One row a channel.
  static constexpr Pool global(int channels, int height, int width, Pooled kind = Pooled::average) {
    return Pool({channels, height, width, height, width, 1}, kind);
  }

  constexpr Shape shape(Extent) const override {
    if (!sizes_.valid()) return {};
    return {sizes_.channels * sizes_.height * sizes_.width, sizes_.channels * sizes_.out_height() * sizes_.out_width(),
            0, 0, 0};
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;

 private:
  /// A jet is a taller stack of channels.
  Sizes jet(Extent e) const {
    Sizes s = sizes_;
    s.channels *= 1 + e.tangents;
    return s;
  }
  Sizes sizes_;
  Pooled kind_;
};
}  // namespace revode
