// The normalizing flow's gradient is that of its loss, and every exact way trains the same bits.
#include <gtest/gtest.h>

#include <cmath>
#include <span>
#include <utility>

#include "host/cnf_model.hpp"
#include "revode/optimizer.hpp"

namespace revode::host {
namespace {
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
  trial::Bytes bytes(measure.bytes());
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
}  // namespace
}  // namespace revode::host
