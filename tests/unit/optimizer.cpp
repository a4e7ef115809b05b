// Optimisers, schedules and clipping against PyTorch's numbers; their moments are all there is to resume from.
#include "revode/optimizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "numerics/peer_data.hpp"
#include "numerics/trial.hpp"

namespace {
using namespace trial;
using peer::Json;

template <class T>
Sgd<T> sgd(T momentum, T decay) {
  Sgd<T> o;
  o.momentum = momentum, o.weight_decay = decay;
  return o;
}
template <class T>
Adam<T> adam(T decay, bool decoupled) {
  Adam<T> o;
  o.weight_decay = decay, o.decoupled = decoupled;
  return o;
}

template <class O>
struct Placed {
  explicit Placed(O options, std::size_t params) : optimizer(options), bytes(measured(options, params)) {
    Arena arena = bytes.arena();
    optimizer.place(arena, params);
    EXPECT_TRUE(arena.ok());
    optimizer.reset();
  }
  static std::size_t measured(O options, std::size_t params) {
    Arena arena;
    options.place(arena, params);
    return arena.bytes();
  }
  O optimizer;
  Bytes bytes;
};

template <class T, class O>
std::vector<T> path(const Json& all, T rate, O options) {
  const auto size = all.at("size").get<std::size_t>(), updates = all.at("updates").get<std::size_t>();
  const std::vector<T> gradients = all.at("gradients");
  std::vector<T> theta = all.at("start"), out;
  Placed<O> placed(options, size);
  for (std::size_t n = 0; n < updates; ++n) {
    placed.optimizer.update(rate, gradients.data() + n * size, theta.data());
    out.insert(out.end(), theta.begin(), theta.end());
  }
  EXPECT_EQ(placed.optimizer.count, static_cast<long>(updates));
  return out;
}
template <class T>
std::vector<T> path_of(const Json& all, const Json& c) {
  const std::string name = c.at("name");
  const T rate = c.at("lr");
  const auto with = [&](auto o) {
    o.beta1 = c.at("beta1"), o.beta2 = c.at("beta2"), o.epsilon = c.at("eps");
    return path<T>(all, rate, o);
  };
  if (name == "sgd_momentum") return path<T>(all, rate, sgd<T>(c.at("momentum"), 0));
  if (name == "adam") return with(adam<T>(0, false));
  if (name == "adamw") return with(adam<T>(c.at("weight_decay"), true));
  EXPECT_EQ(name, "adamax");
  return with(Adamax<T>());
}

template <class T>
class Optimizers : public testing::Test {};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(Optimizers, Numbers);

TYPED_TEST(Optimizers, FollowThePeersPath) {
  using T = TypeParam;
  const Json all = peer::data("optimisers");
  int cases = 0;
  for (const Json& c : all.at("optimisers")) {
    const auto ours = path_of<T>(all, c);
    const std::vector<double> theirs = c.at("path");
    ASSERT_EQ(ours.size(), theirs.size());
    // 12 updates of some 10 roundings each, of parameters of order 1, and the rounding of the gradients given.
    const double bound = 120 * static_cast<double>(std::numeric_limits<T>::epsilon());
    for (std::size_t i = 0; i < ours.size(); ++i)
      ASSERT_NEAR(static_cast<double>(ours[i]), theirs[i], bound) << c.at("name") << " at " << i;
    ++cases;
  }
  EXPECT_EQ(cases, 4);
}

template <class T, class O>
void resumes(O options) {
  constexpr std::size_t n = 21;
  const auto gradients = uniform<T>(1, 40 * n, -1, 1);
  std::vector<T> theta = uniform<T>(2, n, -1, 1), again;
  Placed<O> first(options, n), second(options, n);
  for (std::size_t k = 0; k < 40; ++k) {
    if (k == 17) {
      again = theta;
      std::copy(first.optimizer.moments(), first.optimizer.moments() + first.optimizer.size(),
                second.optimizer.moments());
      second.optimizer.count = first.optimizer.count;
    }
    first.optimizer.update(T(.01), gradients.data() + k * n, theta.data());
    if (k >= 17) second.optimizer.update(T(.01), gradients.data() + k * n, again.data());
  }
  EXPECT_TRUE(same_bits(theta, again));
  first.optimizer.reset();
  EXPECT_EQ(first.optimizer.count, 0);
  for (std::size_t i = 0; i < first.optimizer.size(); ++i) ASSERT_EQ(first.optimizer.moments()[i], T(0));
}
TYPED_TEST(Optimizers, ResumeInEveryBitFromMomentsAndCount) {
  using T = TypeParam;
  resumes<T>(sgd<T>(T(.9), T(.01)));
  resumes<T>(Adam<T>{});
  resumes<T>(adam<T>(T(.01), true));
  resumes<T>(Adamax<T>{});
}

/// sum_i i (theta_i - 1)^2 / 2 has its minimum at 1; each optimiser gets there from anywhere.
template <class T, class O>
void descends(O options, T rate, double bound) {
  constexpr std::size_t n = 9;
  std::vector<T> theta = uniform<T>(3, n, -1, 1), g(n);
  Placed<O> placed(options, n);
  for (int k = 0; k < 3000; ++k) {
    for (std::size_t i = 0; i < n; ++i) g[i] = static_cast<T>(i + 1) * (theta[i] - 1);
    const T now = k < 2000 ? rate : rate / 100;  // Adam's steps are as long as its rate
    placed.optimizer.update(now, g.data(), theta.data());
  }
  for (const T v : theta) EXPECT_NEAR(static_cast<double>(v), 1, bound);
}
TYPED_TEST(Optimizers, FindAMinimum) {
  using T = TypeParam;
  descends<T>(sgd<T>(T(.9), T(0)), T(.01), 1e-5);
  descends<T>(Adam<T>{}, T(.01), 1e-3);  // rate / 100 times a few steps
  descends<T>(Adamax<T>{}, T(.01), 1e-3);
}

/// Weight decay of SGD and Adam joins the gradient; AdamW's shrinks the parameters whatever the gradient is.
TYPED_TEST(Optimizers, WeightDecay) {
  using T = TypeParam;
  constexpr T rate = T(.125), decay = T(.25);
  const T zero = 0;
  T theta = 2;
  Placed<Sgd<T>> plain(sgd<T>(T(0), decay), 1);
  plain.optimizer.update(rate, &zero, &theta);
  EXPECT_EQ(theta, 2 - rate * decay * 2);
  theta = 2;
  Placed<Adam<T>> shrinking(adam<T>(decay, true), 1);
  shrinking.optimizer.update(rate, &zero, &theta);
  EXPECT_EQ(theta, 2 * (1 - rate * decay));
  theta = 2;
  Placed<Adam<T>> joining(adam<T>(decay, false), 1);
  joining.optimizer.update(rate, &zero, &theta);  // the first step of Adam is the rate times g / (|g| + epsilon)
  EXPECT_NEAR(static_cast<double>(theta), 2 - static_cast<double>(rate) * .5 / (.5 + 1e-8),
              8 * static_cast<double>(std::numeric_limits<T>::epsilon()));
}

TYPED_TEST(Optimizers, ClippingScalesToTheNorm) {
  using T = TypeParam;
  const Json all = peer::data("optimisers");
  int cases = 0;
  for (const Json& c : all.at("clipping")) {
    std::vector<T> g = c.at("gradient");
    const std::vector<double> theirs = c.at("clipped");
    const double norm = c.at("norm"), eps = 8 * static_cast<double>(std::numeric_limits<T>::epsilon());
    EXPECT_NEAR(static_cast<double>(clip_by_norm(g.size(), c.at("max_norm").get<T>(), g.data())), norm, eps * norm);
    // They divide by norm + 1e-6 where we divide by the norm.
    for (std::size_t i = 0; i < g.size(); ++i)
      EXPECT_NEAR(static_cast<double>(g[i]), theirs[i], (eps + 1e-6 / norm) * std::abs(theirs[i]));
    ++cases;
  }
  EXPECT_EQ(cases, 2);
}
TYPED_TEST(Optimizers, ClippingLeavesWhatIsNotFinite) {
  using T = TypeParam;
  for (const T bad : {std::numeric_limits<T>::infinity(), std::numeric_limits<T>::quiet_NaN()}) {
    std::vector<T> g = {1, bad, 2};
    EXPECT_FALSE(std::isfinite(clip_by_norm(g.size(), T(1), g.data())));
    EXPECT_EQ(g[0], T(1));
    EXPECT_EQ(g[2], T(2));
  }
  std::vector<T> g = {3, 4};
  EXPECT_EQ(clip_by_norm(g.size(), T(5), g.data()), T(5));
  EXPECT_EQ(g[0], T(3));
  EXPECT_EQ(clip_by_norm<T>(0, T(1), nullptr), T(0));
}

/// The first update of a parameter that was 0, whose moments are set, shows Adam's 1 / (1 - beta^n) of single precision
/// against that of doubles. They are Dekker pairs: of 48 bits, so one in 2^20 or so may round the other way.
TEST(Adam, BiasIsThatOfDoublesWithoutDoubles) {
  long off = 0;
  const float betas[] = {0.f, .5f, .9f, .99f, .999f, .9999f};
  for (const float beta : betas)
    for (long n = 1; n <= 20000; n += n < 3000 ? 1 : 97) {
      Adam<float> options;
      options.beta1 = beta, options.beta2 = 0, options.epsilon = 0;
      Placed<Adam<float>> adam(options, 1);
      adam.optimizer.count = n - 1;
      adam.optimizer.moments()[0] = 1;
      const float g = 1;
      float theta = 0;
      adam.optimizer.update(-1, &g, &theta);  // m = 1, v = 1: theta = 1 / (1 - beta^n)
      const auto exact = static_cast<float>(1 / (1 - std::pow(static_cast<double>(beta), static_cast<double>(n))));
      if (theta != exact) ++off;
      ASSERT_NEAR(theta / exact, 1, 0x1p-22) << beta << " " << n;
    }
  EXPECT_EQ(off, 0);
}

TEST(Schedules, AreThoseOfThePeer) {
  const Json all = peer::data("optimisers");
  int cases = 0;
  for (const Json& c : all.at("schedules")) {
    Schedule s;
    const std::string name = c.at("name");
    s.rate = c.at("lr");
    s.kind = name == "exponential" ? Schedule::Kind::exponential
             : name == "step"      ? Schedule::Kind::step
                                   : Schedule::Kind::cosine;
    if (c.contains("gamma")) s.factor = c.at("gamma");
    if (c.contains("step_size")) s.period = c.at("step_size");
    if (c.contains("T_max")) s.period = c.at("T_max"), s.floor = c.at("eta_min");
    const std::vector<double> rates = c.at("rates");
    // Theirs is a product updated 20 times; ours a power.
    for (std::size_t n = 0; n < rates.size(); ++n)
      EXPECT_NEAR(s.at(static_cast<long>(n)), rates[n], 1e-14 * s.rate) << name << " at " << n;
    ++cases;
  }
  EXPECT_EQ(cases, 3);
}
}  // namespace
