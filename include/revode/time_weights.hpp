/// Weights that are functions of time alone: maps of no rows in and one lane, theta and t to the weights W | b of each
/// layer of an MLP (time_mlp.hpp), computed once a time however many samples there are. In tangent directions (t_dot)
/// they give their rates. LayerWeights: concat, W x + b + w_t t, and concatsquash, (W x + b) sigmoid(w_g t + b_g) + w_b
/// t (Grathwohl et al., FFJORD, arXiv 1810.01367). HyperWeights: the hypernetwork of torchdiffeq's cnf.py.
#pragma once
#include "revode/sequential.hpp"

namespace revode {
enum class TimeLayer : unsigned char { concat, concat_squash };

/// theta of a layer: concat W[out][in] | w_t[out] | b[out], as Dense; concat_squash W[out][in] | b[out] | w_g[out] |
/// b_g[out] | w_b[out].
template <class T>
class LayerWeights final : public Map<T> {
 public:
  template <int N>
  constexpr LayerWeights(const int (&widths)[N], TimeLayer kind) : LayerWeights(widths, N, kind) {}
  /// More layers than max_layers, or fewer than one: a map of zero rows out.
  constexpr LayerWeights(const int* widths, int count, TimeLayer kind) : kind_(kind) {
    if (count < 2 || count - 1 > max_layers) return;
    layers_ = count - 1;
    for (int i = 0; i <= max_layers; ++i) widths_[i] = i < count ? widths[i] : 0;  // a plain copy becomes memmove
  }
  constexpr Shape shape(Extent e) const override {
    Shape s{};
    int widest = 0;
    for (int l = 0; l < layers_; ++l) {
      s.out += out(l) * (in(l) + 1);
      s.params += out(l) * (in(l) + (squash() ? 4 : 2));
      if (out(l) > widest) widest = out(l);
    }
    s.work = squash() ? static_cast<std::size_t>(3 + e.tangents) * tile_bytes<T>(widest, {1, 0}) : 0;
    return s;
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;

 private:
  constexpr int in(int l) const { return widths_[l]; }
  constexpr int out(int l) const { return widths_[l + 1]; }
  constexpr bool squash() const { return kind_ == TimeLayer::concat_squash; }
  void concat(const Call<T>& call, int l, const T* theta, T* y, std::size_t all) const;
  void concat_vjp(const Call<T>& call, int l, const T* theta, const T* y_bar, std::size_t all, T* theta_bar,
                  T* t_bar) const;
  void gate(const Call<T>& call, int l, const T* theta, T* g, T* slope) const;
  void squashed(const Call<T>& call, int l, const T* theta, T* y, std::size_t all) const;
  void squashed_vjp(const Call<T>& call, int l, const T* theta, const T* y_bar, std::size_t all, T* theta_bar,
                    T* t_bar) const;
  int layers_ = 0, widths_[max_layers + 1] = {};
  TimeLayer kind_;
};

/// The field f(t, z) = mean over m of U_m tanh(W_m z + B_m), U_m = U'_m sigmoid(G_m), with (W[width][d] | U'[width][d]
/// | G[width][d] | B[width]) = net(t): as an MLP d, width, d. theta is the net's.
template <class T>
class HyperWeights final : public Map<T> {
 public:
  /// `net`: one row in, the time, and 3 d width + width rows out; it has tangents and outlives this.
  constexpr HyperWeights(const Map<T>& net, int dim, int width) : net_(&net), dim_(dim), width_(width) {}
  constexpr Shape shape(Extent e) const override {
    const Shape n = net_->shape(e);
    if (n.in != 1 || n.out != raw()) return {};
    return {0, 2 * block() + width_ + dim_, n.params, jet(1, e) + jet(raw() + block(), e) + n.tape,
            jet(1, e) + jet(raw(), e) + n.work};
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;

 private:
  constexpr int block() const { return dim_ * width_; }
  constexpr int raw() const { return 3 * block() + width_; }
  static constexpr std::size_t jet(int rows, Extent e) {
    return padded(static_cast<std::size_t>(1 + e.tangents) * static_cast<std::size_t>(rows) * sizeof(T));
  }
  Call<T> inside(const Call<T>& call) const;
  const Map<T>* net_;
  int dim_, width_;
};
}  // namespace revode
