// What readings say of the grid's times, against central differences: by every kind of solve, with the continuous
// extension and without, on equal steps, through given times, and on steps chosen by tolerance; and what events do.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "numerics/fields.hpp"
#include "numerics/observed.hpp"
#include "revode/event.hpp"

namespace {
using namespace trial;
using T = double;
using observed::Problem;
constexpr int lanes = 2, count = 5;

struct Case {
  std::string name;
  Plan<T> plan;
  const Tableau<T>* continuous = nullptr;
};
std::vector<Case> cases() {
  std::vector<Case> all;
  const auto add = [&](const Method<T>& m, Way way, Arithmetic arithmetic, const Tableau<T>* continuous = nullptr) {
    Plan<T> p;
    p.method = m, p.way = way, p.arithmetic = arithmetic;
    p.stored_steps = 400, p.slots = 5, p.log_bits = way == Way::taped ? 1 << 18 : 0;
    all.push_back({std::string(m.name) + " over " + m.base.name, p, continuous});
  };
  add(runge_kutta(tableau::rk4<T>), Way::stored, Arithmetic::real);
  add(runge_kutta(tableau::dormand_prince5<T>), Way::checkpointed, Arithmetic::real, &tableau::dormand_prince5<T>);
  add(runge_kutta(tableau::tsitouras5<T>), Way::taped, Arithmetic::real, &tableau::tsitouras5<T>);
  add(mccallum_foster(tableau::ralston3<T>), Way::reversed, Arithmetic::fixed);
  add(alf<T>(), Way::reversed, Arithmetic::fixed);
  add(reversible_heun<T>(), Way::checkpointed, Arithmetic::real);
  add(adams<T>(4), Way::stored, Arithmetic::real);
  add(low_storage(tableau::ees27<T>), Way::stored, Arithmetic::real);
  return all;
}

/// Readings all over the solve, between nodes, none at its ends.
Problem<T> problem(const Case& c, const std::vector<T>& ends) {
  Problem<T> p;
  p.field = &fields::driven<T>, p.plan = c.plan, p.continuous = c.continuous, p.lanes = lanes, p.count = count;
  p.theta = uniform<T>(1, 3, .4, 1.2), p.y0 = uniform<T>(2, 4, .2, 1);
  p.y1_bar.assign(4, 0);  // the end itself is grid_times.cpp's
  p.at_bar = uniform<T>(4, count * 4, .25, 1);
  p.times = {.23, .31, .47, .45, .83, .9, 1.01, 1.003, 1.33, 1.37};
  if (ends.front() > ends.back())
    for (T& t : p.times) t = ends.front() + ends.back() - t;
  return p;
}
double loss(const Problem<T>& p) {
  const auto o = observed::solve(p, false);
  EXPECT_EQ(o.status, Status::ok);
  double sum = 0;
  for (std::size_t i = 0; i < o.at.size(); ++i) sum += p.at_bar[i] * o.at[i];
  return sum;
}
Grid<T> through(const std::vector<T>& times, long steps) {
  if (times.size() == 2) return {times[0], times[1], steps};
  return {0, 0, steps, times.data(), static_cast<long>(times.size())};
}

/// Of fourth order with e = 1e-4: truncation e^4 / 30 = 3e-18 times fifth derivatives of 1e4, and 1.5e4 times what is
/// rounded in twenty terms of order 1, some 1e-14 in all, in fixed point 20 steps of 2^-45: 2e-10 and 1e-8.
double tolerance(const Plan<T>& plan) {
  return plan.arithmetic == Arithmetic::fixed ? 5e-8 : 2e-9;
}
template <class At>
double difference(const At& at) {
  const double e = 1e-4;
  return (8 * (at(e) - at(-e)) - (at(2 * e) - at(-2 * e))) / (12 * e);
}

void check_grids(const std::vector<T>& ends, long steps) {
  for (const Case& c : cases()) {
    Problem<T> p = problem(c, ends);
    p.grid = through(ends, steps);
    const auto o = observed::solve(p, true, true);
    ASSERT_EQ(o.status, Status::ok) << c.name;
    const auto without = observed::solve(p, true, false);
    EXPECT_TRUE(same_bits(o.y0_bar, without.y0_bar) && same_bits(o.theta_bar, without.theta_bar)) << c.name;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      const auto at = [&](double offset) {
        std::vector<T> moved = ends;
        moved[i] += offset;
        p.grid = through(moved, steps);
        return loss(p);
      };
      EXPECT_NEAR(o.times_bar[i], difference(at), tolerance(c.plan)) << c.name << ", time " << i;
      EXPECT_GT(std::abs(o.times_bar[i]), 10 * tolerance(c.plan)) << c.name << ", time " << i;
    }
  }
}
TEST(ReadingTimes, EqualSteps) {
  check_grids({.2, 1.4}, 7);
}
TEST(ReadingTimes, EqualStepsBackwards) {
  check_grids({1.4, .2}, 7);
}
TEST(ReadingTimes, GivenTimes) {
  check_grids({.2, .5, .62, 1.4}, 3);
}
TEST(ReadingTimes, GivenTimesBackwards) {
  check_grids({1.4, .97, .81, .2}, 3);
}

