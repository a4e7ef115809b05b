// The door to a BLAS for very wide layers. Without one it is never taken, and costs nothing.
#pragma once

namespace revode::kernel::wide {
#if defined(REVODE_OPENBLAS)
inline constexpr int least = 2048;  // of both widths; from here its threads pay (tests/bench/dense.cpp)
constexpr bool takes(int out, int in) {
  return out >= least && in >= least;
}

// True when the call was handed over.
template <class T>
bool dense(int out, int in, int lanes, const T* W, const T* b, const T* x, T* y, bool add);
template <class T>
bool dense_vjp_input(int out, int in, int lanes, const T* W, const T* y_bar, T* x_bar, bool add);
template <class T>
bool dense_vjp_weight(int out, int in, int lanes, int samples, const T* y_bar, const T* x, T* W_bar);
#else
constexpr bool takes(int, int) {
  return false;
}
template <class... Arguments>
constexpr bool dense(Arguments...) {
  return false;
}
template <class... Arguments>
constexpr bool dense_vjp_input(Arguments...) {
  return false;
}
template <class... Arguments>
constexpr bool dense_vjp_weight(Arguments...) {
  return false;
}
#endif
}  // namespace revode::kernel::wide
