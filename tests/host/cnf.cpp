// The normalizing flow as a density: it is one, it comes back, its gradient is that of its loss, and every exact way
// trains the same bits.
#include "models/cnf.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>
#include <span>
#include <utility>

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
  for (std::size_t i = 0; i < params; i += trial::sanitized ? 29 : 5) {
    const double keep = m.theta[i];
    m.theta[i] = keep + e;
    const double plus = m.loss(count)[params];
    m.theta[i] = keep - e;
    const double minus = m.loss(count)[params];
    m.theta[i] = keep;
    ASSERT_NEAR(gradient[i], (plus - minus) / (2 * e), 1e-6 * (1 + std::abs(gradient[i]))) << i;
  }
}

/// The whole: two flows, normalisation, learned end times, every trace and every cost. Three hidden layers have no
/// closed trace.
TEST(CnfModel, GradientIsThatOfCentralDifferences) {
  using Layer = CnfModel<double>::Layer;
  const std::vector<int> one{4}, two{4, 3}, three{4, 3, 4};
  for (const auto layer : {Layer::concat, Layer::concat_squash, Layer::hyper})
    for (const Trace trace : {Trace::closed, Trace::exact, Trace::hutchinson}) {
      Config<double> c = config<double>(3, 2);
      c.layer = layer, c.trace = trace, c.norm = c.learn_time = true, c.hyper_hidden = 3;
      c.kinetic = .1, c.jacobian = .2, c.taylor = .05, c.end_time = .7;
      c.hidden = layer == Layer::hyper ? one : trace == Trace::closed ? two : three;
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

std::vector<float> train(const Config<float>& c, bool gaussian = false, int updates = 20) {
  Model<float> m(c);
  Random random(8, 9);
  if (gaussian)
    for (float& v : m.noise) v = random.normal();
  const auto params = static_cast<std::size_t>(m.model.params());
  Adam<float> adam;
  Arena measure;
  adam.place(measure, params);
  Bytes bytes(measure.bytes());
  Arena arena = bytes.arena();
  adam.place(arena, params);
  adam.reset();
  float first = 0, last = 0;
  for (int i = 0; i < updates; ++i) {
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

/// The same with every trace and every cost, with learned end times: a hypernetwork then has no table.
TEST(CnfModel, EveryTraceWithEveryCostTrainsTheSameBits) {
  using Layer = CnfModel<float>::Layer;
  for (const auto layer : {Layer::concat, Layer::concat_squash, Layer::hyper}) {
    std::vector<std::vector<float>> of_noise;
    for (const auto& [trace, gaussian] : {std::pair{Trace::closed, false}, std::pair{Trace::exact, false},
                                          std::pair{Trace::hutchinson, false}, std::pair{Trace::hutchinson, true}}) {
      std::vector<std::vector<float>> trained;
      for (const Way way : {Way::reversed, Way::stored, Way::checkpointed}) {
        Config<float> c = config<float>(4, 2);
        c.layer = layer, c.trace = trace, c.norm = c.learn_time = true;
        c.kinetic = .01f, c.jacobian = .02f, c.taylor = .01f;
        c.hidden = layer == Layer::hyper ? std::vector<int>{6} : std::vector<int>{6, 5}, c.hyper_hidden = 4;
        c.plan.fraction_bits[0] = 20;
        c.plan.halve_every = 2, c.plan.log_bits = way == Way::reversed ? c.plan.log_bits_for(4, 8, 16) : 0;
        take(c, way, Arithmetic::fixed);
        trained.push_back(train(c, gaussian, 6));
      }
      const auto text = testing::Message() << static_cast<int>(layer) << ", trace " << static_cast<int>(trace);
      EXPECT_TRUE(trial::same_bits(trained[0], trained[1])) << text;
      EXPECT_TRUE(trial::same_bits(trained[0], trained[2])) << text;
      of_noise.push_back(trained[0]);
    }
    for (std::size_t a = 0; a < of_noise.size(); ++a)
      for (std::size_t b = 0; b < a; ++b)
        EXPECT_FALSE(trial::same_bits(of_noise[a], of_noise[b])) << a << " and " << b << ": the trace was not asked";
  }
}

/// A method; where it is damped, the damping of every step in floats and how often steps are halved in fixed point; and
/// how many of the paths below it goes with, of equal steps and by tolerance, as the README says it.
struct Solver {
  Method<float> method;
  float lambda;
  int halve_every, paths, paths_by_tolerance;
};
struct Path {
  const char* name;
  Way way;
  Arithmetic arithmetic;
  Predictor predictor = Predictor::runge_kutta;
};
/// Stored first: the oracle of the others of its arithmetic.
constexpr Path in_floats[] = {{"stored", Way::stored, Arithmetic::real},
                              {"checkpointed", Way::checkpointed, Arithmetic::real},
                              {"taped", Way::taped, Arithmetic::real},
                              {"taped by slopes", Way::taped, Arithmetic::real, Predictor::adams_bashforth},
                              {"reversed, floats", Way::reversed, Arithmetic::real}},
               in_fixed_point[] = {{"stored, fixed", Way::stored, Arithmetic::fixed},
                                   {"checkpointed, fixed", Way::checkpointed, Arithmetic::fixed},
                                   {"reversed, fixed", Way::reversed, Arithmetic::fixed}};

/// Largest |a - b| / (1 + |b|).
double apart(const std::vector<float>& a, const std::vector<float>& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    most = std::max(most, static_cast<double>(std::abs(a[i] - b[i]) / (1 + std::abs(b[i]))));
  return most;
}
/// None where the library says that the two do not go together.
std::vector<float> gradient_by(const Solver& solver, const Path& path, Config<float> c, Accounting& done) {
  const bool fixed = path.arithmetic == Arithmetic::fixed;
  c.plan.method = solver.method, c.plan.predictor = path.predictor;
  c.plan.lambda = fixed ? 1 : solver.lambda, c.plan.halve_every = fixed ? solver.halve_every : 0;
  c.plan.stored_steps = c.plan.control.most_steps, c.plan.slots = 1, c.plan.log_bits = 1 << 18;
  take(c, path.way, path.arithmetic);
  if (fits(c.plan) != Status::ok) return {};
  Model<float> m(c);
  std::vector<float> g = m.loss(13);
  done = m.model.accounting();
  return g;
}
/// Returns how many paths there were.
int expect_one_gradient(const Solver& solver, const Config<float>& c) {
  int count = 0;
  std::vector<std::vector<float>> oracles;
  for (const auto paths : {std::span<const Path>(in_floats), std::span<const Path>(in_fixed_point)}) {
    Accounting kept, done;
    const std::vector<float> stored = gradient_by(solver, paths[0], c, kept);
    if (stored.empty()) continue;
    ++count;
    EXPECT_TRUE(trial::alive(stored));
    EXPECT_EQ(kept.drift, 0);
    for (const auto& other : oracles) EXPECT_FALSE(trial::same_bits(stored, other)) << "one arithmetic, not two";
    oracles.push_back(stored);
    for (const Path& path : paths.subspan(1)) {
      const std::vector<float> g = gradient_by(solver, path, c, done);
      if (g.empty()) continue;
      ++count;
      if (path.way == Way::reversed && path.arithmetic == Arithmetic::real) {
        EXPECT_GT(done.drift, 0) << path.name << ": floats that came back exactly would be a miracle";
        // At most 100 steps of some ten roundings of 2^-24, which do not all add up, and those of .95^-40.
        EXPECT_LT(done.drift, 1e-5f) << path.name;
        // States that are off by .01 move a gradient by .05 to .15, so up to 20 drifts; and where they are off by more
        // on the way than at its end, 100 roundings.
        EXPECT_LT(apart(g, stored), 20 * static_cast<double>(done.drift) + 100 * 0x1p-24) << path.name;
      } else {
        EXPECT_TRUE(trial::same_bits(g, stored)) << path.name;
        EXPECT_EQ(done.drift, 0) << path.name;
      }
      if (path.way == Way::checkpointed) {
        EXPECT_GT(done.evaluations_backward, kept.evaluations_backward) << "nothing was run again";
      }
    }
  }
  return count;
}

/// Every solver with every way that goes with it, on equal steps and by tolerance: through the trace's matrix, through
/// tangents with every cost, and through a hypernetwork, which on equal steps is a table of times.
TEST(CnfModel, EveryWayOfEverySolverGivesTheGradientOfEverythingStored) {
  using Layer = CnfModel<float>::Layer;
  const Solver solvers[] = {{alf<float>(), 1, 0, 6, 6},
                            {alf<float>(), .95f, 2, 6, 6},
                            {reversible_heun<float>(), 1, 0, 6, 6},
                            {reversible_heun<float>(), .95f, 2, 6, 6},
                            {leapfrog<float>(), 1, 0, 6, 0},
                            {mccallum_foster(tableau::rk4<float>), 1, 0, 6, 6},
                            {mccallum_foster(tableau::bogacki_shampine<float>), .95f, 2, 6, 6},
                            {runge_kutta(tableau::rk4<float>), 1, 0, 7, 6},
                            {runge_kutta(tableau::dormand_prince5<float>), 1, 0, 7, 6},
                            {runge_kutta(tableau::ees27<float>), 1, 0, 7, 6},
                            {low_storage(tableau::ees25<float>), 1, 0, 3, 3},
                            {low_storage(tableau::ees27<float>), 1, 0, 3, 3},
                            {adams<float>(4), 1, 0, 2, 2}};
  for (const auto layer : {Layer::concat, Layer::concat_squash, Layer::hyper}) {
    Config<float> c = config<float>(8, 2);
    c.layer = layer, c.norm = true, c.learn_time = layer != Layer::hyper, c.kinetic = .1f, c.hyper_hidden = 4;
    c.hidden = layer == Layer::hyper ? std::vector<int>{6} : std::vector<int>{6, 5};
    if (layer == Layer::concat_squash) c.trace = Trace::hutchinson, c.jacobian = .2f, c.taylor = .05f;
    for (const bool adaptive : {false, true}) {
      if (adaptive) c.plan.control.rtol = c.plan.control.atol = 1e-4f;
      c.plan.control.most_steps = 200;
      for (std::size_t k = 0; k < std::size(solvers); k += trial::stride) {
        const Solver& solver = solvers[k];
        SCOPED_TRACE(testing::Message() << solver.method.name << " over " << solver.method.base.name << ", lambda "
                                        << solver.lambda << ", layer " << static_cast<int>(layer)
                                        << (adaptive ? ", adaptive" : ""));
        EXPECT_EQ(expect_one_gradient(solver, c), adaptive ? solver.paths_by_tolerance : solver.paths);
      }
    }
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
