/// Group normalisation (Wu and He 2018, arXiv 1803.08494) of an image [channel][height][width][lanes], followed by a
/// ReLU where asked for: y = gamma (x - mean) / sqrt(variance + epsilon) + beta, mean and variance over the channels of
/// a group and all pixels, each sample by itself. theta = gamma[channels] | beta[channels]. No tangents. Tape: mean and
/// 1 / deviation of each group.
#pragma once
#include "revode/image_kernels.hpp"
#include "revode/map.hpp"

namespace revode {
template <class T>
class GroupNorm final : public Map<T> {
 public:
  using Sizes = kernel::Grouping;
  /// Channels that groups do not divide make a map of zero rows, which every init refuses.
  constexpr explicit GroupNorm(const Sizes& sizes, bool relu = false, T epsilon = T(1e-5))
      : sizes_(sizes), relu_(relu), epsilon_(epsilon) {}

  constexpr Shape shape(Extent e) const override {
    if (!sizes_.valid()) return {};
    const int rows = sizes_.channels * sizes_.pixels;
    return {rows, rows, 2 * sizes_.channels, tile_bytes<T>(2 * sizes_.groups, e),
            2 * tile_bytes<T>(sizes_.channels, e)};
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;
  constexpr bool writes() const override { return true; }
  constexpr const Sizes& sizes() const { return sizes_; }

 private:
  Sizes sizes_;
  bool relu_;
  T epsilon_;
};
}  // namespace revode
