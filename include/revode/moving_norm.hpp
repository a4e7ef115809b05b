/// MovingNorm: normalisation by moving statistics between flows (FFJORD's MovingBatchNorm, arXiv 1810.01367; Dinh et
/// al., RealNVP, arXiv 1605.08803): on the first d rows y = (x - mean) exp(g) / sqrt(var + epsilon) + b, on the next
/// one l -= sum log |dy/dx|, the rest goes through. mean and var are the caller's and constants to the gradient:
/// statistics of batches before, so that a sample's result does not depend on its batch. theta = g[d] | b[d]. No
/// tangents.
#pragma once
#include "revode/kernels.hpp"
#include "revode/map.hpp"

namespace revode {
template <class T>
class MovingNorm final : public Map<T> {
 public:
  static constexpr T epsilon = T(1e-4);
  /// `rows` > dim in and out; mean and var are [dim] and outlive this.
  constexpr MovingNorm(int dim, int rows, const T* mean, const T* var)
      : dim_(dim), rows_(rows), mean_(mean), var_(var) {}
  constexpr Shape shape(Extent e) const override {
    if (dim_ < 1 || rows_ <= dim_) return {};
    return {rows_, rows_, 2 * dim_, 0, 2 * tile_bytes<T>(dim_, {1, 0}) + tile_bytes<T>(dim_, e)};
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;
  /// x from y, l included.
  void invert(const Call<T>& call, const T* y, T* x) const;

 private:
  T scale(const Call<T>& call, T* s) const;
  int dim_, rows_;
  const T *mean_, *var_;
};
}  // namespace revode
