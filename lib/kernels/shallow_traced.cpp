#include "kernels/shallow_traced.hpp"

#include "revode/impl/slopes.hpp"
#include "scalars.hpp"
#include "transpose.hpp"

namespace revode::kernel {
namespace {
constexpr Activation act = Activation::tanh;

template <class T, int W, int D>
REVODE_INLINE void forward(const ShallowTraced<T>& net, Index lane, const T* x, T* h, T* y) {
  using O = On<T, W>;
  const Index lanes = net.lanes, H = net.hidden;
  typename O::V in[D], out[D], trace = {};
  REVODE_UNROLL for (int i = 0; i < D; ++i) in[i] = O::load(x + i * lanes + lane), out[i] = O::all(net.b2[i]);
  const T *w1 = net.W1, *w2 = net.W2;
  h += lane;
  for (Index u = 0; u < H; ++u, w1 += D, ++w2, h += lanes) {
    auto a = O::all(net.b1[u]);
    REVODE_UNROLL for (int i = 0; i < D; ++i) a = O::fma(O::all(w1[i]), in[i], a);
    const auto t = Slopes<T, W>::value(act, a);
    O::store(h, t);
    REVODE_UNROLL for (int o = 0; o < D; ++o) out[o] = O::fma(O::all(w2[o * H]), t, out[o]);
    trace = O::fma(O::all(net.C[u]), Slopes<T, W>::first(act, a, t), trace);
  }
  REVODE_UNROLL for (int o = 0; o < D; ++o) O::store(y + o * lanes + lane, out[o]);
  O::store(y + D * lanes + lane, trace);
}

/// From the cotangents of y and the trace to that before the activation.
template <class T, int W, int D>
REVODE_INLINE Pack<T, W> before(Pack<T, W> h, const Pack<T, W> (&w2)[D], const Pack<T, W> (&y_bar)[D], Pack<T, W> C,
                                Pack<T, W> trace_bar) {
  using O = On<T, W>;
  typename O::V through = {};
  REVODE_UNROLL for (int o = 0; o < D; ++o) through = O::fma(w2[o], y_bar[o], through);
  const auto slope_bar = O::fma(C, trace_bar, O::all(T(0)));
  return O::fma(Slopes<T, W>::second(act, h, h), slope_bar, Slopes<T, W>::first(act, h, h) * through);
}

template <class T, int W, int D>
REVODE_INLINE void back(const ShallowTraced<T>& net, Index lane, const T* h, const T* y_bar, T* x_bar) {
  using O = On<T, W>;
  const Index lanes = net.lanes, H = net.hidden;
  typename O::V out_bar[D], in_bar[D], w2[D];
  REVODE_UNROLL for (int i = 0; i < D; ++i) {
    out_bar[i] = O::load(y_bar + i * lanes + lane);
    in_bar[i] = O::load(x_bar + i * lanes + lane);
  }
  const auto trace_bar = O::load(y_bar + D * lanes + lane);
  const T* w1 = net.W1;
  h += lane;
  for (Index u = 0; u < H; ++u, w1 += D, h += lanes) {
    REVODE_UNROLL for (int o = 0; o < D; ++o) w2[o] = O::all(net.W2[o * H + u]);
    const auto a_bar = before<T, W, D>(O::load(h), w2, out_bar, O::all(net.C[u]), trace_bar);
    REVODE_UNROLL for (int i = 0; i < D; ++i) in_bar[i] = O::fma(O::all(w1[i]), a_bar, in_bar[i]);
  }
  REVODE_UNROLL for (int i = 0; i < D; ++i) O::store(x_bar + i * lanes + lane, in_bar[i]);
}

/// W units at once: their h is turned, so that a sample's stand in a pack, and all else a sample has is broadcast.
template <class T, int W, int D>
REVODE_INLINE void leaf_units(const ShallowTraced<T>& net, Index u, int samples, const T* x, const T* h, const T* y_bar,
                              const ShallowTracedBar<T>& bar) {
  using O = On<T, W>;
  constexpr int most_samples = 64;
  const Index lanes = net.lanes, H = net.hidden;
  alignas(64) T turned[most_samples * W], columns[D * W];
  turn<T, W>(W, lanes, samples, h + u * lanes, turned, W);
  typename O::V w1_bar[D], w2_bar[D], w2[D], b1_bar = O::load(bar.b1 + u), C_bar = O::load(bar.C + u);
  const auto C = O::load(net.C + u);
  for (int j = 0; j < W; ++j)
    for (int i = 0; i < D; ++i) columns[i * W + j] = bar.W1[(u + j) * D + i];
  REVODE_UNROLL for (int i = 0; i < D; ++i) {
    w1_bar[i] = O::load(columns + i * W);
    w2_bar[i] = O::load(bar.W2 + i * H + u), w2[i] = O::load(net.W2 + i * H + u);
  }
  for (int l = 0; l < samples; ++l) {
    typename O::V out_bar[D];
    REVODE_UNROLL for (int o = 0; o < D; ++o) out_bar[o] = O::all(y_bar[o * lanes + l]);
    const auto t = O::load(turned + l * W), trace_bar = O::all(y_bar[D * lanes + l]);
    const auto a_bar = before<T, W, D>(t, w2, out_bar, C, trace_bar);
    b1_bar = b1_bar + a_bar;
    C_bar = O::fma(trace_bar, Slopes<T, W>::first(act, t, t), C_bar);
    REVODE_UNROLL for (int i = 0; i < D; ++i) {
      w1_bar[i] = O::fma(a_bar, O::all(x[i * lanes + l]), w1_bar[i]);
      w2_bar[i] = O::fma(out_bar[i], t, w2_bar[i]);
    }
  }
  O::store(bar.b1 + u, b1_bar);
  O::store(bar.C + u, C_bar);
  REVODE_UNROLL for (int i = 0; i < D; ++i) {
    O::store(columns + i * W, w1_bar[i]);
    O::store(bar.W2 + i * H + u, w2_bar[i]);
  }
  for (int j = 0; j < W; ++j)
    for (int i = 0; i < D; ++i) bar.W1[(u + j) * D + i] = columns[i * W + j];
}
}  // namespace

template <class T>
void shallow_traced(const ShallowTraced<T>& net, const T* x, T* h, T* y) {
  with_count<most_shallow_rows>(net.d, [&]<int D>() REVODE_INLINED {
    sweep_from<T, width<T>>(Index{0}, net.lanes,
                            [&]<int W>(Index lane) REVODE_INLINED { forward<T, W, D>(net, lane, x, h, y); });
  });
}
template <class T>
void shallow_traced_vjp(const ShallowTraced<T>& net, const T* h, const T* y_bar, T* x_bar) {
  with_count<most_shallow_rows>(net.d, [&]<int D>() REVODE_INLINED {
    sweep_from<T, width<T>>(Index{0}, net.lanes,
                            [&]<int W>(Index lane) REVODE_INLINED { back<T, W, D>(net, lane, h, y_bar, x_bar); });
  });
}
template <class T>
void shallow_traced_leaf(const ShallowTraced<T>& net, int samples, const T* x, const T* h, const T* y_bar,
                         const ShallowTracedBar<T>& bar) {
  with_count<most_shallow_rows>(net.d, [&]<int D>() REVODE_INLINED {
    sweep_from<T, width<T>>(
        0, net.hidden, [&]<int W>(Index u) REVODE_INLINED { leaf_units<T, W, D>(net, u, samples, x, h, y_bar, bar); });
  });
}

#define REVODE_INSTANTIATE(T)                                                                      \
  template void shallow_traced<T>(const ShallowTraced<T>&, const T*, T*, T*);                      \
  template void shallow_traced_vjp<T>(const ShallowTraced<T>&, const T*, const T*, T*);            \
  template void shallow_traced_leaf<T>(const ShallowTraced<T>&, int, const T*, const T*, const T*, \
                                       const ShallowTracedBar<T>&);
REVODE_INSTANTIATE(float)
REVODE_DOUBLE(REVODE_INSTANTIATE(double))
}  // namespace revode::kernel
