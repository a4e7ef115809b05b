// A solve that is read at each lane's own times, forwards and back.
#pragma once
#include "numerics/trial.hpp"
#include "revode/readout.hpp"

namespace observed {
using namespace trial;

/// The loss is y1_bar . y(t1) + at_bar . readings.
template <class T>
struct Problem {
  const Map<T>* field = nullptr;
  Plan<T> plan;
  Grid<T> grid;
  int lanes = 1, count = 0;
  const Tableau<T>* continuous = nullptr;  ///< the readings' base
  std::vector<T> theta, y0, y1_bar, times /*[count][lanes]*/, at_bar /*[count][dim][lanes]*/;
};
template <class T>
struct Outcome {
  Status status = Status::ok;
  std::vector<T> y1, at, y0_bar, theta_bar, times_bar /*of the grid*/;
  std::vector<std::vector<T>> nodes;  ///< every state, [steps + 1][dim][lanes]
  std::vector<T> t;                   ///< of every node
};

/// Forwards, and back when asked; theta_bar is summed over lanes.
template <class T>
Outcome<T> solve(const Problem<T>& p, bool with_gradient, bool with_times = false) {
  Outcome<T> o;
  Arena measure;
  Readout<T> readout;
  readout.place(measure, *p.field, p.lanes, p.count, p.continuous);
  Bytes bytes(Solve<T>::bytes(*p.field, p.plan, p.lanes)), more(measure.bytes());
  Arena arena = bytes.arena(), readings = more.arena();
  readout.place(readings, *p.field, p.lanes, p.count, p.continuous);
  Solve<T> s;
  o.status = s.init(arena, *p.field, p.plan, p.lanes);
  if (o.status != Status::ok) return o;
  o.at.resize(static_cast<std::size_t>(p.count) * p.y0.size());
  o.status = readout.begin(p.count, p.times.data(), o.at.data());
  revode::fail(&o.status, s->begin(p.grid, p.theta.data(), p.y0.data()));
  if (o.status != Status::ok) return o;
  do {
    readout.look(*s);
    o.nodes.emplace_back(s->y(), s->y() + s->size());
    o.t.push_back(s->t(s->n()));
  } while (s->advance());
  o.y1 = o.nodes.back();
  o.status = s->status();
  if (!with_gradient || o.status != Status::ok) return o;
  const auto lanes = static_cast<std::size_t>(p.lanes);
  std::vector<T> leaves(p.theta.size() * lanes, T(0));
  o.y0_bar.assign(s->size(), T(0));
  o.theta_bar.assign(p.theta.size(), T(0));
  o.times_bar.assign(static_cast<std::size_t>(p.grid.intervals() + 1), T(0));
  o.status = s->turn({leaves.data(), 1, 0}, with_times ? o.times_bar.data() : nullptr);
  for (std::size_t i = 0; i < s->size(); ++i) s->y_bar()[i] += p.y1_bar[i];
  do {
    readout.pull(*s, p.at_bar.data());
  } while (s->retreat());
  o.status = s->finish(o.y0_bar.data());
  kernel::tree_lanes(p.theta.size(), p.lanes, leaves.data(), o.theta_bar.data());
  return o;
}
}  // namespace observed
