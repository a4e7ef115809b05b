// How samples are packed into tiles, and what of them training sees.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "models/series_data.hpp"

namespace revode::host {
namespace {
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

/// Two samples of two channels, one of them with a hole.
SeriesData pair() {
  SeriesData data;
  data.channels = 2, data.window = 1, data.horizon = 2;
  Sample a, b;
  a.observed = {{.25, .5, 1}, {1, 2, 3, nan, 5, 6}};
  b.observed = {{.125}, {7, 8}};
  a.target = b.target = a.observed;
  a.test = {{1.5, 2}, {9, 10, nan, 12}};
  data.train = {a, b};
  return data;
}

TEST(TilePacker, LatestFirstWithGapsMasksAndPadding) {
  const SeriesData data = pair();
  TilePacker<float> packer(data, 4, 3);
  EXPECT_EQ(packer.encoder_steps(), 4);
  EXPECT_EQ(packer.readings(), 3);
  const std::size_t index[] = {1, 0};
  packer.pack(data.train, index, 2, TilePacker<float>::Ask::targets);
  // gap, time, channels, masks, observed; then the way to the window's beginning
  const std::vector<std::vector<float>> of_a{
      {0, 1, 5, 6, 1, 1, 1}, {.5, .5, 3, 0, 1, 0, 1}, {.25, .25, 1, 2, 1, 1, 1}, {.25, 0, 0, 0, 0, 0, 0}};
  const std::vector<std::vector<float>> of_b{
      {0, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0}, {0, .125, 7, 8, 1, 1, 1}, {.125, 0, 0, 0, 0, 0, 0}};
  for (std::size_t k = 0; k < 4; ++k)
    for (std::size_t row = 0; row < 7; ++row) {
      const float* at = packer.tile().inputs + (k * 7 + row) * 4;
      EXPECT_EQ(at[0], of_b[k][row]) << k << ' ' << row;
      EXPECT_EQ(at[1], of_a[k][row]) << k << ' ' << row;
      EXPECT_EQ(at[2], 0);
      EXPECT_EQ(at[3], 0);
    }
  EXPECT_EQ(packer.tile().noise, nullptr);
  for (std::size_t lane = 0; lane < 4; ++lane) EXPECT_EQ(packer.tile().active[lane], lane < 2);
}

TEST(TilePacker, ReadingsAndWhatIsAskedFor) {
  const SeriesData data = pair();
  TilePacker<double> packer(data, 4, 3);
  const std::size_t index[] = {0, 1};
  packer.pack(data.train, index, 2, TilePacker<double>::Ask::tests);
  const SeriesTile<double>& tile = packer.tile();
  EXPECT_EQ(tile.readings, 2);
  for (std::size_t j = 0; j < 2; ++j)
    for (std::size_t lane = 0; lane < 4; ++lane) {
      EXPECT_EQ(tile.times[j * 4 + lane], lane == 0 ? 1.5 + .5 * static_cast<double>(j) : infinity);
      for (std::size_t c = 0; c < 2; ++c) {
        const bool seen = lane == 0 && !(j == 1 && c == 0);
        EXPECT_EQ(tile.weights[(j * 2 + c) * 4 + lane], seen);
        EXPECT_EQ(tile.targets[(j * 2 + c) * 4 + lane], seen ? data.train[0].test.values[2 * j + c] : 0);
      }
    }
  packer.pack(data.train, index, 2, TilePacker<double>::Ask::targets);
  EXPECT_EQ(packer.tile().readings, 3);
  packer.pack(data.train, index + 1, 1, TilePacker<double>::Ask::observed);
  EXPECT_EQ(packer.tile().readings, 1);
}

/// Times of the observations that the encoder gets in lane 0, latest first, and of the readings asked for.
std::pair<std::vector<double>, std::vector<double>> packed(const TilePacker<double>& packer, int rows) {
  std::vector<double> seen, asked;
  for (int k = 0; k < packer.encoder_steps(); ++k) {
    const double* at = packer.tile().inputs + static_cast<std::ptrdiff_t>(k) * rows;
    if (at[rows - 1] > 0) seen.push_back(at[1]);
  }
  for (int k = 0; k < packer.tile().readings; ++k) asked.push_back(packer.tile().times[k]);
  return {seen, asked};
}

TEST(TilePacker, TrainingSeesABeginningOfARestOfTheWindow) {
  SeriesData data;
  data.channels = 1, data.window = data.horizon = 1;
  Sample s;
  for (int j = 0; j <= 64; ++j) s.observed.times.push_back(j / 64.0), s.observed.values.push_back(j);
  s.target = s.observed;
  data.train = {s};
  TilePacker<double> packer(data, 1, 2);
  const std::size_t index = 0;
  std::set<double> noises;
  double shortest = 1, latest_begin = 0;
  for (std::uint64_t iteration = 0; iteration < 200; ++iteration) {
    packer.pack_noisy(data.train, &index, 1, 0.5, 3, iteration);
    const auto [seen, asked] = packed(packer, 4);
    ASSERT_FALSE(seen.empty());
    // The window begins at some place of its first half and keeps its end: what is asked for goes from there.
    const double first = packer.tile().targets[0] / 64, begin = first - asked.front();
    EXPECT_LE(begin, .5);
    EXPECT_NEAR(begin + asked.back(), 1, 1e-12);
    // What is seen are the first of them, at least half of what is left (a point spacing may be missing).
    EXPECT_TRUE(std::equal(seen.rbegin(), seen.rend(), asked.begin()));
    EXPECT_GE(seen.front() + 1.0 / 64, (1 - begin) * .5);
    shortest = std::min(shortest, seen.front() / (1 - begin)), latest_begin = std::max(latest_begin, begin);
    noises.insert(packer.tile().noise[0]), noises.insert(packer.tile().noise[1]);
  }
  EXPECT_EQ(noises.size(), 400U);  // normal numbers of 24 bits or more: keyed by the iteration, none twice
  EXPECT_LT(shortest, .6);         // of 200 uniform draws from 0.5 to 1 all above 0.6 have a chance of 0.8^200
  EXPECT_GT(latest_begin, .4);
  packer.pack_noisy(data.train, &index, 1, 1, 3, 7);
  const auto [seen, asked] = packed(packer, 4);
  EXPECT_EQ(asked, s.observed.times);
  EXPECT_TRUE(std::equal(seen.rbegin(), seen.rend(), asked.begin(), asked.end()));
  const double noise = packer.tile().noise[1];
  packer.pack_noisy(data.train, &index, 1, 1, 3, 8);
  packer.pack_noisy(data.train, &index, 1, 1, 3, 7);
  EXPECT_EQ(packer.tile().noise[1], noise);
}
}  // namespace
}  // namespace revode::host
