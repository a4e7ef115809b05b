#include "common/csv.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <cstdlib>

#include "common/error.hpp"
#include "host/scratch.hpp"

namespace revode::host {
namespace {
std::string refusal(const std::string& text, const Columns& columns = {}) {
  try {
    parse_series(text, "pen.csv", columns);
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), Exit::usage);
    return sentence(failure);
  }
  return "accepted";
}
bool begins(const std::string& text, const std::string& start) {
  return text.rfind(start, 0) == 0;
}

TEST(Csv, SeriesTimesChannels) {
  const auto file = parse_series("series,time,x,y\na,0,1,2\nb,-1.5,3e-2,\na,0.25,,-4\n", "pen.csv");
  EXPECT_EQ(file.channels, (std::vector<std::string>{"x", "y"}));
  ASSERT_EQ(file.series.size(), 2U);
  EXPECT_EQ(file.series[0].name, "a");
  EXPECT_EQ(file.series[0].times, (std::vector<double>{0, 0.25}));
  EXPECT_EQ(file.series[0].values[0][0], 1);
  EXPECT_TRUE(std::isnan(file.series[0].values[0][1]));
  EXPECT_EQ(file.series[0].values[1], (std::vector<double>{2, -4}));
  EXPECT_EQ(file.series[1].times, (std::vector<double>{-1.5}));
  EXPECT_EQ(file.series[1].values[0][0], 3e-2);
  EXPECT_TRUE(std::isnan(file.series[1].values[1][0]));
}

TEST(Csv, WhatSpreadsheetsWrite) {
  const auto file = parse_series(
      "\xef\xbb\xbf\"series\",time,\"x, in \"\"mm\"\"\"\r\n a , +1 , 2 \r\n\"a\",2,\"3\"\r\n\r\n  \r\n", "pen.csv");
  EXPECT_EQ(file.channels, (std::vector<std::string>{"x, in \"mm\""}));
  ASSERT_EQ(file.series.size(), 1U);
  EXPECT_EQ(file.series[0].times, (std::vector<double>{1, 2}));
  EXPECT_EQ(file.series[0].values[0], (std::vector<double>{2, 3}));
}

TEST(Csv, ColumnsByName) {
  const Columns columns{.series = "id", .time = "step", .channels = {"vy", "vx"}};
  const auto file = parse_series("vx,letter,step,id,vy\n1,e,0,28,5\n", "pen.csv", columns);
  EXPECT_EQ(file.channels, columns.channels);
  EXPECT_EQ(file.series[0].values, (std::vector<std::vector<double>>{{5}, {1}}));
  EXPECT_EQ(refusal("id,step,vx\n28,0,1\n", columns),
            "pen.csv:1:1: no column 'vy' in the header 'id,step,vx': did you mean 'vx'?");
}

TEST(Csv, FailuresNameFileLineColumn) {
  const std::string head = "series,time,x,y\n";
  EXPECT_EQ(refusal(head + "a,0,1,2\na,1,2,abc\n"), "pen.csv:3:4: 'abc' in column 'y' is not a number");
  EXPECT_EQ(refusal(head + "a,zero,1,2\n"), "pen.csv:2:2: 'zero' in column 'time' is not a number");
  EXPECT_EQ(refusal(head + "a,0,1e999,2\n"), "pen.csv:2:3: '1e999' in column 'x' is not a number");
  for (const char* cell : {"nan", "inf", "-inf", "NaN"})
    EXPECT_TRUE(
        begins(refusal(head + "a,0,1," + cell + "\n"), std::string("pen.csv:2:4: '") + cell + "' in column 'y' is not"))
        << cell;
  EXPECT_EQ(refusal(head + "a,0,1\n"), "pen.csv:2:4: 3 cells where the header has 4: keep the commas of empty cells");
  EXPECT_TRUE(begins(refusal(head + "a,0,1,2,3\n"), "pen.csv:2:5: 5 cells where the header has 4"));
  EXPECT_TRUE(begins(refusal(head + "\na,0,1,2\n"), "pen.csv:2:2: 1 cells"));
  EXPECT_TRUE(begins(refusal(head + ",0,1,2\n"), "pen.csv:2:1: the name of the series is missing"));
  EXPECT_TRUE(begins(refusal(head + "a,,1,2\n"), "pen.csv:2:2: the time is missing"));
  EXPECT_EQ(refusal(head + "a,1,1,2\nb,0,1,2\na,0.5,1,2\n"),
            "pen.csv:4:2: time 0.5 after 1 in series 'a': times must increase");
  EXPECT_EQ(refusal(head + "a,1,1,2\na,1.0,1,2\n"),
            "pen.csv:3:2: a second row of series 'a' at time 1: times must increase");
  EXPECT_TRUE(begins(refusal(head + "a,0,\"1,2\n"), "pen.csv:2:3: no closing quote"));
  EXPECT_TRUE(begins(refusal(head + "a,0,\"1\"x,2\n"), "pen.csv:2:3: a comma must follow"));
  EXPECT_TRUE(begins(refusal(head + "a,0,,\nb,0,1,\n"), "pen.csv:2:3: series 'a' has empty cells only"));
}

