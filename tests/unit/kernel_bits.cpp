// This build's kernels against the table of equal bits (tests/bits/run compares all builds).
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "bits/hashes.hpp"

namespace {
TEST(KernelBits, AreThoseOfTheTable) {
  std::ifstream file(REVODE_TESTS_DIR "/bits/golden.txt");
  ASSERT_TRUE(file) << "tests/bits/golden.txt is missing: tests/bits/run --write makes it";
  std::map<std::string, std::uint64_t> golden;
  std::string name;
  std::uint64_t hash = 0;
  while (file >> name >> std::hex >> hash) golden[name] = hash;
  const bits::Table table = bits::table();
  EXPECT_EQ(table.size(), golden.size());
  for (const auto& [kernel, value] : table) EXPECT_EQ(golden[kernel], value) << kernel;
}
}  // namespace
