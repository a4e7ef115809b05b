#include "revode/random.hpp"

#include "revode/kernels.hpp"

namespace revode {
float Random::normal() {
  float radius = 1.0f - uniform();  // in (0, 1]: the logarithm stays finite
  float angle = 6.2831853f * uniform();
  kernel::evaluate(kernel::Function::log, 1, &radius, &radius);
  radius *= -2.0f;
  kernel::evaluate(kernel::Function::sqrt, 1, &radius, &radius);
  kernel::evaluate(kernel::Function::cos, 1, &angle, &angle);
  return radius * angle;
}
}  // namespace revode
