// Activations over arrays.
#include "constant.hpp"
#include "scalars.hpp"
#include "sweep.hpp"
#include "undivided.hpp"

namespace revode::kernel {
template <class T>
void activate(Activation a, std::size_t n, const T* x, T* y) {
  with_constant(a, [&]<Activation A>() REVODE_INLINED {
    if (A == Activation::identity && x == y) return;
    constexpr std::size_t W = width<T>;
    std::size_t done = 0;
    if constexpr (leaves_divider<A, T>)
      for (; done + to_a_divider * W <= n; done += to_a_divider * W) {
        typename On<T, W>::V v[to_a_divider];
        REVODE_UNROLL for (std::size_t k = 0; k < to_a_divider; ++k) v[k] = On<T, W>::load(x + done + k * W);
        activate_abreast<A, T, W>(v);
        REVODE_UNROLL for (std::size_t k = 0; k < to_a_divider; ++k) On<T, W>::store(y + done + k * W, v[k]);
      }
    sweep<T>(n - done, [&]<int V>(std::size_t k) REVODE_INLINED {
      On<T, V>::store(y + done + k, Slopes<T, V>::value(A, On<T, V>::load(x + done + k)));
    });
  });
}

template <class T>
void activate_vjp(Activation a, std::size_t n, const T* x, const T* y, const T* y_bar, T* x_bar) {
  with_constant(a, [&]<Activation A>() REVODE_INLINED {
    if (A == Activation::identity && x_bar == y_bar) return;
    sweep<T>(n, [&]<int W>(std::size_t k) REVODE_INLINED {
      using O = On<T, W>;
      const T* const argument = A == Activation::silu ? x : y;
      const auto slope = Slopes<T, W>::first(A, O::load(argument + k), O::load(y + k));
      O::store(x_bar + k, slope * O::load(y_bar + k));
    });
  });
}

template <class T>
void activate_curve(Activation a, std::size_t n, const T* x, const T* y, const T* x_dot, const T* y_dot_bar, T* x_bar) {
  with_constant(a, [&]<Activation A>() REVODE_INLINED {
    if (A == Activation::identity || A == Activation::relu) return;
    sweep<T>(n, [&]<int W>(std::size_t k) REVODE_INLINED {
      using O = On<T, W>;
      const T* const argument = A == Activation::silu ? x : y;
      const auto curve = Slopes<T, W>::second(A, O::load(argument + k), O::load(y + k));
      O::store(x_bar + k, O::fma(curve * O::load(x_dot + k), O::load(y_dot_bar + k), O::load(x_bar + k)));
    });
  });
}

#define REVODE_INSTANTIATE(T)                                                               \
  template void activate<T>(Activation, std::size_t, const T*, T*);                         \
  template void activate_vjp<T>(Activation, std::size_t, const T*, const T*, const T*, T*); \
  template void activate_curve<T>(Activation, std::size_t, const T*, const T*, const T*, const T*, T*);
REVODE_INSTANTIATE(float)
REVODE_DOUBLE(REVODE_INSTANTIATE(double))
}  // namespace revode::kernel
