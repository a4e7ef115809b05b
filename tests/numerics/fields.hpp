// The fields that the numerics tests solve, written once for any scalar.
#pragma once
#include "revode/automatic.hpp"
#include "revode/sequential.hpp"

namespace fields {
/// Decays to the fixed point (c0, c1), which is not zero: floats walked back cannot find their way from there.
struct Relaxing {
  static constexpr int dim = 2, params = 3;  // mu, c0, c1
  template <class S>
  constexpr void operator()(S, const S* y, const S* p, S* dy) const {
    for (int i = 0; i < dim; ++i) dy[i] = p[0] * (p[1 + i] - y[i]);
  }
};
/// y'' = -p0 p1 y, a circle when p0 = p1.
struct Oscillator {
  static constexpr int dim = 2, params = 2;
  template <class S>
  constexpr void operator()(S, const S* y, const S* p, S* dy) const {
    dy[0] = p[0] * y[1];
    dy[1] = S(0.) - p[1] * y[0];
  }
};
struct Lorenz {
  static constexpr int dim = 3, params = 3;  // sigma, rho, beta
  template <class S>
  constexpr void operator()(S, const S* y, const S* p, S* dy) const {
    dy[0] = p[0] * (y[1] - y[0]);
    dy[1] = y[0] * (p[1] - y[2]) - y[1];
    dy[2] = y[0] * y[1] - p[2] * y[2];
  }
};
struct VanDerPol {
  static constexpr int dim = 2, params = 1;
  template <class S>
  constexpr void operator()(S, const S* y, const S* p, S* dy) const {
    dy[0] = y[1];
    dy[1] = p[0] * (1. - y[0] * y[0]) * y[1] - y[0];
  }
};
/// The inverse-square orbit: q'' = -q / |q|^3.
struct Orbit {
  static constexpr int dim = 4, params = 0;
  template <class S>
  constexpr void operator()(S, const S* y, const S*, S* dy) const {
    const S square = y[0] * y[0] + y[1] * y[1], pull = 1. / (square * sqrt(square));
    dy[0] = y[2], dy[1] = y[3];
    dy[2] = S(0.) - y[0] * pull;
    dy[3] = S(0.) - y[1] * pull;
  }
};
/// Driven and damped, with t inside and outside of what is not linear.
struct Driven {
  static constexpr int dim = 2, params = 3;
  template <class S>
  constexpr void operator()(S t, const S* y, const S* p, S* dy) const {
    dy[0] = p[0] * y[1] * cos(2. * t) + sin(3. * t);
    dy[1] = S(0.) - p[1] * tanh(y[0] + p[2] * t * t) - t * y[1] / 2.;
  }
};
/// Leaves every range: y' = p y.
struct Growing {
  static constexpr int dim = 2, params = 1;
  template <class S>
  constexpr void operator()(S, const S* y, const S* p, S* dy) const {
    for (int i = 0; i < dim; ++i) dy[i] = p[0] * y[i];
  }
};
/// Not a number once t has passed 1/2.
struct Breaking {
  static constexpr int dim = 1, params = 1;
  template <class S>
  constexpr void operator()(S t, const S* y, const S* p, S* dy) const {
    dy[0] = p[0] * y[0] + sqrt(0.5 - t);
  }
};

template <class T>
inline constexpr revode::Automatic<T, Relaxing> relaxing{};
template <class T>
inline constexpr revode::Automatic<T, Oscillator> oscillator{};
template <class T>
inline constexpr revode::Automatic<T, Lorenz> lorenz{};
template <class T>
inline constexpr revode::Automatic<T, VanDerPol> van_der_pol{};
template <class T>
inline constexpr revode::Automatic<T, Orbit> orbit{};
template <class T>
inline constexpr revode::Automatic<T, Driven> driven{};
template <class T>
inline constexpr revode::Automatic<T, Growing> growing{};
template <class T>
inline constexpr revode::Automatic<T, Breaking> breaking{};

inline constexpr int widths[] = {3, 8, 3};
/// A tanh network that sees time.
template <class T>
inline constexpr revode::Mlp<T> network{widths, revode::Activation::tanh, true};
}  // namespace fields
