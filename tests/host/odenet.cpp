// Networks of images: their sizes are the published ones, memory follows from the plan alone, every exact way gives the
// same bits, and the gradient is that of the loss.
#include "models/odenet.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "common/error.hpp"
#include "numerics/trial.hpp"

namespace {
using namespace revode;
using host::OdeNet;
using Kind = OdeNet::Kind;

Plan<float> plan(Way way, long steps) {
  Plan<float> p;
  p.method = mccallum_foster(tableau::midpoint<float>);
  p.way = way, p.arithmetic = Arithmetic::fixed, p.fraction_bits[0] = 20;
  p.slots = way == Way::checkpointed ? 2 : 0, p.stored_steps = steps;
  return p;
}
OdeNet::Config small(Way way = Way::reversed, long steps = 4) {
  OdeNet::Config c;
  c.height = c.width = 9, c.classes = 4, c.filters = 6, c.groups = 3, c.halvings = 1;
  c.plan = plan(way, steps), c.steps = steps;
  return c;
}

/// A network in memory of its own, on images and labels of no meaning.
struct Trained {
  explicit Trained(const OdeNet::Config& config)
      : network(config), memory(network.bytes()), theta(count()), x(samples(network.rows_in())) {
    Arena arena = memory.arena();
    status = network.init(arena);
    network.initialise(3, theta.data());
    x = trial::uniform<float>(5, x.size(), 0, 1);
    for (int l = 0; l < config.lanes; ++l)
      label.push_back(l % (config.classes + 1) - 1);  // some lanes without a sample
  }
  std::vector<float> gradient() {
    std::vector<float> leaves((count() + 3) * static_cast<std::size_t>(network.config().lanes / 16));
    status = network.loss(theta.data(), x.data(), label.data(), {leaves.data(), 16, count() + 3});
    return leaves;
  }
  std::size_t count() const { return static_cast<std::size_t>(network.params()); }
  std::size_t samples(int rows) const {
    return static_cast<std::size_t>(rows) * static_cast<std::size_t>(network.config().lanes);
  }
  OdeNet network;
  trial::Bytes memory;
  std::vector<float> theta, x;
  std::vector<int> label;
  Status status = Status::ok;
};

TEST(OdeNet, HasThePublishedNumberOfParameters) {
  OdeNet::Config c;
  c.plan = plan(Way::reversed, 2);
  EXPECT_EQ(OdeNet(c).params(), 208266);  // torchdiffeq/examples/odenet_mnist.py, counted there
  c.kind = Kind::resnet, c.blocks = 6;
  EXPECT_EQ(OdeNet(c).params(), 576778);
  c.kind = Kind::mlp_odenet, c.blocks = 1;
  EXPECT_EQ(OdeNet(c).params(), 785 * 100 + 100 + 101 * 784 + 784 + 784 * 10 + 10);
}

TEST(OdeNet, NamesCoverEveryParameterOnce) {
  for (const Kind kind : {Kind::odenet, Kind::resnet, Kind::mlp_odenet}) {
    OdeNet::Config c = small();
    c.kind = kind, c.augment = kind == Kind::odenet ? 3 : 0, c.blocks = 2;
    const OdeNet network(c);
    std::size_t next = 0;
    for (const host::Part& part : network.tensors()) {
      EXPECT_EQ(part.offset, next) << part.name;
      std::size_t count = 1;
      for (const std::size_t n : part.shape) count *= n;
      next += count;
    }
    EXPECT_EQ(next, static_cast<std::size_t>(network.params()));
  }
}

TEST(OdeNet, ExactWaysGiveTheSameBits) {
  for (const Kind kind : {Kind::odenet, Kind::mlp_odenet})
    for (const int blocks : {1, 2}) {
      std::vector<std::vector<float>> all;
      for (const Way way : {Way::stored, Way::checkpointed, Way::reversed})
        for (const bool anode : {false, true}) {
          OdeNet::Config c = small(way, 5);
          c.kind = kind, c.blocks = blocks, c.anode = anode, c.augment = 2, c.lanes = 32;
          Trained trained(c);
          all.push_back(trained.gradient());
          ASSERT_EQ(trained.status, Status::ok) << sentence(trained.status);
        }
      for (const auto& gradient : all) EXPECT_TRUE(trial::same_bits(gradient, all[0]));
    }
}

TEST(OdeNet, TheGradientIsThatOfTheLoss) {
  for (const Kind kind : {Kind::odenet, Kind::resnet, Kind::mlp_odenet}) {
    OdeNet::Config c = small();
    c.kind = kind;
    c.plan.fraction_bits[0] = 24;
    Trained trained(c);
    const std::vector<float> g = trained.gradient(), theta = trained.theta;
    ASSERT_EQ(trained.status, Status::ok);
    double square = 0;
    for (std::size_t i = 0; i < trained.count(); ++i) square += static_cast<double>(g[i]) * static_cast<double>(g[i]);
    ASSERT_GT(square, 0);
    const double e = 1e-4 / std::sqrt(square);
    const auto at = [&](double by) {
      for (std::size_t i = 0; i < theta.size(); ++i)
        trained.theta[i] = theta[i] + static_cast<float>(by * static_cast<double>(g[i]));
      return static_cast<double>(trained.gradient()[trained.count()]);
    };
    // Losses of order 10 in floats, 4e-6 off, over a difference of 2e-4 |g|, |g| of order 10: 2e-3. Norms over a few
    // pixels that a ReLU left bend much: 5e-3 at this step, 0.06 at three times as much. A wrong layer is off by 1.
    EXPECT_NEAR((at(e) - at(-e)) / (2 * e * square), 1, 2e-2) << static_cast<int>(kind);
  }
}

TEST(OdeNet, MemoryIsFlatInTheStepsUnlessTheyAreStored) {
  const auto bytes = [](Way way, long steps, bool anode = false) {
    OdeNet::Config c;
    c.plan = plan(way, steps), c.steps = steps, c.anode = anode;
    return OdeNet(c).bytes();
  };
  const std::size_t flat = bytes(Way::reversed, 4), state = 64 * 6 * 6 * 16 * sizeof(float);
  for (const long steps : {8, 32, 256}) {
    EXPECT_EQ(bytes(Way::reversed, steps), flat);
    EXPECT_EQ(bytes(Way::checkpointed, steps), bytes(Way::checkpointed, 4));
  }
  // Two registers of 32 bits a step, and no more than a line of what belongs to a slot.
  const std::size_t more = bytes(Way::stored, 256) - bytes(Way::stored, 128);
  EXPECT_GE(more, 128 * 2 * state);
  EXPECT_LE(more, 128 * (2 * state + 64));
}

TEST(OdeNet, SizesThatDoNotFitNameTheirFlag) {
  const auto refused = [](const OdeNet::Config& c, const std::string& flag) {
    try {
      const OdeNet network(c);
      ADD_FAILURE() << "was made: " << flag;
    } catch (const host::Failure& failure) {
      EXPECT_EQ(failure.where(), flag);
    }
  };
  OdeNet::Config c = small();
  c.groups = 4;
  refused(c, "--groups");
  c = small();
  c.halvings = 4;
  refused(c, "--halvings");
}
}  // namespace
