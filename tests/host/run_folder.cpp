#include "common/run_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <limits>

#include "common/error.hpp"
#include "common/log.hpp"
#include "common/metrics.hpp"
#include "host/scratch.hpp"

namespace revode::host {
namespace {
namespace fs = std::filesystem;

Options options(const std::vector<std::string>& words) {
  Options all({.name = "demo", .about = "for tests", .options = {{.key = "model.width", .value = 8}}});
  EXPECT_FALSE(all.parse(words));
  return all;
}
/// Runs are made under the current folder: this makes it a scratch folder for as long as it lives.
class Here {
 public:
  explicit Here(const Scratch& scratch) : before_(fs::current_path()) { fs::current_path(scratch.folder()); }
  ~Here() { fs::current_path(before_); }

 private:
  fs::path before_;
};
Failure failure_of(const std::vector<std::string>& words) {
  try {
    open_run_folder(options(words), "demo");
  } catch (const Failure& failure) {
    return failure;
  }
  return {Exit::done, "", "accepted"};
}

TEST(RunFolder, StampedAndNeverShared) {
  Scratch scratch;
  Here here(scratch);
  const fs::path first = open_run_folder(options({"--width", "9"}), "demo");
  std::string shape = first.string();
  for (char& c : shape)
    if (std::isdigit(static_cast<unsigned char>(c))) c = '0';
  EXPECT_EQ(shape, "runs/demo-00000000-000000");
  EXPECT_NE(scratch.read(first.string() + "/config.toml").find("width = 9"), std::string::npos);
  // Within a second several of these fall on one stamp.
  std::vector<fs::path> all{first};
  for (int i = 0; i < 5; ++i) all.push_back(open_run_folder(options({}), "demo"));
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());
}

TEST(RunFolder, GivenFolder) {
  Scratch scratch;
  const std::string folder = scratch.path("a/b");
  EXPECT_EQ(open_run_folder(options({"--folder", folder}), "demo"), folder);
  const Failure used = failure_of({"--folder", folder});
  EXPECT_EQ(used.code(), Exit::usage);
  EXPECT_EQ(used.where(), folder);
  EXPECT_NE(std::string(used.what()).find("--resume " + folder), std::string::npos);
  EXPECT_EQ(open_run_folder(options({"--resume", folder}), "demo"), folder);
}

TEST(RunFolder, OneThatCannotBeWritten) {
  Scratch scratch;
  const std::string folder = scratch.write("file", "") + "/run";
  const Failure failure = failure_of({"--folder", folder});
  EXPECT_EQ(failure.code(), Exit::io);
  EXPECT_EQ(failure.where(), folder);
  EXPECT_NE(std::string(failure.what()).find("choose another place"), std::string::npos);
  EXPECT_EQ(failure_of({"--folder", "/proc/self/run"}).code(), Exit::io);

  Here here(scratch);
  scratch.write("runs", "a file where the folder of runs would be");
  EXPECT_EQ(failure_of({}).code(), Exit::io);
  EXPECT_NE(std::string(failure_of({}).what()).find("--folder"), std::string::npos);
}

TEST(Log, ALineAnEvent) {
  Scratch scratch;
  {
    Log log(scratch.path("log.txt"));
    log.event("start", {{"ranks", 4}, {"host", "a b"}, {"rate", 0.1}, {"resumed", false}, {"empty", ""}});
    EXPECT_EQ(scratch.read("log.txt"), "start ranks=4 host=\"a b\" rate=0.1 resumed=no empty=\"\"\n");
  }
  Log log(scratch.path("log.txt"));
  log.event("done", {{"msg", "say \"no\"\nor\tyes"}, {"loss_hex", hexadecimal(1.5)}});
  EXPECT_EQ(scratch.read("log.txt").substr(scratch.read("log.txt").find("done")),
            "done msg=\"say \\\"no\\\" or yes\" loss_hex=0x1.8p+0\n");
  EXPECT_THROW(Log("/nowhere/log.txt"), Failure);
}

TEST(Log, AFullDiskIsAFailure) {
  Log log("/dev/full");
  try {
    log.event("start");
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), Exit::io);
    EXPECT_EQ(failure.where(), "/dev/full");
  }
}

TEST(Metrics, ARowAnEpoch) {
  Scratch scratch;
  Metrics metrics(scratch.path("metrics.csv"), {"loss", "rmse"});
  metrics.row(1, {0.1, std::numeric_limits<double>::quiet_NaN()});
  EXPECT_EQ(scratch.read("metrics.csv"), "epoch,loss,rmse\n1,0.1,\n");
  EXPECT_THROW(metrics.row(2, {1}), std::logic_error);
}

TEST(Metrics, AResumedRunLooksLikeOneThatNeverStopped) {
  Scratch scratch;
  const std::string path = scratch.path("metrics.csv");
  const std::vector<std::string> columns{"loss"};
  {
    Metrics metrics(path, columns);
    for (int epoch = 1; epoch <= 4; ++epoch) metrics.row(epoch, {1.0 / epoch});
  }
  const std::string uninterrupted = scratch.read("metrics.csv");
  // Killed while writing the row of epoch 5; the checkpoint is of epoch 2.
  scratch.write("metrics.csv", uninterrupted + "5,0.");
  {
    Metrics metrics(path, columns, 2);
    for (int epoch = 3; epoch <= 4; ++epoch) metrics.row(epoch, {1.0 / epoch});
  }
  EXPECT_EQ(scratch.read("metrics.csv"), uninterrupted);
  { Metrics torn(path, columns, 9); }
  scratch.write("metrics.csv", uninterrupted + "5,0.");
  { Metrics torn(path, columns, 9); }
  EXPECT_EQ(scratch.read("metrics.csv"), uninterrupted);
  EXPECT_THROW(Metrics(path, {"other"}, 2), Failure);
  { Metrics anew(scratch.path("none.csv"), columns, 7); }
  EXPECT_EQ(scratch.read("none.csv"), "epoch,loss\n");
}
}  // namespace
}  // namespace revode::host
