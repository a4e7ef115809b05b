// Gradients of what is timed beside central differences.
#pragma once
#include <cmath>
#include <cstddef>
#include <vector>

namespace bench {
/// The worst difference between cotangents of theta, every `stride`-th, and central differences of loss(), relative to
/// 1 + the cotangent; NaN stays.
template <class F>
double gradient_error(std::vector<double>& theta, const std::vector<double>& gradient, double e, F&& loss,
                      std::size_t stride = 1) {
  double worst = 0;
  for (std::size_t i = 0; i < gradient.size(); i += stride) {
    const double was = theta[i];
    theta[i] = was + e;
    const double above = loss();
    theta[i] = was - e;
    const double below = loss();
    theta[i] = was;
    const double miss = std::abs((above - below) / (2 * e) - gradient[i]) / (1 + std::abs(gradient[i]));
    if (!(miss <= worst)) worst = miss;
  }
  return worst;
}
}  // namespace bench
