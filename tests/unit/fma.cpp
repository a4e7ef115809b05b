// fma and square root in integers, for processors without them, against those of this one on cases made to be hard.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "revode/impl/pack.hpp"
#include "revode/impl/soft_fma.hpp"
#include "revode/impl/soft_sqrt.hpp"
#include "unit/kernel_text.hpp"

namespace {
namespace kernel = revode::kernel;
float number(std::uint32_t bits) {
  return std::bit_cast<float>(bits);
}
std::uint32_t bits(float v) {
  return std::bit_cast<std::uint32_t>(v);
}

testing::AssertionResult same(float a, float b, float c) {
  const float want = std::fma(a, b, c), got = kernel::soft_fma(a, b, c);
  if (bits(want) == bits(got) || (std::isnan(want) && std::isnan(got))) return testing::AssertionSuccess();
  return testing::AssertionFailure() << std::hexfloat << a << " * " << b << " + " << c << " = " << got << ", not "
                                     << want;
}

TEST(SoftFma, AnyBits) {
  text::Random random;
  for (int i = 0; i < 1000000; ++i)
    ASSERT_TRUE(same(number(random.next()), number(random.next()), number(random.next())));
}

TEST(SoftFma, NearCancellationAndHalfWays) {
  text::Random random;
  for (int i = 0; i < 2000000; ++i) {
    std::uint32_t ua = (random.next() & 0x807fffffu) | ((100 + random.next() % 60) << 23);
    const std::uint32_t ub = (random.next() & 0x807fffffu) | ((100 + random.next() % 60) << 23);
    if (i % 4 == 1) ua &= 0xfffff000u;  // short factors: products that are exactly between two numbers
    // the addend: minus the rounded product, a few ulps aside, at times at another exponent
    std::uint32_t uc = (bits(number(ua) * number(ub)) ^ 0x80000000u) + random.next() % 9 - 4;
    if (i % 2) {
      const int exponent = static_cast<int>(uc >> 23 & 255) + static_cast<int>(random.next() % 60) - 30;
      uc = (uc & 0x807fffffu) | (static_cast<std::uint32_t>(exponent < 0 ? 0 : exponent > 254 ? 254 : exponent) << 23);
    }
    if (i % 4 == 3) uc &= 0xfffff000u;
    ASSERT_TRUE(same(number(ua), number(ub), number(uc)));
  }
}

TEST(SoftFma, SubnormalProductsAndSums) {
  text::Random random;
  for (int i = 0; i < 1000000; ++i) {
    const std::uint32_t ea = random.next() % 128,
                        eb = 127 - ea + random.next() % 30;  // products about 2^-149 ... 2^-97
    const std::uint32_t ua = (random.next() & 0x807fffffu) | (ea << 23);
    const std::uint32_t ub = (random.next() & 0x807fffffu) | (eb % 255 << 23);
    const std::uint32_t uc = random.next() & (i % 2 ? 0x80ffffffu : 0x8000000fu);
    ASSERT_TRUE(same(number(ua), number(ub) * 0x1p-127f, number(uc)));
    ASSERT_TRUE(same(number(ua), number(ub), number(uc)));
  }
}

TEST(SoftFma, EveryPairingOfEdges) {
  const float inf = std::numeric_limits<float>::infinity(), most = std::numeric_limits<float>::max();
  const float edges[] = {0.0f,     1.0f,        1.5f, 0x1p-149f, 0x1.fffffcp-127f, 0x1p-126f,     0x1.fffffep-126f,
                         0x1p-75f, most,        inf,  0x1p127f,  0x1p-74f,         0x1.000002p0f, 0x1p24f,
                         0x1p-24f, 0x1.8p-150f, 3.0f, 0x1p64f};
  for (const float a : edges)
    for (const float b : edges)
      for (const float c : edges)
        for (int signs = 0; signs < 8; ++signs)
          ASSERT_TRUE(same(signs & 1 ? -a : a, signs & 2 ? -b : b, signs & 4 ? -c : c));
  EXPECT_TRUE(std::isnan(kernel::soft_fma(std::numeric_limits<float>::quiet_NaN(), 1.0f, 2.0f)));
}

TEST(PackFma, RoundsOnceInEveryElement) {
  constexpr int W = kernel::width<float>;
  using O = kernel::On<float, W>;
  text::Random random;
  for (int i = 0; i < 10000; ++i) {
    float a[W], b[W], c[W], r[W];
    for (int l = 0; l < W; ++l) {
      a[l] = random.unit<float>();
      b[l] = random.unit<float>();
      c[l] = -a[l] * b[l];  // what is left is the rounding error alone
    }
    O::store(r, O::fma(O::load(a), O::load(b), O::load(c)));
    for (int l = 0; l < W; ++l) ASSERT_EQ(r[l], std::fma(a[l], b[l], c[l]));
  }
}

TEST(SoftSqrt, IsCorrectlyRounded) {
  text::Random random;
  for (int i = 0; i < 1000000; ++i) {
    const float x = number(random.next() & 0x7fffffffu);
    const float got = kernel::soft_sqrt<float, std::uint32_t>(x), want = std::sqrt(x);
    ASSERT_TRUE(got == want || (std::isnan(got) && std::isnan(want))) << std::hexfloat << x;
    const double y = std::bit_cast<double>((std::uint64_t{random.next()} << 32 | random.next()) & ~(1ULL << 63));
    const double soft = kernel::soft_sqrt<double, std::uint64_t>(y), hard = std::sqrt(y);
    ASSERT_TRUE(soft == hard || (std::isnan(soft) && std::isnan(hard))) << std::hexfloat << y;
  }
  for (const float x : {0.0f, -0.0f, 1.0f, 4.0f, 2.0f, 0x1p-149f, 0x1.fffffep127f})
    EXPECT_EQ(bits(kernel::soft_sqrt<float, std::uint32_t>(x)), bits(std::sqrt(x)));
  EXPECT_TRUE(std::isnan(kernel::soft_sqrt<float, std::uint32_t>(-1.0f)));
  EXPECT_TRUE(std::isnan(kernel::soft_sqrt<double, std::uint64_t>(-1.0)));
}
}  // namespace
