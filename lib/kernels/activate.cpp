// Activations, their first derivatives (cotangents) and second ones (jets). Derivatives are written in terms of the
// output, which is what tapes keep; silu alone is not invertible and reads its input.
#include "elementary.hpp"
#include "scalars.hpp"
#include "sweep.hpp"

namespace revode::kernel {
namespace {
template <class T, int W>
struct Slopes : Elementary<T, W> {
  using O = On<T, W>;
  using E = Elementary<T, W>;
  using V = typename O::V;

  struct Silu {
    V s, one_minus_s;
  };
  static REVODE_INLINE V value(Activation a, V x) {
    switch (a) {
      case Activation::tanh:
        return E::tanh(x);
      case Activation::elu:
        return E::elu(x);
      case Activation::softplus:
        return E::softplus(x);
      case Activation::relu:
        return O::at_least(x, T(0));
      case Activation::silu:
        return E::silu(x);
      case Activation::sigmoid:
        return E::sigmoid(x);
      case Activation::identity:
        break;
    }
    return x;
  }
  static REVODE_INLINE V first(Activation a, V x, V y) {
    const V one = O::all(T(1));
    switch (a) {
      case Activation::tanh:
        return O::fma(-y, y, one);
      case Activation::elu:
        return y > T(0) ? one : y + T(1);
      case Activation::softplus:
        return -E::expm1(-y);
      case Activation::relu:
        return y > T(0) ? one : O::all(T(0));
      case Activation::silu: {  // s (1 + x (1 - s)), 1 - s = sigmoid(-x) keeps its digits
        const V s = E::sigmoid(x);
        return s * O::fma(bounded(x), E::sigmoid(-x), one);
      }
      case Activation::sigmoid:
        return O::fma(-y, y, y);
      case Activation::identity:
        break;
    }
    return one;
  }
  static REVODE_INLINE V second(Activation a, V x, V y) {
    const V zero = O::all(T(0));
    switch (a) {
      case Activation::tanh:
        return T(-2) * y * O::fma(-y, y, O::all(T(1)));
      case Activation::elu:
        return y > T(0) ? zero : y + T(1);
      case Activation::softplus: {
        const V s = -E::expm1(-y);
        return O::fma(-s, s, s);
      }
      case Activation::silu: {  // s (1 - s) (2 + x (1 - 2 s))
        const V s = E::sigmoid(x), rest = E::sigmoid(-x);
        return s * rest * O::fma(bounded(x), rest - s, O::all(T(2)));
      }
      case Activation::sigmoid:
        return O::fma(-y, y, y) * (T(1) - (y + y));
      case Activation::relu:
      case Activation::identity:
        break;
    }
    return zero;
  }

 private:
  /// Where sigmoid(x) or sigmoid(-x) has become zero, x must stay a number.
  static REVODE_INLINE V bounded(V x) {
    constexpr T most = O::single ? T(110) : T(750);
    return O::at_least(O::at_most(x, most), -most);
  }
};

/// Runs body.template operator()<a>() with the activation as a constant, so that each loop holds one function.
template <class F>
REVODE_INLINE void with_constant(Activation a, const F& body) {
  switch (a) {
    case Activation::identity:
      return body.template operator()<Activation::identity>();
    case Activation::tanh:
      return body.template operator()<Activation::tanh>();
    case Activation::elu:
      return body.template operator()<Activation::elu>();
    case Activation::softplus:
      return body.template operator()<Activation::softplus>();
    case Activation::relu:
      return body.template operator()<Activation::relu>();
    case Activation::silu:
      return body.template operator()<Activation::silu>();
    case Activation::sigmoid:
      return body.template operator()<Activation::sigmoid>();
  }
}
}  // namespace

template <class T>
void activate(Activation a, std::size_t n, const T* x, T* y) {
  with_constant(a, [&]<Activation A>() REVODE_INLINED {
    if (A == Activation::identity && x == y) return;
    sweep<T>(n, [&]<int W>(std::size_t k)
                    REVODE_INLINED { On<T, W>::store(y + k, Slopes<T, W>::value(A, On<T, W>::load(x + k))); });
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
