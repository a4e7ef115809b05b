// A network with one hidden layer between few rows, d -> hidden -> d with tanh: what the layers would do one after
// another, with the rows between them in registers. The chains of every element are those of the layers, so are the
// bits.
#pragma once
#include "blocks.hpp"
#include "sweep.hpp"

namespace revode::kernel {
inline constexpr int most_shallow_rows = 4;  // d; wider layers fill the FMA units by themselves

/// theta = W1[hidden][d] | b1[hidden] | W2[d][hidden] | b2[d].
template <class T>
struct Shallow {
  int d, hidden;
  Index lanes;
  const T* theta;
};
/// h[hidden][lanes] = tanh(W1 x + b1), y[d][lanes] = W2 h + b2.
template <class T>
void shallow(const Shallow<T>& net, const T* x, T* h, T* y);
/// theta_bar[params][lanes] += and x_bar[d][lanes] += what y_bar[d][lanes] asks for: leaves of one sample.
template <class T>
void shallow_vjp(const Shallow<T>& net, const T* x, const T* h, const T* y_bar, T* x_bar, T* theta_bar);
}  // namespace revode::kernel
