/// Gated recurrent unit (Cho et al. 2014), as a cell: a map of rows [h (hidden) | input | mask] to h (hidden).
///   r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)      z likewise      n = tanh(W_in x + b_in + r (W_hn h + b_hn))
///   h' = h + mask (1 - z) (n - h)
/// mask 1: the usual cell; 0: no observation in this lane, h stays. theta = W_i[3 hidden][input] | W_h[3
/// hidden][hidden] | b_i[3 hidden] | b_h[3 hidden], gates in the order r, z, n (that of PyTorch). Tape: r, z, n, W_hn h
/// + b_hn. No tangents. Unroll: a cell over a sequence, from h = 0: a map of rows [steps][input rows] to h. Time gaps
/// are input rows.
#pragma once
#include "revode/kernels.hpp"
#include "revode/map.hpp"

namespace revode {
template <class T>
class Gru final : public Map<T> {
 public:
  constexpr Gru(int hidden, int input) : hidden_(hidden), input_(input) {}
  constexpr Shape shape(Extent e) const override {
    const auto tile = static_cast<std::size_t>(hidden_) * static_cast<std::size_t>(e.lanes) * sizeof(T);
    return {hidden_ + input_ + 1, hidden_, 3 * hidden_ * (input_ + hidden_ + 2), 4 * tile, 6 * tile};
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;
  constexpr int hidden() const { return hidden_; }
  constexpr int input() const { return input_; }

 private:
  int p_hidden() const { return 3 * hidden_ * input_; }
  int p_bias() const { return 3 * hidden_ * (input_ + hidden_); }
  int hidden_, input_;
};

template <class T>
class Unroll final : public Map<T> {
 public:
  /// `cell` maps [h | input] to [h] and outlives this.
  constexpr Unroll(const Map<T>& cell, int steps) : cell_(&cell), steps_(steps) {}
  constexpr Shape shape(Extent e) const override {
    const Shape s = cell_->shape(e);
    Shape all{steps_ * (s.in - s.out), s.out, s.params, 0, 0};
    const auto n = static_cast<std::size_t>(steps_);
    all.tape = n * (tile_bytes<T>(s.in, e) + tile_bytes<T>(s.out, e) + padded(s.tape));
    all.work = padded(s.work) + tile_bytes<T>(s.in, e) + tile_bytes<T>(s.out, e);
    return all;
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;

 private:
  const Map<T>* cell_;
  int steps_;
};
}  // namespace revode
