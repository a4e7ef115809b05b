/// TimeMlp: an MLP whose weights are functions of time (time_weights.hpp): the field of a continuous normalizing flow.
/// The weights are computed once an evaluation, whatever the lanes, and pulled back once a gradient leaf. Jets as in
/// dense.hpp, the rates of the weights included where time has a tangent.
///
/// Traced: one row more out, tr(dy/dx), without a tangent. Of one hidden layer it is c^T d, c_h = sum_i W2[i][h]
/// W1[h][i] and d = act'(a); of two it is d2^T C d1, C = W2 o (W1 W3)^T, one product more than the value, where d
/// tangents are d. Its VJP needs act'' and one product more each way. No tangents then.
#pragma once
#include "revode/sequential.hpp"

namespace revode {
template <class T>
class TimeMlp final : public Map<T> {
 public:
  template <int N>
  constexpr TimeMlp(const int (&widths)[N], Activation act, const Map<T>& weights, bool traced = false)
      : TimeMlp(widths, N, act, weights, traced) {}
  /// `weights`: no rows in, W | b of each layer out; it outlives this. Widths that it does not fit, more layers than
  /// max_layers, or a trace of other than one or two hidden layers of a square map make a map of zero rows, which every
  /// init refuses. The last layer is linear.
  constexpr TimeMlp(const int* widths, int count, Activation act, const Map<T>& weights, bool traced)
      : weights_(&weights), act_(act), traced_(traced) {
    if (count < 2 || count - 1 > max_layers) return;
    if (traced && (count < 3 || count > 4 || widths[0] != widths[count - 1])) return;
    int all = 0;
    for (int i = 0; i + 1 < count; ++i) all += widths[i + 1] * (widths[i] + 1);
    if (weights.shape({1, 0}).out != all) return;
    layers_ = count - 1;
    for (int i = 0; i < count; ++i) widths_[i] = widths[i];
  }
  constexpr Shape shape(Extent e) const override {
    if (layers_ == 0) return {};
    Arena tape, work;
    keep(tape, e), scratch(work, e);
    return {in(0), out(layers_ - 1) + (traced_ ? 1 : 0), weights_->shape({1, 0}).params, tape.bytes(), work.bytes()};
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;

 private:
  /// The tape.
  struct Kept {
    T* weights = nullptr;  ///< [1 + rates][all]
    std::byte* weights_tape = nullptr;
    T* a[max_layers] = {};                                       ///< silu: [out][lanes]
    T* y[max_layers] = {};                                       ///< [1 + k][out][lanes] of hidden layers
    T* p[max_layers] = {};                                       ///< [k][out][lanes] tangents before the activation
    T *slope[2] = {}, *u = nullptr, *C = nullptr, *M = nullptr;  ///< traced: d1, d2, C d1, C and (W1 W3)^T
  };
  /// Valid inside a call.
  struct Scratch {
    std::byte* inner = nullptr;  ///< of the weights
    T* rate = nullptr;           ///< [widest][lanes]
    T* y_bar = nullptr;          ///< [1 + k][widest][lanes]
    T* a_bar[max_layers] = {};   ///< [1 + k][out][lanes] of hidden layers
    T* q_bar[max_layers] = {};   ///< [out][lanes] of the rates
    T* weights_bar = nullptr;    ///< [1 + rates][all] of a leaf
    T* theta_bar = nullptr;      ///< [params] of a leaf
    T* e = nullptr;              ///< traced: [1 + out][lanes], the trace's cotangent and that times d2
    T *ones = nullptr, *m_bar = nullptr, *transposed = nullptr;
  };
  constexpr int in(int l) const { return widths_[l]; }
  constexpr int out(int l) const { return widths_[l + 1]; }
  constexpr int widest() const {
    int most = 0;
    for (int l = 0; l < layers_; ++l) most = out(l) > most ? out(l) : most;
    return most;
  }
  constexpr std::size_t at(int l) const {  ///< of layer l's weights
    std::size_t sum = 0;
    for (int i = 0; i < l; ++i) sum += static_cast<std::size_t>(out(i)) * static_cast<std::size_t>(in(i) + 1);
    return sum;
  }
  constexpr bool keeps() const { return act_ == Activation::silu; }
  constexpr Kept keep(Arena& arena, Extent e) const {
    Kept kept;
    const auto k = static_cast<std::size_t>(e.tangents), lanes = static_cast<std::size_t>(e.lanes);
    const Extent one{1, e.tangents ? 1 : 0};
    kept.weights = arena.take<T>(static_cast<std::size_t>(1 + one.tangents) * at(layers_));
    kept.weights_tape = arena.take<std::byte>(weights_->shape(one).tape);
    for (int l = 0; l + 1 < layers_; ++l) {
      const std::size_t tile = static_cast<std::size_t>(out(l)) * lanes;
      if (keeps()) kept.a[l] = arena.take<T>(tile);
      kept.y[l] = arena.take<T>((1 + k) * tile);
      kept.p[l] = arena.take<T>(k * tile);
      if (traced_) kept.slope[l] = arena.take<T>(tile);
    }
    if (!traced_) return kept;
    const auto h1 = static_cast<std::size_t>(out(0)), h2 = layers_ == 3 ? static_cast<std::size_t>(out(1)) : 1;
    kept.C = arena.take<T>(h1 * h2);
    if (layers_ == 3) kept.M = arena.take<T>(h1 * h2), kept.u = arena.take<T>(h2 * lanes);
    return kept;
  }
  constexpr Scratch scratch(Arena& arena, Extent e) const {
    Scratch s;
    const auto k = static_cast<std::size_t>(e.tangents), lanes = static_cast<std::size_t>(e.lanes);
    const Extent one{1, e.tangents ? 1 : 0};
    const auto widest = static_cast<std::size_t>(this->widest());
    s.inner = arena.take<std::byte>(weights_->shape(one).work);
    s.rate = arena.take<T>(k ? widest * lanes : 0);
    s.y_bar = arena.take<T>((1 + k) * widest * lanes);
    for (int l = 0; l < layers_; ++l) {
      const std::size_t tile = static_cast<std::size_t>(out(l)) * lanes;
      if (l + 1 < layers_) s.a_bar[l] = arena.take<T>((1 + k) * tile);
      if (k) s.q_bar[l] = arena.take<T>(tile);
    }
    s.weights_bar = arena.take<T>(static_cast<std::size_t>(1 + one.tangents) * at(layers_));
    s.theta_bar = arena.take<T>(static_cast<std::size_t>(weights_->shape(one).params));
    if (!traced_) return s;
    const auto h1 = static_cast<std::size_t>(out(0)), h2 = layers_ == 3 ? static_cast<std::size_t>(out(1)) : 1;
    s.e = arena.take<T>((1 + h2) * lanes), s.ones = arena.take<T>(widest * lanes);
    s.m_bar = arena.take<T>(h1 * h2);
    s.transposed = arena.take<T>(2 * h1 * static_cast<std::size_t>(in(0)));
    return s;
  }
  Call<T> weights_call(const Call<T>& call, const Scratch& s) const;
  void layer(const Call<T>& call, const Kept& kept, const Scratch& s, int l, const T* x, T* y) const;
  void layer_vjp(const Call<T>& call, const Kept& kept, const Scratch& s, int l, const T* y_bar, T* x_bar,
                 bool add) const;
  void add_theta(const Call<T>& call, const Kept& kept, const Scratch& s, const T* x, const T* y_bar,
                 const Bar<T>& bar) const;
  void leaf_bar(const Call<T>& call, const Kept& kept, const Scratch& s, const T* x, const T* y_bar, int lane,
                int samples) const;
  void trace(const Call<T>& call, const Kept& kept, const Scratch& s, T* sum) const;
  void trace_vjp(const Call<T>& call, const Kept& kept, const Scratch& s, int l, const T* sum_bar) const;
  void trace_leaf(const Call<T>& call, const Kept& kept, const Scratch& s, const T* sum_bar, int lane,
                  int samples) const;

  const Map<T>* weights_;
  int layers_ = 0, widths_[max_layers + 1] = {};
  Activation act_;
  bool traced_;
};
}  // namespace revode
