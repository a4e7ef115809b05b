// The recurrent baseline: its gradient, its sums over samples, and what its predictions may know.
#include "models/rnn_baseline.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "host/series.hpp"

namespace revode::host {
namespace {
constexpr int lanes = 16;
constexpr std::size_t statistics = LatentOde<double>::statistics;

template <class T>
class Trial {
 public:
  explicit Trial(const SeriesData& data) : data_(data), seen_(data, lanes, 1), asked_(data, lanes, 1) {
    typename RnnBaseline<T>::Config c;
    c.lanes = lanes, c.hidden = 5, c.observations = seen_.readings();
    model_.emplace(c);
    bytes_.emplace(model_->bytes(), std::byte{0xff});
    Arena less = bytes_->arena_of(model_->bytes() - 1), arena = bytes_->arena();
    EXPECT_EQ(model_->init(less), Status::arena_too_small);
    EXPECT_EQ(model_->init(arena), Status::ok);
    theta.resize(static_cast<std::size_t>(model_->params()));
    initialise_uniform(model_->tensors(), 3, theta.data());
  }
  std::vector<T> gradient(std::size_t count, int leaf) {
    pack(seen_, count, TilePacker<T>::Ask::targets);
    const std::size_t stride = theta.size() + statistics;
    std::vector<T> bar(stride * lanes / static_cast<std::size_t>(leaf));
    EXPECT_EQ(model_->loss(seen_.tile(), theta.data(), {bar.data(), leaf, stride}), Status::ok);
    return bar;
  }
  std::vector<T> predictions() {
    pack(seen_, lanes, TilePacker<T>::Ask::observed);
    pack(asked_, lanes, TilePacker<T>::Ask::tests);
    std::vector<T> x(static_cast<std::size_t>(asked_.tile().readings) * 2 * lanes);
    EXPECT_EQ(model_->predict(seen_.tile(), asked_.tile(), theta.data(), x.data()), Status::ok);
    return x;
  }
  std::vector<T> theta;

 private:
  void pack(TilePacker<T>& packer, std::size_t count, typename TilePacker<T>::Ask ask) {
    std::vector<std::size_t> index;
    for (std::size_t i = 0; i < count; ++i) index.push_back(i);
    packer.pack(data_.train, index.data(), count, ask);
  }
  const SeriesData& data_;
  TilePacker<T> seen_, asked_;
  std::optional<RnnBaseline<T>> model_;
  std::optional<Memory> bytes_;
};

// Double throughout: the loss, of size g or less, is rounded some hundred times, sqrt(100) 2^-53 g; times 1.5 / e (see
// difference()) that is 2e-12 g. Truncation: e^4 / 30 of a fifth derivative that 9 recurrent steps make up to 1e3 g,
// 3e-11 g.
TEST(RnnBaseline, GradientAgainstDifferences) {
  const SeriesData data = irregular_series(lanes, 2, false);
  Trial<double> trial(data);
  const std::vector<double> bar = trial.gradient(lanes - 2, lanes);
  double largest = 0, worst = 0;
  for (std::size_t i = 0; i < trial.theta.size(); ++i) largest = std::max(largest, std::abs(bar[i]));
  EXPECT_GT(largest, 1);
  for (std::size_t i = 0; i < trial.theta.size(); ++i) {
    EXPECT_NE(bar[i], 0) << i;
    const auto loss = [&] { return trial.gradient(lanes - 2, lanes)[trial.theta.size()]; };
    worst = std::max(worst, std::abs(difference(trial.theta[i], loss) - bar[i]));
  }
  EXPECT_LT(worst, 5e-11 * (1 + largest));
}

TEST(RnnBaseline, SamplesKnowOnlyThemselves) {
  const SeriesData data = irregular_series(lanes, 2, false);
  Trial<float> trial(data);
  const std::vector<float> full = trial.gradient(lanes, 1), part = trial.gradient(9, 1);
  for (std::size_t k = 0; k < full.size(); ++k) ASSERT_EQ(part[k], k % lanes < 9 ? full[k] : 0.0f) << k;
  double values = 0, observations = 0;
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    values += static_cast<double>(full[(trial.theta.size() + 2) * lanes + lane]);
    observations += static_cast<double>(data.train[lane].target.size());
  }
  EXPECT_EQ(values, 2 * (observations - lanes));  // two channels of every observation but the first
}

TEST(RnnBaseline, PredictionsFollowFromWhatWasSeen) {
  SeriesData data = irregular_series(lanes, 2, false);
  for (Sample& sample : data.train)  // the tests come after
    for (double& t : sample.test.times) t += 1;
  const std::vector<float> before = Trial<float>(data).predictions();
  for (Sample& sample : data.train) {  // neither test values nor targets that were not observed are known
    for (double& v : sample.test.values) v += 3;
    for (double& v : sample.target.values) v -= 5;
  }
  const std::vector<float> same = Trial<float>(data).predictions();
  EXPECT_EQ(before, same);
  for (const float v : before) EXPECT_TRUE(std::isfinite(v));
  data.train[3].observed.values.back() += 1;
  const std::vector<float> other = Trial<float>(data).predictions();
  for (std::size_t k = 0; k < before.size(); ++k) ASSERT_EQ(before[k] == other[k], k % lanes != 3) << k;
}
}  // namespace
}  // namespace revode::host
