// The fixed-point state: rounding half to even, wrapping, the exact inverse, and the flags.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "revode/kernels.hpp"
#include "unit/kernel_text.hpp"

namespace {
namespace kernel = revode::kernel;
using kernel::Word;
using text::Tile;

template <class T>
class FixedPoint : public testing::Test {
 protected:
  static constexpr int bits = 8 * sizeof(T);
  static constexpr T range = sizeof(T) == 4 ? T(0x1p30) : T(0x1p62);
  text::Random random;
  std::vector<Word<T>> words(int n) {
    std::vector<Word<T>> state(static_cast<std::size_t>(n));
    for (auto& s : state) s = static_cast<Word<T>>((std::uint64_t{random.next()} << 32) | random.next());
    return state;
  }
};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(FixedPoint, Numbers);

TYPED_TEST(FixedPoint, RoundsHalfToEven) {
  using T = TypeParam;
  const Tile<T> x = {0, T(-0.0), 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, T(0.49), T(-7.51), 4194303.5, 4194302.5};
  std::vector<Word<T>> state(x.size());
  ASSERT_TRUE(kernel::quantise(x.size(), T(1), x.data(), state.data()));
  const std::vector<Word<T>> want = {0, 0, 0, 2, 2, 0, -2, -2, 0, -8, 4194304, 4194302};
  EXPECT_EQ(state, want);
}

TYPED_TEST(FixedPoint, LargeNumbersAreExact) {
  using T = TypeParam;
  Tile<T> x;
  for (int e = 20; e < this->bits - 2; ++e)
    for (const T sign : {T(1), T(-1)}) x.push_back(sign * std::ldexp(T(1.25), e - 1));
  std::vector<Word<T>> state(x.size());
  ASSERT_TRUE(kernel::quantise(x.size(), T(1), x.data(), state.data()));
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(state[i], static_cast<Word<T>>(x[i]));
}

TYPED_TEST(FixedPoint, SubtractionUndoesAdditionWhateverComes) {
  using T = TypeParam;
  for (int n = 1; n <= 70; ++n) {
    auto increment = this->random.template tile<T>(n);
    for (T& v : increment) v = std::ldexp(v, static_cast<int>(this->random.next() % 80) - 20);
    increment[0] = std::numeric_limits<T>::quiet_NaN();
    increment[static_cast<std::size_t>(n - 1)] = std::numeric_limits<T>::infinity();
    const auto before = this->words(n);  // the whole range: sums wrap
    for (const T scale : {T(1), T(1024), std::ldexp(T(1), this->bits - 12)}) {
      auto state = before;
      const bool fits = kernel::quantise_add(state.size(), scale, increment.data(), state.data());
      EXPECT_FALSE(fits);
      EXPECT_EQ(kernel::quantise_subtract(state.size(), scale, increment.data(), state.data()), fits);
      ASSERT_EQ(state, before) << n;
    }
  }
}

TYPED_TEST(FixedPoint, AddsWhatFitsAndFlagsTheRest) {
  using T = TypeParam;
  const T almost = std::nextafter(this->range, T(0)), nan = std::numeric_limits<T>::quiet_NaN();
  for (const int n : {1, 4, 9, 16, 35})
    for (int place = 0; place < n; ++place)
      for (const T bad : {this->range, -this->range, nan, std::numeric_limits<T>::infinity()}) {
        Tile<T> increment(static_cast<std::size_t>(n), T(3));
        std::vector<Word<T>> state(increment.size(), 10);
        const auto at = static_cast<std::size_t>(place);
        increment[at] = place % 2 ? almost : -almost;
        ASSERT_TRUE(kernel::quantise_add(state.size(), T(1), increment.data(), state.data()));
        ASSERT_EQ(state[at], Word<T>{10} + static_cast<Word<T>>(increment[at]));
        increment[at] = bad;
        state.assign(state.size(), 10);
        ASSERT_FALSE(kernel::quantise_add(state.size(), T(1), increment.data(), state.data()));
        for (std::size_t i = 0; i < state.size(); ++i) ASSERT_EQ(state[i], i == at ? 10 : 13);
        ASSERT_FALSE(kernel::quantise(state.size(), T(1), increment.data(), state.data()));
        ASSERT_EQ(state[at], 0);
      }
}

TYPED_TEST(FixedPoint, TheRangeEndsAtAQuarter) {
  using T = TypeParam;
  const Word<T> limit = Word<T>{1} << (this->bits - 2);
  for (const int n : {1, 4, 7, 16, 33})
    for (int place = 0; place < n; ++place) {
      std::vector<Word<T>> state(static_cast<std::size_t>(n), 5);
      Word<T>& one = state[static_cast<std::size_t>(place)];
      for (const Word<T> inside : {limit, static_cast<Word<T>>(-limit), Word<T>{0}}) {
        one = inside;
        ASSERT_TRUE(kernel::in_range<T>(state.size(), state.data()));
      }
      for (const Word<T> outside : {static_cast<Word<T>>(limit + 1), static_cast<Word<T>>(-limit - 1),
                                    std::numeric_limits<Word<T>>::max(), std::numeric_limits<Word<T>>::min()}) {
        one = outside;
        ASSERT_FALSE(kernel::in_range<T>(state.size(), state.data()));
      }
    }
}

TYPED_TEST(FixedPoint, DequantiseIsTheNearestNumber) {
  using T = TypeParam;
  const auto state = this->words(67);
  Tile<T> x(state.size());
  kernel::dequantise(state.size(), T(0x1p-10), state.data(), x.data());
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(x[i], static_cast<T>(state[i]) * T(0x1p-10));
}
}  // namespace