/// In which step each reading lies. Where one changes its step its interpolant has a jump in the second derivative, and
/// a difference says less.
std::vector<long> owners(const Problem<T>& p, const std::vector<T>& nodes) {
  std::vector<long> in;
  const bool forwards = nodes.back() > nodes.front();
  for (const T t : p.times)
    in.push_back(std::count_if(nodes.begin(), nodes.end(), [&](T node) { return forwards ? node < t : node > t; }));
  return in;
}

/// Steps chosen by tolerance are parts of their interval that are held: the differences are those of a grid of the
/// steps taken, moved with its ends.
void check_adaptive(const std::vector<T>& ends) {
  int compared = 0;
  for (const Case& c : cases()) {
    Problem<T> p = problem(c, ends);
    p.grid = through(ends, 1);
    p.plan.control.rtol = p.plan.control.atol = 1e-4;
    const auto o = observed::solve(p, true, true);
    ASSERT_EQ(o.status, Status::ok) << c.name;
    ASSERT_GT(o.t.size(), 4u) << c.name;
    p.plan.control = {};
    for (std::size_t i = 0; i < ends.size(); ++i) {
      bool crossed = false;
      const auto at = [&](double offset) {
        std::vector<T> moved = ends, nodes;
        moved[i] += offset;
        std::size_t k = 0;
        for (const T t : o.t) {
          while (k + 2 < ends.size() && (ends[0] < ends[1] ? t >= ends[k + 1] : t <= ends[k + 1])) ++k;
          nodes.push_back(moved[k] + (t - ends[k]) / (ends[k + 1] - ends[k]) * (moved[k + 1] - moved[k]));
        }
        crossed |= owners(p, nodes) != owners(p, o.t);
        p.grid = {0, 0, 1, nodes.data(), static_cast<long>(nodes.size())};
        return loss(p);
      };
      const double expected = difference(at);
      if (crossed) continue;
      ++compared;
      EXPECT_NEAR(o.times_bar[i], expected, tolerance(c.plan)) << c.name << ", time " << i;
    }
  }
  EXPECT_GT(compared, 3 * static_cast<int>(ends.size()));  // of eight
}
TEST(ReadingTimes, StepsByTolerance) {
  check_adaptive({.2, 1.4});
}
TEST(ReadingTimes, StepsByToleranceBackwards) {
  check_adaptive({1.4, .2});
}
TEST(ReadingTimes, StepsByToleranceThroughTimes) {
  check_adaptive({.2, .5, .62, 1.4});
}

