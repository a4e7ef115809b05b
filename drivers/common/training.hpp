/// The data-parallel training loop that every driver shares: ranks take tiles of each batch, one allreduce carries
/// gradients, statistics and the stop vote, every rank makes the same update; rank 0 writes log, metrics and
/// checkpoints.
#pragma once
#include <cmath>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/checkpoint.hpp"
#include "common/log.hpp"
#include "common/metrics.hpp"
#include "common/options.hpp"
#include "common/progress.hpp"
#include "common/updater.hpp"
#include "revode/mpi/stop.hpp"
#include "revode/mpi/tree_allreduce.hpp"
#include "revode/status.hpp"

namespace revode::host {
/// What a tile took besides giving a gradient.
struct TileWork {
  double samples = 0;
  double evaluations_forward = 0, evaluations_backward = 0;  ///< of a vector field, where there is one
};

/// What is trained. theta and gradients are float.
class Trainee {
 public:
  /// Behind the sums of a leaf: the loss, the sum of squared errors and the number of values it is over.
  static constexpr std::size_t statistics = 3;
  virtual ~Trainee() = default;
  virtual std::size_t params() const = 0;
  /// theta[params + buffers]
  virtual void initialise(float* theta) const = 0;
  /// Numbers behind theta that are kept with it and not trained; as many sums stand behind a leaf's statistics.
  virtual std::size_t buffers() const { return 0; }
  /// After each update, from the means of those sums over the samples of the batch.
  virtual void track(const float* /*means*/, float* /*buffers*/) const {}
  virtual long iterations_per_epoch() const = 0;
  /// Before the tiles of an update: what of theta is computed once.
  virtual Status prepare(const float* /*theta*/) { return Status::ok; }
  /// Numbers that are summed over the batch: the gradient, or cotangents that gather() makes it of.
  virtual std::size_t summed() const { return params(); }
  /// What one tile of the batch of an iteration adds, sums over its samples: leaf[summed + statistics + buffers],
  /// overwritten.
  /// A function of its arguments alone, theta being prepare()'s, so any rank may be asked.
  virtual Status gradient(long iteration, int tile, const float* theta, float* leaf, TileWork& work) = 0;
  /// The gradient, [params], from the sums over the batch, of which all ranks have the same; may overwrite them.
  virtual float* gather(const float* /*theta*/, float* sums, Status& /*status*/) { return sums; }
  /// Tiles of the held-out data, and the sums over one of them: squared errors and values.
  virtual int held_out_tiles() const = 0;
  virtual Status held_out(int tile, const float* theta, double& squares, double& values) = 0;
  /// What the two sums make: the name of the measure, and its value; the lower, the better.
  virtual const char* metric() const { return "rmse"; }
  virtual double score(double squares, double values) const { return std::sqrt(squares / values); }
  /// False where some layer is so wide that a BLAS computes it, in its own order of roundings (kernel::same_bits).
  virtual bool same_bits() const { return true; }
  virtual std::size_t bytes() const = 0;  ///< of the arena that the model works in
};

/// The options of every training, to be added to a program's table, with its own defaults.
struct TrainingDefaults {
  std::int64_t epochs = 100, tiles = 4, patience = 0;
  double rate = 1e-2, final_rate = 1e-4, clip = 10;
  std::string optimizer = "adam", schedule = "cosine";
};
std::vector<Option> training_options(const TrainingDefaults& defaults);

class Training {
 public:
  enum class End { finished, stopped };
  /// Collective. Refuses more ranks than tiles, then opens the run folder, and goes on where a checkpoint in it left.
  Training(const mpi::Communicator& ranks, const Options& options, Trainee& trainee);
  /// Collective: trains to the end, or until a signal; then a checkpoint is written.
  End run();
  const std::vector<float>& theta() const { return theta_; }
  /// Collective: the trainee's measure over the held-out tiles, the same on every rank. NaN where there are no values.
  double held_out_score();
  long iteration() const { return iteration_; }
  const std::filesystem::path& folder() const { return folder_; }  ///< of rank 0; empty on the others
  Log* log() { return log_ ? &*log_ : nullptr; }                   ///< of rank 0; null on the others

 private:
  /// Sums over iterations.
  struct Epoch {
    double loss = 0, squares = 0, values = 0, samples = 0;
    double evaluations_forward = 0, evaluations_backward = 0, iterations = 0;
    double waited = 0;   ///< by the rank that waited longest for the others; a step tells that of the one before
    double seconds = 0;  ///< of this rank; all else is equal on all ranks
  };
  bool iterate();
  bool reduce(Epoch& step);
  void update(const Epoch& step);
  void end_step(const Epoch& step);
  void end_epoch();
  void judge();
  bool done() const;
  Progress progress() const;
  void hold();
  void write();
  void resume();
  void open();
  void check(Status status, const std::string& what);
  std::string last_checkpoint() const;
  [[noreturn]] void diverged(const std::string& what, const std::string& how);
  bool first() const { return ranks_.rank() == 0; }
  long epoch() const { return (iteration_ + per_epoch_ - 1) / per_epoch_; }  ///< begun, from 1

  const mpi::Communicator& ranks_;
  const Options& options_;
  Trainee& trainee_;
  long per_epoch_, iterations_, iteration_ = 0, first_iteration_ = 0;
  mpi::TreeAllreduce<float> allreduce_;
  mpi::StopSignals signals_;
  mpi::Watchdog watchdog_;
  std::unique_ptr<Updater> updater_;
  std::vector<float> theta_, leaf_, sum_;
  std::vector<float> best_;  // theta of the best held-out measure so far, where training.patience asks for it
  std::int64_t stale_ = 0;   // measures since
  double best_score_ = std::numeric_limits<double>::infinity();
  Epoch epoch_;
  double loss_ = 0, held_out_ = 0, started_ = 0, waited_ = 0;
  float norm_ = 0;
  long held_ = 0;     // iteration of a state that is written once an update from it has been finite; 0: none
  long written_ = 0;  // of the last checkpoint
  std::filesystem::path folder_;
  Bytes state_;  // what is held, and what follows: of rank 0
  std::optional<Checkpoints> checkpoints_;
  std::optional<Metrics> metrics_;
  std::optional<Log> log_;
  std::optional<ProgressPrinter> progress_;
};

/// Seconds of a clock that never goes back.
double seconds_now();
}  // namespace revode::host
