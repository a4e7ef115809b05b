// What tests of a flow's fields share: activations, and cotangents against central differences.
#pragma once
#include <gtest/gtest.h>

#include <utility>

#include "numerics/trial.hpp"
#include "unit/every_map.hpp"
#include "unit/flow_maps.hpp"

namespace flows {
using namespace trial;
using every::Trial;

inline const std::pair<Activation, const char*> activations[] = {
    {Activation::tanh, "tanh"}, {Activation::softplus, "softplus"}, {Activation::silu, "silu"}};

inline double worst(const Map<double>& map, Extent extent, bool moves = true) {
  Status status = Status::ok;
  const double w = every::worst(map, extent, &status, moves);
  EXPECT_EQ(status, Status::ok);
  return w;
}
// As in maps.cpp: truncation of some 1e-9, rounding below; a wrong term is of order 1.
inline constexpr double tolerance = 1e-8;
}  // namespace flows
