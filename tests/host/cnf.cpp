// The normalizing flow as a density: it is one, it comes back, its gradient is that of its loss, and every exact way
// trains the same bits.
#include "models/cnf.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>

#include "models/cnf_trainee.hpp"
#include "models/toys.hpp"
#include "numerics/trial.hpp"
#include "revode/optimizer.hpp"

namespace revode::host {
namespace {
using trial::Bytes;
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
  Bytes memory;
  std::vector<T> theta, x, noise;
};

/// e = 1e-5: truncation e^2 times a third derivative, rounding 2^-53 in each of 10^3 terms over e: 1e-8 and less.
void expect_differences(Model<double>& m, int count, const std::vector<double>& gradient) {
  constexpr double e = 1e-5;
  const auto params = static_cast<std::size_t>(m.model.params());
  for (std::size_t i = 0; i < params; i += trial::sanitized ? 23 : 3) {
    const double keep = m.theta[i];
    m.theta[i] = keep + e;
    const double plus = m.loss(count)[params];
    m.theta[i] = keep - e;
    const double minus = m.loss(count)[params];
    m.theta[i] = keep;
    ASSERT_NEAR(gradient[i], (plus - minus) / (2 * e), 1e-6 * (1 + std::abs(gradient[i]))) << i;
  }
}

/// The whole: two flows, normalisation, learned end times, an estimated trace and every cost.
TEST(CnfModel, GradientIsThatOfCentralDifferences) {
  for (const auto layer :
       {CnfModel<double>::Layer::concat, CnfModel<double>::Layer::concat_squash, CnfModel<double>::Layer::hyper})
    for (const Trace trace : {Trace::closed, Trace::hutchinson}) {
      Config<double> c = config<double>(3, 2);
      c.layer = layer, c.trace = trace, c.norm = c.learn_time = true, c.hyper_hidden = 3;
      c.kinetic = .1, c.jacobian = .2, c.taylor = .05, c.end_time = .7;
      c.hidden = layer == CnfModel<double>::Layer::hyper ? std::vector<int>{4} : std::vector<int>{4, 3};
      take(c, Way::stored, Arithmetic::real);
      Model<double> m(c);
      const auto params = static_cast<std::size_t>(m.model.params());
      for (std::size_t i = params; i < m.theta.size(); ++i) m.theta[i] += .3;
      const auto gradient = m.loss(13);
      EXPECT_EQ(gradient[params + 2], 13);
      expect_differences(m, 13, gradient);
    }
}

/// What is computed once an update: concat's trace matrix, and a hypernetwork's weights at the times of the steps of
/// each method; of two flows.
TEST(CnfModel, GradientThroughWhatAnUpdateComputesOnceIsThatOfCentralDifferences) {
  using Layer = CnfModel<double>::Layer;
  for (const auto layer : {Layer::concat, Layer::hyper})
    for (const auto& base : {tableau::rk4<double>, tableau::three_eighths<double>, tableau::ralston3<double>}) {
      Config<double> c = config<double>(3, 2);
      c.layer = layer, c.norm = true, c.hyper_hidden = 3, c.kinetic = .1, c.end_time = .7, c.base_variance = .3;
      c.hidden = layer == Layer::hyper ? std::vector<int>{4} : std::vector<int>{4, 3};
      c.plan.method = runge_kutta(base);
      take(c, Way::stored, Arithmetic::real);
      Model<double> m(c);
      ASSERT_NE(m.model.summed(), m.model.params());
      expect_differences(m, 13, m.loss(13));
    }
}

std::vector<float> train(const Config<float>& c) {
  Model<float> m(c);
  const auto params = static_cast<std::size_t>(m.model.params());
  Adam<float> adam;
  Arena measure;
  adam.place(measure, params);
  Bytes bytes(measure.bytes());
  Arena arena = bytes.arena();
  adam.place(arena, params);
  adam.reset();
  float first = 0, last = 0;
  for (int i = 0; i < 20; ++i) {
    const auto leaf = m.loss(16);
    adam.update(.01f, leaf.data(), m.theta.data());
    (i ? last : first) = leaf[params];
  }
  EXPECT_LT(last, first);
  return m.theta;
}

/// A short training by each way; all give the same parameters, bit by bit.
TEST(CnfModel, ExactStoredAndCheckpointedTrainTheSameBits) {
  using Layer = CnfModel<float>::Layer;
  for (const auto layer : {Layer::concat, Layer::concat_squash, Layer::hyper}) {
    std::vector<std::vector<float>> trained;
    for (const Way way : {Way::reversed, Way::stored, Way::checkpointed}) {
      Config<float> c = config<float>(8, 2);
      c.layer = layer, c.norm = true, c.learn_time = layer != Layer::hyper, c.kinetic = .01f;
      if (layer == Layer::hyper) c.hidden = {8}, c.hyper_hidden = 5;
      c.plan.fraction_bits[0] = 20;
      c.plan.halve_every = 2, c.plan.log_bits = way == Way::reversed ? c.plan.log_bits_for(8, 4, 16) : 0;
      take(c, way, Arithmetic::fixed);
      trained.push_back(train(c));
    }
    EXPECT_TRUE(trial::same_bits(trained[0], trained[1])) << static_cast<int>(layer);
    EXPECT_TRUE(trial::same_bits(trained[0], trained[2])) << static_cast<int>(layer);
  }
}

TEST(CnfModel, BytesOfExactReversalDoNotKnowTheSteps) {
  std::size_t bytes[2];
  for (const int k : {0, 1}) {
    Config<float> c = config<float>(k ? 1000 : 10);
    take(c, Way::reversed, Arithmetic::fixed);
    bytes[k] = CnfModel<float>(c).bytes();
  }
  EXPECT_EQ(bytes[0], bytes[1]);
}

double log_normal(double x, double y) {
  return -.5 * (x * x + y * y) - std::log(2 * std::numbers::pi);
}

/// Every point of a grid, a tile at a time: position and log p.
void over_grid(Model<float>& m, float half, int n, const std::function<void(double, double, double)>& visit) {
  const float h = 2 * half / static_cast<float>(n);
  std::vector<float> z(32), gain(16);
  for (int from = 0; from < n * n; from += 16) {
    for (int l = 0; l < 16; ++l) {
      const int row = (from + l) / n, column = (from + l) % n;
      const auto lane = static_cast<std::size_t>(l);
      z[lane] = -half + (static_cast<float>(row) + .5f) * h;
      z[16 + lane] = -half + (static_cast<float>(column) + .5f) * h;
    }
    const std::vector<float> x = z;
    ASSERT_EQ(m.model.carry(0, static_cast<float>(m.model.config().flows), m.theta.data(), z.data(), gain.data()),
              Status::ok);
    for (std::size_t l = 0; l < 16; ++l)
      visit(static_cast<double>(x[l]), static_cast<double>(x[16 + l]),
            log_normal(static_cast<double>(z[l]), static_cast<double>(z[16 + l])) - static_cast<double>(gain[l]));
  }
}

/// int p = 1, of parameters far from their gentle beginning. Midpoint rule: exponentially accurate once the spacing, a
/// sixth, resolves p; beyond 8 stands e^-20 of it.
TEST(CnfModel, TheDensityIntegratesToOne) {
  for (const auto layer :
       {CnfModel<float>::Layer::concat, CnfModel<float>::Layer::concat_squash, CnfModel<float>::Layer::hyper}) {
    if (trial::sanitized && layer != CnfModel<float>::Layer::concat_squash) continue;  // some fifteen times slower
    Config<float> c = config<float>(4, 2);
    c.layer = layer, c.norm = true, c.hyper_hidden = 6, c.test_steps = 20;
    if (layer == CnfModel<float>::Layer::hyper) c.hidden = {8};
    Model<float> m(c);
    const auto trained = static_cast<std::size_t>(m.model.params());
    for (std::size_t i = 0; i < trained; ++i) m.theta[i] *= 2;
    double mass = 0, apart = 0;
    const int n = 96;
    over_grid(m, 8, n, [&](double x, double y, double log_p) {
      mass += std::exp(log_p) * (16. / n) * (16. / n);
      if (x * x + y * y < 4) apart = std::max(apart, std::abs(log_p - log_normal(x, y)));
    });
    EXPECT_NEAR(mass, 1, 1e-4);
    EXPECT_GT(apart, .2) << "it is the base itself: nothing was asked";
  }
}

/// f = A z with A = [[a, b], [-b, a]]: z(1) = e^a R(b) z and log p(x) = log N(z(1)) + 2 a.
TEST(CnfModel, TheDensityOfALinearFlowIsKnown) {
  const float a = .3f, b = 1.1f;
  Config<float> c = config<float>(4);
  c.layer = CnfModel<float>::Layer::concat, c.hidden = {2}, c.activation = Activation::identity;
  Model<float> m(c);
  const std::vector<float> theta{a, b, -b, a, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0};
  ASSERT_EQ(m.theta.size(), theta.size());
  m.theta = theta;
  over_grid(m, 2, 8, [&](double x, double y, double log_p) {
    const double s = std::exp(static_cast<double>(a)), cosine = std::cos(static_cast<double>(b)),
                 sine = std::sin(static_cast<double>(b));
    const double want =
        log_normal(s * (cosine * x + sine * y), s * (cosine * y - sine * x)) + 2 * static_cast<double>(a);
    // Truncation of 40 steps of order 4 is 1e-8; a few hundred roundings of numbers of order 10.
    EXPECT_NEAR(log_p, want, 2e-5);
  });
}

/// A flow that stands still: log p is the base's, and samples are, in training and without.
TEST(CnfTrainee, TheBaseHasItsVariance) {
  const double variance = .1;
  Config<float> c = config<float>(4);
  c.layer = CnfModel<float>::Layer::concat, c.hidden = {2}, c.base_variance = static_cast<float>(variance);
  take(c, Way::reversed, Arithmetic::fixed);
  const DensityData data = toy_data("moons", 1, 64, 16, 16);
  CnfTrainee trainee(data, {}, c);
  const std::vector<float> theta(trainee.params()), points{.3f, -.2f, 0, .5f};
  const auto want = [&](double x, double y) {
    return -.5 * (x * x + y * y) / variance - std::log(2 * std::numbers::pi * variance);
  };
  std::vector<double> log_p;
  ASSERT_EQ(trainee.log_density(theta.data(), points, log_p), Status::ok);
  EXPECT_NEAR(log_p[0], want(.3, -.2), 1e-6);  // points and the gain of 0 are floats
  EXPECT_NEAR(log_p[1], want(0, .5), 1e-6);
  std::vector<float> drawn;
  ASSERT_EQ(trainee.sample(theta.data(), 1, 0, 4000, drawn), Status::ok);
  double squares = 0;
  for (const float v : drawn) squares += static_cast<double>(v) * static_cast<double>(v) / 8000;
  EXPECT_NEAR(squares, variance, 5 * variance * std::sqrt(2 / 8000.));  // five standard errors of a variance

  Model<float> m(c);
  std::fill(m.theta.begin(), m.theta.end(), 0.f);
  double sum = 0;
  for (std::size_t l = 0; l < 13; ++l) sum -= want(static_cast<double>(m.x[l]), static_cast<double>(m.x[16 + l]));
  EXPECT_NEAR(m.loss(13)[m.theta.size() + 1], sum, 1e-5 * sum);  // a sum in float
}

TEST(CnfModel, TheFirstLayerAloneIsScaled) {
  Config<float> c = config<float>(4);
  c.flows = 2;
  const CnfModel<float> plain(c);
  c.first_scale = 4, c.first_reach = 2;
  const CnfModel<float> scaled(c);
  std::vector<float> a(static_cast<std::size_t>(plain.params() + plain.buffers())), b(a.size());
  plain.initialise(7, a.data()), scaled.initialise(7, b.data());
  int first = 0;
  for (const Part& part : plain.tensors()) {
    const float factor = part.name == "flow.0.layer.0.weight" || part.name == "flow.1.layer.0.weight" ? 4.f
                         : part.name == "flow.0.layer.0.bias" || part.name == "flow.1.layer.0.bias"   ? 8.f
                                                                                                      : 1.f;
    first += factor > 1;
    for (std::size_t i = part.offset; i < part.offset + part.count(); ++i)
      EXPECT_EQ(b[i], factor * a[i]) << part.name;  // powers of two: exact
  }
  EXPECT_EQ(first, 4);
}

TEST(CnfModel, ADriftThatIsNotANumberStays) {
  const float nan = std::nanf("");
  EXPECT_TRUE(std::isnan(worse(nan, 1)) && std::isnan(worse(1, nan)));
  EXPECT_TRUE(worse(1, 2) == 2 && worse(2, 1) == 2);
}

/// There and back, through both flows and the normalisations, from the data and from the middle.
TEST(CnfModel, InvertsItself) {
  Config<float> c = config<float>(4, 2);
  c.norm = true;
  Model<float> m(c);
  for (std::size_t i = static_cast<std::size_t>(m.model.params()); i < m.theta.size(); ++i) m.theta[i] += .4f;
  for (const float middle : {2.f, .5f, 1.f, 1.7f}) {
    std::vector<float> z(m.x), there(16), back(16);
    ASSERT_EQ(m.model.carry(0, middle, m.theta.data(), z.data(), there.data()), Status::ok);
    std::vector<float> moved(z);
    ASSERT_EQ(m.model.carry(middle, 0, m.theta.data(), z.data(), back.data()), Status::ok);
    for (std::size_t i = 0; i < z.size(); ++i) {
      EXPECT_NEAR(z[i], m.x[i], 1e-6f) << "position " << middle;
      EXPECT_NE(moved[i], m.x[i]);
    }
    // The log-determinants cancel.
    for (std::size_t l = 0; l < 16; ++l) EXPECT_NEAR(there[l] + back[l], 0, 2e-6f);
    // And half the way, then the rest, is the whole: but for the steps, which stand elsewhere.
    std::vector<float> whole(m.x), gain(16), rest(16);
    ASSERT_EQ(m.model.carry(0, 2, m.theta.data(), whole.data(), gain.data()), Status::ok);
    ASSERT_EQ(m.model.carry(middle, 2, m.theta.data(), moved.data(), rest.data()), Status::ok);
    for (std::size_t l = 0; l < 16; ++l) EXPECT_NEAR(there[l] + (middle < 2 ? rest[l] : 0), gain[l], 1e-5f);
  }
}

/// What training sums to with the estimate is, over many draws, what it is with the exact trace.
TEST(CnfModel, HutchinsonIsUnbiased) {
  Config<float> c = config<float>(4);
  take(c, Way::stored, Arithmetic::real);
  c.plan.stored_steps = 4;
  Model<float> exact(c);
  const auto at = static_cast<std::size_t>(exact.model.params()) + 1;
  const double want = static_cast<double>(exact.loss(16)[at]) / 16;
  c.trace = Trace::hutchinson;
  for (const bool gaussian : {false, true}) {
    Model<float> estimate(c);
    double sum = 0, squares = 0;
    const int draws = 400;
    for (int k = 0; k < draws; ++k) {
      Random random(3, 9, static_cast<std::uint64_t>(k));
      for (float& v : estimate.noise) v = gaussian ? random.normal() : random.below(2) ? 1.f : -1.f;
      const double nll = static_cast<double>(estimate.loss(16)[at]) / 16;
      sum += nll, squares += nll * nll;
    }
    const double mean = sum / draws, error = std::sqrt((squares / draws - mean * mean) / draws);
    EXPECT_GT(error, 1e-6) << "no noise at all";
    EXPECT_LT(std::abs(mean - want), 3 * error);  // draws are fixed: a wrong estimate is off by hundreds
  }
}
}  // namespace
}  // namespace revode::host
