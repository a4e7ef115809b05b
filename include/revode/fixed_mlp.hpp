/// FixedMlp: the network of Mlp on one sample, its widths known to the compiler, no table of functions: a field for
/// StaticSolve. theta, tape and bits are those of Mlp at one lane; theta = W[out][in] | b[out] of each layer. No
/// tangents: shape() has no rows then. Work: the widest hidden layer, twice that from three layers on.
#pragma once
#include <string.h>

#include "revode/impl/slopes.hpp"
#include "revode/map.hpp"

namespace revode {
template <class T, Activation act, int... widths>
class FixedMlp {
  static constexpr int width[sizeof...(widths)] = {widths...}, layers = static_cast<int>(sizeof...(widths)) - 1;
  static_assert(layers > 0 && ((widths > 0) && ...) && act != Activation::silu, "silu's derivative needs its argument");
  using O = kernel::On<T, 1>;
  static constexpr int hidden(bool widest) {
    int sum = 0, most = 0;
    for (int l = 1; l < layers; ++l) sum += width[l], most = width[l] > most ? width[l] : most;
    return widest ? most : sum;
  }
  static constexpr int params_before(int layer) {
    int sum = 0;
    for (int l = 0; l < layer; ++l) sum += width[l + 1] * (width[l] + 1);
    return sum;
  }
  static constexpr std::size_t row(int n) { return padded(static_cast<std::size_t>(n) * sizeof(T)); }
  /// Of the hidden layers' rows in the tape.
  static constexpr std::size_t tape_before(int layer) {
    std::size_t bytes = 0;
    for (int l = 1; l < layer; ++l) bytes += row(width[l]);
    return bytes;
  }

 public:
  using Scalar = T;
  static constexpr int params = params_before(layers);
  static constexpr Shape shape(Extent e) {
    if (e.lanes != 1 || e.tangents != 0) return {};
    return {width[0], width[layers], params, tape_before(layers), (layers > 2 ? 2u : 1u) * row(hidden(true))};
  }
  static void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) { forward<0>(call.theta, x, y, tape); }
  static void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
                  const Bar<T>& bar) {
    back<layers - 1>(call, x, y, tape, y_bar, x_bar, bar.theta.at);
  }

 private:
  static T* hidden_row(std::byte* tape, int layer) { return reinterpret_cast<T*>(tape + tape_before(layer)); }
  template <int l>
  static REVODE_INLINE void forward(const T* theta, const T* x, T* y, std::byte* tape) {
    constexpr bool last = l + 1 == layers;
    T* const to = last ? y : hidden_row(tape, l + 1);
    dense<!last>(width[l + 1], width[l], theta + params_before(l), x, to);
    if constexpr (!last) forward<l + 1>(theta, to, y, tape);
  }
  /// y = W x + b, and act of it: of as many units at once as there are registers for.
  template <bool activated>
  static REVODE_INLINE void dense(int out, int in, const T* w, const T* x, T* y) {
    rows<activated, kernel::width<T>>(0, out, in, w, x, y);
  }
  template <bool activated, int W>
  static REVODE_INLINE void rows(int o, int out, int in, const T* w, const T* x, T* y) {
    using P = kernel::On<T, W>;
    for (; o + W <= out; o += W) {
      typename P::V a;
      for (int l = 0; l < W; ++l) {
        T sum = w[out * in + o + l];
        for (int i = 0; i < in; ++i) sum = O::fma(w[(o + l) * in + i], x[i], sum);
        if constexpr (W == 1)
          a = sum;
        else
          a[l] = sum;
      }
      P::store(y + o, activated ? kernel::Slopes<T, W>::value(act, a) : a);
    }
    if constexpr (W > 1) rows<activated, kernel::narrower<T, W>>(o, out, in, w, x, y);
  }
  template <int l>
  static REVODE_INLINE void back(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
                                 T* theta_bar) {
    constexpr bool last = l + 1 == layers;
    const T* const from = l == 0 ? x : hidden_row(tape, l);
    T* const to = l == 0 ? x_bar : reinterpret_cast<T*>(call.work + (l % 2 == 0 ? row(hidden(true)) : 0));
    if constexpr (l > 0) memset(to, 0, static_cast<std::size_t>(width[l]) * sizeof(T));
    dense_vjp<!last>(width[l + 1], width[l], call.theta + params_before(l), from, y, y_bar, to,
                     theta_bar ? theta_bar + params_before(l) : nullptr);
    if constexpr (l > 0) back<l - 1>(call, x, from, tape, to, x_bar, theta_bar);
  }
  template <bool activated>
  static REVODE_INLINE void dense_vjp(int out, int in, const T* w, const T* x, const T* y, const T* y_bar, T* x_bar,
                                      T* w_bar) {
    constexpr int W = kernel::width<T>;
    if constexpr (W > 1) {
      T a_bar[most_rows];
      pulled<activated, W>(0, out, y, y_bar, a_bar, w_bar ? w_bar + out * in : nullptr);
      return columns<W>(0, out, in, w, x, a_bar, x_bar, w_bar);
    }
    T* b_bar = w_bar ? w_bar + out * in : nullptr;
    for (int o = 0; o < out; ++o) {
      const T a_bar = activated ? kernel::Slopes<T, 1>::first(act, T(0), y[o]) * y_bar[o] : y_bar[o];
      if (w_bar) *b_bar++ += a_bar;
      for (int i = 0; i < in; ++i, ++w) {
        if (w_bar) *w_bar = O::fma(a_bar, x[i], *w_bar), ++w_bar;
        if (x_bar) x_bar[i] = O::fma(*w, a_bar, x_bar[i]);
      }
    }
  }
  /// The same in registers: a_bar = act'(y) y_bar, and what b is owed;
  template <bool activated, int W>
  static REVODE_INLINE void pulled(int o, int out, const T* y, const T* y_bar, T* a_bar, T* b_bar) {
    using P = kernel::On<T, W>;
    for (; o + W <= out; o += W) {
      auto a = P::load(y_bar + o);
      if constexpr (activated) a = kernel::Slopes<T, W>::first(act, P::all(T(0)), P::load(y + o)) * a;
      P::store(a_bar + o, a);
      if (b_bar) P::store(b_bar + o, P::load(b_bar + o) + a);
    }
    if constexpr (W > 1) pulled<activated, kernel::narrower<T, W>>(o, out, y, y_bar, a_bar, b_bar);
  }
  /// and what W and x are, columns at once.
  template <int W>
  static REVODE_INLINE void columns(int i, int out, int in, const T* w, const T* x, const T* a_bar, T* x_bar,
                                    T* w_bar) {
    using P = kernel::On<T, W>;
    for (; i + W <= in; i += W) {
      const auto from = P::load(x + i);
      auto sum = x_bar ? P::load(x_bar + i) : from;
      for (int o = 0; o < out; ++o) {
        const int at = o * in + i;
        const auto by = P::all(a_bar[o]);
        if (w_bar) P::store(w_bar + at, P::fma(by, from, P::load(w_bar + at)));
        sum = P::fma(P::load(w + at), by, sum);
      }
      if (x_bar) P::store(x_bar + i, sum);
    }
    if constexpr (W > 1) columns<kernel::narrower<T, W>>(i, out, in, w, x, a_bar, x_bar, w_bar);
  }
  static constexpr int most_rows = hidden(true) > width[layers] ? hidden(true) : width[layers];
};
}  // namespace revode
