#include "common/options.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <sstream>

#include "common/error.hpp"
#include "host/scratch.hpp"

namespace revode::host {
namespace {
Program program() {
  return {.name = "demo",
          .about = "a program for tests.",
          .options = {{.key = "training.iterations", .value = 1000, .help = "steps", .at_least = 1, .may_change = true},
                      {.key = "training.learning_rate", .value = 1e-2, .help = "rate", .above = 0, .at_most = 1},
                      {.key = "training.shuffle", .value = true, .help = "shuffle"},
                      {.key = "solver.method", .value = "rk4", .help = "method", .words = {"euler", "rk4", "tsit5"}},
                      {.key = "data.file", .value = "", .help = "series"},
                      {.key = "data.noise_sd", .value = 0.3, .help = "noise", .flag = "noise", .at_least = 0}}};
}
using Words = std::vector<std::string>;

std::string refusal(const Words& words) {
  Options options(program());
  try {
    options.parse(words);
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), Exit::usage);
    return sentence(failure);
  }
  return "accepted";
}
std::string refusal_of_file(const std::string& text) {
  Options options(program());
  try {
    options.read_toml(text, "my.toml");
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), Exit::usage);
    return sentence(failure);
  }
  return "accepted";
}

TEST(Options, DefaultsFileFlags) {
  Scratch scratch;
  scratch.write("a.toml", "[training]\niterations = 7\nlearning_rate = 1\n[solver]\nmethod = 'euler'\n");
  Options options(program());
  EXPECT_FALSE(options.parse({"--iterations", "9", "--config", scratch.path("a.toml"), "--shuffle=no"}));
  EXPECT_EQ(options.integer("training.iterations"), 9);
  EXPECT_EQ(options.number("training.learning_rate"), 1.0);
  EXPECT_EQ(options.text("solver.method"), "euler");
  EXPECT_EQ(options.number("data.noise_sd"), 0.3);
  EXPECT_FALSE(options.on("training.shuffle"));
  EXPECT_TRUE(options.given("solver.method"));
  EXPECT_FALSE(options.given("data.noise_sd"));
}

TEST(Options, WaysToWriteAFlag) {
  Options options(program());
  EXPECT_FALSE(options.parse(
      {"--noise=0.5", "--learning-rate", "1e-3", "--print-tiles", "--file", "a=b.csv", "--shuffle", "no"}));
  EXPECT_EQ(options.number("data.noise_sd"), 0.5);
  EXPECT_EQ(options.number("training.learning_rate"), 1e-3);
  EXPECT_EQ(options.text("data.file"), "a=b.csv");
  EXPECT_TRUE(options.on("print_tiles"));
  EXPECT_FALSE(options.on("training.shuffle"));
  EXPECT_FALSE(options.parse({"--noise", "1", "--noise", "2", "--shuffle"}));
  EXPECT_EQ(options.number("data.noise_sd"), 2);
  EXPECT_TRUE(options.on("training.shuffle"));
}

TEST(Options, RefusesFlags) {
  EXPECT_EQ(refusal({"--iteratons", "5"}), "--iteratons: unknown flag: did you mean --iterations?");
  EXPECT_EQ(refusal({"--qqqqqqqqqqq"}), "--qqqqqqqqqqq: unknown flag: --help lists those there are");
  EXPECT_EQ(refusal({"spirals"}), "spirals: unknown flag: --help lists those there are");
  EXPECT_EQ(refusal({"--iterations"}), "--iterations: a value is missing: a whole number from 1 must follow");
  EXPECT_EQ(refusal({"--iterations", "--noise", "1"}),
            "--iterations: a value is missing: a whole number from 1 must follow");
  EXPECT_EQ(refusal({"--iterations", "0"}), "--iterations: '0' is not a whole number from 1");
  EXPECT_EQ(refusal({"--iterations", "1e3"}), "--iterations: '1e3' is not a whole number from 1");
  EXPECT_EQ(refusal({"--iterations=99999999999999999999"}),
            "--iterations: '99999999999999999999' is not a whole number from 1");
  EXPECT_EQ(refusal({"--learning-rate", "0"}), "--learning-rate: '0' is not a number above 0 to 1");
  EXPECT_EQ(refusal({"--noise", "inf"}), "--noise: 'inf' is not a number from 0");
  EXPECT_EQ(refusal({"--noise", "nan"}), "--noise: 'nan' is not a number from 0");
  EXPECT_EQ(refusal({"--noise", "0,3"}), "--noise: '0,3' is not a number from 0");
  EXPECT_EQ(refusal({"--method", "tsit"}), "--method: 'tsit' is not one of euler, rk4, tsit5; did you mean 'tsit5'?");
  EXPECT_EQ(refusal({"--shuffle=maybe"}), "--shuffle: 'maybe' is not yes or no");
}

