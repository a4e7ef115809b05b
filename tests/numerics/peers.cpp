// Numbers that PyTorch computed once (tests/peers/fixtures.py), checked in as tests/peers/data/*.json: maps, jets,
// solves and their gradients, readings. Theirs and ours are double; sums are in another order, so roundings differ.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "numerics/observed.hpp"
#include "numerics/peer_data.hpp"
#include "revode/gru.hpp"
#include "revode/sequential.hpp"

namespace {
using namespace trial;
using peer::Json;
using T = double;
using Numbers = std::vector<T>;

/// A network as the peer describes it; layers see the time all, none, or the first alone.
struct Network {
  explicit Network(const Json& c) {
    const auto widths = c.at("widths").get<std::vector<int>>();
    const std::string time = c.at("time");
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
      const bool last = i + 2 == widths.size(), sees = time == "all" || (time == "first" && i == 0);
      layers.push_back(std::make_unique<Dense<T>>(
          widths[i], widths[i + 1], last ? Activation::identity : peer::activation(c.at("activation")), sees));
      maps.push_back(layers.back().get());
    }
    map = std::make_unique<Sequential<T>>(maps.data(), static_cast<int>(maps.size()));
  }
  std::vector<std::unique_ptr<Dense<T>>> layers;
  std::vector<const Map<T>*> maps;
  std::unique_ptr<Sequential<T>> map;
};

// Up to 20 steps of 8 evaluations, a chain of some 30 roundings each, of numbers of order 1, and sums over 4 lanes:
// 5e3 roundings of 2^-53, 5e-13, were all to conspire.
constexpr double solve_bound = 5e-13;
void near(const Numbers& ours, const Json& theirs, double bound, const std::string& what) {
  const auto t = theirs.get<Numbers>();
  ASSERT_EQ(ours.size(), t.size()) << what;
  for (std::size_t i = 0; i < t.size(); ++i)
    ASSERT_NEAR(ours[i], t[i], bound * (1 + std::abs(t[i]))) << what << " at " << i;
}

struct Walked {
  Numbers y1, y_nodes, y0_bar, theta_bar;
};
/// The loss is c . y(t1) + sum_k c_k . y(node k): cotangents enter where the walk stands.
Walked walk(const Json& c, const Map<T>& field, const Plan<T>& plan) {
  const int lanes = c.at("lanes");
  const Numbers theta = c.at("theta"), y0 = c.at("y0"), y1_bar = c.at("c");
  const std::vector<long> read = c.at("nodes_read");
  const std::vector<Numbers> bars = c.at("c_nodes");
  Bytes bytes(Solve<T>::bytes(field, plan, lanes));
  Arena arena = bytes.arena();
  Solve<T> s;
  EXPECT_EQ(s.init(arena, field, plan, lanes), Status::ok);
  EXPECT_EQ(s->begin({c.at("t0"), c.at("t1"), c.at("steps")}, theta.data(), y0.data()), Status::ok);
  Walked w;
  do {
    for (const long n : read)
      if (n == s->n()) w.y_nodes.insert(w.y_nodes.end(), s->y(), s->y() + s->size());
  } while (s->advance());
  w.y1.assign(s->y(), s->y() + s->size());
  Numbers leaves(theta.size() * static_cast<std::size_t>(lanes), 0.);
  w.y0_bar.assign(y0.size(), 0.);
  w.theta_bar.resize(theta.size());
  EXPECT_EQ(s->turn({leaves.data(), 1, 0}), Status::ok);
  for (std::size_t i = 0; i < s->size(); ++i) s->y_bar()[i] += y1_bar[i];
  do {
    for (std::size_t k = 0; k < read.size(); ++k)
      if (read[k] == s->n())
        for (std::size_t i = 0; i < s->size(); ++i) s->y_bar()[i] += bars[k][i];
  } while (s->retreat());
  EXPECT_EQ(s->finish(w.y0_bar.data()), Status::ok);
  kernel::tree_lanes(theta.size(), lanes, leaves.data(), w.theta_bar.data());
  return w;
}
void compare(const Json& c, const Method<T>& method) {
  const Network network(c);
  for (const auto& [way, arithmetic] : {std::pair{Way::stored, Arithmetic::real},
                                        {Way::checkpointed, Arithmetic::real},
                                        {Way::reversed, Arithmetic::fixed}}) {
    if (way == Way::reversed && !bijective(method)) continue;
    Plan<T> plan;
    plan.method = method, plan.way = way, plan.arithmetic = arithmetic;
    plan.stored_steps = c.at("steps"), plan.slots = 3;
    const Walked w = walk(c, *network.map, plan);
    // In fixed point every increment is rounded to 2^-45 besides: 20 steps of 3 letters, and a gradient that sums 12
    // states so moved with weights of order 1.
    const double bound = solve_bound + (arithmetic == Arithmetic::fixed ? 12 * 60 * 0x1p-45 : 0);
    const std::string what = std::string(c.at("name")) + ", way " + std::to_string(static_cast<int>(way));
    ASSERT_NO_FATAL_FAILURE(near(w.y_nodes, peer::flat(c.at("y_nodes")), bound, what + ", nodes"));
    ASSERT_NO_FATAL_FAILURE(near(w.y1, c.at("y1"), bound, what + ", y1"));
    ASSERT_NO_FATAL_FAILURE(near(w.y0_bar, c.at("y0_bar"), bound, what + ", y0_bar"));
    ASSERT_NO_FATAL_FAILURE(near(w.theta_bar, c.at("theta_bar"), bound, what + ", theta_bar"));
  }
}

