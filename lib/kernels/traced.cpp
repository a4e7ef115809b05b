#include "kernels/traced.hpp"

#include "constant.hpp"
#include "scalars.hpp"
#include "undivided.hpp"

namespace revode::kernel {
template <class T>
void activate_and_slope(Activation a, std::size_t n, const T* x, T* y, T* slope) {
  with_constant(a, [&]<Activation A>() REVODE_INLINED {
    sweep_values<A>(n, x, [&]<int W>(std::size_t k, auto argument, auto value) REVODE_INLINED {
      On<T, W>::store(y + k, value);
      On<T, W>::store(slope + k, Slopes<T, W>::first(A, argument, value));
    });
  });
}

namespace {
template <Activation A, class T, int W>
REVODE_INLINE Pack<T, W> both_vjp(const T* x, const T* y, const T* y_bar, Pack<T, W> slope_bar) {
  using O = On<T, W>;
  const auto value = O::load(y), argument = A == Activation::silu ? O::load(x) : value;
  const auto through = Slopes<T, W>::first(A, argument, value) * O::load(y_bar);
  if constexpr (A == Activation::identity || A == Activation::relu)
    return through;
  else
    return O::fma(Slopes<T, W>::second(A, argument, value), slope_bar, through);
}
}  // namespace

template <class T>
void activate_and_slope_vjp(Activation a, std::size_t n, const T* x, const T* y, const T* y_bar, const T* slope_bar,
                            T* x_bar) {
  with_constant(a, [&]<Activation A>() REVODE_INLINED {
    sweep<T>(n, [&]<int W>(std::size_t k) REVODE_INLINED {
      using O = On<T, W>;
      O::store(x_bar + k, both_vjp<A, T, W>(x + k, y + k, y_bar + k, O::load(slope_bar + k)));
    });
  });
}

template <class T>
void activate_and_slope_vjp(Activation a, int rows, int lanes, const T* x, const T* y, const T* y_bar, const T* by,
                            const T* u, T* x_bar, T* e) {
  const auto row = static_cast<std::size_t>(lanes);
  with_constant(a, [&]<Activation A>() REVODE_INLINED {
    for (std::size_t r = 0; r < static_cast<std::size_t>(rows) * row; r += row)
      sweep<T>(row, [&, r]<int W>(std::size_t l) REVODE_INLINED {
        using O = On<T, W>;
        const std::size_t k = r + l;
        const auto scale = O::load(by + l), value = O::load(y + k);
        const auto argument = A == Activation::silu ? O::load(x + k) : value;
        const auto slope = Slopes<T, W>::first(A, argument, value);
        O::store(x_bar + k, both_vjp<A, T, W>(x + k, y + k, y_bar + k, scale * O::load(u + k)));
        O::store(e + k, scale * slope);
      });
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

#define REVODE_INSTANTIATE(T)                                                                                         \
  template void activate_and_slope<T>(Activation, std::size_t, const T*, T*, T*);                                     \
  template void activate_and_slope_vjp<T>(Activation, std::size_t, const T*, const T*, const T*, const T*, T*);       \
  template void activate_and_slope_vjp<T>(Activation, int, int, const T*, const T*, const T*, const T*, const T*, T*, \
                                          T*);                                                                        \
  template void activate_and_dot<T>(Activation, int, int, const T*, T*, const T*, T*);
REVODE_INSTANTIATE(float)
REVODE_DOUBLE(REVODE_INSTANTIATE(double))
}  // namespace revode::kernel
