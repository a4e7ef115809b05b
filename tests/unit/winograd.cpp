// Winograd's convolution against its scalar text, bit by bit, and against the direct one in double, within what its
// roundings can amount to; its choice by shape.
#include "unit/winograd_text.hpp"

#include <gtest/gtest.h>

namespace {
namespace kernel = revode::kernel;
using text::Convolution;
using text::Tile;

template <class T>
class Winograd : public testing::Test {
 protected:
  text::Random random;
};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(Winograd, Numbers);

std::string name(const Convolution& c, int lanes) {
  return std::to_string(c.in) + " to " + std::to_string(c.out) + " channels, " + std::to_string(c.height) + " x " +
         std::to_string(c.width) + (c.time ? ", time, " : ", ") + std::to_string(lanes) + " lanes";
}

template <class T>
void equals(text::Random& random, const Convolution& c, int lanes) {
  const text::Winograd<T> text{c, lanes};
  const auto W = random.tile<T>(c.weights()), b = random.tile<T>(c.out), x = random.tile<T>(c.rows_in() * lanes);
  const auto y_bar = random.tile<T>(c.rows_out() * lanes), W_before = random.tile<T>(c.weights());
  const T t = random.unit<T>();
  // What lies in the work of a call before does not show.
  Tile<T> work(kernel::WinogradSizes(c, lanes).scalars(), std::numeric_limits<T>::quiet_NaN());
  for (const bool add : {false, true}) {
    Tile<T> y = y_bar, y_want = y, x_bar = x, x_want = x;
    kernel::winograd(c, lanes, W.data(), b.data(), t, x.data(), y.data(), add, work.data());
    text.forward(W, b.data(), t, x, y_want, add);
    ASSERT_TRUE(text::same_bits(y, y_want)) << name(c, lanes) << ", add " << add;
    kernel::winograd_vjp_input(c, lanes, W.data(), y_bar.data(), x_bar.data(), add, work.data());
    text.back(W, y_bar, x_want, add);
    ASSERT_TRUE(text::same_bits(x_bar, x_want)) << name(c, lanes) << ", add " << add;
  }
  for (const int samples : {lanes, 1 + lanes / 2}) {
    Tile<T> W_bar = W_before, want = W_before, b_bar = b, b_want = b, direct = W_before;
    // The last of the lanes, behind which no memory is anybody's; to the text they are the first.
    const int first = lanes - samples;
    Tile<T> y_leaf(y_bar.begin() + first, y_bar.end()), x_leaf(x.begin() + first, x.end());
    y_leaf.resize(y_bar.size()), x_leaf.resize(x.size());
    kernel::winograd_vjp_weight(c, lanes, samples, t, y_bar.data() + first, x.data() + first, W_bar.data(),
                                b_bar.data(), work.data());
    text.weight(samples, y_leaf, x_leaf, want);
    text::convolve_vjp_weight(c, lanes, samples, t, y_leaf, x_leaf, direct, b_want);
    const int row = 9 * (c.in + 1);  // of a kernel with time, 3 x 3
    for (int k = 0; c.time && k < c.out * row; ++k)
      if (k % row < 9) want[static_cast<std::size_t>(k)] = direct[static_cast<std::size_t>(k)];
    ASSERT_TRUE(text::same_bits(W_bar, want)) << name(c, lanes) << ", " << samples << " samples";
    ASSERT_TRUE(text::same_bits(b_bar, b_want)) << name(c, lanes) << ", " << samples << " samples";
  }
}
TYPED_TEST(Winograd, EveryShapeHasTheBitsOfTheText) {
  const int lane_counts[] = {1, 3, 16, 20, 32, 7, 48, 64};
  int turn = 0;
  for (int height = 2; height <= 7; ++height, ++turn)
    ASSERT_NO_FATAL_FAILURE(equals<TypeParam>(
        this->random, {1 + 7 * turn % 19, 2 + 5 * turn % 13, height, 2 + 3 * turn % 7, 3, 1, 1, turn % 2 == 0},
        lane_counts[turn]));
  for (const int lanes : lane_counts)
    for (const int width : {3, 4}) {  // tiles 3 pixels wide, and 2
      const Convolution c{3, 4, 4, width, 3, 1, 1, true};
      ASSERT_EQ(kernel::winograd_pixels(c), width == 3 ? 3 : 2);
      ASSERT_NO_FATAL_FAILURE(equals<TypeParam>(this->random, c, lanes));
    }
  ASSERT_NO_FATAL_FAILURE(equals<TypeParam>(this->random, {33, 17, 2, 2, 3, 1, 1, true}, 2));
  ASSERT_NO_FATAL_FAILURE(equals<TypeParam>(this->random, {17, 9, 6, 5, 3, 1, 1}, 16));
  ASSERT_NO_FATAL_FAILURE(equals<TypeParam>(this->random, {2, 3, 9, 14, 3, 1, 1}, 16));  // tiles in parts
}
TYPED_TEST(Winograd, EveryShapeOfAStrideOfTwoHasTheBitsOfTheText) {
  const int lane_counts[] = {1, 3, 16, 20, 32, 7, 48, 64};
  int turn = 0;
  for (int height = 2; height <= 9; ++height, ++turn)
    ASSERT_NO_FATAL_FAILURE(equals<TypeParam>(
        this->random, {1 + 5 * turn % 11, 2 + 3 * turn % 5, height, 2 + 3 * turn % 8, 4, 2, 1}, lane_counts[turn]));
  ASSERT_NO_FATAL_FAILURE(equals<TypeParam>(this->random, {33, 17, 2, 2, 4, 2, 1}, 2));
  ASSERT_NO_FATAL_FAILURE(equals<TypeParam>(this->random, {3, 2, 4, 23, 4, 2, 1}, 16));  // tiles in parts
}

/// |Winograd in float - direct in double| <= n u / (1 - n u) times the sum of magnitudes that the text's bound gives,
/// n the roundings of an element one after another (Higham 2002, section 3.1): those of the transforms, one a product,
/// one of b or what is there.
void close(const Tile<float>& is, const Tile<double>& truth, const Tile<double>& magnitude, int roundings) {
  const double u = 0.5 * static_cast<double>(std::numeric_limits<float>::epsilon()), nu = roundings * u;
  for (std::size_t i = 0; i < is.size(); ++i)
    ASSERT_LE(std::abs(static_cast<double>(is[i]) - truth[i]), nu / (1 - nu) * magnitude[i]) << i;
}
Tile<double> exactly(const Tile<float>& v) {
  return Tile<double>(v.begin(), v.end());
}
/// Roundings of a transform of both axes, constants' among them.
struct Roundings {
  int inward, weights, outward, outward_vjp, weights_vjp;
};
void errs_by_its_roundings(const Convolution& c, const Roundings& n) {
  text::Random random;
  const int lanes = 2;
  const auto W = random.tile<float>(c.weights()), x = random.tile<float>(c.rows_in() * lanes);
  const auto y_bar = random.tile<float>(c.rows_out() * lanes);
  const Tile<double> W_exact = exactly(W), x_exact = exactly(x), y_exact = exactly(y_bar);
  const text::Winograd<double> bound{c, lanes, true};
  Tile<float> work(kernel::WinogradSizes(c, lanes).scalars());
  Tile<float> y(y_bar.size()), x_bar(x.size()), W_bar(W.size());
  Tile<double> y_true(y.size()), y_size(y.size()), x_true(x.size()), x_size(x.size()), W_true(W.size());
  Tile<double> W_size(W.size()), b_true(32);

  kernel::winograd<float>(c, lanes, W.data(), nullptr, 0, x.data(), y.data(), false, work.data());
  text::convolve<double>(c, lanes, W_exact, nullptr, 0, x_exact, y_true, false);
  bound.forward(W_exact, nullptr, 0, x_exact, y_size, false);
  ASSERT_NO_FATAL_FAILURE(close(y, y_true, y_size, n.inward + n.weights + c.stride * c.stride * c.in + n.outward + 1));

  kernel::winograd_vjp_input<float>(c, lanes, W.data(), y_bar.data(), x_bar.data(), false, work.data());
  text::convolve_vjp_input<double>(c, lanes, W_exact, y_exact, x_true, false);
  bound.back(W_exact, y_exact, x_size, false);
  ASSERT_NO_FATAL_FAILURE(close(x_bar, x_true, x_size, n.inward + n.weights + c.out + n.outward + 1));

  kernel::winograd_vjp_weight<float>(c, lanes, lanes, 0, y_bar.data(), x.data(), W_bar.data(), nullptr, work.data());
  text::convolve_vjp_weight<double>(c, lanes, lanes, 0, y_exact, x_exact, W_true, b_true);
  bound.weight(lanes, y_exact, x_exact, W_size);
  const int pixels = kernel::winograd_pixels(c);
  const int tiles = kernel::winograd_tiles(c.out_height(), pixels) * kernel::winograd_tiles(c.out_width(), pixels);
  ASSERT_NO_FATAL_FAILURE(close(W_bar, W_true, W_size, n.inward + n.outward_vjp + tiles * lanes + n.weights_vjp + 1));
}
TEST(Winograd, ErrsByNoMoreThanItsRoundings) {
  errs_by_its_roundings({33, 32, 4, 6, 3, 1, 1}, {2, 4, 4, 2, 4});
}
TEST(Winograd, ErrsByNoMoreThanItsRoundingsOfLargeTiles) {
  errs_by_its_roundings({33, 32, 6, 6, 3, 1, 1}, {4, 8, 6, 4, 10});
}
TEST(Winograd, ErrsByNoMoreThanItsRoundingsOfAStrideOfTwo) {
  errs_by_its_roundings({33, 32, 12, 13, 4, 2, 1}, {2, 2, 2, 2, 2});
}

TEST(Winograd, IsChosenByShape) {
  const auto pays = [](int in, int out, int side, int kernel = 3, int stride = 1, int padding = 1) {
    return kernel::winograd_pays({in, out, side, side, kernel, stride, padding});
  };
  static_assert(kernel::winograd_pays({64, 64, 6, 6}), "the map of the published ODENet");
  EXPECT_TRUE(pays(64, 64, 7) && pays(64, 64, 4) && pays(64, 64, 5) && pays(32, 32, 28) && pays(32, 32, 6));
  // 1.2 MB of floats: 25 points of 64 x 64 weights and of 4 tiles before and after, a line apart; 9 bases
  static_assert(kernel::WinogradSizes({64, 64, 6, 6}, 16).scalars() ==
                25 * (64 * 64 + 16) + 2 * 25 * (64 * 4 * 16 + 16) + 9 * 64);
  // 16 points of 2 x 2 pixels or 25 of 3 x 3: 144 and 100, 256 and 225, 784 and 625 multiplications
  static_assert(kernel::winograd_pixels({64, 64, 6, 6}) == 3 && kernel::winograd_pixels({64, 64, 7, 7}) == 2 &&
                kernel::winograd_pixels({64, 64, 14, 14}) == 3);
  EXPECT_FALSE(pays(64, 64, 3) || pays(64, 64, 2)) << "too few tiles";
  EXPECT_FALSE(pays(64, 16, 6) || pays(1, 64, 28));
  EXPECT_TRUE(pays(64, 64, 26, 4, 2) && pays(64, 64, 13, 4, 2)) << "the stem of the published ODENet";
  EXPECT_FALSE(pays(64, 64, 5, 4, 2)) << "one tile of y";
  EXPECT_FALSE(pays(64, 64, 10, 4, 2) || pays(64, 64, 6, 3, 2) || pays(64, 64, 6, 3, 1, 0));
}
}  // namespace
