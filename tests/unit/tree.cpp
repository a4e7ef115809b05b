// The neighbour-first tree, sums of squares, and the law of leaves: lanes do not show in a gradient.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "revode/kernels.hpp"
#include "unit/kernel_text.hpp"

namespace {
namespace kernel = revode::kernel;
using text::Tile;

template <class T>
class Tree : public testing::Test {
 protected:
  text::Random random;
};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(Tree, Numbers);

TYPED_TEST(Tree, OverLanesIsTheDefinition) {
  using T = TypeParam;
  for (int lanes = 1; lanes <= 150; ++lanes)
    for (const int count : {1, 2, 5, 16, 21}) {
      const auto rows = this->random.template tile<T>(count * lanes);
      Tile<T> sum(static_cast<std::size_t>(count)), want(sum);
      kernel::tree_lanes(sum.size(), lanes, rows.data(), sum.data());
      for (int r = 0; r < count; ++r) {
        const auto first = rows.begin() + r * lanes;
        want[static_cast<std::size_t>(r)] = text::tree(Tile<T>(first, first + lanes));
      }
      ASSERT_TRUE(text::same_bits(sum, want)) << lanes << " lanes";
    }
}

TYPED_TEST(Tree, OverSlicesIsTheDefinition) {
  using T = TypeParam;
  constexpr int n = 37, stride = 40;
  for (int leaves = 1; leaves <= 20; ++leaves) {
    const auto slices = this->random.template tile<T>(leaves * stride);
    Tile<T> sum = slices;
    kernel::tree_slices(n, leaves, stride, sum.data());
    for (int i = 0; i < n; ++i) {
      Tile<T> column;
      for (int leaf = 0; leaf < leaves; ++leaf) column.push_back(slices[text::at(leaf, i, stride)]);
      ASSERT_EQ(sum[static_cast<std::size_t>(i)], text::tree(column)) << leaves << " leaves";
    }
  }
}

/// A gradient of 64 samples held in tiles of `lanes`, by leaves of `leaf`, and the tree.
template <class T>
Tile<T> gradient(int out, int in, int lanes, int leaf, const Tile<T>& y_bar, const Tile<T>& x) {
  constexpr int samples = 64;
  const int size = out * in + out;
  Tile<T> slices;
  for (int first = 0; first < samples; first += lanes) {
    Tile<T> tile_x(static_cast<std::size_t>(in * lanes)), tile_bar(static_cast<std::size_t>(out * lanes));
    for (int l = 0; l < lanes; ++l) {
      for (int i = 0; i < in; ++i) tile_x[text::at(i, l, lanes)] = x[text::at(i, first + l, samples)];
      for (int o = 0; o < out; ++o) tile_bar[text::at(o, l, lanes)] = y_bar[text::at(o, first + l, samples)];
    }
    if (leaf == 1) {
      Tile<T> rows(static_cast<std::size_t>(size * lanes), T(0)), sum(static_cast<std::size_t>(size));
      kernel::dense_vjp_weight_lanes(out, in, lanes, tile_bar.data(), tile_x.data(), rows.data(),
                                     rows.data() + out * in * lanes);
      kernel::tree_lanes(sum.size(), lanes, rows.data(), sum.data());
      slices.insert(slices.end(), sum.begin(), sum.end());
    }
    for (int l = 0; leaf > 1 && l < lanes; l += leaf) {
      Tile<T> slice(static_cast<std::size_t>(size), T(0));
      kernel::dense_vjp_weight(out, in, lanes, leaf, tile_bar.data() + l, tile_x.data() + l, slice.data(),
                               slice.data() + out * in);
      slices.insert(slices.end(), slice.begin(), slice.end());
    }
  }
  kernel::tree_slices(static_cast<std::size_t>(size), static_cast<int>(slices.size()) / size,
                      static_cast<std::size_t>(size), slices.data());
  slices.resize(static_cast<std::size_t>(size));
  return slices;
}

TYPED_TEST(Tree, LanesDoNotShowInAGradient) {
  using T = TypeParam;
  for (const auto& [out, in] : {std::pair{2, 16}, {16, 2}, {20, 20}, {33, 17}, {3, 5}}) {
    const auto x = this->random.template tile<T>(in * 64), y_bar = this->random.template tile<T>(out * 64);
    const auto sixteen = gradient(out, in, 16, 16, y_bar, x), one = gradient(out, in, 1, 1, y_bar, x);
    for (const int lanes : {32, 64}) ASSERT_TRUE(text::same_bits(gradient(out, in, lanes, 16, y_bar, x), sixteen));
    for (const int lanes : {2, 4, 16, 32}) ASSERT_TRUE(text::same_bits(gradient(out, in, lanes, 1, y_bar, x), one));
    ASSERT_FALSE(text::same_bits(sixteen, one)) << "the leaf is part of the experiment; equal here means a blind test";
  }
}

TYPED_TEST(Tree, SumOfSquaresIsSixteenChainsAndATree) {
  using T = TypeParam;
  for (int n = 0; n <= 130; ++n) {
    const auto x = this->random.template tile<T>(n);
    Tile<T> chains(16, T(0));
    for (std::size_t i = 0; i < x.size(); ++i) chains[i % 16] = std::fma(x[i], x[i], chains[i % 16]);
    ASSERT_EQ(kernel::sum_of_squares(x.size(), x.data()), text::tree(chains)) << n;
  }
}

TYPED_TEST(Tree, FiniteFindsWhatIsNot) {
  using T = TypeParam;
  const T bad[] = {std::numeric_limits<T>::infinity(), -std::numeric_limits<T>::infinity(),
                   std::numeric_limits<T>::quiet_NaN()};
  for (int n = 1; n <= 70; ++n) {
    auto x = this->random.template tile<T>(n);
    x[0] = std::numeric_limits<T>::max();
    EXPECT_TRUE(kernel::finite(x.size(), x.data()));
    for (std::size_t i = 0; i < x.size(); ++i) {
      auto spoiled = x;
      spoiled[i] = bad[i % 3];
      ASSERT_FALSE(kernel::finite(spoiled.size(), spoiled.data())) << i << " of " << n;
    }
  }
  EXPECT_TRUE(kernel::finite<T>(0, nullptr));
}
}  // namespace
