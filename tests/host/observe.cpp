// What the encoder sees of real series.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "models/series_data.hpp"

using namespace revode;
using namespace revode::host;

namespace {
/// Series of different lengths, whose first channel is the index of the point.
SeriesFile indices(int series) {
  SeriesFile file;
  file.channels = {"index", "wave"};
  for (int i = 0; i < series; ++i) {
    Series s;
    s.name = std::to_string(i);
    s.values.resize(2);
    for (int j = 0; j < 60 + i; ++j) {
      s.times.push_back(j);
      s.values[0].push_back(j), s.values[1].push_back(std::sin(0.1 * j));
    }
    file.series.push_back(s);
  }
  return file;
}
Observing seeing(Observing::Kind kind, double keep, bool anew = false) {
  Observing how;
  how.kind = kind, how.keep = keep, how.anew = anew;
  return how;
}
bool ascending(const Points& points) {
  return std::adjacent_find(points.times.begin(), points.times.end(), std::greater_equal<>()) == points.times.end();
}
}  // namespace

TEST(Observe, EveryPointIsSeenOrTested) {
  for (const auto kind : {Observing::Kind::random, Observing::Kind::gap, Observing::Kind::first}) {
    const SeriesData data = observe(indices(10), seeing(kind, 0.3));
    ASSERT_EQ(data.train.size(), 8u);
    ASSERT_EQ(data.held_out.size(), 2u);
    for (const auto* part : {&data.train, &data.held_out})
      for (const Sample& sample : *part) {
        EXPECT_EQ(sample.observed.size(), static_cast<std::size_t>(std::lround(0.3 * double(sample.truth.size()))));
        EXPECT_TRUE(ascending(sample.observed) && ascending(sample.test));
        std::vector<double> both = sample.observed.times;
        both.insert(both.end(), sample.test.times.begin(), sample.test.times.end());
        std::sort(both.begin(), both.end());
        EXPECT_EQ(both, sample.truth.times);
      }
  }
}

TEST(Observe, AGapIsOneAndInside) {
  const SeriesData data = observe(indices(10), seeing(Observing::Kind::gap, 2.0 / 3));
  for (const Sample& sample : data.train) {
    const double step = sample.truth.times[1];
    EXPECT_EQ(sample.observed.times.front(), sample.truth.times.front());
    EXPECT_EQ(sample.observed.times.back(), sample.truth.times.back());
    const double length = sample.test.times.back() - sample.test.times.front();
    // Times are multiples of one step, up to their rounding.
    EXPECT_NEAR(length, step * double(sample.test.size() - 1), 1e-9);
  }
}

TEST(Observe, PartsKeepTheirValues) {
  const SeriesData data = observe(indices(10), seeing(Observing::Kind::random, 0.1));
  const Points& all = data.train[3].truth;
  const Points part = seen_part(all, data.observing, Random(1, 2, 3));
  ASSERT_EQ(part.size(), 6u);  // a tenth of 63
  for (std::size_t j = 0; j < part.size(); ++j) {
    const auto at = std::find(all.times.begin(), all.times.end(), part.times[j]) - all.times.begin();
    ASSERT_LT(static_cast<std::size_t>(at), all.size());
    EXPECT_EQ(part.values[2 * j], all.values[2 * static_cast<std::size_t>(at)]);
    EXPECT_EQ(part.values[2 * j + 1], all.values[2 * static_cast<std::size_t>(at) + 1]);
  }
}

/// Inputs of a tile of training, by the iteration it is packed for.
std::vector<float> packed(const SeriesData& data, std::uint64_t iteration) {
  TilePacker<float> packer(data, 16, 2);
  const std::size_t index[] = {0, 1, 2};
  packer.pack_noisy(data.train, index, 3, 1, 1, iteration);
  const auto rows = static_cast<std::size_t>(packer.encoder_steps()) * 5;  // gap, time, two channels, mask
  return {packer.tile().inputs, packer.tile().inputs + rows * 16};
}

TEST(Observe, AnewInEveryBatchOnlyWhereAsked) {
  const SeriesData once = observe(indices(10), seeing(Observing::Kind::random, 0.2));
  EXPECT_EQ(packed(once, 1), packed(once, 2));
  const SeriesData anew = observe(indices(10), seeing(Observing::Kind::random, 0.2, true));
  EXPECT_NE(packed(anew, 1), packed(anew, 2));
  EXPECT_EQ(packed(anew, 1), packed(anew, 1));  // a function of the iteration: ranks and resumed runs agree
  // Held-out series are seen as without it.
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(anew.held_out[i].observed.times, once.held_out[i].observed.times);
}
