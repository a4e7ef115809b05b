/// The data-parallel training loop that every driver shares: ranks take tiles of each batch, one allreduce carries gradients,
/// statistics and the stop vote, every rank makes the same update; rank 0 writes log, metrics and checkpoints.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/checkpoint.hpp"
#include "common/log.hpp"
#include "common/metrics.hpp"
#include "common/options.hpp"
#include "common/progress.hpp"
#include "revode/mpi/stop.hpp"
#include "revode/mpi/tree_allreduce.hpp"
#include "revode/optimizer.hpp"
#include "revode/status.hpp"

namespace revode::host {
/// What is trained. theta and gradients are float.
class Trainee {
 public:
  /// Behind a gradient's parameters: the loss, the sum of squared errors and the number of values it is over.
  static constexpr std::size_t statistics = 3;
  virtual ~Trainee() = default;
  virtual std::size_t params() const = 0;
  virtual void initialise(float* theta) const = 0;
  virtual long iterations_per_epoch() const = 0;
  /// Gradient of one tile of the batch of an iteration, sums over its samples: leaf[params + statistics], overwritten. Returns
  /// the samples in it through `samples`. A function of its arguments alone, so any rank may be asked.
  virtual Status gradient(long iteration, int tile, const float* theta, float* leaf, double& samples) = 0;
  /// Tiles of the held-out data, and the sums over one of them: squared errors and values.
  virtual int held_out_tiles() const = 0;
  virtual Status held_out(int tile, const float* theta, double& squares, double& values) = 0;
};

/// The options of every training, to be added to a program's table, with its own defaults.
struct TrainingDefaults {
  std::int64_t epochs = 100, tiles = 4;
  double rate = 1e-2, final_rate = 1e-4, clip = 10;
  std::string optimizer = "adam", schedule = "cosine";
};
std::vector<Option> training_options(const TrainingDefaults& defaults);

class Training {
 public:
  enum class End { finished, stopped };
  /// Collective. `folder` and the writers are rank 0's; other ranks pass an empty path. Refuses more ranks than tiles.
  Training(const mpi::Communicator& ranks, const Options& options, Trainee& trainee, const std::filesystem::path& folder);
  /// Collective: trains to the end, or until a signal; then a checkpoint is written. Goes on where a checkpoint left.
  End run();
  const std::vector<float>& theta() const { return theta_; }
  /// Collective: root mean square over the held-out tiles, the same on every rank.
  double held_out_rmse();
  double last_loss() const { return loss_; }
  long iteration() const { return iteration_; }
  Log* log() { return log_ ? &*log_ : nullptr; }

 private:
  bool iterate();
  void update(std::vector<float>& sum, double samples);
  void end_epoch();
  void save();
  void resume();
  float* moments();
  std::size_t moment_count();
  void check(Status status, const char* what);

  const mpi::Communicator& ranks_;
  const Options& options_;
  Trainee& trainee_;
  mpi::TreeAllreduce<float> allreduce_;
  mpi::StopSignals signals_;
  mpi::Watchdog watchdog_;
  std::vector<std::byte> arena_bytes_;
  Schedule schedule_;
  Sgd<float> sgd_;
  Adam<float> adam_;
  Adamax<float> adamax_;
  std::vector<float> theta_, leaf_, sum_;
  long iterations_ = 0, per_epoch_ = 1, iteration_ = 0;
  double loss_ = 0, epoch_loss_ = 0, epoch_squares_ = 0, epoch_values_ = 0, epoch_samples_ = 0;
  double held_out_ = 0, started_ = 0, epoch_started_ = 0;
  long first_iteration_ = 0;
  float norm_ = 0;
  std::optional<Checkpoints> checkpoints_;
  std::optional<Metrics> metrics_;
  std::optional<Log> log_;
  std::optional<ProgressPrinter> progress_;
};
}  // namespace revode::host
