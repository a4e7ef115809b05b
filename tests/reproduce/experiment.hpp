// What the experiments' programs share: a solve in bytes of its own, plans by one line each, and distances.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "bytes.hpp"
#include "revode/impl/flow_impl.hpp"
#include "revode/solve.hpp"

namespace experiment {
using namespace revode;
using reproduce::Bytes, reproduce::expect, reproduce::give_up, tests::distance;

/// A solve of one tile and the bytes it lives in.
template <class T>
class Solver {
 public:
  Solver(const Map<T>& field, const Plan<T>& plan, int lanes = 1) : bytes_(Solve<T>::bytes(field, plan, lanes)) {
    Arena arena = bytes_.arena();
    expect(solve_.init(arena, field, plan, lanes), plan.method.name);
  }
  Trajectory<T>* operator->() const { return &*solve_; }
  Trajectory<T>& operator*() const { return *solve_; }
  std::size_t bytes() const { return bytes_.size(); }

 private:
  Bytes bytes_;
  Solve<T> solve_;
};

// ---- plans, one line each
/// Floats, every state kept: the oracle.
template <class T>
Plan<T> stored(const Method<T>& method, long steps, T lambda = 1) {
  Plan<T> p;
  p.method = method, p.way = Way::stored, p.arithmetic = Arithmetic::real, p.stored_steps = steps, p.lambda = lambda;
  return p;
}
/// Floats, walked back: a bijective word undone, any other method with -h.
template <class T>
Plan<T> retraced(const Method<T>& method, T lambda = 1) {
  Plan<T> p;
  p.method = method, p.way = Way::reversed, p.arithmetic = Arithmetic::real, p.lambda = lambda;
  return p;
}
/// Integers, undone exactly; every `halve_every` steps a halving event leaves a bit a dimension.
template <class T>
Plan<T> exact(const Method<T>& method, int dim, long steps, int halve_every = 0) {
  Plan<T> p;
  p.method = method, p.way = Way::reversed, p.arithmetic = Arithmetic::fixed, p.halve_every = halve_every;
  p.log_bits = p.log_bits_for(std::max(steps, long{halve_every}), dim, 1);
  return p;
}
/// A few states kept, the rest run again: any method.
template <class T>
Plan<T> checkpointed(const Method<T>& method, int slots) {
  Plan<T> p;
  p.method = method, p.way = Way::checkpointed, p.arithmetic = Arithmetic::real, p.slots = slots;
  return p;
}

/// The ordinary solver in floats, with a tape of what its prediction of each state missed; room for 160 bits each.
template <class T>
Plan<T> taped(const Method<T>& method, int dim, long steps, Predictor predictor = Predictor::runge_kutta) {
  Plan<T> p;
  p.method = method, p.way = Way::taped, p.arithmetic = Arithmetic::real, p.predictor = predictor;
  p.log_bits = 160 * static_cast<std::size_t>(dim) * static_cast<std::size_t>(steps + 10);
  return p;
}

template <class T>
std::vector<T> state(const Trajectory<T>& walk) {
  return {walk.y(), walk.y() + walk.size()};
}
template <class T>
double euclidean(const std::vector<T>& a, const std::vector<T>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double apart = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += apart * apart;
  }
  return std::sqrt(sum);
}

/// States at the end and, walked back in floats without any kept state, at the beginning again. (The library's way
/// back puts the kept state of node 0 in place before it hands it over.)
template <class T>
struct Return {
  std::vector<T> end, beginning;
};
template <class T>
Return<T> there_and_back(const Map<T>& field, const Method<T>& method, T lambda, const Grid<T>& grid,
                         const std::vector<T>& theta, const std::vector<T>& y0) {
  Flow<Real<T>> flow;
  Arena measure;
  flow.place(measure, field, method, 1, false, false);
  const Bytes bytes(measure.bytes());
  Arena arena = bytes.arena();
  flow.place(arena, field, method, 1, false, false);
  flow.init(theta.data(), {0, 0});
  Clock<T> clock;
  if (!clock.init(grid, 0, lambda)) expect(Status::bad_argument, method.name);
  flow.lift(clock.node(0), y0.data());
  for (long n = 0; n < clock.steps(); ++n) flow.step(clock.at(n), nullptr);
  flow.read();
  Return<T> r{{flow.y, flow.y + flow.read_size()}, {}};
  std::fill(flow.bar, flow.bar + flow.words(), T(0));
  for (long n = clock.steps(); n-- > 0;)
    bijective(method) ? flow.unpull(clock.at(n), nullptr) : flow.step_back(clock.at(n));
  flow.read();
  r.beginning.assign(flow.y, flow.y + flow.read_size());
  return r;
}
}  // namespace experiment