TEST(Peers, RungeKuttaSolves) {
  int cases = 0;
  const Json all = peer::data("mlp_solve");
  for (const Json& c : all.at("cases")) compare(c, runge_kutta(peer::base<T>(c.at("method")))), ++cases;
  EXPECT_GE(cases, 14) << "all tableaus but Euler's and EES, times and activations";
}
TEST(Peers, ReversibleSolves) {
  int cases = 0;
  const Json all = peer::data("reversible");
  for (const Json& c : all.at("cases")) {
    const bool leaps = c.at("method") == "alf";
    const Method<T> method = leaps ? alf<T>() : mccallum_foster(peer::base<T>(c.at("base")));
    EXPECT_EQ(method.order, c.at("order").get<int>());
    compare(c, method), ++cases;
  }
  EXPECT_GE(cases, 6);
}

TEST(Peers, Readings) {
  const Json c = peer::data("readings");
  const Network network(c);
  observed::Problem<T> p;
  p.field = network.map.get(), p.lanes = c.at("lanes"), p.count = c.at("count");
  p.plan.method = runge_kutta(peer::base<T>(c.at("method")));
  p.plan.way = Way::checkpointed, p.plan.arithmetic = Arithmetic::real, p.plan.slots = 3;
  p.grid = {c.at("t0"), c.at("t1"), c.at("steps")};
  p.theta = c.at("theta").get<Numbers>(), p.y0 = c.at("y0").get<Numbers>();
  p.times = c.at("times").get<Numbers>(), p.at_bar = c.at("d").get<Numbers>();
  p.y1_bar.assign(p.y0.size(), 0.);
  const auto o = observed::solve(p, true);
  ASSERT_EQ(o.status, Status::ok);
  near(o.at, c.at("values"), solve_bound, "values");
  near(o.y0_bar, c.at("y0_bar"), solve_bound, "y0_bar");
  near(o.theta_bar, c.at("theta_bar"), solve_bound, "theta_bar");
}

