// A small training loop that meets one misfortune, named by its argument; the tests look at exit codes and error lines.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "revode/mpi/stop.hpp"
#include "revode/mpi/tree_allreduce.hpp"

namespace {
using namespace revode::mpi;
constexpr int misfortune_at = 5;

void meet(const std::string& what, const Communicator& ranks, int iteration) {
  if (iteration != misfortune_at || ranks.rank() != ranks.size() - 1) return;
  if (what == "throw") throw Error(Exit::io, "series.csv", "line 3, column 2 is not a number: correct it");
  if (what == "foreign") throw std::runtime_error("an exception of somebody else");
  if (what == "usr1" || what == "late_term") std::raise(SIGUSR1);
  if (what == "term") std::raise(SIGTERM);
  if (what == "freeze") std::raise(SIGSTOP);
}

int train(const std::string& what, const Communicator& ranks, int tiles, int iterations) {
  StopSignals signals;
  Watchdog dog(ranks, what == "freeze" ? 1 : 30);  // 30: a busy machine is not a stall
  TreeAllreduce<float> reduce(ranks, tiles, 3);
  float sum[3];
  for (int iteration = 1; iteration <= iterations; ++iteration) {
    const float leaf[3] = {1, 2, static_cast<float>(iteration)};
    for (int tile = reduce.first(); tile < reduce.last(); ++tile) reduce.push(tile, leaf);
    meet(what, ranks, iteration);
    if (what == "forever" && iteration == 2 && ranks.rank() == 0) {  // every rank's handlers are in place by now
      std::puts("ready");
      std::fflush(stdout);
    }
    const auto watch = dog.watch("allreduce iteration", iteration);
    if (reduce.finish(sum, nullptr, signals.requested())) {
      std::printf("stopped iteration=%d\n", iteration);
      return static_cast<int>(Exit::stopped);
    }
  }
  std::printf("done sum=%g\n", static_cast<double>(sum[0]));
  return 0;
}

int configure(const std::string& what, const Communicator& ranks) {
  together(ranks, [&] {
    const bool fails = what == "usage" || (what == "usage_of_one" && ranks.rank() == ranks.size() - 1);
    if (fails) throw Error(Exit::usage, "--colour", "unknown flag: see --help");
  });
  return 0;
}

int unguarded(int argc, char** argv) {
  try {
    Session session(argc, argv);
    if (session.world().rank() == 0) throw std::runtime_error("nobody catches this before the session ends");
    session.world().barrier();
  } catch (const std::runtime_error&) {
    return 0;  // never reached: the session has ended the program
  }
  return 0;
}
}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "nothing";
  if (what == "unguarded") return unguarded(argc, argv);
  if (what == "late_term") std::atexit([] { std::raise(SIGTERM); });
  return run_main(argc, argv, [&](const Communicator& ranks) {
    if (what.starts_with("usage")) return configure(what, ranks);
    // "forever" waits for a signal from outside; the bound only keeps a broken test from running on
    const int iterations = what == "forever" ? 100'000'000 : 20;
    return train(what, ranks, what == "crowd" ? ranks.size() - 1 : 16, iterations);
  });
}
