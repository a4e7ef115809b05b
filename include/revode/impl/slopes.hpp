// Activations, their first derivatives (cotangents) and second ones (jets). Derivatives are written in terms of the
// output, which is what tapes keep; silu alone is not invertible and reads its input.
#pragma once
#include "revode/impl/elementary.hpp"

namespace revode::kernel {
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
}  // namespace revode::kernel
