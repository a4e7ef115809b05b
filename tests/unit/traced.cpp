// The sweeps of a closed trace have the bits of what they put together.
#include "kernels/traced.hpp"

#include <gtest/gtest.h>

#include "unit/kernel_text.hpp"

namespace {
namespace kernel = revode::kernel;
using revode::Activation;
using text::activations;
using text::Tile;

template <class T>
class Traced : public testing::Test {
 protected:
  text::Random random;
};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(Traced, Numbers);

TYPED_TEST(Traced, SweepsHaveTheBitsOfTheirParts) {
  using T = TypeParam;
  for (const Activation a : activations)
    for (const int rows : {1, 5})
      for (const int d : {1, 2, 3, 4, 6})
        for (const int lanes : {1, 3, 16, 23, 64, 77}) {
          const int n = rows * lanes;
          const auto count = static_cast<std::size_t>(n);
          const auto x = this->random.template tile<T>(d * lanes), W = this->random.template tile<T>(d * rows),
                     b = this->random.template tile<T>(rows);
          const Tile<T> ones(count, T(1));
          Tile<T> before(count), y(count), slope(count), argument(count), want_y(count), want_slope(count);
          kernel::dense_and_slope(a, rows, d, lanes, W.data(), b.data(), x.data(),
                                  a == Activation::silu ? before.data() : y.data(), y.data(), slope.data());
          kernel::dense(rows, d, lanes, W.data(), b.data(), x.data(), argument.data());
          kernel::activate(a, count, argument.data(), want_y.data());
          kernel::activate_vjp(a, count, argument.data(), want_y.data(), ones.data(), want_slope.data());
          ASSERT_TRUE(text::same_bits(y, want_y) && text::same_bits(slope, want_slope)) << lanes;
          if (a == Activation::silu) {
            ASSERT_TRUE(text::same_bits(before, argument)) << lanes;
          }

          const auto y_bar = this->random.template tile<T>(d * lanes), u = this->random.template tile<T>(n),
                     by = this->random.template tile<T>(lanes);
          Tile<T> through(count), scaled(count), e(count), want_e(count), want(count), both(count), alone(count);
          for (int r = 0; r < rows; ++r)
            for (int l = 0; l < lanes; ++l) {
              scaled[text::at(r, l, lanes)] = by[static_cast<std::size_t>(l)] * u[text::at(r, l, lanes)];
              want_e[text::at(r, l, lanes)] = by[static_cast<std::size_t>(l)] * slope[text::at(r, l, lanes)];
            }
          kernel::dense_vjp_input(d, rows, lanes, W.data(), y_bar.data(), through.data());
          kernel::activate_vjp(a, count, argument.data(), y.data(), through.data(), want.data());
          kernel::activate_curve(a, count, argument.data(), y.data(), ones.data(), scaled.data(), want.data());
          kernel::dense_and_slope_vjp(a, rows, d, lanes, argument.data(), y.data(), W.data(), y_bar.data(), by.data(),
                                      u.data(), both.data(), e.data());
          alone = through;
          kernel::activate_and_slope_vjp(a, count, argument.data(), y.data(), alone.data(), scaled.data(),
                                         alone.data());
          ASSERT_TRUE(text::same_bits(both, want) && text::same_bits(alone, want)) << lanes;
          ASSERT_TRUE(text::same_bits(e, want_e)) << lanes;
        }
}

TYPED_TEST(Traced, DotsOfRowsAreChains) {
  using T = TypeParam;
  for (const Activation a : activations)
    for (const int rows : {1, 6})
      for (int lanes = 1; lanes <= 80; ++lanes) {
        const std::size_t count = text::at(rows, 0, lanes);
        const auto x = this->random.template tile<T>(rows * lanes), u = this->random.template tile<T>(rows * lanes);
        const Tile<T> ones(count, T(1));
        Tile<T> y(count), want_y(count), slope(count);
        Tile<T> sum(static_cast<std::size_t>(lanes)), want(sum.size(), T(0));
        kernel::activate_and_dot(a, rows, lanes, x.data(), y.data(), u.data(), sum.data());
        kernel::activate(a, count, x.data(), want_y.data());
        kernel::activate_vjp(a, count, x.data(), want_y.data(), ones.data(), slope.data());
        for (int r = 0; r < rows; ++r)
          for (int l = 0; l < lanes; ++l) {
            T& w = want[static_cast<std::size_t>(l)];
            w = std::fma(slope[text::at(r, l, lanes)], u[text::at(r, l, lanes)], w);
          }
        ASSERT_TRUE(text::same_bits(y, want_y) && text::same_bits(sum, want)) << lanes;
      }
}
}  // namespace
