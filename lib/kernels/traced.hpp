// What a closed trace takes beside dense layers (map/closed_trace.cpp): an activation with its slope, and their
// cotangents, in one sweep each. Rows are tiles [rows][lanes], a row one number a lane.
#pragma once
#include "revode/impl/pack.hpp"

namespace revode::kernel {
/// before = b + W x[in][lanes], y = a(before), slope = a'(before), all [out][lanes]. Chain of before: dense(). It is
/// kept where a is silu alone, and may be y where it is not.
template <class T>
void dense_and_slope(Activation a, int out, int in, int lanes, const T* W /*[out][in]*/, const T* b, const T* x,
                     T* before, T* y, T* slope);
/// x_bar = a'(x) y_bar + a''(x) slope_bar: of both. Chain: the product, then fma. x_bar may be y_bar.
template <class T>
void activate_and_slope_vjp(Activation a, std::size_t n, const T* x, const T* y, const T* y_bar, const T* slope_bar,
                            T* x_bar);
/// The same where y_bar stands for W^T y_bar[d][lanes], slope_bar = by[l] u[r][l]; and e[r][l] = by[l] a'(x).
template <class T>
void dense_and_slope_vjp(Activation a, int rows, int d, int lanes, const T* x, const T* y, const T* W /*[d][rows]*/,
                         const T* y_bar, const T* by, const T* u, T* x_bar, T* e);
/// y = a(x) and sum[l] = sum over r of a'(x[r][l]) u[r][l]. Chain: fma over r = 0, 1, ... y may be x where a is not
/// silu.
template <class T>
void activate_and_dot(Activation a, int rows, int lanes, const T* x, T* y, const T* u, T* sum);
}  // namespace revode::kernel
