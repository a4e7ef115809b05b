// The fuzzer's corpus as a regression test: what is good is read, what is damaged refused, nothing else happens.
#include <gtest/gtest.h>

#include "common/files.hpp"
#include "fuzz/read_any.hpp"

namespace {
namespace fs = std::filesystem;

TEST(ImageCorpus, GoodFilesAreReadAndOthersRefused) {
  int good = 0, bad = 0;
  for (const auto& entry : fs::directory_iterator(REVODE_TESTS_DIR "/fuzz/corpus/images")) {
    const revode::host::Bytes bytes = revode::host::read_bytes(entry.path());
    const std::string name = entry.path().filename().string();
    const bool wanted = name.rfind("good", 0) == 0;
    EXPECT_EQ(fuzz::read_any(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()), wanted) << name;
    ++(wanted ? good : bad);
  }
  EXPECT_GE(good, 8);
  EXPECT_GE(bad, 12);
}
}  // namespace
