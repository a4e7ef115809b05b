// What a closed trace takes beside dense layers (map/closed_trace.cpp): an activation with its slope, and their
// cotangents, in one sweep each. Rows are tiles [rows][lanes], a row one number a lane.
#pragma once
#include "revode/impl/pack.hpp"

namespace revode::kernel {
/// y = a(x) and slope = a'(x). y may be x where a is not silu.
template <class T>
void activate_and_slope(Activation a, std::size_t n, const T* x, T* y, T* slope);
/// x_bar = a'(x) y_bar + a''(x) slope_bar: of both. Chain: the product, then fma. x_bar may be y_bar.
template <class T>
void activate_and_slope_vjp(Activation a, std::size_t n, const T* x, const T* y, const T* y_bar, const T* slope_bar,
                            T* x_bar);
/// The same where slope_bar = by[l] u[r][l]; and e[r][l] = by[l] a'(x). x_bar may be y_bar.
template <class T>
void activate_and_slope_vjp(Activation a, int rows, int lanes, const T* x, const T* y, const T* y_bar, const T* by,
                            const T* u, T* x_bar, T* e);
/// y = a(x) and sum[l] = sum over r of a'(x[r][l]) u[r][l]. Chain: fma over r = 0, 1, ... y may be x where a is not
/// silu.
template <class T>
void activate_and_dot(Activation a, int rows, int lanes, const T* x, T* y, const T* u, T* sum);
}  // namespace revode::kernel
