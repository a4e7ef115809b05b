// Every status has a sentence of its own, and the first failure is the one that stays.
#include "revode/status.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace {
using revode::fail;
using revode::Status;

constexpr Status every[] = {
#define REVODE_NAME(name, sentence) Status::name,
    REVODE_STATUS(REVODE_NAME)
#undef REVODE_NAME
};

TEST(Status, EachHasItsOwnSentence) {
  const char* const written[] = {
#define REVODE_SENTENCE(name, sentence) sentence,
      REVODE_STATUS(REVODE_SENTENCE)
#undef REVODE_SENTENCE
  };
  std::set<std::string> seen;
  for (std::size_t i = 0; i < std::size(every); ++i) {
    EXPECT_STREQ(sentence(every[i]), written[i]);
    seen.insert(sentence(every[i]));
    EXPECT_EQ(static_cast<std::size_t>(every[i]), i);
  }
  EXPECT_EQ(seen.size(), std::size(every));
  EXPECT_EQ(static_cast<int>(Status::ok), 0) << "the C interface and exit codes rely on it";
}

TEST(Status, ANumberOutOfTheListHasASentenceToo) {
  for (const int i : {-1, static_cast<int>(std::size(every)), 1 << 20}) {
    const char* text = sentence(static_cast<Status>(i));
    ASSERT_NE(text, nullptr);
    EXPECT_STRNE(text, sentence(Status::ok));
    EXPECT_GT(std::string(text).size(), 0u);
  }
}

TEST(Status, TheFirstFailureStays) {
  Status s = Status::ok;
  fail(&s, Status::ok);
  EXPECT_EQ(s, Status::ok);
  fail(&s, Status::range);
  fail(&s, Status::capacity);
  fail(&s, Status::ok);
  EXPECT_EQ(s, Status::range);
  fail(nullptr, Status::range);  // nobody wants to know
}
}  // namespace
