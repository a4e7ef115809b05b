/// Optimiser, schedule and clipping as the options of training.* ask for them, over a flat array of float parameters.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "common/options.hpp"
#include "revode/optimizer.hpp"

namespace revode::host {
class Updater {
 public:
  /// `updates`: of the whole run, over which the schedule goes. Failure (Exit::usage) for options that contradict each
  /// other.
  Updater(const Options& options, std::size_t params, long updates);
  Updater(const Updater&) = delete;
  Updater& operator=(const Updater&) = delete;
  /// Update number `done` of the run: clips the gradient (overwritten) and moves theta. Returns the norm before
  /// clipping; where that is not finite, theta stays.
  float update(long done, float* theta_bar, float* theta);
  double rate(long done) const { return schedule_.at(done); }

  /// All there is to checkpoint, with the number of updates done.
  std::span<float> moments();
  void go_on(long done) { sgd_.count = adam_.count = adamax_.count = done; }

 private:
  enum class Kind { sgd, adam, adamax };
  Kind kind_ = Kind::adam;
  std::size_t params_;
  float clip_;
  Schedule schedule_;
  Sgd<float> sgd_;
  Adam<float> adam_;
  Adamax<float> adamax_;
  std::vector<std::byte> bytes_;
};
}  // namespace revode::host
