// Activations' derivatives, combinations and products over arrays: against the text, in place, at every length.
#include "revode/kernels.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "unit/kernel_text.hpp"

namespace {
namespace kernel = revode::kernel;
using revode::Activation;
using text::activations;
using text::Tile;

template <class T>
class Elementwise : public testing::Test {
 protected:
  text::Random random;
};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(Elementwise, Numbers);

/// The derivatives of order 1 and 2 in long double, from the definitions.
long double slope(Activation a, long double x, int order) {
  const long double s = 1 / (1 + std::exp(-x)), t = std::tanh(x), e = std::exp(x);
  switch (a) {
    case Activation::identity:
      return order == 1 ? 1 : 0;
    case Activation::tanh:
      return order == 1 ? 1 - t * t : -2 * t * (1 - t * t);
    case Activation::elu:
      return x > 0 ? (order == 1 ? 1 : 0) : e;
    case Activation::softplus:
      return order == 1 ? s : s * (1 - s);
    case Activation::relu:
      return order == 1 && x > 0 ? 1 : 0;
    case Activation::silu:
      return order == 1 ? s * (1 + x * (1 - s)) : s * (1 - s) * (2 + x * (1 - 2 * s));
    case Activation::sigmoid:
      return order == 1 ? s * (1 - s) : s * (1 - s) * (1 - 2 * s);
  }
  return 0;
}

TYPED_TEST(Elementwise, DerivativesAreThoseOfTheDefinitions) {
  using T = TypeParam;
  constexpr int n = 500;
  Tile<T> x(n), y(n), first(n), second(n, T(0));
  const Tile<T> ones(n, T(1));
  for (int i = 0; i < n; ++i) x[static_cast<std::size_t>(i)] = T(-6.03) + T(12) * static_cast<T>(i) / T(n);
  // Everything is written in y, which carries an error of 5 ulp at most, against values of order 1.
  const double tolerance = 16 * static_cast<double>(std::numeric_limits<T>::epsilon());
  for (const Activation a : activations) {
    const T* argument = a == Activation::silu ? x.data() : nullptr;
    kernel::activate(a, x.size(), x.data(), y.data());
    kernel::activate_vjp(a, x.size(), argument, y.data(), ones.data(), first.data());
    std::fill(second.begin(), second.end(), T(0));
    kernel::activate_curve(a, x.size(), argument, y.data(), ones.data(), ones.data(), second.data());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const auto wide = static_cast<long double>(x[i]);
      EXPECT_NEAR(static_cast<double>(first[i]), static_cast<double>(slope(a, wide, 1)), tolerance)
          << static_cast<int>(a) << " at " << x[i];
      EXPECT_NEAR(static_cast<double>(second[i]), static_cast<double>(slope(a, wide, 2)), tolerance)
          << static_cast<int>(a) << " at " << x[i];
    }
  }
}

TYPED_TEST(Elementwise, DerivativesFarOutAreNumbers) {
  using T = TypeParam;
  const T far = std::numeric_limits<T>::max();
  const Tile<T> x = {far, -far, T(1e6), T(-1e6)}, ones(4, T(1));
  for (const Activation a : activations) {
    Tile<T> y(4), first(4), second(4, T(0));
    kernel::activate(a, x.size(), x.data(), y.data());
    kernel::activate_vjp(a, x.size(), x.data(), y.data(), ones.data(), first.data());
    kernel::activate_curve(a, x.size(), x.data(), y.data(), ones.data(), ones.data(), second.data());
    EXPECT_TRUE(kernel::finite<T>(4, y.data())) << static_cast<int>(a);
    EXPECT_TRUE(kernel::finite<T>(4, first.data())) << static_cast<int>(a);
    EXPECT_TRUE(kernel::finite<T>(4, second.data())) << static_cast<int>(a);
  }
}

TYPED_TEST(Elementwise, InPlaceEqualsOutOfPlaceAtEveryLength) {
  using T = TypeParam;
  for (int n = 0; n <= 70; ++n) {
    const auto x = this->random.template tile<T>(n), y_bar = this->random.template tile<T>(n);
    for (const Activation a : activations) {
      Tile<T> y(x.size()), in_place = x, x_bar(x.size()), bar_in_place = y_bar;
      kernel::activate(a, x.size(), x.data(), y.data());
      kernel::activate(a, x.size(), in_place.data(), in_place.data());
      kernel::activate_vjp(a, x.size(), x.data(), y.data(), y_bar.data(), x_bar.data());
      kernel::activate_vjp(a, x.size(), x.data(), y.data(), bar_in_place.data(), bar_in_place.data());
      ASSERT_TRUE(text::same_bits(y, in_place)) << n;
      ASSERT_TRUE(text::same_bits(x_bar, bar_in_place)) << n;
      for (std::size_t i = 0; i < x.size(); ++i) {  // an element alone
        T alone = 0;
        kernel::activate(a, 1, &x[i], &alone);
        ASSERT_EQ(alone, y[i]) << n;
      }
    }
  }
}

TYPED_TEST(Elementwise, CombineIsTheChain) {
  using T = TypeParam;
  for (int terms = 0; terms <= 9; ++terms)
    for (const int n : {1, 3, 4, 7, 8, 15, 16, 31, 33, 64, 100}) {
      const auto base = this->random.template tile<T>(n), c = this->random.template tile<T>(terms);
      std::vector<Tile<T>> v(static_cast<std::size_t>(terms));
      std::vector<const T*> pointers(v.size());
      for (std::size_t j = 0; j < v.size(); ++j) {
        v[j] = this->random.template tile<T>(n);
        pointers[j] = v[j].data();
      }
      for (const bool with_base : {true, false}) {
        Tile<T> out(base.size()), want(base.size());
        for (std::size_t i = 0; i < out.size(); ++i) {
          std::size_t j = 0;
          T sum = with_base ? base[i] : T(0);
          if (!with_base && terms > 0) sum = c[0] * v[j++][i];
          for (; j < v.size(); ++j) sum = std::fma(c[j], v[j][i], sum);
          want[i] = sum;
        }
        kernel::combine(out.size(), out.data(), with_base ? base.data() : nullptr, terms, c.data(), pointers.data());
        ASSERT_TRUE(text::same_bits(out, want)) << terms << " terms, " << n;
      }
      if (terms > 0) {  // onto one of its arguments
        Tile<T> out(base.size()), last = v.back();
        kernel::combine(out.size(), out.data(), base.data(), terms, c.data(), pointers.data());
        pointers.back() = last.data();
        kernel::combine(last.size(), last.data(), base.data(), terms, c.data(), pointers.data());
        ASSERT_TRUE(text::same_bits(out, last));
      }
    }
}

TYPED_TEST(Elementwise, MultiplyAndAdd) {
  using T = TypeParam;
  for (int n = 1; n <= 70; ++n) {
    const auto a = this->random.template tile<T>(n), b = this->random.template tile<T>(n);
    auto sum = this->random.template tile<T>(n);
    Tile<T> product(a.size()), want(a.size()), want_sum(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      want[i] = a[i] * b[i];
      want_sum[i] = std::fma(a[i], b[i], sum[i]);
    }
    kernel::multiply(a.size(), a.data(), b.data(), product.data());
    kernel::multiply(a.size(), a.data(), b.data(), sum.data(), true);
    ASSERT_TRUE(text::same_bits(product, want)) << n;
    ASSERT_TRUE(text::same_bits(sum, want_sum)) << n;
  }
}
}  // namespace
