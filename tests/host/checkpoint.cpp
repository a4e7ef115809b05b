#include "common/checkpoint.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/error.hpp"
#include "common/pack.hpp"
#include "host/scratch.hpp"

namespace revode::host {
namespace {
Bytes payload(std::uint64_t step, std::size_t size = 5000) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>((i * 31 + step * 7) & 0xff);
  return bytes;
}
std::string name(std::uint64_t step) {
  std::string digits = std::to_string(step);
  return "step-" + std::string(12 - digits.size(), '0') + digits + ".ckpt";
}
std::size_t files(const Scratch& scratch) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(scratch.folder())) ++count;
  return count;
}

TEST(Checkpoint, NewestWholeOneAndKeep) {
  Scratch scratch;
  const Checkpoints checkpoints(scratch.folder(), 2);
  EXPECT_FALSE(checkpoints.load().newest);
  for (const std::uint64_t step : {9U, 10U, 200U, 1000U}) checkpoints.save(step, payload(step));
  const Found found = checkpoints.load();
  ASSERT_TRUE(found.newest);
  EXPECT_EQ(found.newest->step, 1000U);
  EXPECT_EQ(found.newest->payload, payload(1000));
  EXPECT_TRUE(found.unreadable.empty());
  EXPECT_EQ(files(scratch), 2U);
  checkpoints.save(2000, {});
  EXPECT_TRUE(checkpoints.load().newest->payload.empty());
}

TEST(Checkpoint, EveryTornFileFallsBack) {
  Scratch scratch;
  const Checkpoints checkpoints(scratch.folder(), 2);
  checkpoints.save(1, payload(1));
  checkpoints.save(2, payload(2, 40));
  const std::string whole = scratch.read(name(2));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    scratch.write(name(2), whole.substr(0, size));
    const Found found = checkpoints.load();
    ASSERT_TRUE(found.newest) << size;
    EXPECT_EQ(found.newest->step, 1U) << size;
    ASSERT_EQ(found.unreadable.size(), 1U) << size;
    EXPECT_NE(found.unreadable[0].find(name(2)), std::string::npos);
  }
  scratch.write(name(2), whole + "x");
  EXPECT_EQ(checkpoints.load().newest->step, 1U);
}

TEST(Checkpoint, EveryFlippedByteFallsBack) {
  Scratch scratch;
  const Checkpoints checkpoints(scratch.folder(), 2);
  checkpoints.save(1, payload(1));
  checkpoints.save(2, payload(2, 40));
  const std::string whole = scratch.read(name(2));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    scratch.write(name(2), flipped);
    EXPECT_EQ(checkpoints.load().newest->step, 1U) << at;
  }
}

TEST(Checkpoint, RenamedOrForeignFiles) {
  Scratch scratch;
  const Checkpoints checkpoints(scratch.folder(), 2);
  checkpoints.save(1, payload(1));
  scratch.write(name(7), scratch.read(name(1)));
  scratch.write("step-abc.ckpt", "not ours");
  scratch.write("notes.txt", "not ours");
  const Found found = checkpoints.load();
  EXPECT_EQ(found.newest->step, 1U);
  ASSERT_EQ(found.unreadable.size(), 1U);
  EXPECT_NE(found.unreadable[0].find("of step 1"), std::string::npos);
}

TEST(Checkpoint, AnUnreadableLaterOneDoesNotPushOutTheGoodOnes) {
  Scratch scratch;
  const Checkpoints checkpoints(scratch.folder(), 1);
  checkpoints.save(100, payload(100));
  scratch.write(name(300), "torn");
  scratch.write(name(400) + ".tmp", "left by a kill");
  checkpoints.save(200, payload(200));
  EXPECT_EQ(checkpoints.load().newest->step, 200U);
  EXPECT_TRUE(checkpoints.load().unreadable.empty());
  EXPECT_EQ(files(scratch), 1U);
}

TEST(Checkpoint, AFailedWriteLeavesTheOldOnes) {
  Scratch scratch;
  const Checkpoints checkpoints(scratch.folder(), 2);
  checkpoints.save(1, payload(1));
  // A limit on the size of files stands for a full disk: write() fails after part of the bytes.
  const auto before = signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  rlimit small = old;
  small.rlim_cur = 10000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  try {
    checkpoints.save(2, payload(2, 100000));
    ADD_FAILURE() << "100000 bytes fit into 10000";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), Exit::io);
    EXPECT_NE(failure.where().find(name(2)), std::string::npos);
  }
  setrlimit(RLIMIT_FSIZE, &old);
  signal(SIGXFSZ, before);
  EXPECT_EQ(files(scratch), 1U);
  EXPECT_EQ(checkpoints.load().newest->payload, payload(1));
}

TEST(Checkpoint, KilledAtAnyTimeTheNewestIsWhole) {
  Scratch scratch;
  { const Checkpoints ready(scratch.folder(), 2); }
  for (int round = 0; round < 10; ++round) {
    int begun[2];
    ASSERT_EQ(pipe(begun), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const Checkpoints checkpoints(scratch.folder(), 2);
      for (std::uint64_t step = 1;; ++step) {
        checkpoints.save(step, payload(step, 300000));
        if (write(begun[1], "x", 1) != 1) _exit(1);
      }
    }
    char first = 0;
    ASSERT_EQ(read(begun[0], &first, 1), 1);
    usleep(3000U * static_cast<unsigned>(round));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    close(begun[0]);
    close(begun[1]);
    const Found found = Checkpoints(scratch.folder(), 2).load();
    EXPECT_TRUE(found.unreadable.empty());
    ASSERT_TRUE(found.newest);
    EXPECT_EQ(found.newest->payload, payload(found.newest->step, 300000));
  }
}

TEST(Checkpoint, ABadPlaceShowsAtTheStart) {
  Scratch scratch;
  const std::string file = scratch.write("file", "");
  try {
    const Checkpoints nowhere(file + "/checkpoints", 2);
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), Exit::io);
    EXPECT_EQ(failure.where(), file + "/checkpoints");
    EXPECT_NE(std::string(failure.what()).find("choose another place"), std::string::npos);
  }
  EXPECT_THROW(Checkpoints("/proc/self", 2), Failure);
}

TEST(Pack, TheSameOrderInAndOut) {
  const std::vector<float> weights{1, 2, 3};
  Packer packer;
  packer.put(std::uint64_t{7});
  packer.put_all<float>(weights);
  packer.put(0.1);
  Unpacker unpacker(packer.bytes(), "step-7");
  std::vector<float> back(3);
  EXPECT_EQ(unpacker.get<std::uint64_t>(), 7U);
  unpacker.get_all<float>(back);
  EXPECT_EQ(back, weights);
  EXPECT_THROW(unpacker.finish(), Failure);
  EXPECT_EQ(unpacker.get<double>(), 0.1);
  unpacker.finish();
  EXPECT_THROW(unpacker.get<char>(), Failure);

  std::vector<float> other(4);
  Unpacker wrong(packer.bytes(), "step-7");
  wrong.get<std::uint64_t>();
  EXPECT_THROW(wrong.get_all<float>(other), Failure);
}
}  // namespace
}  // namespace revode::host
