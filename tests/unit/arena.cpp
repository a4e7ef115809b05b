// The arena: measuring and assigning agree, arrays are aligned and apart, counts that overflow are refused.
#include "revode/arena.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace {
using revode::Arena;
constexpr std::size_t align = REVODE_ALIGN;

/// `size` bytes that begin at a multiple of REVODE_ALIGN, or `shift` beyond one.
struct Block {
  explicit Block(std::size_t size, std::size_t shift = 0) : bytes(size + 2 * align) {
    const auto at = reinterpret_cast<std::uintptr_t>(bytes.data());
    data = bytes.data() + (align - at % align) % align + shift;
  }
  std::vector<std::byte> bytes;
  std::byte* data;
};

/// Three arrays; the middle one ends off the alignment.
struct Triple {
  double* a = nullptr;
  char* b = nullptr;
  std::uint32_t* c = nullptr;
  constexpr void place(Arena& arena) {
    a = arena.take<double>(5);
    b = arena.take<char>(3);
    c = arena.take<std::uint32_t>(7);
  }
};

TEST(Arena, MeasuresWhatItAssigns) {
  Triple t;
  Arena measure;
  t.place(measure);
  EXPECT_EQ(t.a, nullptr);
  EXPECT_EQ(t.c, nullptr);
  EXPECT_TRUE(measure.measuring());
  EXPECT_FALSE(measure.ok()) << "measured bytes are not bytes";
  EXPECT_EQ(measure.bytes(), 2 * align + 28);

  Block block(measure.bytes());
  Arena arena(block.data, measure.bytes());
  t.place(arena);
  EXPECT_TRUE(arena.ok());
  EXPECT_FALSE(arena.measuring());
  EXPECT_EQ(arena.bytes(), measure.bytes());
  EXPECT_EQ(static_cast<void*>(t.a), block.data);
  EXPECT_EQ(static_cast<void*>(t.b), block.data + align);
  EXPECT_EQ(static_cast<void*>(t.c), block.data + 2 * align);
}

TEST(Arena, MeasuresAtCompileTime) {
  constexpr std::size_t bytes = [] {
    Arena arena;
    Triple t;
    t.place(arena);
    return arena.bytes();
  }();
  static_assert(bytes == 2 * align + 28);
}

TEST(Arena, OneByteLessIsRefused) {
  Triple t;
  Arena measure;
  t.place(measure);
  Block block(measure.bytes());
  Arena arena(block.data, measure.bytes() - 1);
  t.place(arena);
  EXPECT_FALSE(arena.ok());
  EXPECT_EQ(t.c, nullptr) << "what does not fit is not handed out";
  EXPECT_NE(t.b, nullptr);
  EXPECT_EQ(arena.bytes(), measure.bytes()) << "the bytes needed are known even where they are missing";
}

TEST(Arena, EveryArrayIsAligned) {
  Block block(64 * align);
  Arena arena(block.data, 64 * align);
  for (std::size_t n = 0; n < 20; ++n) {
    const auto* p = arena.take<char>(n);
    ASSERT_NE(p, nullptr);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(p) % align, 0u);
  }
  EXPECT_TRUE(arena.ok());
}

TEST(Arena, MisalignedBytesAreNone) {
  for (std::size_t shift : {std::size_t{1}, align / 2}) {
    Block block(4 * align, shift);
    Arena arena(block.data, 4 * align);
    EXPECT_EQ(arena.take<char>(1), nullptr);
    EXPECT_FALSE(arena.ok());
  }
}

/// count * sizeof(U), and the sum of two such, must not wrap round to something that fits.
TEST(Arena, CountsThatOverflowAreRefused) {
  constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
  for (const std::size_t count : {most, most / 2, most / sizeof(double) + 1, most / 2 / sizeof(double) + 1}) {
    Block block(4 * align);
    Arena arena(block.data, 4 * align), measure;
    EXPECT_EQ(arena.take<double>(count), nullptr);
    EXPECT_FALSE(arena.ok());
    EXPECT_EQ(arena.take<double>(1), nullptr) << "a failure stays";
    EXPECT_EQ(measure.take<double>(count), nullptr);
    EXPECT_GE(measure.bytes(), most / 2) << "no measured size that a caller could provide";
  }
  Arena sum;
  const std::size_t half = most / 4 / sizeof(double);
  for (int i = 0; i < 3; ++i) sum.take<double>(half);
  EXPECT_GE(sum.bytes(), most / 2);
}

TEST(Arena, RewindSharesBytesAndKeepsThePeak) {
  Block block(8 * align);
  Arena arena(block.data, 8 * align);
  arena.take<char>(align);
  const std::size_t mark = arena.mark();
  const char* first = arena.take<char>(3 * align);
  arena.rewind(mark);
  const char* second = arena.take<char>(2 * align);
  EXPECT_EQ(first, second);
  EXPECT_EQ(arena.bytes(), 4 * align);
  arena.rewind(mark);
  arena.take<char>(7 * align);
  EXPECT_TRUE(arena.ok());
  EXPECT_EQ(arena.bytes(), 8 * align);
  arena.rewind(mark);
  EXPECT_EQ(arena.take<char>(7 * align + 1), nullptr);
  arena.rewind(mark);
  EXPECT_FALSE(arena.ok()) << "the peak was more than there is, whatever was rewound since";
}
}  // namespace
