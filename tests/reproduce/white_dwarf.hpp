// The white dwarf's equation, the network that learns it, and where its trainings begin.
#pragma once
#include <cmath>
#include <vector>

#include "revode/automatic.hpp"
#include "revode/sequential.hpp"
#include "threefry.hpp"

namespace reproduce {
using namespace revode;

struct WhiteDwarf {  // Chandrasekhar's equation from t = 0.5 on
  static constexpr int dim = 2, params = 0;
  template <class S>
  constexpr void operator()(S t, const S* y, const S*, S* dy) const {
    const S density = y[0] * y[0] - .001;
    dy[0] = y[1];
    dy[1] = -(density * sqrt(density)) - 2. * y[1] / (t + .5);
  }
};
inline constexpr Automatic<double, WhiteDwarf> truth;
inline constexpr Dense<double> hidden{2, 10, Activation::tanh, true}, output{10, 2};
inline constexpr const Map<double>* layers[] = {&hidden, &output};
inline constexpr Sequential<double> network{layers};

/// Equinox' layers of a key: weights and biases uniform in +-1/sqrt(rows in), time being the first of them.
inline std::vector<double> initial(std::uint64_t seed) {
  const auto [first, second] = split(Key{0, static_cast<std::uint32_t>(seed)});
  std::vector<double> theta;
  const auto append = [&](const std::vector<double>& values) {
    theta.insert(theta.end(), values.begin(), values.end());
  };
  const double in_first = 1 / std::sqrt(3.), in_second = 1 / std::sqrt(10.);
  const std::vector<double> weights = uniform(split(first).first, 30, in_first);
  for (std::size_t row = 0; row < 10; ++row) append({weights[3 * row + 1], weights[3 * row + 2]});
  for (std::size_t row = 0; row < 10; ++row) append({weights[3 * row]});
  append(uniform(split(first).second, 10, in_first));
  append(uniform(split(second).first, 20, in_second));
  append(uniform(split(second).second, 2, in_second));
  return theta;
}
}  // namespace reproduce
