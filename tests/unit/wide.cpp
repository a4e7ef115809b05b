// Layers as wide as OpenBLAS takes them: equal bits where our kernels compute them, a derived bound where OpenBLAS
// does.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "revode/kernels.hpp"
#include "unit/kernel_text.hpp"

namespace {
namespace kernel = revode::kernel;
using text::Tile;
constexpr int n = 2048, lanes = 4;

template <class T>
class Wide : public testing::Test {
 protected:
  text::Random random;
};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(Wide, Numbers);

/// Two sums of `terms` products below one in magnitude, in any two orders of rounding, differ by 2 terms u times the
/// sum of magnitudes at most (Higham, Accuracy and Stability, 3.1), and that sum is at most terms + 1.
template <class T>
testing::AssertionResult agree(const Tile<T>& got, const Tile<T>& want, int terms) {
  if (kernel::same_bits(n, n))
    return text::same_bits(got, want) ? testing::AssertionSuccess() : testing::AssertionFailure() << "other bits";
  const double bound = 2.0 * terms * (terms + 1) * static_cast<double>(std::numeric_limits<T>::epsilon()) / 2;
  for (std::size_t i = 0; i < got.size(); ++i)
    if (!(std::fabs(static_cast<double>(got[i] - want[i])) <= bound))
      return testing::AssertionFailure() << got[i] << " instead of " << want[i] << " at " << i;
  return testing::AssertionSuccess();
}

TYPED_TEST(Wide, ForwardWithEveryStart) {
  using T = TypeParam;
  const auto W = this->random.template tile<T>(n * n), x = this->random.template tile<T>(n * lanes);
  const auto b = this->random.template tile<T>(n), before = this->random.template tile<T>(n * lanes);
  for (int way = 0; way < 3; ++way) {  // without bias, with, added
    const T* bias = way == 1 ? b.data() : nullptr;
    Tile<T> y = before, want = before;
    kernel::dense(n, n, lanes, W.data(), bias, x.data(), y.data(), way == 2);
    text::dense(n, n, lanes, W, bias, x, want, way == 2);
    EXPECT_TRUE(agree(y, want, n)) << "way " << way;
  }
}

/// Small integers: no sum of them is rounded, so every order must give the same bits, and nothing hides in a bound.
TYPED_TEST(Wide, SmallIntegersAreExactInAnyOrder) {
  using T = TypeParam;
  const auto integers = [&](int size) {
    auto values = this->random.template tile<T>(size);
    for (T& v : values) v = std::nearbyint(8 * v);  // 2048 products of at most 64: below 2^24
    return values;
  };
  const auto W = integers(n * n), x = integers(n * lanes), y_bar = integers(n * lanes), b = integers(n);
  Tile<T> y(x.size()), x_bar(x.size()), W_bar = W, b_bar = b;
  Tile<T> y_want = y, x_want = x_bar, W_want = W, b_want = b;
  kernel::dense(n, n, lanes, W.data(), b.data(), x.data(), y.data());
  kernel::dense_vjp_input(n, n, lanes, W.data(), y_bar.data(), x_bar.data());
  kernel::dense_vjp_weight(n, n, lanes, lanes, y_bar.data(), x.data(), W_bar.data(), b_bar.data());
  text::dense(n, n, lanes, W, b.data(), x, y_want, false);
  text::dense_vjp_input(n, n, lanes, W, y_bar, x_want, false);
  text::dense_vjp_weight(n, n, lanes, lanes, y_bar, x, W_want, b_want);
  EXPECT_EQ(y, y_want);
  EXPECT_EQ(x_bar, x_want);
  EXPECT_EQ(W_bar, W_want);
  EXPECT_EQ(b_bar, b_want);
}

TYPED_TEST(Wide, InputCotangent) {
  using T = TypeParam;
  const auto W = this->random.template tile<T>(n * n), y_bar = this->random.template tile<T>(n * lanes);
  const auto before = this->random.template tile<T>(n * lanes);
  for (const bool add : {false, true}) {
    Tile<T> x_bar = before, want = before;
    kernel::dense_vjp_input(n, n, lanes, W.data(), y_bar.data(), x_bar.data(), add);
    text::dense_vjp_input(n, n, lanes, W, y_bar, want, add);
    EXPECT_TRUE(agree(x_bar, want, n)) << "add " << add;
  }
}

TYPED_TEST(Wide, WeightGradient) {
  using T = TypeParam;
  const auto x = this->random.template tile<T>(n * lanes), y_bar = this->random.template tile<T>(n * lanes);
  Tile<T> W_bar = this->random.template tile<T>(n * n), W_want = W_bar;
  Tile<T> b_bar = this->random.template tile<T>(n), b_want = b_bar;
  kernel::dense_vjp_weight(n, n, lanes, lanes - 1, y_bar.data(), x.data(), W_bar.data(), b_bar.data());
  text::dense_vjp_weight(n, n, lanes, lanes - 1, y_bar, x, W_want, b_want);
  EXPECT_TRUE(agree(W_bar, W_want, lanes));
  EXPECT_TRUE(text::same_bits(b_bar, b_want)) << "the bias is ours everywhere";
}
}  // namespace
