/// FixedMlp: the network of Mlp on one sample, its widths known to the compiler, no table of functions: a field for
/// StaticSolve. theta, tape and bits are those of Mlp at one lane; theta = W[out][in] | b[out] of each layer. No
/// tangents: shape() has no rows then. Work: where packs are one wide (on microcontrollers) the widest hidden layer,
/// twice that from three layers on; elsewhere none.
#pragma once
#include <utility>

#include "revode/impl/few.hpp"
#include "revode/impl/slopes.hpp"
#include "revode/map.hpp"

namespace revode {
template <class T, Activation act, int... widths>
class FixedMlp {
  static constexpr int width[sizeof...(widths)] = {widths...}, layers = static_cast<int>(sizeof...(widths)) - 1;
  static_assert(layers > 0 && ((widths > 0) && ...) && act != Activation::silu, "silu's derivative needs its argument");
  using O = kernel::On<T, 1>;
  /// One evaluation waits for another here, and packs of 64 bytes have the longer division.
  static constexpr int lanes = kernel::width<T> * sizeof(T) > 32 ? int{32 / sizeof(T)} : kernel::width<T>;
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
    const std::size_t work = kernel::width<T> > 1 ? 0 : (layers > 2 ? 2u : 1u) * row(hidden(true));
    return {width[0], width[layers], params, tape_before(layers), work};
  }
  static REVODE_INLINE void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) {
    forward<0>(call.theta, x, y, tape);
  }
  static REVODE_INLINE void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
                                const Bar<T>& bar) {
    back<layers - 1>(call, x, y, tape, y_bar, x_bar, bar.theta.at);
  }

 private:
  static T* hidden_row(std::byte* tape, int layer) { return reinterpret_cast<T*>(tape + tape_before(layer)); }
  template <int l>
  static REVODE_INLINE void forward(const T* theta, const T* x, T* y, std::byte* tape) {
    constexpr bool last = l + 1 == layers;
    T* const to = last ? y : hidden_row(tape, l + 1);
    rows<!last, lanes, width[l + 1], width[l]>(0, theta + params_before(l), x, to);
    if constexpr (!last) forward<l + 1>(theta, to, y, tape);
  }
  /// y = W x + b, and act of it: of as many units at once as there are lanes.
  template <bool activated, int W, int out, int in>
  static REVODE_INLINE void rows(int o, const T* w, const T* x, T* y) {
    using P = kernel::On<T, W>;
    for (; o + W <= out; o += W) {
      typename P::V a{};
      if constexpr (in % 2 == 1 && in < W) {
        a = P::load(w + out * in + o);
        detail::unrolled<in>([&]<int i>()
                                 REVODE_INLINED { a = P::fma(column<W, in, i>(w + o * in), P::all(x[i]), a); });
      } else {
        for (int l = 0; l < W; ++l) {
          T sum = w[out * in + o + l];
          for (int i = 0; i < in; ++i) sum = O::fma(w[(o + l) * in + i], x[i], sum);
          if constexpr (W == 1)
            a = sum;
          else
            a[l] = sum;
        }
      }
      P::store(y + o, activated ? kernel::Slopes<T, W>::value(act, a) : a);
    }
    if constexpr (W > 1) rows<activated, kernel::narrower<T, W>, out, in>(o, w, x, y);
  }
  /// w[l][i] of W rows l, of an odd number of columns less than W: in the packs that hold the rows each is in another
  /// lane.
  template <int W, int in, int i>
  static REVODE_INLINE kernel::Pack<T, W> column(const T* w) {
    using P = kernel::On<T, W>;
    return [&]<int... l>(std::integer_sequence<int, l...>) REVODE_INLINED {
      auto all = P::load(w);
      constexpr auto pack_of_lane = [](int lane) {
        int row = 0;
        while ((row * in + i) % W != lane) ++row;
        return (row * in + i) / W;
      };
      detail::unrolled<in>([&]<int p>() REVODE_INLINED {
        if constexpr (p > 0)
          all = __builtin_shufflevector(all, P::load(w + p * W), (pack_of_lane(l) == p ? W + l : l)...);
      });
      return __builtin_shufflevector(all, all, (l * in + i) % W...);
    }
    (std::make_integer_sequence<int, W>());
  }
  template <int l>
  static REVODE_INLINE void back(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
                                 T* theta_bar) {
    constexpr bool last = l + 1 == layers;
    const T* const from = l == 0 ? x : hidden_row(tape, l);
    T here[kernel::width<T> > 1 ? width[l] : 1];  // so that a compiler sees that it is nobody else's
    T* to = l == 0 ? x_bar : here;
    if constexpr (l > 0 && kernel::width<T> == 1) {
      to = reinterpret_cast<T*>(call.work + (l % 2 == 0 ? row(hidden(true)) : 0));
      __builtin_memset(to, 0, static_cast<std::size_t>(width[l]) * sizeof(T));
    }
    dense_vjp<!last, l>(call.theta + params_before(l), from, y, y_bar, to,
                        theta_bar ? theta_bar + params_before(l) : nullptr);
    if constexpr (l > 0) back<l - 1>(call, x, from, tape, to, x_bar, theta_bar);
  }
  template <bool activated, int l>
  static REVODE_INLINE void dense_vjp(const T* w, const T* x, const T* y, const T* y_bar, T* x_bar, T* w_bar) {
    constexpr int W = lanes, out = width[l + 1], in = width[l];
    if constexpr (W > 1) {
      T a_bar[out];
      pulled<activated, W>(0, out, y, y_bar, a_bar, w_bar ? w_bar + out * in : nullptr);
      if constexpr (in > 1 && in < W && pack_of(in) - in <= out) {
        beyond<pack_of(in), l == 0>(out, in, w, a_bar, x_bar);  // first what others wait for
        if (w_bar) across<W, in>(0, out, x, a_bar, w_bar);
        return;
      } else {
        return columns<l == 0, W>(0, out, in, w, x, a_bar, x_bar, w_bar);
      }
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
  template <bool adds, int W>
  static REVODE_INLINE void columns(int i, int out, int in, const T* w, const T* x, const T* a_bar, T* x_bar,
                                    T* w_bar) {
    using P = kernel::On<T, W>;
    for (; i + W <= in; i += W) {
      const auto from = P::load(x + i);
      auto sum = adds && x_bar ? P::load(x_bar + i) : P::all(T(0));
      for (int o = 0; o < out; ++o) {
        const int at = o * in + i;
        const auto by = P::all(a_bar[o]);
        if (w_bar) P::store(w_bar + at, P::fma(by, from, P::load(w_bar + at)));
        sum = P::fma(P::load(w + at), by, sum);
      }
      if (x_bar) P::store(x_bar + i, sum);
    }
    if constexpr (W > 1) columns<adds, kernel::narrower<T, W>>(i, out, in, w, x, a_bar, x_bar, w_bar);
  }
  /// Of fewer columns than a pack has lanes: what W is owed in packs across the ends of its rows, `in` of them for W
  /// rows;
  template <int W, int in>
  static REVODE_INLINE void across(int o, int out, const T* x, const T* a_bar, T* w_bar) {
    using P = kernel::On<T, W>;
    typename P::V from[in];
    for (int p = 0; p < in; ++p) {
      auto pack = P::all(x[p * W % in]);
      if constexpr (W > 1)
        for (int l = 1; l < W; ++l) pack[l] = x[(p * W + l) % in];
      from[p] = pack;
    }
    for (; o + W <= out; o += W) {
      const auto a = P::load(a_bar + o);
      const auto owed = [&]<int p, int... l>(std::integer_sequence<int, l...>) REVODE_INLINED {
        T* const to = w_bar + o * in + p * W;
        if constexpr (W == 1)
          *to = P::fma(a, from[p], *to);
        else
          P::store(to, P::fma(__builtin_shufflevector(a, a, (p * W + l) / in...), from[p], P::load(to)));
      };
      [&]<int... p>(std::integer_sequence<int, p...>) REVODE_INLINED {
        (owed.template operator()<p>(std::make_integer_sequence<int, W>()), ...);
      }
      (std::make_integer_sequence<int, in>());
    }
    if constexpr (W > 1) across<kernel::narrower<T, W>, in>(o, out, x, a_bar, w_bar);
  }
  /// and what x is, in a pack that reads beyond each row, behind the last one b.
  template <int W, bool adds>
  static REVODE_INLINE void beyond(int out, int in, const T* w, const T* a_bar, T* x_bar) {
    using P = kernel::On<T, W>;
    if (!x_bar) return;
    typename P::V sum{};
    for (int i = 0; adds && i < in; ++i) sum[i] = x_bar[i];
    for (int o = 0; o < out; ++o) sum = P::fma(P::load(w + o * in), P::all(a_bar[o]), sum);
    for (int i = 0; i < in; ++i) x_bar[i] = sum[i];
  }
  static constexpr int pack_of(int n) {
    int W = 1;
    while (W < n) W *= 2;
    return W * static_cast<int>(sizeof(T)) < 16 && W > 1 ? 16 / static_cast<int>(sizeof(T)) : W;
  }
};
}  // namespace revode
