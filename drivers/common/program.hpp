/// What the training programs have in common around their data and their model.
#pragma once
#include <functional>
#include <vector>

#include "common/gnuplot.hpp"
#include "common/training.hpp"

namespace revode::host {
/// Collective: every rank reads the same words, so all of them agree on what is wrong with them. True where they asked
/// for an answer (--help, --version, --print-tiles), which rank 0 has given.
bool answered(const mpi::Communicator& ranks, Options& options, int argc, char** argv);

/// Collective: trains, then lets rank 0 report with the held-out score; its exit code. A run stopped by a signal
/// reports nothing but how to go on.
int train_and_report(const mpi::Communicator& ranks, Training& training, const std::function<void(double)>& report);

/// The end of a report: why pictures are missing, on the screen and in the log, and the run folder as the last line.
void end_report(Training& training, const std::vector<Drawn>& pictures);
}  // namespace revode::host
