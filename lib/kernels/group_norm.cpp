// Group normalisation with ReLU in one pass: a lane's sums run down its column, so no lane waits for another.
#include "revode/image_kernels.hpp"
#include "revode/impl/roots.hpp"
#include "scalars.hpp"
#include "sweep.hpp"

namespace revode::kernel {
namespace {
/// The sum of f(row) over rows 0 ... n - 1 in four interleaved chains, which hide each other's latency.
template <class T, int W, class F>
REVODE_INLINE Pack<T, W> four_chains(Index n, const F& f) {
  Pack<T, W> sum[4];
  REVODE_UNROLL for (int j = 0; j < 4; ++j) sum[j] = On<T, W>::all(T(0));
  Index r = 0;
  for (; r + 4 <= n; r += 4) REVODE_UNROLL for (int j = 0; j < 4; ++j) sum[j] = f(r + j, sum[j]);
  REVODE_UNROLL for (int j = 0; j < 3; ++j) if (r + j < n) sum[j] = f(r + j, sum[j]);
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/// Two sums in one walk.
template <class T, int W, class F>
REVODE_INLINE void four_chains(Index n, const F& f, Pack<T, W>& first, Pack<T, W>& second) {
  Pack<T, W> a[4], b[4];
  REVODE_UNROLL for (int j = 0; j < 4; ++j) a[j] = b[j] = On<T, W>::all(T(0));
  Index r = 0;
  for (; r + 4 <= n; r += 4) REVODE_UNROLL for (int j = 0; j < 4; ++j) f(r + j, a[j], b[j]);
  REVODE_UNROLL for (int j = 0; j < 3; ++j) if (r + j < n) f(r + j, a[j], b[j]);
  first = (a[0] + a[1]) + (a[2] + a[3]), second = (b[0] + b[1]) + (b[2] + b[3]);
}

template <class T>
struct Norm {
  Grouping g;
  Index lanes;
  bool relu, add;
  T epsilon;
  const T *gamma, *beta, *x, *y, *y_bar;
  T *out, *moments, *gamma_bar, *beta_bar;
};

template <class T, int W>
REVODE_INLINE void forward(const Norm<T>& n, Index lane, Index group) {
  using O = On<T, W>;
  const Index size = n.g.size(), pixels = n.g.pixels, rows = size * pixels, lanes = n.lanes;
  const T* x = n.x + group * rows * lanes + lane;
  T* y = n.out + group * rows * lanes + lane;
  const auto part = O::all(T(1) / static_cast<T>(rows));
  const auto mean = part * four_chains<T, W>(rows, [&](Index r, typename O::V s)
                                                       REVODE_INLINED { return s + O::load(x + r * lanes); });
  const auto variance = part * four_chains<T, W>(rows, [&](Index r, typename O::V s) REVODE_INLINED {
                          const auto d = O::load(x + r * lanes) - mean;
                          return O::fma(d, d, s);
                        });
  const auto inverse = T(1) / sqrt<T, W>(variance + n.epsilon);
  O::store(n.moments + 2 * group * lanes + lane, mean);
  O::store(n.moments + (2 * group + 1) * lanes + lane, inverse);
  for (Index c = 0; c < size; ++c, x += pixels * lanes, y += pixels * lanes) {
    const auto scale = inverse * n.gamma[group * size + c], shift = O::all(n.beta[group * size + c]);
    for (Index p = 0; p < pixels; ++p) {
      const auto v = O::fma(O::load(x + p * lanes) - mean, scale, shift);
      O::store(y + p * lanes, n.relu ? O::at_least(v, T(0)) : v);
    }
  }
}

template <class T, int W, bool relu>
REVODE_INLINE void backward(const Norm<T>& n, Index lane, Index group) {
  using O = On<T, W>;
  const Index size = n.g.size(), pixels = n.g.pixels, lanes = n.lanes, first = group * size;
  const auto mean = O::load(n.moments + 2 * group * lanes + lane);
  const auto inverse = O::load(n.moments + (2 * group + 1) * lanes + lane);
  const auto at = [&](const T* v, Index c, Index p)
                      REVODE_INLINED { return O::load(v + ((first + c) * pixels + p) * lanes + lane); };
  const auto through = [&](Index c, Index p) REVODE_INLINED {
    const auto v = at(n.y_bar, c, p);
    if constexpr (relu) return at(n.y, c, p) > T(0) ? v : O::all(T(0));
    return v;
  };
  auto sum = O::all(T(0)), product = O::all(T(0));
  for (Index c = 0; c < size; ++c) {
    typename O::V beta_bar, gamma_bar;  // one walk for both sums
    four_chains<T, W>(
        pixels,
        [&](Index p, typename O::V& s, typename O::V& d) REVODE_INLINED {
          const auto v = through(c, p);
          s = s + v, d = O::fma(at(n.x, c, p) - mean, v, d);
        },
        beta_bar, gamma_bar);
    gamma_bar = inverse * gamma_bar;
    O::store(n.beta_bar + (first + c) * lanes + lane, beta_bar);
    O::store(n.gamma_bar + (first + c) * lanes + lane, gamma_bar);
    const auto gamma = O::all(n.gamma[first + c]);
    sum = O::fma(gamma, beta_bar, sum);
    product = O::fma(gamma, gamma_bar, product);
  }
  if (!n.out) return;
  const auto part = inverse * (T(1) / static_cast<T>(size * pixels));
  const auto even = part * sum, slope = part * product * inverse;
  for (Index c = 0; c < size; ++c) {
    const auto scale = inverse * n.gamma[first + c];
    for (Index p = 0; p < pixels; ++p) {
      T* to = n.out + ((first + c) * pixels + p) * lanes + lane;
      const auto there = n.add ? O::load(to) : O::all(T(0));
      const auto rest = O::fma(-(at(n.x, c, p) - mean), slope, there - even);
      O::store(to, O::fma(scale, through(c, p), rest));
    }
  }
}
}  // namespace

template <class T>
void group_norm(const Grouping& g, int lanes, bool relu, T epsilon, const T* gamma, const T* beta, const T* x, T* y,
                T* moments) {
  const Norm<T> n{g, lanes, relu, false, epsilon, gamma, beta, x, nullptr, nullptr, y, moments, nullptr, nullptr};
  for (Index group = 0; group < g.groups; ++group)
    sweep<T>(static_cast<std::size_t>(lanes),
             [&]<int W>(std::size_t lane) REVODE_INLINED { forward<T, W>(n, static_cast<Index>(lane), group); });
}

template <class T>
void group_norm_vjp(const Grouping& g, int lanes, bool relu, const T* gamma, const T* x, const T* y, const T* moments,
                    const T* y_bar, T* x_bar, bool add, T* gamma_bar, T* beta_bar) {
  const Norm<T> n{g,         lanes,   relu, add, 0, gamma, nullptr, x, y, y_bar, x_bar, const_cast<T*>(moments),
                  gamma_bar, beta_bar};
  for (Index group = 0; group < g.groups; ++group)
    sweep<T>(static_cast<std::size_t>(lanes), [&]<int W>(std::size_t k) REVODE_INLINED {
      const auto lane = static_cast<Index>(k);
      relu ? backward<T, W, true>(n, lane, group) : backward<T, W, false>(n, lane, group);
    });
}

#define REVODE_INSTANTIATE(T)                                                                                       \
  template void group_norm<T>(const Grouping&, int, bool, T, const T*, const T*, const T*, T*, T*);                 \
  template void group_norm_vjp<T>(const Grouping&, int, bool, const T*, const T*, const T*, const T*, const T*, T*, \
                                  bool, T*, T*);
REVODE_INSTANTIATE(float)
REVODE_DOUBLE(REVODE_INSTANTIATE(double))
}  // namespace revode::kernel
