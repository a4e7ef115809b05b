// Residues: floats come back from any prediction, records come back last in first out, at nearly the bits they are
// worth.
#include "revode/residue.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "numerics/trial.hpp"

namespace {
using trial::Bytes;
using namespace revode;

template <class T>
class Residue : public testing::Test {
 public:
  using Integer = kernel::Word<T>;
  using Record = std::vector<Integer>;
  static constexpr Integer lowest = std::numeric_limits<Integer>::min(), highest = std::numeric_limits<Integer>::max();

  /// A coder in exactly the bytes it asks for.
  struct Coder {
    Bytes bytes;
    Residues<T> residues;
    Coder(std::size_t n, std::size_t bits) : bytes(size(n, bits)) {
      Arena arena = bytes.arena();
      residues.place(arena, n, bits);
      EXPECT_TRUE(arena.ok());
      residues.begin();
    }
    static std::size_t size(std::size_t n, std::size_t bits) {
      Arena measure;
      Residues<T> r;
      r.place(measure, n, bits);
      return measure.bytes();
    }
    Record pop(std::size_t n) {
      Record r(n, 77);
      residues.pop(r.data());
      return r;
    }
  };
  static double draw(Random& random) { return static_cast<double>(random.uniform()); }
};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(Residue, Numbers);

TYPED_TEST(Residue, AnyFloatComesBackFromAnyPrediction) {
  using T = TypeParam;
  using Limits = std::numeric_limits<T>;
  std::vector<T> corners = {0,
                            -T(0),
                            1,
                            -1,
                            Limits::denorm_min(),
                            -Limits::denorm_min(),
                            Limits::min(),
                            Limits::max(),
                            Limits::lowest(),
                            T(1) / 3};
  std::vector<T> predictions = corners;
  for (const T p : {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN()}) predictions.push_back(p);
  for (const T y : corners)
    for (const T p : predictions) {
      kernel::Word<T> r;
      miss(1, &y, &p, &r);
      T back = 5;
      mend(1, &p, &r, &back);
      EXPECT_EQ(std::memcmp(&back, &y, sizeof y), 0) << y << " from " << p;
    }
}
/// Whichever bits a machine gives a NaN, they are no part of the tape.
TYPED_TEST(Residue, NotANumberPredictsZero) {
  using T = TypeParam;
  const T nan = std::numeric_limits<T>::quiet_NaN(), predictions[] = {0, nan, -nan}, y[] = {3, 3, 3};
  kernel::Word<T> r[3];
  miss(3, y, predictions, r);
  EXPECT_EQ(r[1], r[0]);
  EXPECT_EQ(r[2], r[0]);
}
/// Neighbours are one apart, through zero and over the ends of binades.
TYPED_TEST(Residue, CountsNeighbours) {
  using T = TypeParam;
  for (const T p : {T(1), T(-1), T(.3), -std::numeric_limits<T>::denorm_min(), T(1e-30)}) {
    T y = p;
    for (int i = 0; i <= 3; ++i, y = std::nextafter(y, T(2))) {
      kernel::Word<T> r;
      miss(1, &y, &p, &r);
      const bool crossed = p < 0 && !std::signbit(y);  // nextafter goes through one of the two zeros
      EXPECT_EQ(r, crossed ? i + 1 : i) << p;
    }
  }
}

/// Records of every kind in turn, then back, with some taken off and put on again on the way.
TYPED_TEST(Residue, RecordsComeBackLastInFirstOut) {
  using Word = kernel::Word<TypeParam>;
  const Word corners[] = {0,
                          1,
                          -1,
                          2,
                          -2,
                          TestFixture::highest,
                          TestFixture::lowest,
                          TestFixture::highest - 1,
                          Word{1} << 23,
                          -(Word{1} << 24)};
  for (const std::size_t n : {1u, 3u, 16u, 64u, 255u, 600u}) {
    typename TestFixture::Coder coder(n, 64u << 20);
    Random random(5, static_cast<std::uint32_t>(n));
    std::vector<typename TestFixture::Record> all;
    const auto more = [&](int kind) {
      typename TestFixture::Record r(n);
      for (Word& v : r) {
        const double u = this->draw(random);
        if (kind == 0) v = 0;
        if (kind == 1) v = u < .05 ? (u < .02 ? -1 : 1) : 0;
        if (kind == 2) v = corners[static_cast<int>(u * 10)];
        if (kind == 3) v = static_cast<Word>((u - .5) * 3000);
        if (kind == 4) v = u < .001 ? TestFixture::lowest : 0;
        if (kind == 5) v = static_cast<Word>((u - .5) * static_cast<double>(TestFixture::highest));
      }
      EXPECT_TRUE(coder.residues.push(r.data()));
      all.push_back(r);
    };
    const auto less = [&](std::size_t count) {
      for (; count-- > 0 && !all.empty(); all.pop_back()) ASSERT_EQ(coder.pop(n), all.back()) << all.size();
    };
    for (int i = 0; i < 600; ++i) {
      more(i / 20 % 6);
      if (i % 150 == 149) less(40);
    }
    less(all.size());
    EXPECT_TRUE(coder.residues.empty());
    EXPECT_EQ(coder.residues.bits(), 0u) << "all that was written was read";
  }
}

TYPED_TEST(Residue, WhatDoesNotFitChangesNothing) {
  using Word = kernel::Word<TypeParam>;
  const std::size_t n = 20;
  Random random(8, 1);
  for (const std::size_t bits : {0u, 1u, 30u, 300u, 3000u, 30000u}) {
    typename TestFixture::Coder coder(n, bits);
    std::vector<typename TestFixture::Record> held;
    for (bool fits = true; fits;) {
      typename TestFixture::Record r(n);
      const double most = held.size() % 7 == 6 ? static_cast<double>(TestFixture::highest) : 5;
      for (Word& v : r) v = static_cast<Word>((2 * this->draw(random) - 1) * most);
      const std::size_t used = coder.residues.bits();
      fits = coder.residues.push(r.data());
      if (fits) held.push_back(r);
      ASSERT_LE(coder.residues.bits(), bits);
      if (fits) continue;
      EXPECT_EQ(coder.residues.bits(), used);
      EXPECT_FALSE(coder.residues.push(r.data())) << "what did not fit once does not fit twice";
    }
    EXPECT_EQ(held.size() > 1, bits >= 300) << "the first one waits, and takes bits when the second one comes";
    for (; !held.empty(); held.pop_back()) EXPECT_EQ(coder.pop(n), held.back());
    EXPECT_TRUE(coder.residues.empty());
    EXPECT_EQ(coder.residues.bits(), 0u);
  }
}

/// A segment that is run once more takes the same bits, so it fits where it did.
TYPED_TEST(Residue, AClearedCoderIsANewOne) {
  const std::size_t n = 30;
  typename TestFixture::Coder coder(n, 1 << 20);
  std::size_t first = 0;
  for (int run = 0; run < 3; ++run) {
    Random random(6, 1);
    coder.residues.clear();
    for (int i = 0; i < 200; ++i) {
      typename TestFixture::Record r(n);
      for (auto& v : r) v = static_cast<kernel::Word<TypeParam>>(this->draw(random) * 4 - 2);
      ASSERT_TRUE(coder.residues.push(r.data()));
    }
    if (run == 0) first = coder.residues.bits();
    EXPECT_EQ(coder.residues.bits(), first);
    EXPECT_EQ(coder.residues.peak(), first);
    for (int i = 0; i < 50 * run; ++i) coder.pop(n);
  }
}

double entropy(double p) {
  return -p * std::log2(p) - (1 - p) * std::log2(1 - p);
}
/// Non-zero with probability p, the magnitude geometric: each next one q times less likely; either sign.
template <class T>
double excess(std::size_t n, double p, double q) {
  using Fixture = Residue<T>;
  typename Fixture::Coder coder(n, 16u << 20);
  Random random(7, static_cast<std::uint32_t>(n));
  const std::size_t records = 200000 / n;
  for (std::size_t i = 0; i < records; ++i) {
    typename Fixture::Record r(n);
    for (auto& v : r) {
      if (Fixture::draw(random) >= p) continue;
      v = 1;
      if (q > 0) v += static_cast<typename Fixture::Integer>(std::log(1 - Fixture::draw(random)) / std::log(q));
      if (Fixture::draw(random) < .5) v = -v;
    }
    EXPECT_TRUE(coder.residues.push(r.data()));
  }
  const double worth = entropy(p) + p * (1 + (q > 0 ? entropy(q) / (1 - q) : 0));
  return static_cast<double>(coder.residues.bits()) / static_cast<double>(n * records) / worth;
}
/// 1.4 is what is promised. Below 1 is luck: of the 2000 non-zeros at p = .01 some 2.2 % more or fewer (one standard
/// deviation), so 7 % is three of them.
TYPED_TEST(Residue, NearlyTheEntropy) {
  for (const std::size_t n : {3u, 16u, 64u, 256u, 2000u}) {
    if (trial::sanitized && n > 16) break;
    for (const double p : {.01, .03, .1, .3})
      for (const double q : {0., .2}) {
        if (trial::sanitized && (p == .03 || p == .1)) continue;
        const double ratio = excess<TypeParam>(n, p, q);
        EXPECT_LT(ratio, 1.4) << n << " residues a record, p = " << p << ", q = " << q;
        EXPECT_GT(ratio, .93) << n << " residues a record, p = " << p << ", q = " << q;
      }
  }
}
/// At a fixed point residues stay what they are, and where a method's error shows they change slowly.
TYPED_TEST(Residue, WhatChangesSlowlyCostsLittle) {
  using Word = kernel::Word<TypeParam>;
  const std::size_t n = 16, records = 10000;
  for (const bool constant : {true, false}) {
    typename TestFixture::Coder coder(n, 16u << 20);
    for (std::size_t i = 0; i < records; ++i) {
      typename TestFixture::Record r(n);
      for (std::size_t j = 0; j < n; ++j)
        r[j] = constant ? static_cast<Word>(j % 3) - 1 : static_cast<Word>(1e6 * std::sin(1e-6 * double(i * (j + 1))));
      ASSERT_TRUE(coder.residues.push(r.data()));
    }
    // A look at the parameters takes a bit, once in 16 records; the sines differ by -1 to 16, and a digit more is
    // noise.
    const double each = double(coder.residues.bits()) / double(n * records);
    EXPECT_LT(each, constant ? .01 : 6);
  }
}
/// Dense records of some bits, as doubles leave them: Rice's parameter is off by up to half a bit, the sign is whole.
TYPED_TEST(Residue, NearlyTheEntropyOfDenseRecords) {
  for (const std::size_t n : {3u, 64u, 2000u})
    for (const double q : {.5, .9, .99, .999}) EXPECT_LT(excess<TypeParam>(n, .98, q), 1.3) << n << ", " << q;
}
}  // namespace
