#include "common/program.hpp"

#include <cstdio>
#include <string>

#include "common/error.hpp"

namespace revode::host {
bool answered(const mpi::Communicator& ranks, Options& options, int argc, char** argv) {
  const auto answer =
      mpi::together(ranks, [&] { return options.parse(std::vector<std::string>(argv + 1, argv + argc)); });
  if (!answer && !options.on("print_tiles")) return false;
  const std::string text = answer ? *answer : std::to_string(options.integer("training.tiles")) + "\n";
  if (ranks.rank() == 0) std::fputs(text.c_str(), stdout);
  return true;
}

int train_and_report(const mpi::Communicator& ranks, Training& training, const std::function<void(double)>& report) {
  if (training.run() == Training::End::stopped) {
    const char* folder = training.folder().c_str();
    if (ranks.rank() == 0)
      std::printf("stopped by a signal after iteration %ld: go on with --resume %s\nrun: %s\n", training.iteration(),
                  folder, folder);
    return static_cast<int>(Exit::stopped);
  }
  const double score = training.held_out_score();
  mpi::together(ranks, [&] {
    if (ranks.rank() == 0) report(score);
  });
  return 0;
}

void end_report(Training& training, const std::vector<Drawn>& pictures) {
  for (const Drawn& drawn : pictures) {
    if (drawn.warning.empty()) continue;
    training.log()->event("warning", {{"msg", drawn.warning}});
    std::printf("warning: %s\n", drawn.warning.c_str());
  }
  std::printf("run: %s\n", training.folder().c_str());
}
}  // namespace revode::host
