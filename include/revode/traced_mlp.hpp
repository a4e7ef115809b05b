/// TracedMlp: an MLP d, h1, (h2,) d and in one row more the trace of its Jacobian, of parameters that need no further
/// work at a sample: weights that do not change in time stand there once, those that do at every time of a grid, and
/// with them the matrix of the trace, C = c_h = sum_i W2[i][h] W1[h][i] of one hidden layer, C = W2 o (W1 W3)^T of two
/// (time_mlp.hpp). phi is computed once an update of theta (complete(), HyperTable); its cotangents are summed over
/// samples, leaves, tiles and ranks like any others, and pulled back to theta once, after all sums. So what theta and
/// time alone decide costs nothing a sample, and C's cotangent is one product more.
#pragma once
#include "revode/impl/pack.hpp"
#include "revode/sequential.hpp"

namespace revode {
namespace kernel {
template <class T>
struct ShallowTraced;
}  // namespace kernel
/// Equal times; `count` is known when a map over them is made, the others before a solve.
template <class T>
struct Times {
  T first = 0, spacing = 1;
  int count = 0;
  /// The time's number, -1 where t is none of them.
  int number(T t) const {
    const T at = (t - first) / spacing;
    if (!(at > T(-.25)) || !(at < static_cast<T>(count) - T(.75))) return -1;
    const int k = static_cast<int>(at + T(.5));
    const T off = at - static_cast<T>(k);
    return off < T(.25) && off > T(-.25) ? k : -1;
  }
};

/// phi without times, the weights of LayerWeights and C: W[out][in] | w_t[out] | b[out] of each layer, W x + b + w_t t,
/// then C, of two hidden layers from the next cache line on. With times, for each of them: W[out][in] | b[out] of each
/// layer, then C; it is an error to ask for another time, or for the cotangent of one. No tangents.
template <class T>
class TracedMlp final : public Map<T> {
 public:
  static constexpr int most_layers = 3, most_shallow = 4;
  /// `times` outlives this. Other than one or two hidden layers of a square map make a map of zero rows, which every
  /// init refuses.
  constexpr TracedMlp(const int* widths, int count, Activation act, const Times<T>* times = nullptr)
      : times_(times), act_(act) {
    if (count < 3 || count > most_layers + 1 || widths[0] != widths[count - 1]) return;
    layers_ = count - 1;
    for (int i = 0; i <= most_layers; ++i) widths_[i] = i < count ? widths[i] : 0;  // no loop to make memmove of
  }
  constexpr Shape shape(Extent e) const override {
    if (layers_ == 0) return {};
    Arena tape, work;
    keep(tape, e.lanes), scratch(work, e.lanes);
    return {in(0), in(0) + 1, row() * (times_ ? times_->count : 1), tape.bytes(), work.bytes()};
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;

  constexpr int row() const { return at(layers_) + traces(); }                   ///< numbers of phi at a time
  constexpr int traces() const { return out(0) * (layers_ == 3 ? out(1) : 1); }  ///< of which these, the last, are C
  /// C of the weights in front of it. Once an update, so in plain loops.
  void complete(T* row) const;
  /// Adds what C's cotangent, behind row_bar's weights, asks of the weights: to weights_bar, which may be row_bar.
  void fold(const T* row, const T* row_bar, T* weights_bar) const;

 private:
  struct Kept {                              ///< the tape
    T *a[2] = {}, *y[2] = {}, *u = nullptr;  ///< [out][lanes] of hidden layers; a: of silu
    T* slope = nullptr;                      ///< of the first
  };
  struct Scratch {
    T *g = nullptr, *slope_bar = nullptr, *e = nullptr, *slope = nullptr;  ///< [widest][lanes]
    T *bias = nullptr, *lane = nullptr;                                    ///< [widest + d]; [lanes]
  };
  constexpr int in(int l) const { return widths_[l]; }
  constexpr int out(int l) const { return widths_[l + 1]; }
  constexpr int at(int l) const {  ///< of layer l in a row of phi, of C behind them; as a square it begins a cache line
    int sum = 0;
    for (int i = 0; i < l; ++i) sum += out(i) * (in(i) + (times_ ? 1 : 2));
    constexpr int line = REVODE_ALIGN / sizeof(T);
    return l == 3 && !times_ ? (sum + line - 1) / line * line : sum;
  }
  constexpr int time_at(int l) const { return at(l) + out(l) * in(l); }
  constexpr int bias_at(int l) const { return time_at(l) + (times_ ? 0 : out(l)); }
  constexpr Kept keep(Arena& arena, int lanes) const {
    Kept kept;
    for (int l = 0; l + 1 < layers_; ++l) {
      const std::size_t n = tile(out(l), lanes);
      if (act_ == Activation::silu) kept.a[l] = arena.take<T>(n);
      kept.y[l] = arena.take<T>(n);
      if (l == 0 && !shallow()) kept.slope = arena.take<T>(n);
    }
    if (layers_ == 3) kept.u = arena.take<T>(tile(out(1), lanes));
    return kept;
  }
  constexpr Scratch scratch(Arena& arena, int lanes) const {
    int widest = in(0);
    for (int l = 0; l < layers_; ++l) widest = out(l) > widest ? out(l) : widest;
    const std::size_t n = tile(widest, lanes);
    Scratch s;
    s.g = arena.take<T>(n), s.slope_bar = arena.take<T>(n), s.e = arena.take<T>(n);
    if (shallow()) s.slope = arena.take<T>(n);
    s.bias = arena.take<T>(tile(widest + in(0), 1)), s.lane = arena.take<T>(tile(1, lanes));
    return s;
  }
  static constexpr std::size_t tile(int rows, int lanes) {
    return static_cast<std::size_t>(rows) * static_cast<std::size_t>(lanes);
  }
  int number(const Call<T>& call) const { return times_ ? times_->number(call.t) : 0; }
  constexpr bool shallow() const {
    return kernel::register_bytes > 0 && layers_ == 2 && act_ == Activation::tanh && in(0) <= most_shallow;
  }
  kernel::ShallowTraced<T> net(const Call<T>& call, const T* phi, const Scratch& s) const;
  void shallow_vjp(const Call<T>& call, const Kept& kept, const Scratch& s, const T* phi, const T* x, const T* y_bar,
                   T* x_bar, const ThetaBar<T>& phi_bar) const;
  void add_biases(const Call<T>& call, std::size_t n, const T* sum, T* b, T* w_t) const;
  const T* bias(const Call<T>& call, const T* phi, const Scratch& s, int l) const;
  void layer(const Call<T>& call, const T* phi, const Scratch& s, int l, const T* x, T* y) const;
  void add_weights(const Call<T>& call, const Scratch& s, int l, const T* x, const T* a_bar, const T* phi,
                   const ThetaBar<T>& phi_bar, T* t_bar) const;

  const Times<T>* times_;
  int layers_ = 0, widths_[most_layers + 1] = {};
  Activation act_;
};
}  // namespace revode
