#include "shallow.hpp"

#include "revode/impl/elementary.hpp"
#include "scalars.hpp"

namespace revode::kernel {
namespace {
/// Q packs at once, which share what is loaded of the weights.
template <class T, int W, int D, int Q>
REVODE_INLINE void forward(const Shallow<T>& net, Index lane, const T* x, T* h, T* y) {
  using O = On<T, W>;
  const Index lanes = net.lanes, H = net.hidden;
  const T *w1 = net.theta, *b1 = w1 + H * D, *w2 = b1 + H, *b2 = w2 + H * D;
  typename O::V in[D][Q], out[D][Q];
  REVODE_UNROLL for (int i = 0; i < D; ++i) REVODE_UNROLL for (int q = 0; q < Q; ++q) {
    in[i][q] = O::load(x + i * lanes + lane + q * W);
    out[i][q] = O::all(b2[i]);
  }
  T* unit = h + lane;
  for (const T* const end = b1 + H; b1 < end; ++b1, ++w2, w1 += D, unit += lanes) {
    typename O::V a[Q];
    REVODE_UNROLL for (int q = 0; q < Q; ++q) a[q] = O::all(*b1);
    REVODE_UNROLL for (int i = 0; i < D; ++i) {
      const auto w = O::all(w1[i]);
      REVODE_UNROLL for (int q = 0; q < Q; ++q) a[q] = O::fma(w, in[i][q], a[q]);
    }
    REVODE_UNROLL for (int q = 0; q < Q; ++q) {
      a[q] = Elementary<T, W>::tanh(a[q]);
      O::store(unit + q * W, a[q]);
    }
    REVODE_UNROLL for (int o = 0; o < D; ++o) {
      const auto w = O::all(w2[o * H]);
      REVODE_UNROLL for (int q = 0; q < Q; ++q) out[o][q] = O::fma(w, a[q], out[o][q]);
    }
  }
  REVODE_UNROLL for (int o = 0; o < D; ++o) REVODE_UNROLL for (int q = 0; q < Q; ++q)
      O::store(y + o * lanes + lane + q * W, out[o][q]);
}

// Adding the weights' part of all stages of a step at once would save half of the stores; tried with 32 lanes, it is no
// faster, for what then waits drives the accumulators out of L1.
template <class T, int W, int D, int Q>
REVODE_INLINE void back(const Shallow<T>& net, Index lane, const T* x, const T* h, const T* y_bar, T* x_bar,
                        T* theta_bar) {
  using O = On<T, W>;
  const Index lanes = net.lanes, H = net.hidden;
  const T *w1 = net.theta, *w2 = w1 + H * (D + 1);
  T *w1_bar = theta_bar + lane, *b1_bar = w1_bar + H * D * lanes, *w2_bar = b1_bar + H * lanes;
  T* b2_bar = w2_bar + H * D * lanes;
  typename O::V in[D][Q], in_bar[D][Q], out_bar[D][Q];
  REVODE_UNROLL for (int i = 0; i < D; ++i) REVODE_UNROLL for (int q = 0; q < Q; ++q) {
    const Index at = i * lanes + q * W;
    in[i][q] = O::load(x + at + lane);
    in_bar[i][q] = O::load(x_bar + at + lane);
    out_bar[i][q] = O::load(y_bar + at + lane);
    O::store(b2_bar + at, O::load(b2_bar + at) + out_bar[i][q]);
  }
  const T* unit = h + lane;
  // Two units a turn: counting takes the FMA units' ports.
  _Pragma("GCC unroll 2") for (Index k = 0; k < H; ++k) {
    typename O::V v1[D], v2[D];  // once for all packs: loads are what this loop waits for
    REVODE_UNROLL for (int i = 0; i < D; ++i) v1[i] = O::all(w1[i]), v2[i] = O::all(w2[i * H + k]);
    REVODE_UNROLL for (int q = 0; q < Q; ++q) {
      const auto t = O::load(unit + q * W);
      typename O::V sum1[D], sum2[D], t_bar = O::all(T(0));
      REVODE_UNROLL for (int o = 0; o < D; ++o) {
        t_bar = O::fma(v2[o], out_bar[o][q], t_bar);
        sum2[o] = O::fma(out_bar[o][q], t, O::load(w2_bar + o * H * lanes + q * W));
      }
      const auto a_bar = O::fma(-t, t, O::all(T(1))) * t_bar, sum_b = O::load(b1_bar + q * W) + a_bar;
      REVODE_UNROLL for (int i = 0; i < D; ++i) {
        sum1[i] = O::fma(a_bar, in[i][q], O::load(w1_bar + i * lanes + q * W));
        in_bar[i][q] = O::fma(v1[i], a_bar, in_bar[i][q]);
      }
      REVODE_UNROLL for (int i = 0; i < D; ++i) {
        O::store(w1_bar + i * lanes + q * W, sum1[i]);
        O::store(w2_bar + i * H * lanes + q * W, sum2[i]);
      }
      O::store(b1_bar + q * W, sum_b);
    }
    w1 += D, unit += lanes, w1_bar += D * lanes, b1_bar += lanes, w2_bar += lanes;
  }
  REVODE_UNROLL for (int i = 0; i < D; ++i) REVODE_UNROLL for (int q = 0; q < Q; ++q)
      O::store(x_bar + i * lanes + lane + q * W, in_bar[i][q]);
}
}  // namespace

template <class T>
void shallow(const Shallow<T>& net, const T* x, T* h, T* y) {
  with_count<most_shallow_rows>(net.d, [&]<int D>() REVODE_INLINED {
    constexpr int W = width<T>, Q = W > 1 && D <= 2 ? 2 : 1;
    Index lane = 0;
    if constexpr (Q == 2)
      for (; lane + Q * W <= net.lanes; lane += Q * W) forward<T, W, D, Q>(net, lane, x, h, y);
    sweep_from<T, W>(lane, net.lanes, [&]<int V>(Index at) REVODE_INLINED { forward<T, V, D, 1>(net, at, x, h, y); });
  });
}

template <class T>
void shallow_vjp(const Shallow<T>& net, const T* x, const T* h, const T* y_bar, T* x_bar, T* theta_bar) {
  with_count<most_shallow_rows>(net.d, [&]<int D>() REVODE_INLINED {
    constexpr int W = width<T>, Q = D > 2 || register_bytes < 64 ? 1 : 2;  // as many as there are registers for
    Index lane = 0;
    if constexpr (Q == 2)
      for (; lane + Q * W <= net.lanes; lane += Q * W) back<T, W, D, Q>(net, lane, x, h, y_bar, x_bar, theta_bar);
    sweep_from<T, W>(lane, net.lanes,
                     [&]<int V>(Index at) REVODE_INLINED { back<T, V, D, 1>(net, at, x, h, y_bar, x_bar, theta_bar); });
  });
}

#define REVODE_INSTANTIATE(T)                                    \
  template void shallow<T>(const Shallow<T>&, const T*, T*, T*); \
  template void shallow_vjp<T>(const Shallow<T>&, const T*, const T*, const T*, T*, T*);
REVODE_INSTANTIATE(float)
REVODE_DOUBLE(REVODE_INSTANTIATE(double))
}  // namespace revode::kernel
