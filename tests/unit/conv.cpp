// Convolution kernels against the scalar text, bit by bit: kernels, strides, paddings, lanes, leaves, with and without
// t.
#include <gtest/gtest.h>

#include "numerics/sanitized.hpp"
#include "unit/image_text.hpp"

namespace {
namespace kernel = revode::kernel;
using text::Convolution;
using text::Tile;

template <class T>
class Conv : public testing::Test {
 protected:
  text::Random random;
};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(Conv, Numbers);

std::string name(const Convolution& c, int lanes) {
  return std::to_string(c.in) + " to " + std::to_string(c.out) + " channels, " + std::to_string(c.height) + " x " +
         std::to_string(c.width) + ", kernel " + std::to_string(c.kernel) + ", stride " + std::to_string(c.stride) +
         ", padding " + std::to_string(c.padding) + (c.time ? ", time, " : ", ") + std::to_string(lanes) + " lanes";
}

template <class T>
void forward_equals(text::Random& random, const Convolution& c, int lanes) {
  const auto W = random.tile<T>(c.weights()), b = random.tile<T>(c.out), x = random.tile<T>(c.rows_in() * lanes);
  const auto before = random.tile<T>(c.rows_out() * lanes);
  const T t = random.unit<T>();
  for (int way = 0; way < 3; ++way) {  // without bias, with, added
    Tile<T> y = before, want = before;
    const T* bias = way == 1 ? b.data() : nullptr;
    kernel::convolve(c, lanes, W.data(), bias, t, x.data(), y.data(), way == 2);
    text::convolve(c, lanes, W, bias, t, x, want, way == 2);
    ASSERT_TRUE(text::same_bits(y, want)) << name(c, lanes) << ", way " << way;
  }
}
template <class T>
void input_equals(text::Random& random, const Convolution& c, int lanes) {
  const auto W = random.tile<T>(c.weights()), y_bar = random.tile<T>(c.rows_out() * lanes);
  const auto before = random.tile<T>(c.rows_in() * lanes);
  for (const bool add : {false, true}) {
    Tile<T> x_bar = before, want = before;
    kernel::convolve_vjp_input(c, lanes, W.data(), y_bar.data(), x_bar.data(), add);
    text::convolve_vjp_input(c, lanes, W, y_bar, want, add);
    ASSERT_TRUE(text::same_bits(x_bar, want)) << name(c, lanes) << ", add " << add;
  }
}
template <class T>
void weight_equals(text::Random& random, const Convolution& c, int lanes, int samples) {
  const auto y_bar = random.tile<T>(c.rows_out() * lanes), x = random.tile<T>(c.rows_in() * lanes);
  const auto W_before = random.tile<T>(c.weights()), b_before = random.tile<T>(c.out);
  const T t = random.unit<T>();
  Tile<T> W_bar = W_before, b_bar = b_before, W_want = W_before, b_want = b_before, W_alone = W_before;
  kernel::convolve_vjp_weight(c, lanes, samples, t, y_bar.data(), x.data(), W_bar.data(), b_bar.data());
  kernel::convolve_vjp_weight<T>(c, lanes, samples, t, y_bar.data(), x.data(), W_alone.data(), nullptr);
  text::convolve_vjp_weight(c, lanes, samples, t, y_bar, x, W_want, b_want);
  ASSERT_TRUE(text::same_bits(W_bar, W_want)) << name(c, lanes) << ", " << samples << " samples";
  ASSERT_TRUE(text::same_bits(b_bar, b_want)) << name(c, lanes) << ", " << samples << " samples";
  ASSERT_TRUE(text::same_bits(W_alone, W_want)) << name(c, lanes) << ", " << samples << " samples";
}
template <class T>
void weight_lanes_equals(text::Random& random, const Convolution& c, int lanes) {
  const auto y_bar = random.tile<T>(c.rows_out() * lanes), x = random.tile<T>(c.rows_in() * lanes);
  auto W_bar = random.tile<T>(c.weights() * lanes), b_bar = random.tile<T>(c.out * lanes);
  const T t = random.unit<T>();
  Tile<T> W_want = W_bar, b_want = b_bar;
  kernel::convolve_vjp_weight_lanes(c, lanes, t, y_bar.data(), x.data(), W_bar.data(), b_bar.data());
  text::convolve_vjp_weight_lanes(c, lanes, t, y_bar, x, W_want, b_want);
  ASSERT_TRUE(text::same_bits(W_bar, W_want)) << name(c, lanes);
  ASSERT_TRUE(text::same_bits(b_bar, b_want)) << name(c, lanes);
}
template <class T>
void all_equal(text::Random& random, const Convolution& c, int lanes) {
  ASSERT_TRUE(c.valid()) << name(c, lanes);
  ASSERT_NO_FATAL_FAILURE(forward_equals<T>(random, c, lanes));
  ASSERT_NO_FATAL_FAILURE(input_equals<T>(random, c, lanes));
  ASSERT_NO_FATAL_FAILURE(weight_equals<T>(random, c, lanes, lanes));
  ASSERT_NO_FATAL_FAILURE(weight_equals<T>(random, c, lanes, 1 + lanes / 2));
  ASSERT_NO_FATAL_FAILURE(weight_lanes_equals<T>(random, c, lanes));
}

constexpr int lane_counts[] = {1, 3, 5, 8, 15, 16, 17, 20, 31, 32, 48, 64};

TYPED_TEST(Conv, EveryKernelStrideAndPaddingHasTheBitsOfTheText) {
  int turn = 0;
  for (int k = 1; k <= 5; ++k)
    for (int stride = 1; stride <= 3; ++stride)
      for (int padding = 0; padding < k; ++padding, ++turn) {
        const Convolution c{1 + turn % 3, 1 + turn % 5, 5 + turn % 2, 5 + turn % 3, k, stride, padding, turn % 2 == 0};
        ASSERT_NO_FATAL_FAILURE(all_equal<TypeParam>(this->random, c, lane_counts[turn % 12]));
      }
}

TYPED_TEST(Conv, EveryNumberOfChannelsHasTheBitsOfTheText) {
  int turn = 0;
  for (int out = 1; out <= 27; out += trial::stride, ++turn) {
    const int in = 1 + (7 * out) % 11;
    const Convolution c{in, out, 3, 4, 3, 1, 1, turn % 2 == 0};
    ASSERT_NO_FATAL_FAILURE(all_equal<TypeParam>(this->random, c, lane_counts[turn % 12]));
    ASSERT_NO_FATAL_FAILURE(input_equals<TypeParam>(this->random, {out, in, 3, 4, 3, 1, 1, false}, 32));
  }
}

TYPED_TEST(Conv, EveryLaneCountHasTheBitsOfTheText) {
  for (int lanes = 1; lanes <= 64; ++lanes)
    ASSERT_NO_FATAL_FAILURE(all_equal<TypeParam>(this->random, {3, 5, 3, 3, 3, 1, 1, lanes % 2 == 0}, lanes));
}

/// Lines of several runs, images of several pieces, more weights of an output than sums, more of a kernel row.
TYPED_TEST(Conv, ImagesOfManyPixelsAndLargeKernelsHaveTheBitsOfTheText) {
  const std::pair<Convolution, int> shapes[] = {
      {{3, 17, 13, 9, 3, 1, 1, true}, 16}, {{1, 33, 9, 26, 3, 1, 0}, 16},       {{14, 40, 7, 7, 3, 1, 1}, 16},
      {{13, 5, 2, 17, 4, 2, 1, true}, 64}, {{2, 3, 14, 13, 12, 1, 6, true}, 5}, {{1, 2, 7, 8, 6, 1, 3, true}, 20},
      {{4, 3, 12, 25, 3, 1, 1, true}, 1},  {{41, 7, 6, 7, 3, 1, 1, true}, 32},  {{37, 19, 6, 13, 4, 2, 1, true}, 16}};
  for (const auto& [c, lanes] : shapes) ASSERT_NO_FATAL_FAILURE(all_equal<TypeParam>(this->random, c, lanes));
  ASSERT_NO_FATAL_FAILURE(weight_equals<TypeParam>(this->random, {1, 1, 131, 132, 131, 1, 0}, 3, 3));
}

/// A kernel as large as the image, an image of one pixel, a stride longer than the kernel.
TYPED_TEST(Conv, Edges) {
  const Convolution edges[] = {{2, 3, 4, 4, 4, 1, 0, true}, {2, 3, 1, 1, 3, 1, 1, true}, {2, 3, 1, 5, 1, 1, 0, false},
                               {2, 3, 7, 7, 2, 3, 1, true}, {2, 3, 2, 2, 5, 2, 4, true}, {1, 1, 1, 1, 1, 1, 0, false}};
  for (const Convolution& c : edges)
    for (const int lanes : {1, 16, 32}) ASSERT_NO_FATAL_FAILURE(all_equal<TypeParam>(this->random, c, lanes));
}

TYPED_TEST(Conv, TimeAloneIsItsSlopeTimesT) {
  using T = TypeParam;
  const Convolution c{2, 3, 4, 5, 3, 1, 1, true};
  const auto W = this->random.template tile<T>(c.weights());
  const Tile<T> x(static_cast<std::size_t>(c.rows_in()));
  Tile<T> y(static_cast<std::size_t>(c.rows_out())), slope = y;
  kernel::convolve<T>(c, 1, W.data(), nullptr, T(2), x.data(), y.data());
  kernel::convolve_time(c, W.data(), slope.data());
  // 9 roundings of terms below 2
  for (std::size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], 2 * slope[i], 64 * std::numeric_limits<T>::epsilon());
}

TEST(Conv, SizesThatDoNotFitAreNotValid) {
  EXPECT_TRUE((Convolution{1, 1, 3, 3, 3, 1, 0}.valid()));
  EXPECT_FALSE((Convolution{1, 1, 2, 3, 3, 1, 0}.valid()));
  EXPECT_FALSE((Convolution{1, 1, 3, 3, 3, 0, 1}.valid()));
  EXPECT_FALSE((Convolution{1, 1, 3, 3, 3, 1, 3}.valid()));  // a pixel that no tap meets
  EXPECT_FALSE((Convolution{0, 1, 3, 3, 3, 1, 1}.valid()));
}
}  // namespace
