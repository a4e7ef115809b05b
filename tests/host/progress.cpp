#include "common/progress.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "host/scratch.hpp"

namespace revode::host {
namespace {
const Progress kNow{.epoch = 7,
                    .epochs = 120,
                    .loss = 41.53219,
                    .held_out = 0.13579,
                    .samples_per_second = 1234.4,
                    .seconds_left = 83.4};

std::string printed(const std::string& terminal, void (*use)(ProgressPrinter&)) {
  Scratch scratch;
  std::FILE* file = std::fopen(scratch.path("out").c_str(), "w");
  {
    ProgressPrinter printer(file, terminal);
    use(printer);
  }
  std::fclose(file);
  return scratch.read("out");
}

TEST(Progress, TheLine) {
  EXPECT_EQ(progress_line(kNow), "epoch   7/120  loss 41.532      held-out RMSE 0.1358  1234 samples/s  1:23 left");
  EXPECT_EQ(progress_line({.epoch = 1, .epochs = 2, .loss = 3}),
            "epoch 1/2  loss 3           held-out RMSE -  0 samples/s  - left");
}

TEST(Progress, FitsAnyWidth) {
  const std::string whole = progress_line(kNow);
  for (int columns = 0; columns < 120; ++columns) {
    const std::string line = progress_line(kNow, columns);
    EXPECT_LE(line.size(), static_cast<std::size_t>(columns));
    EXPECT_EQ(whole.rfind(line, 0), 0U) << line;
  }
  EXPECT_EQ(progress_line(kNow, static_cast<int>(whole.size())), whole);
}

TEST(Progress, ClockTime) {
  EXPECT_EQ(clock_time(0), "0:00");
  EXPECT_EQ(clock_time(59.6), "1:00");
  EXPECT_EQ(clock_time(3599), "59:59");
  EXPECT_EQ(clock_time(3 * 3600 + 7 * 60), "3:07:00");
  EXPECT_EQ(clock_time(-1), "-");
  EXPECT_EQ(clock_time(std::numeric_limits<double>::infinity()), "-");
}

TEST(Progress, ALineAnEpochWhereNobodyWatches) {
  const auto use = [](ProgressPrinter& printer) {
    printer.update(kNow);
    printer.epoch(kNow);
    printer.say("a word");
    printer.epoch(kNow);
  };
  const std::string expected = progress_line(kNow) + "\na word\n" + progress_line(kNow) + "\n";
  EXPECT_EQ(printed("no", use), expected);
  EXPECT_EQ(printed("auto", use), expected);  // a file is no terminal
}

TEST(Progress, OneLineThatChangesOnATerminal) {
  const char* had = getenv("COLUMNS");
  const std::string before = had ? had : "";
  setenv("COLUMNS", "30", 1);
  const std::string text = printed("yes", [](ProgressPrinter& printer) {
    printer.epoch(kNow);
    printer.say("a word");
    printer.epoch(kNow);
  });
  if (had)
    setenv("COLUMNS", before.c_str(), 1);
  else
    unsetenv("COLUMNS");
  const std::string line = progress_line(kNow, 29);
  EXPECT_EQ(text, "\r" + line + "\x1b[K" + "\ra word\x1b[K\n" + line + "\r" + line + "\x1b[K\n");
}
}  // namespace
}  // namespace revode::host
