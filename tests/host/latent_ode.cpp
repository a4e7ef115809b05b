// The latent ODE's gradient as a whole: right, in the same bits by every way back, and a sum over samples of which each
// knows only itself.
#include "models/latent_ode.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "host/series.hpp"
#include "numerics/sanitized.hpp"

namespace revode::host {
namespace {
constexpr int lanes = 16, leaf = 16;

template <class T>
typename LatentOde<T>::Config config(const SeriesData& data, const TilePacker<T>& packer, bool ode_rnn) {
  typename LatentOde<T>::Config c;
  c.lanes = lanes, c.channels = data.channels, c.channel_masks = data.channel_masks();
  c.latent = 3, c.hidden = 5, c.field_width = 6, c.decoder_width = 4;
  c.field_activation = Activation::tanh, c.ode_rnn = ode_rnn;
  c.encoder_steps = packer.encoder_steps(), c.readings = packer.readings();
  return c;
}
template <class T>
Plan<T> exact(const Method<T>& method) {
  Plan<T> plan;
  plan.method = method;
  if (sizeof(T) == 4) plan.fraction_bits[0] = 20;
  if (dampable(method)) plan.halve_every = 2, plan.log_bits = plan.log_bits_for(64, 3, 2 * lanes);
  return plan;
}
template <class T>
Plan<T> stored(Plan<T> plan, Arithmetic arithmetic) {
  plan.way = Way::stored, plan.stored_steps = 64, plan.arithmetic = arithmetic;
  if (arithmetic == Arithmetic::real) plan.halve_every = 0;
  return plan;
}

/// A model in memory of exactly its size, its parameters, and one tile of samples.
template <class T>
class Trial {
 public:
  Trial(const SeriesData& data, const typename LatentOde<T>::Config& c, std::byte fill = std::byte{0})
      : data_(data), packer_(data, c.lanes, c.latent), model_(c), bytes_(model_.bytes(), fill) {
    Arena arena = bytes_.arena();
    EXPECT_EQ(model_.init(arena), Status::ok);
    theta.resize(static_cast<std::size_t>(model_.params()));
    model_.initialise(3, theta.data());
    for (const Part& part : model_.tensors())
      if (part.name == "decoder.0.bias")  // far from the kink of relu, across which no difference converges
        for (std::size_t i = 0; i < part.shape[0]; ++i) theta[part.offset + i] = T(i == 1 ? -4 : 4);
  }
  /// Samples first, first + 1, ... in the lanes 0, 1, ...
  void pack(std::size_t first, std::size_t count) {
    std::vector<std::size_t> index;
    for (std::size_t i = 0; i < count; ++i) index.push_back(first + i);
    packer_.pack_noisy(data_.train, index.data(), count, 1, 5, 9);
  }
  std::size_t stride() const { return theta.size() + LatentOde<T>::statistics; }
  /// theta_bar and statistics: [lanes / leaf][stride], or [stride][lanes] for a leaf of one sample.
  std::vector<T> gradient(int leaf_samples = leaf) {
    std::vector<T> bar(stride() * static_cast<std::size_t>(model_.config().lanes) /
                       static_cast<std::size_t>(leaf_samples));
    EXPECT_EQ(model_.loss(packer_.tile(), {0, 1, 6}, theta.data(), T(.7), {bar.data(), leaf_samples, stride()}),
              Status::ok);
    return bar;
  }
  T loss() { return gradient()[theta.size()]; }
  const LatentOde<T>& model() const { return model_; }
  std::vector<T> theta;

 private:
  const SeriesData& data_;
  TilePacker<T> packer_;
  LatentOde<T> model_;
  Memory bytes_;
};

template <class T>
void expect_same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  ASSERT_EQ(a.size(), b.size());
  EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size() * sizeof(T)), 0);
}
template <class T>
void expect_alive(const std::vector<T>& bar) {
  std::size_t alive = 0;
  for (const T v : bar) {
    EXPECT_TRUE(std::isfinite(v));
    alive += v != 0;
  }
  EXPECT_GT(alive, bar.size() / 2);
}

struct Case {
  const char* name;
  bool ode_rnn;
  Plan<double> plan;
};
std::vector<Case> cases() {
  const Plan<double> foster = exact(mccallum_foster(tableau::rk4<double>)), alf_plan = exact(alf<double>());
  Plan<double> rk4;
  rk4.method = runge_kutta(tableau::rk4<double>);
  rk4 = stored(rk4, Arithmetic::real);
  return {{"gru, McCallum-Foster exact", false, foster},
          {"gru, ALF exact", false, alf_plan},
          {"gru, RK4 stored", false, rk4},
          {"ode_rnn, McCallum-Foster exact", true, foster},
          {"ode_rnn, ALF exact", true, alf_plan},
          {"ode_rnn, RK4 stored", true, rk4}};
}

