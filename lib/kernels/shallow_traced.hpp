// A field of one hidden layer of tanh between few rows, and its trace: what layers, slopes and sums would do one after
// another (map/traced_mlp.cpp), with the rows between them in registers. The chains of every element are theirs, so
// are the bits.
#pragma once
#include "kernels/shallow.hpp"

namespace revode::kernel {
/// W1[hidden][d], b1[hidden], W2[d][hidden], b2[d], and C[hidden] of the trace.
template <class T>
struct ShallowTraced {
  int d, hidden;
  Index lanes;
  const T *W1, *b1, *W2, *b2, *C;
};
/// h[hidden][lanes] = tanh(W1 x + b1), y[d + 1][lanes] = W2 h + b2 and C (1 - h^2).
template <class T>
void shallow_traced(const ShallowTraced<T>& net, const T* x, T* h, T* y);
/// x_bar[d][lanes] += what y_bar[d + 1][lanes] asks for.
template <class T>
void shallow_traced_vjp(const ShallowTraced<T>& net, const T* h, const T* y_bar, T* x_bar);
/// The same of the parameters but b2: adds one leaf of `samples` lanes, at most 64, from the pointers' on.
template <class T>
struct ShallowTracedBar {
  T *W1, *b1, *W2, *C;
};
template <class T>
void shallow_traced_leaf(const ShallowTraced<T>& net, int samples, const T* x, const T* h, const T* y_bar,
                         const ShallowTracedBar<T>& bar);
}  // namespace revode::kernel