/// A rung is a part of the span, so a solve by tolerance whose ends move a little takes the same parts: its own
/// differences, nothing held, where none of its rungs changes.
TEST(ReadingTimes, StepsByToleranceMoveWithTheirEnds) {
  int compared = 0;
  for (const Case& c : cases()) {
    Problem<T> p = problem(c, {.2, 1.4});
    p.grid = {.2, 1.4}, p.plan.control.rtol = p.plan.control.atol = 1e-4;
    const auto o = observed::solve(p, true, true);
    for (std::size_t i = 0; i < 2; ++i) {
      bool moved = false;
      const auto at = [&](double offset) {
        p.grid = i == 0 ? Grid<T>{.2 + offset, 1.4} : Grid<T>{.2, 1.4 + offset};
        const auto there = observed::solve(p, false);
        moved |= there.t.size() != o.t.size() || owners(p, there.t) != owners(p, o.t);
        for (std::size_t n = 0; n < o.t.size() && !moved; ++n)
          moved |= std::abs((there.t[n] - there.t[0]) / (there.t.back() - there.t[0]) - (o.t[n] - .2) / 1.2) > 1e-12;
        double sum = 0;
        for (std::size_t k = 0; k < there.at.size(); ++k) sum += p.at_bar[k] * there.at[k];
        return sum;
      };
      const double expected = difference(at);
      if (moved) continue;
      ++compared;
      EXPECT_NEAR(o.times_bar[i], expected, tolerance(c.plan)) << c.name << ", time " << i;
    }
  }
  EXPECT_GT(compared, 8);
}

/// A line that a driven field crosses: the event's time and state depend on the grid's times as well.
constexpr Dense<T> line(2, 1);
double event_loss(const Plan<T>& plan, const Grid<T>& grid, std::vector<T>* times_bar = nullptr) {
  const std::vector<T> theta = uniform<T>(1, 3, .4, 1.2), at_bar = uniform<T>(4, 4, .25, 1);
  const T weights[] = {1, .5, -.55}, time_bar[] = {.7, -.4}, y0[] = {.2, .4, .3, .1};
  const auto field = &fields::driven<T>;
  Arena measure;
  Event<T> event;
  event.place(measure, *field, line, lanes);
  Bytes bytes(measure.bytes()), solver(Solve<T>::bytes(*field, plan, lanes));
  Arena arena = bytes.arena(), other = solver.arena();
  event.place(arena, *field, line, lanes);
  Solve<T> solve;
  EXPECT_EQ(solve.init(other, *field, plan, lanes), Status::ok);
  EXPECT_EQ(event.begin(weights), Status::ok);
  EXPECT_EQ(solve->begin(grid, theta.data(), y0), Status::ok);
  bool all = event.look(*solve);
  while (!all && solve->advance()) all = event.look(*solve);
  EXPECT_TRUE(all) << "every sample has its event";
  double sum = 0;
  for (std::size_t l = 0; l < lanes; ++l) sum += time_bar[l] * event.time()[l];
  for (std::size_t i = 0; i < 4; ++i) sum += at_bar[i] * event.at()[i];
  if (!times_bar) return sum;
  std::vector<T> theta_bar(3 * lanes), y0_bar(4), line_bar(3 * lanes);
  times_bar->assign(2, 0);
  EXPECT_EQ(solve->turn({theta_bar.data(), 1, 3}, times_bar->data()), Status::ok);
  EXPECT_EQ(event.turn(*solve, at_bar.data(), time_bar, {line_bar.data(), 1, 3}), Status::ok);
  do event.pull(*solve);
  while (solve->retreat());
  EXPECT_EQ(solve->finish(y0_bar.data()), Status::ok);
  return sum;
}
/// A time is found to its last bit, 2e-16, and a state to some ten: as above.
TEST(ReadingTimes, Events) {
  for (const Case& c : cases()) {
    std::vector<T> times_bar;
    event_loss(c.plan, {.2, 1.4, 7}, &times_bar);
    const auto first = [&](double e) { return event_loss(c.plan, {.2 + e, 1.4, 7}); };
    const auto last = [&](double e) { return event_loss(c.plan, {.2, 1.4 + e, 7}); };
    EXPECT_NEAR(times_bar[0], difference(first), tolerance(c.plan)) << c.name;
    EXPECT_NEAR(times_bar[1], difference(last), tolerance(c.plan)) << c.name;
    EXPECT_GT(std::abs(times_bar[0]), .01) << c.name;
  }
}
}  // namespace