// Rounding decides the tolerance (see difference()): a solve adds some 40 increments rounded to 2^-44 to 48 numbers,
// and the loss feels each at most about as strongly as the largest gradient component g: sqrt(40 48) 2^-45 g, times 1.5
// / e is 2e-9 g. Real arithmetic has less. A term that is wrong is off by its size.
TEST(LatentOde, GradientAgainstDifferences) {
  const SeriesData data = irregular_series(lanes, 2, true);
  ASSERT_TRUE(data.channel_masks());
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    auto how = config(data, TilePacker<double>(data, lanes, 3), c.ode_rnn);
    how.plan = c.plan;
    Trial<double> trial(data, how);
    trial.pack(0, lanes - 3);
    const std::vector<double> bar = trial.gradient();
    expect_alive(bar);
    double largest = 0;
    for (std::size_t i = 0; i < trial.theta.size(); ++i) largest = std::max(largest, std::abs(bar[i]));
    double worst = 0;
    const std::size_t stride = trial::sanitized ? 7 : 1;  // of the parameters
    for (std::size_t i = 0; i < trial.theta.size(); i += stride)
      worst = std::max(worst, std::abs(difference(trial.theta[i], [&] { return trial.loss(); }) - bar[i]));
    EXPECT_LT(worst, 2e-9 * (1 + largest));
  }
}

template <class T>
void expect_ways_agree(const Method<T>& method, bool ode_rnn) {
  const SeriesData data = irregular_series(lanes, 2, true);
  auto how = config(data, TilePacker<T>(data, lanes, 3), ode_rnn);
  how.plan = exact(method);
  Trial<T> reversed(data, how);
  how.plan = stored(how.plan, Arithmetic::fixed);
  Trial<T> kept(data, how, std::byte{0xff});  // what stood in the memory before does not matter
  how.plan.way = Way::checkpointed, how.plan.slots = 2;
  Trial<T> slots(data, how);
  how.plan = stored(how.plan, Arithmetic::real);
  Trial<T> real(data, how);
  for (auto* trial : {&reversed, &kept, &slots, &real}) trial->pack(0, lanes);
  const std::vector<T> oracle = kept.gradient();
  expect_alive(oracle);
  expect_same_bits(reversed.gradient(), oracle);
  expect_same_bits(reversed.gradient(), oracle);  // nor what the gradient before left there
  expect_same_bits(slots.gradient(), oracle);
  EXPECT_NE(std::memcmp(real.gradient().data(), oracle.data(), oracle.size() * sizeof(T)), 0);
}
TEST(LatentOde, ExactReversalStoredAndCheckpointedHaveTheSameBits) {
  for (const bool ode_rnn : {false, true}) {
    expect_ways_agree(mccallum_foster(tableau::rk4<double>), ode_rnn);
    expect_ways_agree(mccallum_foster(tableau::bogacki_shampine<float>), ode_rnn);
    expect_ways_agree(alf<float>(), ode_rnn);
  }
}

TEST(LatentOde, PaddedLanesContributeNothing) {
  const SeriesData data = irregular_series(lanes, 2, true);
  for (const bool ode_rnn : {false, true}) {
    auto how = config(data, TilePacker<float>(data, lanes, 3), ode_rnn);
    how.plan = exact(mccallum_foster(tableau::rk4<float>));
    Trial<float> trial(data, how);
    trial.pack(0, lanes);
    const std::vector<float> full = trial.gradient(1);
    trial.pack(0, 11);
    const std::vector<float> part = trial.gradient(1);
    for (std::size_t row = 0; row < trial.stride(); ++row)
      for (std::size_t lane = 0; lane < lanes; ++lane)
        ASSERT_EQ(part[row * lanes + lane], lane < 11 ? full[row * lanes + lane] : 0.0f) << row << ' ' << lane;
    expect_alive(full);
  }
}

template <class T>
void expect_tiles_of_any_width(bool ode_rnn) {
  const SeriesData data = irregular_series(2 * lanes, 2, true);
  auto how = config(data, TilePacker<T>(data, lanes, 3), ode_rnn);
  how.plan = exact(mccallum_foster(tableau::rk4<T>));
  Trial<T> narrow(data, how);
  how.lanes = 2 * lanes;
  Trial<T> wide(data, how);
  wide.pack(0, 2 * lanes);
  const std::vector<T> both = wide.gradient();
  std::vector<T> one_by_one;
  for (const std::size_t first : {std::size_t{0}, std::size_t{lanes}}) {
    narrow.pack(first, lanes);
    const std::vector<T> bar = narrow.gradient();
    one_by_one.insert(one_by_one.end(), bar.begin(), bar.end());
  }
  expect_same_bits(both, one_by_one);
}
TEST(LatentOde, LeavesDoNotKnowTheWidthOfTheirTile) {
  for (const bool ode_rnn : {false, true}) {
    expect_tiles_of_any_width<float>(ode_rnn);
    expect_tiles_of_any_width<double>(ode_rnn);
  }
}

TEST(LatentOde, OneByteLessIsRefused) {
  const SeriesData data = irregular_series(lanes, 2, false);
  auto how = config(data, TilePacker<float>(data, lanes, 3), false);
  how.plan = exact(mccallum_foster(tableau::rk4<float>));
  LatentOde<float> model(how);
  Memory bytes(model.bytes());
  Arena less(bytes.arena_of(model.bytes() - 1)), enough(bytes.arena());
  EXPECT_EQ(model.init(less), Status::arena_too_small);
  EXPECT_EQ(model.init(enough), Status::ok);
  how.plan.slots = -1;
  LatentOde<float> wrong(how);
  EXPECT_EQ(wrong.init(enough), Status::bad_argument);
}
}  // namespace
}  // namespace revode::host
