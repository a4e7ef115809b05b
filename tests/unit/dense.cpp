// Dense kernels against the three-loop scalar text, bit by bit, and the laws of lanes and leaves.
#include <gtest/gtest.h>

#include "numerics/sanitized.hpp"
#include "revode/kernels.hpp"
#include "unit/kernel_text.hpp"

namespace {
namespace kernel = revode::kernel;
using text::Tile;

template <class T>
class Dense : public testing::Test {
 protected:
  text::Random random;
};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(Dense, Numbers);

template <class T>
testing::AssertionResult forward_equals(text::Random& random, int out, int in, int lanes) {
  const auto W = random.tile<T>(out * in), b = random.tile<T>(out), x = random.tile<T>(in * lanes);
  const auto before = random.tile<T>(out * lanes);
  for (int way = 0; way < 3; ++way) {  // without bias, with, added
    Tile<T> y = before, want = before;
    const T* bias = way == 1 ? b.data() : nullptr;
    kernel::dense(out, in, lanes, W.data(), bias, x.data(), y.data(), way == 2);
    text::dense(out, in, lanes, W, bias, x, want, way == 2);
    if (!text::same_bits(y, want))
      return testing::AssertionFailure() << out << " x " << in << ", " << lanes << " lanes, way " << way;
  }
  return testing::AssertionSuccess();
}
template <class T>
testing::AssertionResult input_equals(text::Random& random, int out, int in, int lanes) {
  const auto W = random.tile<T>(out * in), y_bar = random.tile<T>(out * lanes), before = random.tile<T>(in * lanes);
  for (const bool add : {false, true}) {
    Tile<T> x_bar = before, want = before;
    kernel::dense_vjp_input(out, in, lanes, W.data(), y_bar.data(), x_bar.data(), add);
    text::dense_vjp_input(out, in, lanes, W, y_bar, want, add);
    if (!text::same_bits(x_bar, want))
      return testing::AssertionFailure() << out << " x " << in << ", " << lanes << " lanes, add " << add;
  }
  return testing::AssertionSuccess();
}
template <class T>
testing::AssertionResult weight_equals(text::Random& random, int out, int in, int lanes, int samples) {
  const auto x = random.tile<T>(in * lanes), y_bar = random.tile<T>(out * lanes);
  const auto W_before = random.tile<T>(out * in), b_before = random.tile<T>(out);
  Tile<T> W_bar = W_before, b_bar = b_before, W_want = W_before, b_want = b_before;
  kernel::dense_vjp_weight(out, in, lanes, samples, y_bar.data(), x.data(), W_bar.data(), b_bar.data());
  text::dense_vjp_weight(out, in, lanes, samples, y_bar, x, W_want, b_want);
  Tile<T> W_alone = W_before;
  kernel::dense_vjp_weight<T>(out, in, lanes, samples, y_bar.data(), x.data(), W_alone.data(), nullptr);
  if (text::same_bits(W_bar, W_want) && text::same_bits(b_bar, b_want) && text::same_bits(W_alone, W_want))
    return testing::AssertionSuccess();
  return testing::AssertionFailure() << out << " x " << in << ", " << samples << " of " << lanes << " lanes";
}
template <class T>
testing::AssertionResult weight_lanes_equals(text::Random& random, int out, int in, int lanes) {
  const auto x = random.tile<T>(in * lanes), y_bar = random.tile<T>(out * lanes);
  const auto W_before = random.tile<T>(out * in * lanes), b_before = random.tile<T>(out * lanes);
  Tile<T> W_bar = W_before, b_bar = b_before, W_want = W_before, b_want = b_before;
  kernel::dense_vjp_weight_lanes(out, in, lanes, y_bar.data(), x.data(), W_bar.data(), b_bar.data());
  text::dense_vjp_weight_lanes(out, in, lanes, y_bar, x, W_want, b_want);
  Tile<T> W_alone = W_before;
  kernel::dense_vjp_weight_lanes<T>(out, in, lanes, y_bar.data(), x.data(), W_alone.data(), nullptr);
  if (text::same_bits(W_bar, W_want) && text::same_bits(b_bar, b_want) && text::same_bits(W_alone, W_want))
    return testing::AssertionSuccess();
  return testing::AssertionFailure() << out << " x " << in << ", " << lanes << " lanes";
}

constexpr int lane_counts[] = {1, 2, 3, 4, 5, 7, 8, 11, 15, 16, 17, 20, 23, 31, 32, 33, 48, 50, 63, 64};

TYPED_TEST(Dense, EveryShapeHasTheBitsOfTheText) {
  // Every lane count meets many shapes, every shape several lane counts.
  for (int out = 1; out <= 40; ++out)
    for (int in = 1 + out % trial::stride; in <= 40; in += trial::stride) {
      const int lanes = lane_counts[(out * 7 + in * 3) % 20], others = lane_counts[(out * 3 + in * 11 + 5) % 20];
      for (const int l : {lanes, others}) {
        ASSERT_TRUE(forward_equals<TypeParam>(this->random, out, in, l));
        ASSERT_TRUE(input_equals<TypeParam>(this->random, out, in, l));
        ASSERT_TRUE(weight_equals<TypeParam>(this->random, out, in, l, l));
        ASSERT_TRUE(weight_equals<TypeParam>(this->random, out, in, l, 1 + (out + in) % l));
        ASSERT_TRUE(weight_lanes_equals<TypeParam>(this->random, out, in, l));
      }
    }
}

TYPED_TEST(Dense, EveryLaneCountHasTheBitsOfTheText) {
  for (int lanes = 1; lanes <= 64; ++lanes) {
    ASSERT_TRUE(forward_equals<TypeParam>(this->random, 13, 9, lanes));
    ASSERT_TRUE(input_equals<TypeParam>(this->random, 13, 9, lanes));
    ASSERT_TRUE(forward_equals<TypeParam>(this->random, 3, 9, lanes));  // few rows
    ASSERT_TRUE(input_equals<TypeParam>(this->random, 13, 2, lanes));
    ASSERT_TRUE(weight_lanes_equals<TypeParam>(this->random, 5, 6, lanes));
    for (int samples = 1; samples <= lanes; ++samples)
      ASSERT_TRUE(weight_equals<TypeParam>(this->random, 14, 19, lanes, samples));
    ASSERT_TRUE(
        weight_equals<TypeParam>(this->random, 375, 3, lanes, lanes));  // narrow, more rows than are turned at once
  }
}

TYPED_TEST(Dense, ShortDepthsOnTheUsualTileHaveTheBitsOfTheText) {  // blocks of their own: rows of 4s, 5s, 10s, others
  for (int depth = 1; depth <= 31; ++depth)
    for (const int rows : {1, 4, 5, 8, 10, 13, 15, 20, 24, 30}) {
      ASSERT_TRUE(forward_equals<TypeParam>(this->random, rows, depth, 32));
      ASSERT_TRUE(input_equals<TypeParam>(this->random, depth, rows, 32));
    }
}

TYPED_TEST(Dense, DeepLayersCutInChunksKeepTheirChains) {
  for (const int depth : {255, 256, 257, 513, 700}) {
    ASSERT_TRUE(forward_equals<TypeParam>(this->random, 11, depth, 32));
    ASSERT_TRUE(input_equals<TypeParam>(this->random, depth, 11, 32));
    ASSERT_TRUE(weight_equals<TypeParam>(this->random, 3, depth, 32, 16));
    ASSERT_TRUE(weight_equals<TypeParam>(this->random, depth, 3, 32, 16));
  }
}

TYPED_TEST(Dense, NoInputsLeaveTheBias) {
  const Tile<TypeParam> b = {1, 2, 3};
  Tile<TypeParam> y(3 * 5, TypeParam(9));
  kernel::dense<TypeParam>(3, 0, 5, nullptr, b.data(), nullptr, y.data(), false);
  for (int o = 0; o < 3; ++o)
    for (int l = 0; l < 5; ++l) EXPECT_EQ(y[text::at(o, l, 5)], b[static_cast<std::size_t>(o)]);
}

TYPED_TEST(Dense, ALaneDoesNotKnowItsNeighbours) {
  using T = TypeParam;
  constexpr int out = 21, in = 18;
  const auto W = this->random.template tile<T>(out * in), b = this->random.template tile<T>(out);
  const auto sample = this->random.template tile<T>(in), sample_bar = this->random.template tile<T>(out);
  Tile<T> y_alone(out), x_bar_alone(in);
  kernel::dense(out, in, 1, W.data(), b.data(), sample.data(), y_alone.data());
  kernel::dense_vjp_input(out, in, 1, W.data(), sample_bar.data(), x_bar_alone.data());
  for (const int lanes : {8, 19, 32, 64})
    for (const int place : {0, 7, lanes - 1}) {
      auto x = this->random.template tile<T>(in * lanes), y_bar = this->random.template tile<T>(out * lanes);
      for (int i = 0; i < in; ++i) x[text::at(i, place, lanes)] = sample[static_cast<std::size_t>(i)];
      for (int o = 0; o < out; ++o) y_bar[text::at(o, place, lanes)] = sample_bar[static_cast<std::size_t>(o)];
      Tile<T> y(static_cast<std::size_t>(out * lanes)), x_bar(static_cast<std::size_t>(in * lanes));
      kernel::dense(out, in, lanes, W.data(), b.data(), x.data(), y.data());
      kernel::dense_vjp_input(out, in, lanes, W.data(), y_bar.data(), x_bar.data());
      for (int o = 0; o < out; ++o) ASSERT_EQ(y[text::at(o, place, lanes)], y_alone[static_cast<std::size_t>(o)]);
      for (int i = 0; i < in; ++i)
        ASSERT_EQ(x_bar[text::at(i, place, lanes)], x_bar_alone[static_cast<std::size_t>(i)]);
    }
}

TYPED_TEST(Dense, RowsSumLikeTheText) {
  using T = TypeParam;
  for (const int count : {1, 3, 8, 16, 21, 50})
    for (const int samples : {1, 5, 16, 33, 64}) {
      const auto rows = this->random.template tile<T>(count * 64);
      auto sum = this->random.template tile<T>(count), want = sum;
      kernel::sum_rows(count, 64, samples, rows.data(), sum.data());
      for (int r = 0; r < count; ++r)
        for (int l = 0; l < samples; ++l) want[static_cast<std::size_t>(r)] += rows[text::at(r, l, 64)];
      ASSERT_TRUE(text::same_bits(sum, want)) << count << " rows, " << samples << " samples";
    }
}

TEST(Dense, OwnKernelsKeepEqualBitsUpToWideLayers) {
  EXPECT_TRUE(kernel::same_bits(1024, 1024));
  EXPECT_TRUE(kernel::same_bits(4096, 2));
}
}  // namespace
