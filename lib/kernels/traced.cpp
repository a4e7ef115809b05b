#include "kernels/traced.hpp"

#include "constant.hpp"
#include "scalars.hpp"
#include "shallow.hpp"
#include "undivided.hpp"

namespace revode::kernel {
namespace {
/// sum + W x of a row W[D], at lanes l on.
template <class T, int W, int D>
REVODE_INLINE Pack<T, W> row_of_few(Pack<T, W> sum, const T* weights, Index stride, const T* x, Index lanes,
                                    std::size_t l) {
  using O = On<T, W>;
  REVODE_UNROLL for (int i = 0; i < D; ++i) sum = O::fma(O::all(weights[i * stride]), O::load(x + i * lanes + l), sum);
  return sum;
}
}  // namespace

template <class T>
void dense_and_slope(Activation a, int out, int in, int lanes, const T* W, const T* b, const T* x, T* before, T* y,
                     T* slope) {
  const auto row = static_cast<std::size_t>(lanes), n = static_cast<std::size_t>(out) * row;
  const bool few = register_bytes > 0 && in <= most_shallow_rows;
  if (!few) dense(out, in, lanes, W, b, x, before);
  with_constant(a, [&]<Activation A>() REVODE_INLINED {
    const auto keep = [&](std::size_t from) REVODE_INLINED {
      return [=]<int P>(std::size_t k, auto argument, auto value) REVODE_INLINED {
        if constexpr (A == Activation::silu) On<T, P>::store(before + from + k, argument);
        On<T, P>::store(y + from + k, value);
        On<T, P>::store(slope + from + k, Slopes<T, P>::first(A, argument, value));
      };
    };
    if (!few)
      return sweep_values<A, T>(
          n, [&]<int P>(std::size_t k) REVODE_INLINED { return On<T, P>::load(before + k); }, keep(0));
    with_rows(in, [&]<int D>() REVODE_INLINED {
      for (Index o = 0; o < out; ++o)
        sweep_values<A, T>(
            row,
            [&]<int P>(std::size_t l)
                REVODE_INLINED { return row_of_few<T, P, D>(On<T, P>::all(b[o]), W + o * D, 1, x, lanes, l); },
            keep(static_cast<std::size_t>(o) * row));
    });
  });
}

namespace {
template <Activation A, class T, int W>
REVODE_INLINE Pack<T, W> both_vjp(Pack<T, W> argument, Pack<T, W> value, Pack<T, W> y_bar, Pack<T, W> slope_bar) {
  const auto through = Slopes<T, W>::first(A, argument, value) * y_bar;
  if constexpr (A == Activation::identity || A == Activation::relu)
    return through;
  else
    return On<T, W>::fma(Slopes<T, W>::second(A, argument, value), slope_bar, through);
}
}  // namespace

template <class T>
void activate_and_slope_vjp(Activation a, std::size_t n, const T* x, const T* y, const T* y_bar, const T* slope_bar,
                            T* x_bar) {
  with_constant(a, [&]<Activation A>() REVODE_INLINED {
    sweep<T>(n, [&]<int W>(std::size_t k) REVODE_INLINED {
      using O = On<T, W>;
      const auto value = O::load(y + k), argument = A == Activation::silu ? O::load(x + k) : value;
      O::store(x_bar + k, both_vjp<A, T, W>(argument, value, O::load(y_bar + k), O::load(slope_bar + k)));
    });
  });
}

namespace {
/// The cotangent of y is W^T y_bar of D rows; of none it is what stands in x_bar.
template <Activation A, class T, int D>
REVODE_INLINE void end_vjp(Index rows, Index lanes, const T* x, const T* y, const T* W, const T* y_bar, const T* by,
                           const T* u, T* x_bar, T* e) {
  for (Index r = 0; r < rows; ++r)
    sweep<T>(static_cast<std::size_t>(lanes), [&, r]<int P>(std::size_t l) REVODE_INLINED {
      using O = On<T, P>;
      const std::size_t k = static_cast<std::size_t>(r * lanes) + l;
      const auto scale = O::load(by + l), value = O::load(y + k);
      const auto argument = A == Activation::silu ? O::load(x + k) : value;
      const auto through = D ? row_of_few<T, P, D>(O::all(T(0)), W + r, rows, y_bar, lanes, l) : O::load(x_bar + k);
      O::store(x_bar + k, both_vjp<A, T, P>(argument, value, through, scale * O::load(u + k)));
      O::store(e + k, scale * Slopes<T, P>::first(A, argument, value));
    });
}
}  // namespace

template <class T>
void dense_and_slope_vjp(Activation a, int rows, int d, int lanes, const T* x, const T* y, const T* W, const T* y_bar,
                         const T* by, const T* u, T* x_bar, T* e) {
  const bool few = register_bytes > 0 && d <= most_shallow_rows;
  if (!few) dense_vjp_input(d, rows, lanes, W, y_bar, x_bar);
  with_constant(a, [&]<Activation A>() REVODE_INLINED {
    if (!few) return end_vjp<A, T, 0>(rows, lanes, x, y, W, y_bar, by, u, x_bar, e);
    with_rows(d, [&]<int D>() REVODE_INLINED { end_vjp<A, T, D>(rows, lanes, x, y, W, y_bar, by, u, x_bar, e); });
  });
}

namespace {
/// P packs of lanes side by side; then fewer and narrower ones.
template <Activation A, class T, int W, int P>
REVODE_INLINE void dot_lanes(std::size_t lane, std::size_t n, std::size_t row, const T* x, T* y, const T* u, T* sum) {
  using O = On<T, W>;
  for (; lane + P * W <= row; lane += P * W) {
    typename O::V total[P] = {};
    for (std::size_t k = lane; k < n; k += row) REVODE_UNROLL for (std::size_t p = 0; p < P; ++p) {
        const auto argument = O::load(x + k + p * W), y_p = value<A, T, W>(argument, P > 1 && p == 0);
        O::store(y + k + p * W, y_p);
        total[p] = O::fma(Slopes<T, W>::first(A, argument, y_p), O::load(u + k + p * W), total[p]);
      }
    REVODE_UNROLL for (std::size_t p = 0; p < P; ++p) O::store(sum + lane + p * W, total[p]);
  }
  if constexpr (P > 1)
    dot_lanes<A, T, W, 1>(lane, n, row, x, y, u, sum);
  else if constexpr (W > 1)
    dot_lanes<A, T, narrower<T, W>, 1>(lane, n, row, x, y, u, sum);
}
}  // namespace

template <class T>
void activate_and_dot(Activation a, int rows, int lanes, const T* x, T* y, const T* u, T* sum) {
  const auto row = static_cast<std::size_t>(lanes);
  with_constant(a, [&]<Activation A>() REVODE_INLINED {
    dot_lanes<A, T, width<T>, register_bytes ? to_a_divider : 1>(0, static_cast<std::size_t>(rows) * row, row, x, y, u,
                                                                 sum);
  });
}

#define REVODE_INSTANTIATE(T)                                                                                       \
  template void dense_and_slope<T>(Activation, int, int, int, const T*, const T*, const T*, T*, T*, T*);            \
  template void activate_and_slope_vjp<T>(Activation, std::size_t, const T*, const T*, const T*, const T*, T*);     \
  template void dense_and_slope_vjp<T>(Activation, int, int, int, const T*, const T*, const T*, const T*, const T*, \
                                       const T*, T*, T*);                                                           \
  template void activate_and_dot<T>(Activation, int, int, const T*, T*, const T*, T*);
REVODE_INSTANTIATE(float)
REVODE_DOUBLE(REVODE_INSTANTIATE(double))
}  // namespace revode::kernel
