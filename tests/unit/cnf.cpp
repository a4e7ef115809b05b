// Fields of continuous normalizing flows: cotangents against central differences for every layer, trace and
// regulariser, traces against tangents, layers against their formulas.
#include "revode/cnf.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "numerics/trial.hpp"
#include "revode/moving_norm.hpp"
#include "unit/every_map.hpp"
#include "unit/flow_maps.hpp"

namespace {
using namespace trial;
using every::Trial;

const std::pair<Activation, const char*> activations[] = {
    {Activation::tanh, "tanh"}, {Activation::softplus, "softplus"}, {Activation::silu, "silu"}};

double worst(const Map<double>& map, Extent extent, bool moves = true) {
  Status status = Status::ok;
  const double w = every::worst(map, extent, &status, moves);
  EXPECT_EQ(status, Status::ok);
  return w;
}
// As in maps.cpp: truncation of some 1e-9, rounding below; a wrong term is of order 1.
constexpr double tolerance = 1e-8;

TEST(TimeMlp, CotangentsAreThoseOfCentralDifferences) {
  for (const auto& [act, name] : activations)
    for (const auto& field : flows::fields<double>(act, name)) {
      for (const int k : {0, 1, 2})
        for (const int lanes : {1, 3}) {
          EXPECT_LT(worst(*field.plain, {lanes, k}), tolerance) << field.name << ", " << k << " tangents";
          EXPECT_LT(worst(*field.plain, {lanes, k}, false), tolerance) << field.name << ", time without a tangent";
        }
      for (const int lanes : {1, 3}) EXPECT_LT(worst(*field.traced, {lanes, 0}), tolerance) << field.name << ", traced";
    }
}

TEST(Cnf, CotangentsAreThoseOfCentralDifferencesForEveryLayerTraceAndCost) {
  for (const auto& [act, name] : activations)
    for (const auto& field : flows::fields<double>(act, name))
      for (const Trace trace : {Trace::exact, Trace::hutchinson, Trace::closed})
        for (int costs = 0; costs < 8; ++costs) {
          const Cnf<double> flow(*field.plain, trace, {(costs & 1) > 0, (costs & 2) > 0, (costs & 4) > 0},
                                 field.traced.get());
          EXPECT_LT(worst(flow, {2, 0}), tolerance)
              << field.name << ", trace " << static_cast<int>(trace) << ", costs " << costs;
        }
}

/// Leaves of 16 give what single ones sum to.
TEST(TimeMlp, ALeafIsTheSumOfItsSamples) {
  for (const auto& field : flows::fields<double>(Activation::tanh, "tanh"))
    for (const TimeMlp<double>* map : {field.plain.get(), field.traced.get()}) {
      const int lanes = 20;
      Trial<double> single(*map, {lanes, 0}), leaf(*map, {lanes, 0});
      single.both();
      const auto params = static_cast<std::size_t>(map->shape({}).params);
      std::vector<double> leaves(2 * params);
      leaf.eval();
      Bytes tape(map->shape({lanes, 0}).tape);
      map->eval(leaf.call, leaf.x.data(), leaf.y.data(), tape.data());
      map->vjp(leaf.call, leaf.x.data(), leaf.y.data(), tape.data(), leaf.y_bar.data(), leaf.x_bar.data(),
               {{leaves.data(), 16, params}, &leaf.t_bar});
      EXPECT_NEAR(leaf.t_bar, single.t_bar, 1e-12 * (1 + std::abs(single.t_bar)));  // sums in another order
      for (std::size_t p = 0; p < params; ++p) {
        double sums[2] = {};
        for (std::size_t l = 0; l < lanes; ++l) sums[l / 16] += single.theta_bar[p * lanes + l];
        for (std::size_t g = 0; g < 2; ++g)
          ASSERT_NEAR(leaves[g * params + p], sums[g], 1e-12 * (1 + std::abs(sums[g]))) << field.name;
      }
    }
}

TEST(TimeMlp, TheClosedTraceIsThatOfTangents) {
  for (const auto& [act, name] : activations)
    for (const auto& field : flows::fields<double>(act, name)) {
      const Cnf<double> exact(*field.plain), closed(*field.plain, Trace::closed, {}, field.traced.get());
      Trial<double> a(exact, {3, 0}), b(closed, {3, 0});
      a.both(), b.both();
      for (std::size_t i = 0; i < a.y.size(); ++i) EXPECT_NEAR(a.y[i], b.y[i], 1e-14 * 32) << field.name;
      for (std::size_t i = 0; i < a.x.size(); ++i) EXPECT_NEAR(a.x_bar[i], b.x_bar[i], 1e-12) << field.name;
      for (std::size_t i = 0; i < a.theta.size() * 3; ++i)
        EXPECT_NEAR(a.theta_bar[i], b.theta_bar[i], 1e-12) << field.name;
    }
}

TEST(TimeMlp, ConcatIsTheMlpThatSeesTime) {
  const int widths[] = {3, 5, 4, 3};
  const LayerWeights<float> weights(widths, TimeLayer::concat);
  const TimeMlp<float> mine(widths, Activation::tanh, weights);
  const Mlp<float> theirs(widths, Activation::tanh, true);
  for (const int k : {0, 2}) {
    Trial<float> a(mine, {5, k}), b(theirs, {5, k});
    a.both(), b.both();
    if (k == 0) {
      EXPECT_TRUE(same_bits(a.y, b.y));
    }
    // Tangents of time enter behind the product here and before it there: roundings of sums of some ten terms.
    for (std::size_t i = 0; i < a.y.size(); ++i) EXPECT_NEAR(a.y[i], b.y[i], 1e-5f);
    for (std::size_t i = 0; i < a.x_bar.size(); ++i) EXPECT_NEAR(a.x_bar[i], b.x_bar[i], 1e-5f);
    for (std::size_t i = 0; i < a.theta_bar.size(); ++i) EXPECT_NEAR(a.theta_bar[i], b.theta_bar[i], 1e-5f);
  }
}

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

/// (W x + b) sigmoid(w_g t + b_g) + w_b t, as FFJORD's ConcatSquashLinear.
TEST(TimeMlp, ConcatSquashIsItsFormula) {
  const int widths[] = {3, 2};
  const LayerWeights<double> weights(widths, TimeLayer::concat_squash);
  const TimeMlp<double> map(widths, Activation::tanh, weights);
  Trial<double> trial(map, {1, 0});
  trial.eval();
  const double *W = trial.theta.data(), *b = W + 6, *w_g = b + 2, *b_g = w_g + 2, *w_b = b_g + 2, t = trial.call.t;
  for (int o = 0; o < 2; ++o) {
    double a = b[o];
    for (int i = 0; i < 3; ++i) a += W[3 * o + i] * trial.x[static_cast<std::size_t>(i)];
    EXPECT_NEAR(trial.y[static_cast<std::size_t>(o)], a * sigmoid(w_g[o] * t + b_g[o]) + w_b[o] * t, 1e-14);
  }
}

/// mean over m of U_m sigmoid(G_m) tanh(W_m z + B_m), as torchdiffeq's cnf.py.
TEST(TimeMlp, TheHypernetworkIsItsFormula) {
  constexpr int d = 2, width = 4, raws = 3 * d * width + width;
  const int net_widths[] = {1, 3, raws}, widths[] = {d, width, d};
  const Mlp<double> net(net_widths, Activation::tanh);
  const HyperWeights<double> weights(net, d, width);
  const TimeMlp<double> map(widths, Activation::tanh, weights);
  Trial<double> trial(map, {1, 0}), hyper(net, {1, 0});
  trial.eval();
  hyper.theta = trial.theta, hyper.x = {trial.call.t};
  hyper.eval();
  const double *W = hyper.y.data(), *U = W + d * width, *G = U + d * width, *B = G + d * width;
  double want[d] = {};
  for (int m = 0; m < width; ++m) {
    double a = B[m];
    for (int i = 0; i < d; ++i) a += W[m * d + i] * trial.x[static_cast<std::size_t>(i)];
    for (int i = 0; i < d; ++i) want[i] += U[m * d + i] * sigmoid(G[m * d + i]) * std::tanh(a) / width;
  }
  for (int i = 0; i < d; ++i) EXPECT_NEAR(trial.y[static_cast<std::size_t>(i)], want[i], 1e-14);
}

TEST(MovingNorm, InvertsItself) {
  const float mean[] = {.5f, -1}, var[] = {.3f, 2};
  const MovingNorm<float> norm(2, 4, mean, var);
  Trial<float> trial(norm, {5, 0});
  trial.eval();
  std::vector<float> back(trial.x.size());
  norm.invert(trial.call, trial.y.data(), back.data());
  for (std::size_t i = 0; i < back.size(); ++i) EXPECT_NEAR(back[i], trial.x[i], 1e-6f);  // a few roundings of order 1
}

TEST(TimeMlp, WhatDoesNotFitIsAMapOfNoRows) {
  const int widths[] = {3, 5, 3}, other[] = {3, 4, 3}, open[] = {3, 5, 2}, deep[] = {3, 4, 4, 4, 3};
  const LayerWeights<float> weights(widths, TimeLayer::concat), of_open(open, TimeLayer::concat),
      of_deep(deep, TimeLayer::concat);
  EXPECT_EQ(TimeMlp<float>(widths, Activation::tanh, weights).shape({}).in, 3);
  EXPECT_EQ(TimeMlp<float>(other, Activation::tanh, weights).shape({}).in, 0);
  EXPECT_EQ(TimeMlp<float>(open, Activation::tanh, of_open, true).shape({}).in, 0);
  EXPECT_EQ(TimeMlp<float>(deep, Activation::tanh, of_deep).shape({}).in, 3);
  EXPECT_EQ(TimeMlp<float>(deep, Activation::tanh, of_deep, true).shape({}).in, 0);
  const TimeMlp<float> field(widths, Activation::tanh, weights), open_field(open, Activation::tanh, of_open);
  EXPECT_EQ(Cnf<float>(field).shape({}).in, 4);
  EXPECT_EQ(Cnf<float>(open_field).shape({}).in, 0);
  EXPECT_EQ(Cnf<float>(field, Trace::closed).shape({}).in, 0);
  EXPECT_EQ(Cnf<float>(field, Trace::hutchinson, {true, true, true}).shape({}).in, 10);
}
}  // namespace
