// A flow in memory of its own, as its tests ask about it.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "models/cnf.hpp"
#include "numerics/trial.hpp"

namespace revode::host {
template <class T>
using Config = typename CnfModel<T>::Config;

template <class T>
Config<T> config(long steps, int flows = 1) {
  Config<T> c;
  c.dim = 2, c.lanes = 16, c.hidden = {8, 7}, c.flows = flows, c.steps = steps;
  c.plan.method = mccallum_foster(tableau::rk4<T>);
  c.plan.stored_steps = steps, c.plan.slots = 3;
  c.test_plan.method = runge_kutta(tableau::rk4<T>);
  c.test_plan.way = Way::none, c.test_plan.arithmetic = Arithmetic::real;
  return c;
}
template <class C>
void take(C& c, Way way, Arithmetic arithmetic) {
  c.plan.way = way, c.plan.arithmetic = arithmetic;
  if (way != Way::stored) c.plan.stored_steps = 0;
  if (way != Way::checkpointed) c.plan.slots = 0;
}

/// A model in memory of its own with parameters of its own.
template <class T>
struct Model {
  explicit Model(const Config<T>& c) : model(c), memory(model.bytes()) {
    Arena arena = memory.arena();
    EXPECT_EQ(model.init(arena), Status::ok);
    const auto numbers = model.params() + model.buffers();
    theta.resize(static_cast<std::size_t>(numbers));
    model.initialise(5, theta.data());
    const auto lanes = static_cast<std::size_t>(c.lanes), d = static_cast<std::size_t>(c.dim);
    x = trial::uniform<T>(6, d * lanes, -1.5, 1.5);
    noise = trial::uniform<T>(7, static_cast<std::size_t>(c.flows) * d * lanes, -1, 1);
    for (T& v : noise) v = v < 0 ? T(-1) : T(1);
  }
  /// The gradient, the statistics and the sums of a leaf.
  std::vector<T> loss(int count) {
    const auto summed = static_cast<std::size_t>(model.summed()), params = static_cast<std::size_t>(model.params());
    std::vector<T> leaf(summed + theta.size() - params + CnfModel<T>::statistics), all(params);
    EXPECT_EQ(model.prepare(theta.data()), Status::ok);
    EXPECT_EQ(model.loss(x.data(), noise.data(), count, theta.data(), {leaf.data(), 16, leaf.size()}), Status::ok);
    Status status = Status::ok;
    std::copy_n(model.gather(theta.data(), leaf.data(), status), params, all.begin());
    EXPECT_EQ(status, Status::ok);
    all.insert(all.end(), leaf.begin() + static_cast<std::ptrdiff_t>(summed), leaf.end());
    return all;
  }
  CnfModel<T> model;
  trial::Bytes memory;
  std::vector<T> theta, x, noise;
};
}  // namespace revode::host
