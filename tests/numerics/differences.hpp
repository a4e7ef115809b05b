// A solve's gradient in all that it depends on, and differences of its loss.
#pragma once
#include "numerics/trial.hpp"

namespace differences {
using namespace trial;

/// The loss is y1_bar . y(t1) of a solve between two times or through more of them.
template <class T>
struct Trial {
  const Map<T>* field = nullptr;
  int lanes = 1;
  Plan<T> plan;
  long steps = 1;  ///< between two times
  std::vector<T> times, theta, y0, y1_bar;

  Grid<T> grid() const {
    if (times.size() == 2) return {times[0], times[1], steps};
    return {0, 0, steps, times.data(), static_cast<long>(times.size())};
  }
};
/// theta_bar is summed over lanes. nodes: where the solve has stood.
template <class T>
struct Gradient {
  std::vector<T> y0, theta, times, nodes;
  Accounting accounting;
};

template <class T>
double loss(const Trial<T>& p, Gradient<T>* gradient = nullptr) {
  Bytes bytes(Solve<T>::bytes(*p.field, p.plan, p.lanes));
  Arena arena = bytes.arena();
  Solve<T> solve;
  EXPECT_EQ(solve.init(arena, *p.field, p.plan, p.lanes), Status::ok);
  EXPECT_EQ(run(*solve, p.grid(), p.theta.data(), p.y0.data()), Status::ok);
  double sum = 0;
  for (std::size_t i = 0; i < solve->size(); ++i)
    sum += static_cast<double>(p.y1_bar[i]) * static_cast<double>(solve->y()[i]);
  if (!gradient) return sum;
  std::vector<T> leaves(p.theta.size() * static_cast<std::size_t>(p.lanes));
  gradient->y0.assign(p.y0.size(), 0), gradient->theta.assign(p.theta.size(), 0);
  gradient->times.assign(p.times.size(), 0), gradient->nodes.clear();
  for (long n = 0; n <= solve->n(); ++n) gradient->nodes.push_back(solve->t(n));
  EXPECT_EQ(solve->turn({leaves.data(), 1, 0}, gradient->times.data()), Status::ok);
  for (std::size_t i = 0; i < solve->size(); ++i) solve->y_bar()[i] += p.y1_bar[i];
  while (solve->retreat()) {
  }
  EXPECT_EQ(solve->finish(gradient->y0.data()), Status::ok);
  gradient->accounting = solve->accounting();
  kernel::tree_lanes(p.theta.size(), p.lanes, leaves.data(), gradient->theta.data());
  return sum;
}

/// Of fourth order, with e = 1e-3: truncation e^4 / 30 = 3e-14 times a fifth derivative, and 18 / (12 e) = 1.5e3 times
/// the error of a loss.
template <class T>
double difference(Trial<T> p, std::vector<T> Trial<T>::*of, std::size_t i) {
  constexpr double e = 1e-3;
  const T keep = (p.*of)[i];
  const auto at = [&](double offset) { return (p.*of)[i] = keep + static_cast<T>(offset), loss(p); };
  return (8 * (at(e) - at(-e)) - (at(2 * e) - at(-2 * e))) / (12 * e);
}
}  // namespace differences
