// The elementary functions against long double libm: the largest error in units of the last place, pinned, and the
// edges.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <vector>

#include "numerics/sanitized.hpp"
#include "revode/impl/elementary.hpp"
#include "revode/kernels.hpp"
#include "unit/kernel_text.hpp"

namespace {
namespace kernel = revode::kernel;
using kernel::Function;
using revode::Activation;
using trial::sanitized;
using Wide = long double;

template <class T>
using Array = std::vector<T>;
template <class T>
using Apply = std::function<void(const Array<T>&, Array<T>&)>;

template <class T>
Apply<T> of(Activation a) {
  return [a](const Array<T>& x, Array<T>& y) { kernel::activate(a, x.size(), x.data(), y.data()); };
}
template <class T>
Apply<T> of(Function f) {
  return [f](const Array<T>& x, Array<T>& y) { kernel::evaluate(f, x.size(), x.data(), y.data()); };
}

template <class T>
double ulps(T got, Wide want) {
  const T size = std::max(static_cast<T>(std::fabs(want)), std::numeric_limits<T>::min());
  const T last = std::nextafter(size, std::numeric_limits<T>::infinity()) - size;
  return static_cast<double>(std::fabs(static_cast<Wide>(got) - want) / static_cast<Wide>(last));
}

/// The largest error over a million arguments, evenly spread with a seeded jitter.
template <class T>
double worst(const Apply<T>& f, const std::function<Wide(Wide)>& exact, double from, double to) {
  constexpr int batch = 1000, batches = 1000;
  text::Random random;
  Array<T> x(batch), y(batch);
  double most = 0;
  for (int j = 0; j < batches; ++j) {
    for (int i = 0; i < batch; ++i) {
      const double place = (j * batch + i + 0.5 + 0.5 * random.unit<double>()) / (batch * batches);
      x[static_cast<std::size_t>(i)] = static_cast<T>(from + (to - from) * place);
    }
    f(x, y);
    for (std::size_t i = 0; i < x.size(); ++i) most = std::max(most, ulps(y[i], exact(static_cast<Wide>(x[i]))));
  }
  return most;
}

Wide sigmoid(Wide x) {
  return 1 / (1 + std::exp(-x));
}
Wide softplus(Wide x) {
  return std::fmax(x, Wide{0}) + std::log1p(std::exp(-std::fabs(x)));
}
Wide elu(Wide x) {
  return x > 0 ? x : std::expm1(x);
}
Wide silu(Wide x) {
  return x * sigmoid(x);
}
Wide unary_tanh(Wide x) {
  return std::tanh(x);
}
Wide unary_exp(Wide x) {
  return std::exp(x);
}
Wide unary_log(Wide x) {
  return std::log(x);
}
Wide unary_sin(Wide x) {
  return std::sin(x);
}
Wide unary_cos(Wide x) {
  return std::cos(x);
}

// The largest errors measured, rounded up by a few hundredths of an ulp or more: a larger one means a function has
// changed.
TEST(Elementary, ErrorsInFloat) {
  using T = float;
  EXPECT_LT(worst<T>(of<T>(Activation::tanh), unary_tanh, -12, 12), 5.1);
  EXPECT_LT(worst<T>(of<T>(Activation::tanh), unary_tanh, -0.1, 0.1), 2.8);
  EXPECT_LT(worst<T>(of<T>(Activation::sigmoid), sigmoid, -85, 20), 2.3);
  EXPECT_LT(worst<T>(of<T>(Activation::softplus), softplus, -85, 30), 3.7);
  EXPECT_LT(worst<T>(of<T>(Activation::elu), elu, -20, 5), 0.9);
  EXPECT_LT(worst<T>(of<T>(Activation::elu), elu, -0.1, 0), 0.6);
  EXPECT_LT(worst<T>(of<T>(Activation::silu), silu, -80, 20), 3.1);
  EXPECT_LT(worst<T>(of<T>(Function::exp), unary_exp, -104, 88.7), 1.05);
  EXPECT_LT(worst<T>(of<T>(Function::log), unary_log, 1e-3, 4), 0.85);
  EXPECT_LT(worst<T>(of<T>(Function::log), unary_log, 1e-39, 1e-38), 0.55);
  EXPECT_LT(worst<T>(of<T>(Function::log), unary_log, 4, 3e38), 0.55);
  EXPECT_LT(worst<T>(of<T>(Function::sin), unary_sin, -10, 10), 1.6);
  EXPECT_LT(worst<T>(of<T>(Function::cos), unary_cos, -10, 10), 1.6);
  EXPECT_LT(worst<T>(of<T>(Function::sin), unary_sin, -4e6, 4e6), 2.0);
  EXPECT_LT(worst<T>(of<T>(Function::cos), unary_cos, -4e6, 4e6), 2.0);
}

TEST(Elementary, ErrorsInDouble) {
  using T = double;
  EXPECT_LT(worst<T>(of<T>(Activation::tanh), unary_tanh, -22, 22), 3.2);  // 3.1 between 1/8 and 1/4
  EXPECT_LT(worst<T>(of<T>(Activation::tanh), unary_tanh, -0.1, 0.1), 2.85);
  EXPECT_LT(worst<T>(of<T>(Activation::sigmoid), sigmoid, -700, 40), 2.3);
  EXPECT_LT(worst<T>(of<T>(Activation::softplus), softplus, -700, 50), 3.5);
  EXPECT_LT(worst<T>(of<T>(Activation::softplus), softplus, -5, 5), 3.5);
  EXPECT_LT(worst<T>(of<T>(Activation::elu), elu, -40, 5), 1.25);
  EXPECT_LT(worst<T>(of<T>(Activation::elu), elu, -0.1, 0), 0.95);
  EXPECT_LT(worst<T>(of<T>(Activation::silu), silu, -700, 40), 3.0);
  EXPECT_LT(worst<T>(of<T>(Function::exp), unary_exp, -744, 709), 1.1);
  EXPECT_LT(worst<T>(of<T>(Function::log), unary_log, 1e-3, 4), 0.85);
  EXPECT_LT(worst<T>(of<T>(Function::log), unary_log, 4, 1e308), 0.55);
  EXPECT_LT(worst<T>(of<T>(Function::sin), unary_sin, -10, 10), 1.7);
  EXPECT_LT(worst<T>(of<T>(Function::cos), unary_cos, -10, 10), 1.6);
  EXPECT_LT(worst<T>(of<T>(Function::sin), unary_sin, -1e9, 1e9), 1.7);
  EXPECT_LT(worst<T>(of<T>(Function::cos), unary_cos, -1e9, 1e9), 1.6);
}

template <class T>
class Edges : public testing::Test {
 protected:
  static constexpr T least = std::numeric_limits<T>::denorm_min();
  static constexpr T nan = std::numeric_limits<T>::quiet_NaN();
  template <class What>
  static T at(What what, T x) {
    Array<T> in(101, x), out(101);  // packs by fours, full packs, narrow packs and single elements
    of<T>(what)(in, out);
    for (const T y : out) {  // sign and payload of a NaN are the processor's: SSE2's scalar and packed forms differ
      const bool same = std::isnan(y) ? std::isnan(out[0]) : std::memcmp(&y, &out[0], sizeof y) == 0;
      EXPECT_TRUE(same) << "an element depends on its place";
    }
    return out[0];
  }
};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(Edges, Numbers);

TYPED_TEST(Edges, NanInNanOut) {
  for (const auto a : {Activation::identity, Activation::tanh, Activation::elu, Activation::softplus, Activation::relu,
                       Activation::silu, Activation::sigmoid})
    EXPECT_TRUE(std::isnan(this->at(a, this->nan))) << static_cast<int>(a);
  for (const auto f :
       {Function::exp, Function::log, Function::sin, Function::cos, Function::sqrt, Function::reciprocal})
    EXPECT_TRUE(std::isnan(this->at(f, this->nan))) << static_cast<int>(f);
}

TYPED_TEST(Edges, ActivationsAtInfinity) {
  using T = TypeParam;
  const T inf = std::numeric_limits<T>::infinity();
  EXPECT_EQ(this->at(Activation::tanh, inf), T(1));
  EXPECT_EQ(this->at(Activation::tanh, -inf), T(-1));
  EXPECT_EQ(this->at(Activation::sigmoid, inf), T(1));
  EXPECT_EQ(this->at(Activation::sigmoid, -inf), T(0));
  EXPECT_EQ(this->at(Activation::softplus, inf), inf);
  EXPECT_EQ(this->at(Activation::softplus, -inf), T(0));
  EXPECT_EQ(this->at(Activation::elu, inf), inf);
  EXPECT_EQ(this->at(Activation::elu, -inf), T(-1));
  EXPECT_EQ(this->at(Activation::relu, inf), inf);
  EXPECT_EQ(this->at(Activation::relu, -inf), T(0));
  EXPECT_EQ(this->at(Activation::silu, inf), inf);
  EXPECT_EQ(this->at(Activation::silu, -inf), T(0));
}

TYPED_TEST(Edges, FunctionsAtTheirEdges) {
  using T = TypeParam;
  const T inf = std::numeric_limits<T>::infinity();
  EXPECT_EQ(this->at(Function::exp, inf), inf);
  EXPECT_EQ(this->at(Function::exp, -inf), T(0));
  EXPECT_EQ(this->at(Function::exp, T(0)), T(1));
  EXPECT_EQ(this->at(Function::exp, sizeof(T) == 4 ? T(89) : T(710)), inf);
  EXPECT_EQ(this->at(Function::exp, sizeof(T) == 4 ? T(-103.9) : T(-745.1)), this->least);
  EXPECT_EQ(this->at(Function::log, T(0)), -inf);
  EXPECT_EQ(this->at(Function::log, T(-0.0)), -inf);
  EXPECT_EQ(this->at(Function::log, T(1)), T(0));
  EXPECT_EQ(this->at(Function::log, inf), inf);
  EXPECT_TRUE(std::isnan(this->at(Function::log, T(-1))));
  EXPECT_TRUE(std::isnan(this->at(Function::log, -inf)));
  EXPECT_EQ(this->at(Function::sin, T(0)), T(0));
  EXPECT_EQ(this->at(Function::cos, T(0)), T(1));
  EXPECT_TRUE(std::isnan(this->at(Function::sin, inf)));
  EXPECT_TRUE(std::isnan(this->at(Function::cos, -inf)));
  EXPECT_TRUE(std::isnan(this->at(Function::sin, sizeof(T) == 4 ? T(0x1p23) : T(0x1p52))));
  EXPECT_EQ(this->at(Function::reciprocal, T(-4)), T(-0.25));
  EXPECT_EQ(this->at(Function::reciprocal, T(0)), inf);
  EXPECT_TRUE(std::isnan(this->at(Function::sqrt, T(-1))));
  EXPECT_EQ(this->at(Function::sqrt, inf), inf);
}

TYPED_TEST(Edges, TanhStaysWithinOneAndIsOdd) {  // 1 - y^2 must not become negative
  using T = TypeParam;
  for (T x = T(0); x < T(25); x += T(1) / T(4096)) {
    const T y = this->at(Activation::tanh, x);
    ASSERT_LE(std::fabs(y), T(1)) << x;
    ASSERT_EQ(this->at(Activation::tanh, -x), -y) << x;
  }
}

// lib/kernels/undivided.hpp: from the number nearest to 1 / q the corrected quotient must be p / q. From its neighbours
// it may miss only where no Newton step ends at them, 1 / q being farther than 1/16 ulp from the middle between two.
void expect_undivided(std::uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  kernel::Elementary<float, 1>::tanh(x, [&](float p, float q) {
    const auto corrected = [&](float r) {
      const float y = p * r;
      return std::fma(-std::fma(q, y, -p), r, y);
    };
    const float want = p / q, nearest = 1 / q;
    const float below = std::nextafter(nearest, 0.0F), above = std::nextafter(nearest, 2.0F);
    EXPECT_EQ(corrected(nearest), want) << x;
    if (corrected(below) != want || corrected(above) != want) {
      const double exact = 1 / static_cast<double>(q), off = std::fabs(exact - static_cast<double>(nearest));
      const double ulp = static_cast<double>(above) - static_cast<double>(nearest);
      EXPECT_GT(0.5 * ulp - off, ulp / 16) << x;
    }
    return want;
  });
}
TEST(Tanh, IsTheSameWithoutTheDivider) {
  for (const std::uint32_t x : {0x3dbcfa43U, 0x3f863c71U, 0x3f934691U, 0x40251654U, 0x40605c00U, 0x40fc945eU})
    expect_undivided(x);
  constexpr std::uint32_t from = 0x39000000, to = 0x40fccccd, step = sanitized ? 9973 : 1;  // 2^-13, below which q = 1
  for (std::uint32_t x = from; x < to; x += step) expect_undivided(x);
}
TEST(Tanh, DoesNotDependOnThePlace) {  // numbers one by one meet the divider
  constexpr std::uint32_t step = sanitized ? 1000003 : 20011;
  Array<float> x(64), y(64);
  for (std::uint64_t first = 0; first < 1ULL << 32; first += 64ULL * step) {
    for (std::size_t i = 0; i < 64; ++i) {
      const auto bits = static_cast<std::uint32_t>(first + i * step);
      std::memcpy(&x[i], &bits, sizeof bits);
    }
    kernel::activate(Activation::tanh, 64, x.data(), y.data());
    for (std::size_t i = 0; i < 64; ++i) {
      float one;
      kernel::activate(Activation::tanh, 1, &x[i], &one);
      ASSERT_TRUE(std::isnan(one) ? std::isnan(y[i]) : std::memcmp(&one, &y[i], sizeof one) == 0) << x[i];
    }
  }
}

TYPED_TEST(Edges, SmallArgumentsKeepTheirDigits) {
  using T = TypeParam;
  const T small = sizeof(T) == 4 ? T(1e-20) : T(1e-200);
  for (const auto a : {Activation::tanh, Activation::elu})
    EXPECT_LT(ulps(this->at(a, -small), static_cast<Wide>(-small)), 2.0)
        << static_cast<int>(a);  // f(x) = x to rounding
  EXPECT_EQ(this->at(Function::sin, small), small);
  EXPECT_TRUE(std::signbit(this->at(Activation::tanh, T(-0.0))));
  const T down = sizeof(T) == 4 ? T(-80) : T(-600);
  EXPECT_LT(ulps(this->at(Activation::sigmoid, down), sigmoid(static_cast<Wide>(down))), 3.0);  // as over the interval
}

TYPED_TEST(Edges, SquareRootsAreCorrectlyRounded) {
  using T = TypeParam;
  text::Random random;
  for (int i = 0; i < 20000; ++i) {
    const T x = std::ldexp(T(1.5) + random.unit<T>() / 2, static_cast<int>(random.next() % 200) - 100);
    ASSERT_EQ(this->at(Function::sqrt, x), std::sqrt(x));
  }
}
}  // namespace
