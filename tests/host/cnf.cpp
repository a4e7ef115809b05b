// The normalizing flow as a density: it is one, it comes back, and training knows it as evaluation does.
#include "models/cnf.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>
#include <utility>

#include "host/cnf_model.hpp"
#include "models/cnf_trainee.hpp"
#include "models/toys.hpp"

namespace revode::host {
namespace {
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

/// Normalisations that move and stretch, each its own way. Returns the logarithm of what they stretch volumes by.
template <class T>
double set_norms(Model<T>& m) {
  double log_volume = 0;
  int k = 0;
  for (const Part& part : m.model.tensors()) {
    if (!part.name.starts_with("norm.")) continue;
    for (std::size_t i = 0; i < part.count(); ++i, ++k) {
      const double turn = std::sin(k), variance = .8 + .3 * turn;
      const bool gain = part.name.ends_with(".log_scale"), scales = part.name.ends_with(".moving_variance");
      m.theta[part.offset + i] = static_cast<T>(gain ? .2 * turn - .05 : scales ? variance : .3 * turn);
      if (gain) log_volume += .2 * turn - .05;
      if (scales) log_volume -= .5 * std::log(variance);
    }
  }
  return log_volume;
}

/// int p = 1, of parameters far from their gentle beginning, with normalisations between. Midpoint rule: exponentially
/// accurate once the spacing, a sixth, resolves p; beyond 8 stands e^-20 of it. Three hidden layers have no closed
/// trace, in evaluation neither.
TEST(CnfModel, TheDensityIntegratesToOne) {
  using Layer = CnfModel<float>::Layer;
  const std::pair<Layer, std::vector<int>> fields[] = {{Layer::concat, {8, 7}},
                                                       {Layer::concat_squash, {8, 7}},
                                                       {Layer::hyper, {8}},
                                                       {Layer::concat, {8, 7, 8}},
                                                       {Layer::concat_squash, {8, 7, 8}}};
  for (const auto& [layer, hidden] : fields) {
    // Some fifteen times slower.
    if (trial::sanitized && (layer != Layer::concat_squash || hidden.size() > 2)) continue;
    Config<float> c = config<float>(4, 2);
    c.layer = layer, c.hidden = hidden, c.norm = true, c.hyper_hidden = 6, c.test_steps = 20;
    c.trace = hidden.size() > 2 ? Trace::exact : Trace::closed;
    Model<float> m(c);
    const auto trained = static_cast<std::size_t>(m.model.params());
    for (std::size_t i = 0; i < trained; ++i) m.theta[i] *= 2;
    EXPECT_GT(set_norms(m), .4) << "a volume that nobody counts would not show";
    double mass = 0, apart = 0;
    const int n = 96;
    over_grid(m, 8, n, [&](double x, double y, double log_p) {
      mass += std::exp(log_p) * (16. / n) * (16. / n);
      if (x * x + y * y < 4) apart = std::max(apart, std::abs(log_p - log_normal(x, y)));
    });
    EXPECT_NEAR(mass, 1, 2e-5)  // measured 6e-6 and less, of what the spacing does not see
        << static_cast<int>(layer) << ", " << hidden.size() << " hidden";
    EXPECT_GT(apart, .2) << "it is the base itself: nothing was asked";
  }
}

/// Training's -log p is the one that evaluation gives, of every layer and trace that is exact.
TEST(CnfModel, TrainingAndEvaluationHaveOneDensity) {
  using Layer = CnfModel<double>::Layer;
  const std::vector<int> one{6}, two{6, 5}, three{6, 5, 6};
  for (const auto layer : {Layer::concat, Layer::concat_squash, Layer::hyper})
    for (const Trace trace : {Trace::closed, Trace::exact})
      for (const bool learned : {false, true}) {  // a hypernetwork has its table where it is not
        Config<double> c = config<double>(40, 2);
        c.layer = layer, c.trace = trace, c.norm = true, c.learn_time = learned, c.hyper_hidden = 4;
        c.hidden = layer == Layer::hyper ? one : trace == Trace::closed ? two : three;
        c.base_variance = .7, c.end_time = learned ? .3 : 1, c.kinetic = .1;
        take(c, Way::stored, Arithmetic::real);
        Model<double> m(c);
        for (double& v : m.theta) v *= 2;  // far from their gentle beginning; so a learned time is four times as long
        const double log_volume = set_norms(m);
        const std::size_t count = 13;
        const double trained = m.loss(count)[static_cast<std::size_t>(m.model.params()) + 1];
        std::vector<double> z = m.x, gain(16);
        ASSERT_EQ(m.model.carry(0, 2, m.theta.data(), z.data(), gain.data()), Status::ok);
        double evaluated = 0, of_flows = 0;
        for (std::size_t l = 0; l < count; ++l) {
          evaluated += gain[l] + .5 * (z[l] * z[l] + z[16 + l] * z[16 + l]) / c.base_variance +
                       std::log(2 * std::numbers::pi * c.base_variance);
          of_flows += std::abs(gain[l] + log_volume) / count;
        }
        EXPECT_GT(of_flows, .02) << "the normalisations alone";
        // Truncation of two solvers of order 4 in 40 steps each: measured 3e-9 a sample and less.
        EXPECT_NEAR(trained, evaluated, 3e-8 * count)
            << static_cast<int>(layer) << ", trace " << static_cast<int>(trace);
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

/// A tenth of the way to the moments of a batch; a variance that rounding made negative counts as none.
TEST(CnfTrainee, MovingMomentsGoATenthOfTheWay) {
  Config<float> c = config<float>(4);
  c.norm = true, c.layer = CnfModel<float>::Layer::concat, c.hidden = {3};
  const DensityData data = toy_data("moons", 1, 64, 16, 16);
  const CnfTrainee trainee(data, {}, c);
  ASSERT_EQ(trainee.buffers(), 8);
  // Of x[2] and x^2[2] of each of two normalisations; then mean[2] and variance[2].
  const std::vector<float> means{2, -1, 5, 4, .5f, 3, .24f, 10};
  std::vector<float> moments{1, -1, 3, .5f, 0, 0, 1, 1};
  trainee.track(means.data(), moments.data());
  const float want[] = {1.1f, -1, 2.8f, .75f, .05f, .3f, .9f, 1};
  for (std::size_t i = 0; i < 8; ++i) EXPECT_NEAR(moments[i], want[i], 1e-6f) << i;  // some roundings of order 1
}

/// And what it is told are the moments of what came to the first normalisation: of the data.
TEST(CnfTrainee, TracksTheMomentsOfTheBatch) {
  Config<float> c = config<float>(4);
  c.norm = true;
  take(c, Way::reversed, Arithmetic::fixed);
  const DensityData data = toy_data("moons", 1, 16, 16, 16);  // a tile is all of them, in whatever order
  CnfTrainee trainee(data, {.tiles = 1}, c);
  std::vector<float> theta(trainee.params() + trainee.buffers());
  trainee.initialise(theta.data());
  ASSERT_EQ(trainee.prepare(theta.data()), Status::ok);
  std::vector<float> sums(trainee.summed() + CnfTrainee::statistics + trainee.buffers());
  TileWork work;
  ASSERT_EQ(trainee.gradient(0, 0, theta.data(), sums.data(), work), Status::ok);
  for (float& v : sums) v /= 16;
  trainee.track(sums.data() + trainee.summed() + CnfTrainee::statistics, theta.data() + trainee.params());
  for (std::size_t i = 0; i < 2; ++i) {
    double mean = 0, squares = 0;
    for (std::size_t r = 0; r < 16; ++r) {
      const auto v = static_cast<double>(data.train[2 * r + i]);
      mean += v / 16, squares += v * v / 16;
    }
    const float* moments = theta.data() + trainee.params();
    // From 0 and 1; sixteen roundings of numbers of order 1.
    EXPECT_NEAR(moments[i], .1 * mean, 1e-6);
    EXPECT_NEAR(moments[2 + i], .9 + .1 * (squares - mean * mean), 1e-6);
  }
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
