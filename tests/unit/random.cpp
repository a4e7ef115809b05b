// Philox against its published answers; what is drawn from it against the distributions, with bounds derived below.
#include "revode/random.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

namespace {
using revode::Block128;
using revode::philox;
using revode::Random;

constexpr bool equal(const Block128& a, const Block128& b) {
  for (int i = 0; i < 4; ++i)
    if (a.word[i] != b.word[i]) return false;
  return true;
}
// Random123's kat_vectors: all zeros, all ones, the digits of pi.
static_assert(equal(philox({{0, 0, 0, 0}}, 0, 0), {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}}));
static_assert(equal(philox({{~0u, ~0u, ~0u, ~0u}}, ~0u, ~0u), {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}}));
static_assert(equal(philox({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0xa4093822, 0x299f31d0),
                    {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}));

std::vector<std::uint32_t> words(Random r, int n) {
  std::vector<std::uint32_t> out(static_cast<std::size_t>(n));
  for (std::uint32_t& word : out) word = r.next();
  return out;
}

TEST(Random, IsAFunctionOfSeedStreamAndIndexAlone) {
  EXPECT_EQ(words(Random(7, 3, 11), 40), words(Random(7, 3, 11), 40));
  // The high halves of seed and index count too.
  const Random others[] = {Random(8, 3, 11), Random(7, 4, 11), Random(7, 3, 12), Random(7 + (1ull << 32), 3, 11),
                           Random(7, 3, 11 + (1ull << 32))};
  std::set<std::uint32_t> seen;
  for (const std::uint32_t w : words(Random(7, 3, 11), 40)) seen.insert(w);
  for (const Random& r : others)
    for (const std::uint32_t w : words(r, 40)) seen.insert(w);
  // 240 of 2^32: two equal ones have a chance of 7e-6, and the seeds are fixed.
  EXPECT_EQ(seen.size(), 240u);
}

TEST(Random, UniformIsInItsRangeAndEven) {
  Random r(1, 0);
  constexpr int n = 1 << 20, cells = 256;
  double sum = 0, squares = 0;
  std::vector<int> count(cells, 0);
  for (int i = 0; i < n; ++i) {
    const float u = r.uniform();
    ASSERT_GE(u, 0.0f);
    ASSERT_LT(u, 1.0f);
    ASSERT_EQ(u * 0x1p24f, std::floor(u * 0x1p24f));
    sum += static_cast<double>(u), squares += static_cast<double>(u) * static_cast<double>(u);
    ++count[static_cast<std::size_t>(u * cells)];
  }
  // Five standard deviations of a mean of n: u has variance 1/12, u^2 has 4/45. (The lattice shifts it by 2^-25.)
  EXPECT_NEAR(sum / n, 0.5, 5 * std::sqrt(1 / 12. / n));
  EXPECT_NEAR(squares / n, 1 / 3., 5 * std::sqrt(4 / 45. / n));
  double chi2 = 0;
  constexpr double expected = static_cast<double>(n) / cells;
  for (const int c : count) chi2 += (c - expected) * (c - expected) / expected;
  // 255 degrees of freedom: mean 255, standard deviation sqrt(510).
  EXPECT_NEAR(chi2, 255, 5 * std::sqrt(510));
}

TEST(Random, NormalHasTheMomentsOfOne) {
  Random r(2, 0);
  constexpr int n = 1 << 20;
  double m[5] = {};
  for (int i = 0; i < n; ++i) {
    const double z = static_cast<double>(r.normal());
    ASSERT_LE(std::abs(z), 5.78) << "sqrt(-2 log 2^-24) is the largest radius of a 24-bit uniform";
    for (double p = z, *at = m + 1; at < m + 5; p *= z) *at++ += p / n;
  }
  // Moment k has the variance (E z^2k - (E z^k)^2) / n: 1, 2, 15 and 105 - 9 over n. Five standard deviations.
  EXPECT_NEAR(m[1], 0, 5 * std::sqrt(1. / n));
  EXPECT_NEAR(m[2], 1, 5 * std::sqrt(2. / n));
  EXPECT_NEAR(m[3], 0, 5 * std::sqrt(15. / n));
  EXPECT_NEAR(m[4], 3, 5 * std::sqrt(96. / n));
}

TEST(Random, NormalsHaveTheDistribution) {
  Random r(3, 0);
  constexpr int n = 1 << 18;
  const double at[] = {-3, -2, -1, -.5, 0, .5, 1, 2, 3};
  std::vector<int> below(std::size(at), 0);
  for (int i = 0; i < n; ++i) {
    const double z = static_cast<double>(r.normal());
    for (std::size_t k = 0; k < std::size(at); ++k) below[k] += z < at[k];
  }
  for (std::size_t k = 0; k < std::size(at); ++k) {
    const double p = std::erfc(-at[k] / std::sqrt(2.)) / 2;
    EXPECT_NEAR(below[k] / static_cast<double>(n), p, 5 * std::sqrt(p * (1 - p) / n)) << "below " << at[k];
  }
}

TEST(Random, BelowIsEven) {
  Random r(4, 0);
  for (const std::uint32_t n : {1u, 2u, 3u, 7u, 10u, 100u}) {
    constexpr int each = 4096;
    std::vector<int> count(n, 0);
    for (std::uint32_t i = 0; i < n * each; ++i) {
      const std::uint32_t k = r.below(n);
      ASSERT_LT(k, n);
      ++count[k];
    }
    for (const int c : count) EXPECT_NEAR(c, each, 5 * std::sqrt(each)) << n;
  }
}

/// Where n is 3/4 of 2^32 the plain product picks each third number twice as often as the others; below() rejects.
TEST(Random, BelowHasNoBiasWhereAPlainProductHas) {
  constexpr std::uint32_t n = 3u << 30;
  constexpr int draws = 1 << 18;
  Random r(5, 0), plain(5, 0);
  int thirds[3] = {}, biased[3] = {};
  for (int i = 0; i < draws; ++i) {
    ++thirds[r.below(n) % 3];
    ++biased[((std::uint64_t{plain.next()} * n) >> 32) % 3];
  }
  for (const int c : thirds) EXPECT_NEAR(c, draws / 3., 5 * std::sqrt(draws * 2 / 9.));
  EXPECT_GT(biased[0] - biased[2], draws / 8) << "the control: this n must show the bias";
}
}  // namespace
