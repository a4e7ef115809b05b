#include "revode/random.hpp"

#include "kernels/elementary.hpp"

namespace revode {
float Random::normal() {
  using F = Elementary<float, 1>;
  // u in (0, 1]: the logarithm stays finite
  const float u = 1.0f - uniform(), angle = 6.2831853f * uniform();
  return F::sqrt(-2.0f * F::log(u)) * F::cos(angle);
}
}  // namespace revode
