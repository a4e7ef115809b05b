// Fields of continuous normalizing flows: cotangents against central differences for every layer, trace and
// regulariser, traces against tangents, layers against their formulas.
#include "revode/cnf.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "revode/backsolve.hpp"
#include "revode/moving_norm.hpp"
#include "unit/flow_trial.hpp"

namespace {
using namespace flows;

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

/// f(t, z) of one sample, z[d].
std::vector<double> slope(const Map<double>& field, const std::vector<double>& theta, double t,
                          const std::vector<double>& z) {
  const Shape shape = field.shape({1, 0});
  Bytes tape(shape.tape), work(shape.work);
  std::vector<double> f(z.size());
  Call<double> call;
  call.t = t, call.theta = theta.data(), call.work = work.data();
  field.eval(call, z.data(), f.data(), tape.data());
  return f;
}
/// What f does along (t_dot, z_dot). e = 1e-5: truncation e^2 times a third derivative of some 10, rounding 1e-16 over
/// e: some 1e-10.
std::vector<double> along(const Map<double>& field, const std::vector<double>& theta, double t,
                          const std::vector<double>& z, double t_dot, const std::vector<double>& z_dot) {
  constexpr double e = 1e-5;
  std::vector<double> plus = z, minus = z;
  for (std::size_t i = 0; i < z.size(); ++i) plus[i] += e * z_dot[i], minus[i] -= e * z_dot[i];
  std::vector<double> a = slope(field, theta, t + e * t_dot, plus);
  const std::vector<double> b = slope(field, theta, t - e * t_dot, minus);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = (a[i] - b[i]) / (2 * e);
  return a;
}
double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// What a flow of one sample [z, l, costs, noise] is to have as slopes, by differences of f alone.
std::vector<double> rows_by_differences(const Cnf<double>& flow, const flows::Field<double>& field, Trace trace,
                                        const Costs& costs, const std::vector<double>& theta, double t,
                                        const std::vector<double>& x) {
  const auto d = static_cast<std::size_t>(flow.dim());
  const std::vector<double> z(x.begin(), x.begin() + flow.dim()), f = slope(*field.plain, theta, t, z);
  std::vector<double> want = f;
  double divergence = 0, frobenius = 0, of_noise = 0, estimate = 0;
  for (std::size_t i = 0; i < d; ++i) {
    std::vector<double> unit(d);
    unit[i] = 1;
    const std::vector<double> column = along(*field.plain, theta, t, z, 0, unit);
    divergence += column[i], frobenius += dot(column, column);
  }
  if (flow.noisy()) {
    const std::vector<double> noise(x.begin() + flow.noise_row(), x.end());
    const std::vector<double> turned = along(*field.plain, theta, t, z, 0, noise);
    estimate = dot(noise, turned), of_noise = dot(turned, turned);
  }
  want.push_back(trace == Trace::hutchinson ? -estimate : -divergence);
  if (costs.kinetic) want.push_back(dot(f, f));
  if (costs.jacobian) want.push_back(flow.noisy() ? of_noise : frobenius);
  if (costs.taylor) {
    const std::vector<double> second = along(*field.plain, theta, t, z, 1, f);
    want.push_back(dot(second, second));
  }
  want.resize(x.size());  // noise stands still
  return want;
}

/// Its trace and costs are those that cnf.hpp says, of every layer: the exact trace has the whole Jacobian's norm, the
/// closed one the noise's as Hutchinson's.
TEST(Cnf, RowsAreWhatTheySay) {
  for (const auto& [act, name] : activations)
    for (const auto& field : flows::fields<double>(act, name))
      for (const Trace trace : {Trace::exact, Trace::hutchinson, Trace::closed})
        for (int costs = 0; costs < 8; ++costs) {
          const Costs asked{(costs & 1) > 0, (costs & 2) > 0, (costs & 4) > 0};
          const Cnf<double> flow(*field.plain, trace, asked, field.traced.get());
          constexpr std::size_t lanes = 2;
          Trial<double> trial(flow, {lanes, 0});
          trial.eval();
          const auto rows = static_cast<std::size_t>(flow.rows());
          for (std::size_t l = 0; l < lanes; ++l) {
            std::vector<double> x(rows);
            for (std::size_t i = 0; i < rows; ++i) x[i] = trial.x[i * lanes + l];
            const auto want = rows_by_differences(flow, field, trace, asked, trial.theta, trial.call.t, x);
            ASSERT_EQ(want.size(), rows);
            for (std::size_t i = 0; i < rows; ++i)  // 1e-10 in each term of sums of up to nine squares of order 1
              EXPECT_NEAR(trial.y[i * lanes + l], want[i], 1e-8 * (1 + std::abs(want[i])))
                  << field.name << ", trace " << static_cast<int>(trace) << ", costs " << costs << ", row " << i;
            for (int i = 0; i < asked.count(); ++i)
              EXPECT_GT(want[static_cast<std::size_t>(flow.cost_row() + i)], 1e-6) << "nothing to see";
          }
        }
}

/// The continuous adjoint of a flow, noise and costs included, is the gradient of everything stored, of order .2 to 4,
/// but for errors of the tolerance's order: measured up to 20 of them, 60 leaves room. What is lost, or has a wrong
/// sign, does not fall with the tolerance.
TEST(Cnf, TheContinuousAdjointIsRightToItsTolerance) {
  constexpr int lanes = 2;
  for (const auto& field : flows::fields<double>(Activation::tanh, "tanh"))
    for (const Trace trace : {Trace::closed, Trace::hutchinson}) {
      const Cnf<double> flow(*field.plain, trace, {true, true, true}, field.traced.get());
      Problem<double> p;
      const Shape shape = flow.shape({lanes, 0});
      const auto n = static_cast<std::size_t>(shape.in) * lanes;
      p.field = &flow, p.lanes = lanes, p.grid = {0, 1, 64};
      p.theta = uniform<double>(1, static_cast<std::size_t>(shape.params), -.7, .7);
      p.y0 = uniform<double>(2, n, -1, 1), p.y1_bar = uniform<double>(3, n, .25, 1);
      Plan<double> plan;  // 64 steps of order 8: errors of some 1e-15
      plan.method = runge_kutta(tableau::dormand_prince8<double>), plan.way = Way::stored, plan.stored_steps = 64;
      plan.arithmetic = Arithmetic::real;
      const Outcome<double> stored = attempt(p, plan);
      ASSERT_EQ(stored.back, Status::ok);
      for (const double within : {1e-5, 1e-7, 1e-9}) {
        BacksolvePlan<double> back;
        back.control.rtol = back.control.atol = back.control_back.rtol = back.control_back.atol = within;
        Bytes bytes(Backsolve<double>::bytes(flow, back, lanes));
        Arena arena = bytes.arena();
        Backsolve<double> solve;
        ASSERT_EQ(solve.init(arena, flow, back, lanes), Status::ok);
        ASSERT_EQ(run(solve, p.grid, p.theta.data(), p.y0.data()), Status::ok);
        std::vector<double> y0_bar(n), theta_bar(p.params());
        ASSERT_EQ(run_back(solve, p.y1_bar.data(), y0_bar.data(), {theta_bar.data(), 1, 0}), Status::ok);
        const double off =
            std::max(tests::distance(y0_bar, stored.y0_bar), tests::distance(theta_bar, stored.theta_bar));
        EXPECT_LT(off, 60 * within) << field.name << ", trace " << static_cast<int>(trace);
      }
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
  EXPECT_EQ(TracedMlp<float>(open, 3, Activation::tanh).shape({}).in, 0);
  EXPECT_EQ(TracedMlp<float>(deep, 5, Activation::tanh).shape({}).in, 0);
  EXPECT_EQ(Cnf<float>(field).shape({}).in, 4);
  EXPECT_EQ(Cnf<float>(open_field).shape({}).in, 0);
  EXPECT_EQ(Cnf<float>(field, Trace::closed).shape({}).in, 0);
  EXPECT_EQ(Cnf<float>(field, Trace::hutchinson, {true, true, true}).shape({}).in, 10);
}
}  // namespace