TEST(Options, RefusesKeysByFileAndLine) {
  EXPECT_EQ(refusal_of_file("[training]\n\niteratons = 5\n"),
            "my.toml:3:1: unknown key 'training.iteratons': did you mean 'training.iterations'?");
  EXPECT_EQ(refusal_of_file("[trainin]\niterations = 5\n"),
            "my.toml:2:1: unknown key 'trainin.iterations': did you mean 'training.iterations'?");
  EXPECT_EQ(refusal_of_file("folder = 'x'\n"), "my.toml:1:1: unknown key 'folder': --help lists those there are");
  EXPECT_EQ(refusal_of_file("[training]\niterations = 0\n"),
            "my.toml:2:1: training.iterations = 0 is not a whole number from 1");
  EXPECT_EQ(refusal_of_file("[training]\niterations = 5.0\n"),
            "my.toml:2:1: training.iterations = 5.0 is not a whole number from 1");
  EXPECT_EQ(refusal_of_file("[data]\nnoise_sd = [1]\n"),
            "my.toml:2:1: data.noise_sd = a list or a date is not a number from 0");
  EXPECT_EQ(refusal_of_file("[data]\nnoise_sd = nan\n").substr(0, 30), "my.toml:2:1: data.noise_sd = n");
  EXPECT_EQ(refusal_of_file("[data\n").substr(0, 10), "my.toml:1:");
  EXPECT_EQ(refusal_of_file("[data]\nfile = 'x'\nfile = 'y'\n").substr(0, 10), "my.toml:3:");
}

TEST(Options, UnreadableConfigurationNamesTheFile) {
  Options options(program());
  try {
    options.parse({"--config", "/nowhere/a.toml"});
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), Exit::io);
    EXPECT_EQ(failure.where(), "/nowhere/a.toml");
  }
}

TEST(Options, TheConfigurationAsUsedReadsBackTheSame) {
  Options options(program());
  EXPECT_FALSE(options.parse({"--noise", "0.1", "--learning-rate", "2.5e-17", "--iterations", "9007199254740993",
                              "--file", "C:\\a \"b\"\n\x01\x7f é", "--method", "tsit5", "--shuffle", "no"}));
  Options back(program());
  back.read_toml(options.toml(), "config.toml");
  for (const char* key : {"data.noise_sd", "training.learning_rate", "cluster.stall_s"})
    EXPECT_EQ(back.number(key), options.number(key)) << key;
  for (const char* key : {"data.file", "solver.method"}) EXPECT_EQ(back.text(key), options.text(key)) << key;
  EXPECT_EQ(back.integer("training.iterations"), 9007199254740993);
  EXPECT_FALSE(back.on("training.shuffle"));
  EXPECT_EQ(back.toml(), options.toml());
}

TEST(Options, HelpWinsOverMistakesAndShowsEveryFlag) {
  Options options(program());
  const auto page = options.parse({"--wrong", "--help"});
  ASSERT_TRUE(page);
  for (const char* piece :
       {"mpirun -n ", "srun --mpi=pmix", "[training]", "[checkpoint]", "--iterations N", "--noise X",
        "--method euler|rk4|tsit5", "exit codes", "environment", "default 1000", "above 0 to 1"})
    EXPECT_NE(page->find(piece), std::string::npos) << piece;
  std::istringstream lines(*page);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 120U) << line;
  EXPECT_EQ(Options(program()).parse({"--version"}).value_or("").rfind("demo (revode) ", 0), 0U);
}

TEST(Options, AResumedRunKeepsItsExperiment) {
  Scratch scratch;
  Options first(program());
  EXPECT_FALSE(first.parse({"--noise", "0.125", "--iterations", "10"}));
  scratch.write("config.toml", first.toml());

  Options again(program());
  EXPECT_FALSE(again.parse({"--resume", scratch.folder(), "--iterations", "20", "--noise", "0.125"}));
  EXPECT_EQ(again.resumed(), scratch.folder());
  EXPECT_EQ(again.number("data.noise_sd"), 0.125);
  EXPECT_EQ(again.integer("training.iterations"), 20);

  EXPECT_EQ(refusal({"--resume", scratch.folder(), "--noise", "0.5"}),
            "data.noise_sd: is 0.125 in " + scratch.folder() +
                " and 0.5 now: a resumed run keeps it; leave the option out, or start a new run");
}

TEST(Options, ResumeAutoBeginsOrGoesOn) {
  Scratch scratch;
  Options fresh(program());
  EXPECT_FALSE(fresh.parse({"--resume", "auto", "--folder", scratch.folder()}));
  EXPECT_TRUE(fresh.resumed().empty());
  scratch.write("config.toml", fresh.toml());
  EXPECT_FALSE(fresh.parse({"--resume", "auto", "--folder", scratch.folder()}));
  EXPECT_EQ(fresh.resumed(), scratch.folder());
  EXPECT_NE(refusal({"--resume", "auto"}).find("--folder"), std::string::npos);
  EXPECT_NE(refusal({"--resume", "/nowhere"}).find("no config.toml"), std::string::npos);
}

TEST(Options, ATableThatContradictsItselfIsABug) {
  Program twice = program();
  twice.options.push_back({.key = "model.noise", .value = 1.0});
  EXPECT_THROW(Options{twice}, std::logic_error);
  Program outside = program();
  outside.options.push_back({.key = "model.width", .value = 0, .at_least = 1});
  EXPECT_THROW(Options{outside}, std::logic_error);
  EXPECT_THROW(Options(program()).integer("training.nothing"), std::logic_error);
}
}  // namespace
}  // namespace revode::host
