/// Dense layer: y = act(W x + w_t t + b). theta = W[out][in] | w_t[out] where the layer sees time | b[out].
/// Jets: p_j = W x_dot_j + w_t t_dot_j, y_dot_j = act'(a) p_j; reverse: a_bar = act' y_bar + act'' sum_j p_j
/// y_dot_bar_j. Tape: the pre-activation of silu (all others go by y), and p_j of nonlinear layers.
#pragma once
#include "revode/kernels.hpp"
#include "revode/map.hpp"

namespace revode {
template <class T>
class Dense final : public Map<T> {
 public:
  constexpr Dense() = default;
  constexpr Dense(int in, int out, Activation act = Activation::identity, bool time = false)
      : in_(in), out_(out), act_(act), time_(time) {}

  constexpr Shape shape(Extent extent) const override {
    const std::size_t tile = pad(extent.lanes);
    const auto k = static_cast<std::size_t>(extent.tangents);
    const bool linear = act_ == Activation::identity;
    Shape s{in_, out_, out_ * (in_ + 1 + (time_ ? 1 : 0)), 0, 0};
    s.tape = linear ? 0 : (k + (act_ == Activation::silu ? 1 : 0)) * tile;
    s.work = (linear ? 0 : (1 + k) * tile) + (time_ ? 2 * tile : 0);
    return s;
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;
  constexpr bool writes() const override { return true; }

  constexpr int in() const { return in_; }
  constexpr int out() const { return out_; }
  constexpr Activation activation() const { return act_; }
  constexpr bool time() const { return time_; }

 private:
  /// Bytes of [out][lanes], rounded up so that the next array is aligned.
  constexpr std::size_t pad(int lanes) const {
    const auto n = static_cast<std::size_t>(out_) * static_cast<std::size_t>(lanes) * sizeof(T);
    return padded(n);
  }
  T* row(std::byte* bytes, const Call<T>& call, int j) const {
    return reinterpret_cast<T*>(bytes + static_cast<std::size_t>(j) * pad(call.extent.lanes));
  }
  int p_time() const { return out_ * in_; }
  int p_bias() const { return out_ * (in_ + (time_ ? 1 : 0)); }
  const T* bias(const Call<T>& call, int j) const;
  void add_theta(const Call<T>& call, int j, const T* x, const T* a_bar, const Bar<T>& bar) const;

  int in_ = 1, out_ = 1;
  Activation act_ = Activation::identity;
  bool time_ = false;
};
}  // namespace revode
