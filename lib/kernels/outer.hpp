// The weight gradient of a dense layer without biases, which the first part of a sum sets.
#pragma once

namespace revode::kernel {
/// As dense_vjp_weight(). add: onto W_bar; otherwise it is set, the chain from 0.
template <class T>
void outer_products(int out, int in, int lanes, int samples, const T* y_bar, const T* x, T* W_bar, bool add);
}  // namespace revode::kernel