TEST(Csv, FailuresOfTheWholeFile) {
  EXPECT_TRUE(begins(refusal(""), "pen.csv:1:1: the file is empty"));
  EXPECT_TRUE(begins(refusal("\r\n\n"), "pen.csv:1:1: the file is empty"));
  EXPECT_TRUE(begins(refusal("series,time,x\n"), "pen.csv:2:1: no rows after the header"));
  EXPECT_TRUE(begins(refusal("series,x\n"), "pen.csv:1:1: no column 'time' in the header 'series,x'"));
  EXPECT_TRUE(begins(refusal("series,time\na,0\n"), "pen.csv:1:3: no channel"));
  EXPECT_TRUE(begins(refusal("series,time,x,x\na,0,1,1\n"), "pen.csv:1:4: a second column 'x'"));
  EXPECT_TRUE(
      begins(refusal("series;time;x\na;0;1\n"), "pen.csv:1:1: no column 'series' in the header 'series;time;x'"));
  try {
    read_series("/nowhere/pen.csv");
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), Exit::io);
    EXPECT_EQ(sentence(failure), "/nowhere/pen.csv: cannot read it (No such file or directory): check the path");
  }
}

TEST(Csv, Packed) {
  Scratch scratch;
  const std::string text = "series,time,x\na,0,1\na,1,2\n";
  const std::string packed = scratch.path("pen.csv.gz");
  const gzFile file = gzopen(packed.c_str(), "wb");
  ASSERT_EQ(gzwrite(file, text.data(), static_cast<unsigned>(text.size())), static_cast<int>(text.size()));
  gzclose(file);
  EXPECT_EQ(read_series(packed).series[0].times, (std::vector<double>{0, 1}));
  std::string bytes = scratch.read("pen.csv.gz");
  bytes.resize(bytes.size() - 5);
  EXPECT_THROW(read_series(scratch.write("cut.gz", bytes)), Failure);
}

TEST(Csv, PenTrajectories) {
  const char* given = std::getenv("REVODE_DATA");
  const std::filesystem::path file = std::filesystem::path(given ? given : REVODE_TESTS_DIR "/../../shared/data") /
                                     "character-trajectories/chartraj_labelled_train.csv.xz";
  if (!std::filesystem::exists(file))
    GTEST_SKIP() << "no " << file << ": set REVODE_DATA to the folder of the real data";
  const auto pens = read_series(file, {.series = "series", .time = "step", .channels = {"vx", "vy", "force"}});
  EXPECT_EQ(pens.series.size(), 979U);
  for (const Series& pen : pens.series) {
    EXPECT_GE(pen.times.size(), 109U);
    EXPECT_LE(pen.times.size(), 205U);
    EXPECT_EQ(pen.times.front(), 0);
    EXPECT_EQ(pen.values.size(), 3U);
  }
  EXPECT_EQ(pens.series[0].values[2][3], 0.850451473);
}
}  // namespace
}  // namespace revode::host
