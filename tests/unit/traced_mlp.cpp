// Fields with the trace's matrix behind them, and a hypernetwork's table of times: what they are, and their cotangents.
#include "revode/traced_mlp.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "revode/hyper_table.hpp"
#include "unit/flow_trial.hpp"

namespace {
using namespace flows;

/// Fields of the weights of LayerWeights<concat>, with the trace's matrix behind them.
const std::vector<std::vector<int>> traced_widths = {{3, 5, 3}, {3, 5, 4, 3}};

TEST(TracedMlp, CotangentsAreThoseOfCentralDifferences) {
  for (const auto& [act, name] : activations)
    for (const auto& widths : traced_widths)
      for (const int lanes : {1, 3})
        EXPECT_LT(worst(TracedMlp<double>(widths.data(), static_cast<int>(widths.size()), act), {lanes, 0}), tolerance)
            << name;
}

/// What the field and its trace are, what they ask of x, and, C's part folded, of theta.
TEST(TracedMlp, IsTheTracedFieldOfItsWeights) {
  for (const auto& [act, name] : activations)
    for (const auto& widths : traced_widths) {
      const int count = static_cast<int>(widths.size()), lanes = 20;
      const LayerWeights<double> weights(widths.data(), count, TimeLayer::concat);
      const TimeMlp<double> field(widths.data(), count, act, weights, true);
      const TracedMlp<double> traced(widths.data(), count, act);
      Trial<double> want(field, {lanes, 0}), mine(traced, {lanes, 0});
      want.both();
      std::copy(want.theta.begin(), want.theta.end(), mine.theta.begin());
      const std::size_t numbers = want.theta.size() + static_cast<std::size_t>(traced.traces());
      ASSERT_GE(mine.theta.size(), numbers);
      ASSERT_LT(mine.theta.size(), numbers + 16);  // to a multiple of 16
      traced.complete(mine.theta.data());
      mine.both();
      for (std::size_t i = 0; i < want.y.size(); ++i) EXPECT_NEAR(mine.y[i], want.y[i], 1e-14 * 32) << name;
      for (std::size_t i = 0; i < want.x.size(); ++i) EXPECT_NEAR(mine.x_bar[i], want.x_bar[i], 1e-12) << name;
      EXPECT_NEAR(mine.t_bar, want.t_bar, 1e-12 * (1 + std::abs(want.t_bar)));
      for (std::size_t l = 0; l < lanes; ++l) {
        std::vector<double> row(mine.theta.size());
        for (std::size_t p = 0; p < row.size(); ++p) row[p] = mine.theta_bar[p * lanes + l];
        traced.fold(mine.theta.data(), row.data(), row.data());
        for (std::size_t p = 0; p < want.theta.size(); ++p)
          ASSERT_NEAR(row[p], want.theta_bar[p * lanes + l], 1e-12) << name << " " << p;
      }
    }
}

/// Leaves of 16 are the sums of single samples.
TEST(TracedMlp, ALeafIsTheSumOfItsSamples) {
  for (const auto& widths : traced_widths) {
    const TracedMlp<double> map(widths.data(), static_cast<int>(widths.size()), Activation::tanh);
    const int lanes = 20;
    Trial<double> single(map, {lanes, 0}), leaf(map, {lanes, 0});
    single.both(), leaf.eval();
    const auto params = static_cast<std::size_t>(map.shape({}).params);
    std::vector<double> leaves(2 * params);
    Bytes tape(map.shape({lanes, 0}).tape);
    map.eval(leaf.call, leaf.x.data(), leaf.y.data(), tape.data());
    map.vjp(leaf.call, leaf.x.data(), leaf.y.data(), tape.data(), leaf.y_bar.data(), nullptr,
            {{leaves.data(), 16, params}, nullptr});
    for (std::size_t p = 0; p < params; ++p) {
      double sums[2] = {};
      for (std::size_t l = 0; l < lanes; ++l) sums[l / 16] += single.theta_bar[p * lanes + l];
      for (std::size_t g = 0; g < 2; ++g)
        ASSERT_NEAR(leaves[g * params + p], sums[g], 1e-12 * (1 + std::abs(sums[g])));  // sums in another order
    }
  }
}

/// The kernel that does a shallow field at once has the bits of layers one after another, which go the other way where
/// time's cotangent is wanted, and so has the field itself.
TEST(TracedMlp, AShallowOneHasTheBitsOfItsLayers) {
  for (const int d : {1, 2, 3, 4})
    for (const int hidden : {5, 16, 39})
      for (const int lanes : {1, 7, 20, 64, 83})
        for (const int leaf : {16, 64}) {
          const int widths[] = {d, hidden, d};
          const TracedMlp<float> map(widths, 3, Activation::tanh);
          Trial<float> at_once(map, {lanes, 0}), apart(map, {lanes, 0});
          const auto params = static_cast<std::size_t>(map.shape({}).params);
          const auto leaves = static_cast<std::size_t>((lanes + leaf - 1) / leaf);
          std::vector<float> bar(leaves * params, .5f), other = bar;
          Bytes tape(map.shape({lanes, 0}).tape);
          for (const bool once : {true, false}) {
            Trial<float>& t = once ? at_once : apart;
            t.eval();
            map.eval(t.call, t.x.data(), t.y.data(), tape.data());
            map.vjp(t.call, t.x.data(), t.y.data(), tape.data(), t.y_bar.data(), t.x_bar.data(),
                    {{(once ? bar : other).data(), leaf, params}, once ? nullptr : &t.t_bar});
          }
          ASSERT_TRUE(same_bits(bar, other)) << d << " " << hidden << " " << lanes << " " << leaf;
          ASSERT_TRUE(same_bits(at_once.x_bar, apart.x_bar)) << d << " " << hidden << " " << lanes;

          const std::size_t n = static_cast<std::size_t>(hidden) * static_cast<std::size_t>(lanes);
          std::vector<float> h(n), slope(n), y(apart.y.size()), b(static_cast<std::size_t>(hidden + d));
          const float *W1 = apart.theta.data(), *W2 = W1 + hidden * (d + 2), *C = W2 + d * (hidden + 2),
                      *none = nullptr;
          for (int i = 0; i < hidden; ++i)
            b[static_cast<std::size_t>(i)] = std::fma(apart.call.t, W1[hidden * d + i], W1[hidden * (d + 1) + i]);
          for (int i = 0; i < d; ++i)
            b[static_cast<std::size_t>(hidden) + static_cast<std::size_t>(i)] =
                std::fma(apart.call.t, W2[hidden * d + i], W2[hidden * d + d + i]);
          kernel::dense(hidden, d, lanes, W1, b.data(), apart.x.data(), h.data());
          kernel::activate(Activation::tanh, n, h.data(), h.data());
          for (std::size_t i = 0; i < n; ++i) slope[i] = std::fma(-h[i], h[i], 1.f);
          kernel::dense(d, hidden, lanes, W2, b.data() + hidden, h.data(), y.data());
          kernel::dense(1, hidden, lanes, C, none, slope.data(), y.data() + d * lanes);
          ASSERT_TRUE(same_bits(apart.y, y)) << d << " " << hidden << " " << lanes;
        }
}

/// The table's rows are what the hypernetwork gives at its times, and its pull-back is the sum of theirs.
TEST(HyperTable, IsTheHypernetworkAtItsTimes) {
  constexpr int d = 3, width = 5, raws = 3 * d * width + width, count = 70;  // more times than a leaf of the net's has
  const int net_widths[] = {1, 4, raws}, widths[] = {d, width, d};
  const Mlp<double> net(net_widths, Activation::tanh);
  const HyperWeights<double> weights(net, d, width);
  const Times<double> times{.3, -.01, count};
  const TracedMlp<double> field(widths, 3, Activation::tanh, &times);
  HyperTable<double> table(net, field, d, width, times);
  Arena measure;
  table.place(measure);
  Bytes bytes(measure.bytes());
  Arena arena = bytes.arena();
  table.place(arena);
  Trial<double> one(weights, {1, 0});
  const std::size_t row = static_cast<std::size_t>(field.row()), all = row - width;
  std::vector<double> phi(row * count), phi_bar = uniform<double>(9, row * count, -1, 1), theta_bar(one.theta.size());
  ASSERT_EQ(table.fill(one.theta.data(), phi.data()), Status::ok);
  for (std::size_t k = 0; k < count; ++k) std::fill_n(phi_bar.begin() + static_cast<long>(k * row + all), width, 0.);
  ASSERT_EQ(table.pull(one.theta.data(), phi.data(), phi_bar.data(), theta_bar.data()), Status::ok);
  Bytes tape(weights.shape({1, 0}).tape);
  std::vector<double> want(theta_bar.size());
  for (int k = 0; k < count; ++k) {
    EXPECT_EQ(times.number(.3 - .01 * k), k);
    one.eval();
    one.call.t = times.first + k * times.spacing;
    weights.eval(one.call, nullptr, one.y.data(), tape.data());
    const auto at = static_cast<std::size_t>(k) * row;
    for (std::size_t i = 0; i < all; ++i) ASSERT_NEAR(phi[at + i], one.y[i], 1e-14);
    weights.vjp(one.call, nullptr, one.y.data(), tape.data(), phi_bar.data() + at, nullptr,
                {{want.data(), 1, 0}, nullptr});
  }
  for (std::size_t i = 0; i < want.size(); ++i)
    ASSERT_NEAR(theta_bar[i], want[i], 1e-12 * (1 + std::abs(want[i])));  // sums in another order
  for (const double t : {.295, .32, -.41}) EXPECT_EQ(times.number(t), -1) << t;
}

TEST(TracedMlp, AtATimeThatIsNotInItsTableSaysSo) {
  const int widths[] = {3, 5, 3};
  const Times<float> times{0, .2f, 3};
  const TracedMlp<float> field(widths, 3, Activation::tanh, &times);
  Trial<float> trial(field, {2, 0});
  trial.eval();  // at .3
  EXPECT_EQ(trial.status, Status::bad_argument);
  for (const float v : trial.y) EXPECT_TRUE(std::isnan(v));
}
}  // namespace
