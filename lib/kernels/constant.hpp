// An activation as a constant of a loop.
#pragma once
#include "revode/impl/pack.hpp"

namespace revode::kernel {
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
}  // namespace revode::kernel
