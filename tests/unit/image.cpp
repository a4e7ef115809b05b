// Group normalisation, pooling and the softmax loss: against their comments in scalar loops, bit by bit, and against
// what they are for.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "unit/image_text.hpp"

namespace {
namespace kernel = revode::kernel;
using text::at;
using text::Tile;

template <class T>
class Image : public testing::Test {
 protected:
  text::Random random;
};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(Image, Numbers);

/// Four interleaved chains over n terms.
template <class T, class F>
T chains(int n, const F& step) {
  T sum[4] = {};
  for (int r = 0; r < n; ++r) sum[r % 4] = step(r, sum[r % 4]);
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

TYPED_TEST(Image, GroupNormHasTheBitsOfItsText) {
  using T = TypeParam;
  for (const kernel::Grouping& g : {kernel::Grouping{6, 3, 7}, {4, 1, 1}, {5, 5, 9}, {8, 2, 36}})
    for (const int lanes : {1, 5, 16, 20, 33}) {
      const int rows = g.size() * g.pixels;
      const auto x = this->random.template tile<T>(g.channels * g.pixels * lanes);
      const auto gamma = this->random.template tile<T>(g.channels), beta = this->random.template tile<T>(g.channels);
      Tile<T> y(x.size()), want(x.size()), moments(static_cast<std::size_t>(2 * g.groups * lanes));
      const T epsilon = T(1e-5), part = T(1) / static_cast<T>(rows);
      kernel::group_norm(g, lanes, true, epsilon, gamma.data(), beta.data(), x.data(), y.data(), moments.data());
      for (int group = 0; group < g.groups; ++group)
        for (int l = 0; l < lanes; ++l) {
          const auto v = [&](int r) { return x[at(group * rows + r, l, lanes)]; };
          const T mean = part * chains<T>(rows, [&](int r, T s) { return s + v(r); });
          const T variance = part * chains<T>(rows, [&](int r, T s) { return std::fma(v(r) - mean, v(r) - mean, s); });
          const T inverse = T(1) / std::sqrt(variance + epsilon);
          ASSERT_EQ(moments[at(2 * group, l, lanes)], mean);
          ASSERT_EQ(moments[at(2 * group + 1, l, lanes)], inverse);
          for (int r = 0; r < rows; ++r) {
            const int channel = group * g.size() + r / g.pixels;
            const auto c = static_cast<std::size_t>(channel);
            const T n = std::fma(v(r) - mean, inverse * gamma[c], beta[c]);
            want[at(group * rows + r, l, lanes)] = n < T(0) ? T(0) : n;
          }
        }
      ASSERT_TRUE(text::same_bits(y, want)) << g.channels << " channels, " << lanes << " lanes";
    }
}

TYPED_TEST(Image, NormalisedGroupsHaveMeanZeroAndVarianceOne) {
  using T = TypeParam;
  const kernel::Grouping g{4, 2, 25};
  const auto x = this->random.template tile<T>(100);
  const Tile<T> ones(4, T(1)), zeros(4, T(0));
  Tile<T> y(x.size()), moments(4);
  kernel::group_norm(g, 1, false, T(0), ones.data(), zeros.data(), x.data(), y.data(), moments.data());
  for (std::size_t group = 0; group < 2; ++group) {
    double mean = 0, square = 0;
    for (std::size_t r = 0; r < 50; ++r) {
      const auto v = static_cast<double>(y[50 * group + r]);
      mean += v / 50, square += v * v / 50;
    }
    // some 10 roundings of numbers of order 1
    EXPECT_NEAR(mean, 0, 16 * static_cast<double>(std::numeric_limits<T>::epsilon()));
    EXPECT_NEAR(square, 1, 16 * static_cast<double>(std::numeric_limits<T>::epsilon()));
  }
}

/// f(y, x) for every window and its pixels, both as rows.
template <class F>
void each_window(const kernel::Pooling& p, const F& f) {
  for (int c = 0; c < p.channels; ++c)
    for (int i = 0; i < p.out_height(); ++i)
      for (int j = 0; j < p.out_width(); ++j)
        for (int a = 0; a < p.window_height; ++a)
          for (int b = 0; b < p.window_width; ++b)
            f((c * p.out_height() + i) * p.out_width() + j,
              (c * p.height + i * p.stride + a) * p.width + j * p.stride + b, a == 0 && b == 0);
}

TYPED_TEST(Image, PoolsHaveTheBitsOfTheirText) {
  using T = TypeParam;
  for (const kernel::Pooling& p :
       {kernel::Pooling{2, 4, 5, 2, 3, 1}, {3, 6, 6, 2, 2, 2}, {2, 3, 4, 3, 4, 1}, {1, 5, 5, 1, 1, 3}})
    for (const int lanes : {1, 7, 16, 33}) {
      const auto in = p.channels * p.height * p.width * lanes,
                 out = p.channels * p.out_height() * p.out_width() * lanes;
      const auto x = this->random.template tile<T>(in), y_bar = this->random.template tile<T>(out);
      auto x_bar = this->random.template tile<T>(in);
      Tile<T> mean(y_bar.size()), most(y_bar.size()), mean_want(y_bar.size()), most_want(y_bar.size()),
          x_bar_want = x_bar;
      const T part = T(1) / static_cast<T>(p.window_height * p.window_width);
      kernel::pool_average(p, lanes, x.data(), mean.data());
      kernel::pool_max(p, lanes, x.data(), most.data());
      kernel::pool_average_vjp(p, lanes, y_bar.data(), x_bar.data());
      for (int l = 0; l < lanes; ++l)
        each_window(p, [&](int to, int from, bool first) {
          T &sum = mean_want[at(to, l, lanes)], &top = most_want[at(to, l, lanes)], v = x[at(from, l, lanes)];
          sum = (first ? T(0) : sum) + v;
          top = first || v > top ? v : top;
          T& bar = x_bar_want[at(from, l, lanes)];
          bar = std::fma(part, y_bar[at(to, l, lanes)], bar);
        });
      for (T& v : mean_want) v *= part;
      ASSERT_TRUE(text::same_bits(mean, mean_want));
      ASSERT_TRUE(text::same_bits(most, most_want));
      ASSERT_TRUE(text::same_bits(x_bar, x_bar_want));
    }
}

TYPED_TEST(Image, OfEqualMaximaTheFirstTakesTheCotangent) {
  using T = TypeParam;
  const kernel::Pooling p{1, 2, 2, 2, 2, 2};
  const Tile<T> x = {1, 3, 3, 2}, y = {3}, y_bar = {5};
  Tile<T> x_bar = {1, 1, 1, 1};
  kernel::pool_max_vjp(p, 1, x.data(), y.data(), y_bar.data(), x_bar.data());
  EXPECT_EQ(x_bar, (Tile<T>{1, 6, 1, 1}));
}

TYPED_TEST(Image, SoftmaxLossIsThatOfItsDefinition) {
  using T = TypeParam;
  constexpr int classes = 7;
  for (const int lanes : {1, 5, 16, 33}) {
    auto y = this->random.template tile<T>(classes * lanes);
    for (T& v : y) v *= 8;
    std::vector<int> label(static_cast<std::size_t>(lanes));
    for (int l = 0; l < lanes; ++l) label[static_cast<std::size_t>(l)] = (l * 3) % 8 - 1;
    Tile<T> loss(static_cast<std::size_t>(lanes)), alone = loss, y_bar(y.size());
    kernel::softmax_loss(classes, lanes, y.data(), label.data(), loss.data(), y_bar.data());
    kernel::softmax_loss<T>(classes, lanes, y.data(), label.data(), alone.data(), nullptr);
    EXPECT_TRUE(text::same_bits(loss, alone));
    for (int l = 0; l < lanes; ++l) {
      const int k = label[static_cast<std::size_t>(l)];
      long double sum = 0;
      for (int c = 0; c < classes; ++c) sum += std::exp(static_cast<long double>(y[at(c, l, lanes)]));
      const long double want = k < 0 ? 0 : std::log(sum) - static_cast<long double>(y[at(k, l, lanes)]);
      // terms up to 16, a few ulp in exp and log
      const double bound = 128 * static_cast<double>(std::numeric_limits<T>::epsilon());
      EXPECT_NEAR(static_cast<double>(loss[static_cast<std::size_t>(l)]), static_cast<double>(want), bound);
      for (int c = 0; c < classes; ++c) {
        const long double p = std::exp(static_cast<long double>(y[at(c, l, lanes)])) / sum - (c == k ? 1 : 0);
        EXPECT_NEAR(static_cast<double>(y_bar[at(c, l, lanes)]), static_cast<double>(k < 0 ? 0 : p), bound);
      }
    }
  }
}

TYPED_TEST(Image, SoftmaxLossOfGreatNumbersIsFinite) {
  using T = TypeParam;
  const Tile<T> y = {T(1e30), T(-1e30), T(0)};
  const int label = 0;
  Tile<T> loss(1), y_bar(3);
  kernel::softmax_loss(3, 1, y.data(), &label, loss.data(), y_bar.data());
  EXPECT_EQ(loss[0], T(0));
  EXPECT_EQ(y_bar, (Tile<T>{0, 0, 0}));
}
}  // namespace
