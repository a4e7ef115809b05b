// A trial: one solve forwards and back in bytes of its own, and what it leaves behind for comparing bit by bit.
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "numerics/sanitized.hpp"
#include "revode/random.hpp"
#include "revode/solve.hpp"
#include "shared.hpp"

namespace trial {
using namespace revode;
using tests::Bytes, tests::distance;

template <class T>
std::vector<T> uniform(std::uint32_t stream, std::size_t n, double low, double high) {
  Random random(20260723, stream);
  std::vector<T> values(n);
  for (T& v : values) v = static_cast<T>(low + (high - low) * static_cast<double>(random.uniform()));
  return values;
}

/// What is solved and what is asked of it. The loss is y1_bar . y(t1) + running sum_n |y_n|^2 / 2.
template <class T>
struct Problem {
  const Map<T>* field = nullptr;
  Grid<T> grid;
  int lanes = 1;
  std::vector<T> theta, y0, y1_bar;
  T running = 0;
  int leaf = 1;

  std::size_t params() const { return theta.size() * static_cast<std::size_t>(leaf == 1 ? lanes : 1); }
};

template <class T>
struct Outcome {
  Status forward = Status::ok, back = Status::ok;
  std::vector<T> y1, y0_bar, theta_bar;
  long reached = 0;  ///< the last node of the way forward
  long strayed = 0;  ///< nodes whose state on the way back was not that of the way forward
  Accounting accounting;
};

template <class T>
std::uint64_t hash(const Trajectory<T>& walk) {
  return tests::hash(walk.y(), walk.size());
}

template <class T>
void forward(Trajectory<T>& walk, const Problem<T>& p, std::vector<std::uint64_t>& seen, Outcome<T>& o) {
  o.forward = walk.begin(p.grid, p.theta.data(), p.y0.data());
  seen.assign(1, hash(walk));
  while (o.forward == Status::ok) {
    const long n = walk.n();
    walk.advance();
    o.forward = walk.status();
    if (walk.n() == n) break;
    seen.push_back(hash(walk));
  }
  o.reached = walk.n();
  o.y1.assign(walk.y(), walk.y() + walk.size());
}

/// Goes back even after a failure, to see which states come back.
template <class T>
void back(Trajectory<T>& walk, const Problem<T>& p, const std::vector<std::uint64_t>& seen, Outcome<T>& o) {
  o.y0_bar.assign(walk.size(), T(0));
  o.theta_bar.assign(p.params(), T(0));
  o.back = walk.turn({o.theta_bar.data(), p.leaf, p.theta.size()});
  for (std::size_t i = 0; i < walk.size(); ++i) walk.y_bar()[i] += p.y1_bar[i];
  do {
    if (hash(walk) != seen[static_cast<std::size_t>(walk.n())]) ++o.strayed;
    for (std::size_t i = 0; i < walk.size(); ++i) walk.y_bar()[i] += p.running * walk.y()[i];
  } while (walk.retreat());
  o.back = walk.finish(o.y0_bar.data());
  o.accounting = walk.accounting();
}

template <class T>
Outcome<T> attempt(const Problem<T>& p, const Plan<T>& plan, int fill = 0xA5) {
  Outcome<T> o;
  Bytes bytes(Solve<T>::bytes(*p.field, plan, p.lanes), fill);
  Arena arena = bytes.arena();
  Solve<T> solve;
  o.forward = o.back = solve.init(arena, *p.field, plan, p.lanes);
  if (o.forward != Status::ok) return o;
  std::vector<std::uint64_t> seen;
  forward(*solve, p, seen, o);
  back(*solve, p, seen, o);
  return o;
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && !a.empty() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

/// Every bit that a user could see.
template <class T>
testing::AssertionResult same(const Outcome<T>& a, const Outcome<T>& b) {
  if (!same_bits(a.y1, b.y1)) return testing::AssertionFailure() << "the final states differ";
  if (!same_bits(a.y0_bar, b.y0_bar)) return testing::AssertionFailure() << "the cotangents of y0 differ";
  if (!same_bits(a.theta_bar, b.theta_bar)) return testing::AssertionFailure() << "the cotangents of theta differ";
  return testing::AssertionSuccess();
}

template <class T>
bool alive(const std::vector<T>& values) {
  for (const T v : values)
    if (!std::isfinite(v) || std::fpclassify(v) == FP_ZERO) return false;
  return !values.empty();
}

/// Both ways ok, every state met again, and nothing that equal bits would be cheap for: no zero, infinity or NaN.
template <class T>
testing::AssertionResult sound(const Outcome<T>& o) {
  if (o.forward != Status::ok) return testing::AssertionFailure() << "forwards: " << sentence(o.forward);
  if (o.back != Status::ok) return testing::AssertionFailure() << "back: " << sentence(o.back);
  if (o.strayed) return testing::AssertionFailure() << o.strayed << " states were not met again";
  if (!alive(o.y1)) return testing::AssertionFailure() << "a state is zero or not finite";
  if (!alive(o.y0_bar) || !alive(o.theta_bar)) return testing::AssertionFailure() << "a gradient is zero or not finite";
  return testing::AssertionSuccess();
}
}  // namespace trial