struct Evaluated {
  Numbers y, x_bar, theta_bar;
  T t_bar = 0;
};
Evaluated evaluate(const Map<T>& map, Extent extent, const Call<T>& at, const Numbers& x, const Numbers& y_bar) {
  const Shape s = map.shape(extent);
  Bytes tape(s.tape), work(s.work);
  Evaluated e;
  Call<T> call = at;
  call.extent = extent, call.work = work.data();
  Status status = Status::ok;
  call.status = &status;
  const auto params = static_cast<std::size_t>(s.params);
  Numbers leaves(params * static_cast<std::size_t>(extent.lanes), 0.);
  e.y.resize(y_bar.size()), e.x_bar.assign(x.size(), 0.), e.theta_bar.resize(params);
  map.eval(call, x.data(), e.y.data(), tape.data());
  map.vjp(call, x.data(), e.y.data(), tape.data(), y_bar.data(), e.x_bar.data(), {{leaves.data(), 1, 0}, &e.t_bar});
  kernel::tree_lanes(params, extent.lanes, leaves.data(), e.theta_bar.data());
  EXPECT_EQ(status, Status::ok);
  return e;
}
// One evaluation and its VJP: chains of some 10^2 roundings of numbers of order 1 to 10, summed over lanes.
constexpr double map_bound = 1e-13;

TEST(Peers, Jets) {
  const Json all = peer::data("jets");
  const Extent extent{all.at("lanes"), all.at("tangents")};
  const Numbers t_dot = all.at("t_dot");
  Numbers x = all.at("x"), y_bar = all.at("c");
  x = peer::joined(x, all.at("x_dot")), y_bar = peer::joined(y_bar, all.at("d"));
  for (const Json& c : all.at("cases")) {
    const Network network(c);
    const Numbers theta = c.at("theta");
    Call<T> call;
    call.t = all.at("t"), call.theta = theta.data(), call.t_dot = t_dot.data();
    const Evaluated e = evaluate(*network.map, extent, call, x, y_bar);
    const std::string what = c.at("activation").get<std::string>() + ", time " + c.at("time").get<std::string>();
    near(e.y, peer::joined(c.at("y"), c.at("y_dot")), map_bound, what);
    near(e.x_bar, peer::joined(c.at("x_bar"), c.at("x_dot_bar")), map_bound, what);
    near(e.theta_bar, c.at("theta_bar"), map_bound, what);
    if (c.contains("t_bar")) near({e.t_bar}, c.at("t_bar"), map_bound, what);
    EXPECT_EQ(c.contains("t_bar"), c.at("time") != "none");
  }
}

/// PyTorch's cell; ours has a mask as its last row, here 1, and in one more lane 0.
TEST(Peers, Gru) {
  const Json c = peer::data("gru"), &expected = c.at("reset_after");
  const int lanes = c.at("lanes"), hidden = c.at("hidden"), input = c.at("input");
  const Gru<T> gru(hidden, input);
  Numbers theta, theta_bar;
  for (const char* part : {"w_x", "w_h", "b_x", "b_h"}) {
    theta = peer::joined(theta, c.at(part));
    theta_bar = peer::joined(theta_bar, expected.at(std::string(part) + "_bar"));
  }
  const Numbers ones(static_cast<std::size_t>(lanes), 1.), y_bar = c.at("c");
  const Numbers x = peer::joined(peer::joined(c.at("h"), c.at("x")), ones);
  Call<T> call;
  call.theta = theta.data();
  const Evaluated e = evaluate(gru, {lanes, 0}, call, x, y_bar);
  near(e.y, expected.at("h_next"), map_bound, "h");
  near(e.theta_bar, theta_bar, map_bound, "theta_bar");
  const auto in = std::ptrdiff_t{hidden + input} * lanes;
  near(Numbers(e.x_bar.begin(), e.x_bar.begin() + in), peer::joined(expected.at("h_bar"), expected.at("x_bar")),
       map_bound, "x_bar");
  Numbers masked = x;
  std::fill(masked.begin() + in, masked.end(), 0.);
  const Evaluated still = evaluate(gru, {lanes, 0}, call, masked, y_bar);
  near(still.y, c.at("h"), 0, "an unobserved sample keeps its state");
}
}  // namespace
