// Layers as wide as those that OpenBLAS carries in a build with REVODE_BLAS=openblas: where kernel::same_bits()
// promises them, the bits of the chain; everywhere, the error bound that any order of summation keeps,
//   |computed - exact| <= gamma_n sum |a| |b|, gamma_n = n u / (1 - n u)  (Higham, Accuracy and Stability, 3.1),
// n the products and the value they are added to, u half the spacing of T at 1.
#include <gtest/gtest.h>

#include <limits>

#include "numerics/sanitized.hpp"
#include "revode/kernels.hpp"
#include "unit/kernel_text.hpp"

namespace {
namespace kernel = revode::kernel;
using text::Tile;

/// One element of a product: the chain as kernels.hpp states it, the sum in more digits, and the sum of magnitudes.
template <class T>
struct Sum {
  T chain;
  long double exact, magnitude;
  int terms = 1;
  explicit Sum(T first)
      : chain(first), exact(static_cast<long double>(first)), magnitude(std::fabs(static_cast<long double>(first))) {}
  void add(T a, T b) {
    const long double product = static_cast<long double>(a) * static_cast<long double>(b);
    chain = std::fma(a, b, chain), exact += product, magnitude += std::fabs(product), ++terms;
  }
  testing::AssertionResult holds(T value, bool same_bits) const {
    constexpr long double u = static_cast<long double>(std::numeric_limits<T>::epsilon()) / 2;
    const long double n = terms, bound = n * u / (1 - n * u) * magnitude;
    const long double error = std::fabs(static_cast<long double>(value) - exact);
    if (!(error <= bound)) return testing::AssertionFailure() << "error " << error << ", bound " << bound;
    if (same_bits && value != chain) return testing::AssertionFailure() << value << " is not the chain's " << chain;
    return testing::AssertionSuccess();
  }
};

template <class T>
class WideLayers : public testing::Test {
 protected:
  /// Visits `count` random elements of rows x columns.
  template <class Visit>
  void sample(int count, int rows, int columns, Visit visit) {
    for (int k = 0; k < count; ++k)
      visit(static_cast<int>(random.next() % static_cast<std::uint32_t>(rows)),
            static_cast<int>(random.next() % static_cast<std::uint32_t>(columns)));
  }
  void check(int out, int in, int lanes);
  void forward(int out, int in, int lanes);
  void input(int out, int in, int lanes);
  void weight(int out, int in, int lanes, int samples);
  text::Random random;
  Tile<T> W, b, x, y_bar;
  bool same = false;
  static constexpr int looks = 400;  // elements compared of each result
};

template <class T>
void WideLayers<T>::forward(int out, int in, int lanes) {
  const auto before = random.tile<T>(out * lanes);
  for (int way = 0; way < 3; ++way) {  // without bias, with, added
    auto y = before;
    kernel::dense(out, in, lanes, W.data(), way == 1 ? b.data() : nullptr, x.data(), y.data(), way == 2);
    sample(looks, out, lanes, [&](int o, int l) {
      Sum<T> sum(way == 2 ? before[text::at(o, l, lanes)] : way == 1 ? b[static_cast<std::size_t>(o)] : T(0));
      for (int i = 0; i < in; ++i) sum.add(W[text::at(o, i, in)], x[text::at(i, l, lanes)]);
      ASSERT_TRUE(sum.holds(y[text::at(o, l, lanes)], same)) << "y[" << o << "][" << l << "], way " << way;
    });
  }
}
template <class T>
void WideLayers<T>::input(int out, int in, int lanes) {
  const auto before = random.tile<T>(in * lanes);
  for (const bool add : {false, true}) {
    auto x_bar = before;
    kernel::dense_vjp_input(out, in, lanes, W.data(), y_bar.data(), x_bar.data(), add);
    sample(looks, in, lanes, [&](int i, int l) {
      Sum<T> sum(add ? before[text::at(i, l, lanes)] : T(0));
      for (int o = 0; o < out; ++o) sum.add(W[text::at(o, i, in)], y_bar[text::at(o, l, lanes)]);
      ASSERT_TRUE(sum.holds(x_bar[text::at(i, l, lanes)], same)) << "x_bar[" << i << "][" << l << "], add " << add;
    });
  }
}
template <class T>
void WideLayers<T>::weight(int out, int in, int lanes, int samples) {
  const Tile<T> W_before = W, b_before = b;
  Tile<T> W_bar = W, b_bar = b;
  kernel::dense_vjp_weight(out, in, lanes, samples, y_bar.data(), x.data(), W_bar.data(), b_bar.data());
  sample(looks, out, in, [&](int o, int i) {
    Sum<T> sum(W_before[text::at(o, i, in)]), bias(b_before[static_cast<std::size_t>(o)]);
    for (int l = 0; l < samples; ++l) {
      sum.add(y_bar[text::at(o, l, lanes)], x[text::at(i, l, lanes)]);
      bias.add(y_bar[text::at(o, l, lanes)], T(1));
    }
    ASSERT_TRUE(sum.holds(W_bar[text::at(o, i, in)], same)) << "W_bar[" << o << "][" << i << "]";
    ASSERT_TRUE(bias.holds(b_bar[static_cast<std::size_t>(o)], same)) << "b_bar[" << o << "]";
  });
}
template <class T>
void WideLayers<T>::check(int out, int in, int lanes) {
  SCOPED_TRACE(testing::Message() << out << " x " << in << ", " << lanes << " lanes");
  same = kernel::same_bits(out, in);
  W = random.tile<T>(out * in), b = random.tile<T>(out), x = random.tile<T>(in * lanes);
  y_bar = random.tile<T>(out * lanes);
  forward(out, in, lanes);
  input(out, in, lanes);
  weight(out, in, lanes, lanes);
  weight(out, in, lanes, (lanes + 1) / 2);
}

using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(WideLayers, Numbers);

TYPED_TEST(WideLayers, KeepTheirBoundAndWherePromisedTheirBits) {
  this->check(2311, 2503, 7);
  this->check(3000, 10, 16);
  if (trial::sanitized) return;  // the same code over more memory
  this->check(2048, 2048, 32);
  this->check(4096, 2304, 16);
  this->check(2304, 4096, 1);
}

TYPED_TEST(WideLayers, ALayerThatIsOffByOneTermIsFound) {
  Sum<TypeParam> sum(0);
  for (int i = 0; i < 2048; ++i)
    sum.add(this->random.template unit<TypeParam>(), this->random.template unit<TypeParam>());
  const TypeParam right = sum.chain;
  sum.add(TypeParam(.5), TypeParam(.5));  // a typical term; the bound is about 2048 u 2048 / 4, 0.06 in float
  EXPECT_FALSE(sum.holds(right, false));
}

TEST(WideLayers, NarrowOnesAlwaysKeepTheirBits) {
  EXPECT_TRUE(kernel::same_bits(512, 512));
  EXPECT_TRUE(kernel::same_bits(1024, 1024));
}

TEST(WideLayers, OpenBlasCarriesTheWidest) {
  if (kernel::same_bits(4096, 4096)) GTEST_SKIP() << "built with REVODE_BLAS=portable";
  EXPECT_FALSE(kernel::same_bits(8192, 4096));
}
}  // namespace
