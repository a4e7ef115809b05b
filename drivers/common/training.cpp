#include "common/training.hpp"

#include <bit>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>

#include "common/error.hpp"
#include "common/pack.hpp"

namespace revode::host {
namespace {
double now() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}
std::vector<std::byte> aligned(std::size_t bytes) { return std::vector<std::byte>(bytes + REVODE_ALIGN); }
Arena arena_over(std::vector<std::byte>& bytes) {
  void* at = bytes.data();
  std::size_t space = bytes.size();
  std::align(REVODE_ALIGN, space - REVODE_ALIGN, at, space);
  return Arena(at, space);
}
}  // namespace

std::vector<Option> training_options(const TrainingDefaults& d) {
  return {
      {.key = "training.epochs", .value = d.epochs, .help = "passes over the training series", .at_least = 1},
      {.key = "training.iterations",
       .value = std::int64_t{0},
       .help = "updates in all; 0: as the epochs say",
       .at_least = 0},
      {.key = "training.tiles",
       .value = d.tiles,
       .help = "tiles in a batch: part of the experiment, and the most ranks there can be",
       .at_least = 1},
      {.key = "training.optimizer", .value = d.optimizer, .help = "sgd, adam, adamw or adamax",
       .words = {"sgd", "adam", "adamw", "adamax"}},
      {.key = "training.rate", .value = d.rate, .help = "learning rate", .above = 0},
      {.key = "training.final_rate", .value = d.final_rate, .help = "the rate never falls below it", .at_least = 0},
      {.key = "training.schedule", .value = d.schedule, .help = "of the rate over the run",
       .words = {"constant", "exponential", "cosine"}},
      {.key = "training.warmup", .value = std::int64_t{20}, .help = "updates over which the rate rises", .at_least = 0},
      {.key = "training.momentum", .value = 0.9, .help = "of sgd", .at_least = 0, .at_most = 1},
      {.key = "training.weight_decay", .value = 0.0, .help = "per unit of rate", .at_least = 0},
      {.key = "training.clip", .value = d.clip, .help = "most norm of a gradient; 0: any", .at_least = 0},
      {.key = "training.seed", .value = std::int64_t{1}, .help = "of weights, order and noise", .at_least = 0},
      {.key = "training.evaluate_every", .value = std::int64_t{1}, .help = "epochs between held-out errors", .at_least = 1},
  };
}

Training::Training(const mpi::Communicator& ranks, const Options& options, Trainee& trainee,
                   const std::filesystem::path& folder)
    : ranks_(ranks),
      options_(options),
      trainee_(trainee),
      allreduce_(ranks, static_cast<int>(options.integer("training.tiles")), trainee.params() + Trainee::statistics, 2),
      watchdog_(ranks, options.number("cluster.stall_s")) {
  const std::size_t params = trainee.params();
  theta_.resize(params), leaf_.resize(params + Trainee::statistics), sum_.resize(params + Trainee::statistics);
  arena_bytes_ = aligned(2 * params * sizeof(float) + 2 * REVODE_ALIGN);
  Arena arena = arena_over(arena_bytes_);
  const std::string& optimizer = options.text("training.optimizer");
  const auto decay = static_cast<float>(options.number("training.weight_decay"));
  if (optimizer == "sgd") {
    sgd_.momentum = static_cast<float>(options.number("training.momentum")), sgd_.weight_decay = decay;
    sgd_.place(arena, params), sgd_.reset();
  } else if (optimizer == "adamax") {
    adamax_.weight_decay = decay;
    adamax_.place(arena, params), adamax_.reset();
  } else {
    adam_.weight_decay = decay, adam_.decoupled = optimizer == "adamw";
    adam_.place(arena, params), adam_.reset();
  }
  per_epoch_ = trainee.iterations_per_epoch();
  iterations_ = options.integer("training.iterations");
  if (iterations_ == 0) iterations_ = options.integer("training.epochs") * per_epoch_;
  schedule_.rate = options.number("training.rate"), schedule_.floor = options.number("training.final_rate");
  schedule_.warmup = options.integer("training.warmup"), schedule_.period = iterations_;
  const std::string& kind = options.text("training.schedule");
  if (kind == "cosine") schedule_.kind = Schedule::Kind::cosine;
  if (kind == "exponential") {
    schedule_.kind = Schedule::Kind::exponential;
    schedule_.factor = std::pow(schedule_.floor / schedule_.rate, 1 / static_cast<double>(iterations_));
  }
  trainee.initialise(theta_.data());
  if (ranks.rank() == 0) {
    checkpoints_.emplace(folder / "checkpoints", static_cast<int>(options.integer("checkpoint.keep")));
    log_.emplace(folder / "log.txt");
    progress_.emplace(stdout, options.text("terminal"));
  }
  resume();
  if (ranks.rank() == 0) {
    metrics_.emplace(folder / "metrics.csv",
                     std::vector<std::string>{"loss", "train_rmse", "held_out_rmse", "rate", "gradient_norm",
                                              "samples_per_second", "seconds"},
                     iteration_ / per_epoch_);
    log_->event("start", {{"ranks", ranks.size()},
                          {"tiles", options.integer("training.tiles")},
                          {"params", params},
                          {"iterations", iterations_},
                          {"resumed_iteration", iteration_}});
  }
}

Training::End Training::run() {
  started_ = epoch_started_ = now();
  first_iteration_ = iteration_;
  bool stop = false;
  const std::int64_t every = options_.integer("checkpoint.every");
  while (iteration_ < iterations_ && !stop) {
    stop = iterate();
    if (iteration_ % per_epoch_ == 0 || iteration_ == iterations_) end_epoch();
    const bool due = every > 0 && iteration_ % every == 0;
    if (due || stop || iteration_ == iterations_) save();
  }
  if (progress_) progress_->finish();
  if (log_) {
    std::uint64_t hash = 14695981039346656037u;
    for (const float v : theta_) hash = (hash ^ std::bit_cast<std::uint32_t>(v)) * 1099511628211u;
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
    log_->event(iteration_ < iterations_ ? "stopped" : "done",
                {{"iteration", iteration_}, {"params_hash", text}, {"seconds", now() - started_}});
  }
  return iteration_ < iterations_ ? End::stopped : End::finished;
}

/// One update; true when some rank was asked to stop.
bool Training::iterate() {
  double extras[2] = {0, 0};  // samples, failures
  Status status = Status::ok;
  for (int tile = allreduce_.first(); tile < allreduce_.last(); ++tile) {
    double mine[2] = {0, 0};
    if (status == Status::ok) status = trainee_.gradient(iteration_, tile, theta_.data(), leaf_.data(), mine[0]);
    mine[1] = status == Status::ok ? 0 : 1;
    allreduce_.push(tile, leaf_.data(), mine);
  }
  bool stop;
  {
    const auto watch = watchdog_.watch("allreduce of iteration", iteration_);
    stop = allreduce_.finish(sum_.data(), extras, signals_.requested());
  }
  if (extras[1] > 0) check(status, "gradient");
  const float* statistics = sum_.data() + trainee_.params();
  loss_ = static_cast<double>(statistics[0]) / extras[0];
  if (!std::isfinite(loss_)) {
    const Failure failure(Exit::not_finite, "loss",
                          "is not finite in iteration " + std::to_string(iteration_) +
                              ": lower --rate or --clip; the last checkpoint is kept");
    mpi::agree(ranks_, &failure);
  }
  epoch_loss_ += static_cast<double>(statistics[0]), epoch_squares_ += static_cast<double>(statistics[1]);
  epoch_values_ += static_cast<double>(statistics[2]), epoch_samples_ += extras[0];
  update(sum_, extras[0]);
  ++iteration_;
  if (progress_) {
    const double done = static_cast<double>(iteration_ - first_iteration_), seconds = now() - started_;
    progress_->update({.epoch = (iteration_ - 1) / per_epoch_ + 1,
                       .epochs = (iterations_ + per_epoch_ - 1) / per_epoch_,
                       .loss = loss_,
                       .held_out_rmse = held_out_ > 0 ? held_out_ : std::nan(""),
                       .samples_per_second = extras[0] * done / seconds,
                       .seconds_left = seconds / done * static_cast<double>(iterations_ - iteration_)});
  }
  return stop;
}

/// Every rank that meets a failure brings it; rank 0 prints one.
void Training::check(Status status, const char* what) {
  const Exit code = status == Status::not_finite || status == Status::range ? Exit::not_finite : Exit::bug;
  const Failure failure(code, what + std::string(" of iteration ") + std::to_string(iteration_), sentence(status));
  mpi::agree(ranks_, status == Status::ok ? nullptr : &failure);
}

void Training::update(std::vector<float>& sum, double samples) {
  const std::size_t params = theta_.size();
  const auto scale = static_cast<float>(1 / samples);
  for (std::size_t i = 0; i < params; ++i) sum[i] *= scale;
  const double clip = options_.number("training.clip");
  norm_ = clip_by_norm(params, clip > 0 ? static_cast<float>(clip) : INFINITY, sum.data());
  const auto rate = static_cast<float>(schedule_.at(iteration_));
  const std::string& optimizer = options_.text("training.optimizer");
  if (optimizer == "sgd")
    sgd_.update(rate, sum.data(), theta_.data());
  else if (optimizer == "adamax")
    adamax_.update(rate, sum.data(), theta_.data());
  else
    adam_.update(rate, sum.data(), theta_.data());
}

void Training::end_epoch() {
  const long epoch = (iteration_ + per_epoch_ - 1) / per_epoch_;
  const bool last = iteration_ == iterations_;
  const bool measured = epoch % options_.integer("training.evaluate_every") == 0 || last;
  if (measured) held_out_ = held_out_rmse();
  if (ranks_.rank() == 0) {
    const double seconds = now() - started_, took = now() - epoch_started_;
    const double loss = epoch_loss_ / epoch_samples_, rmse = std::sqrt(epoch_squares_ / epoch_values_);
    const double rate = schedule_.at(iteration_ - 1), speed = epoch_samples_ / took;
    const double held_out = measured ? held_out_ : std::nan("");
    metrics_->row(epoch, {loss, rmse, held_out, rate, static_cast<double>(norm_), speed, seconds});
    log_->event("epoch", {{"epoch", epoch}, {"iteration", iteration_}, {"loss", loss}, {"loss_hex", hexadecimal(loss)},
                          {"train_rmse", rmse}, {"held_out_rmse", held_out}, {"grad_norm", norm_}});
    const double done = static_cast<double>(iteration_ - first_iteration_);
    progress_->epoch({.epoch = epoch,
                      .epochs = (iterations_ + per_epoch_ - 1) / per_epoch_,
                      .loss = loss,
                      .held_out_rmse = held_out_,
                      .samples_per_second = speed,
                      .seconds_left = seconds / done * static_cast<double>(iterations_ - iteration_)});
  }
  epoch_loss_ = epoch_squares_ = epoch_values_ = epoch_samples_ = 0;
  epoch_started_ = now();
}

/// Each rank fills in its tiles of a table; adding the others' zeros changes nothing, so the ranks do not show.
double Training::held_out_rmse() {
  const int tiles = trainee_.held_out_tiles();
  mpi::TreeAllreduce<double> table(ranks_, ranks_.size(), 2 * static_cast<std::size_t>(tiles));
  std::vector<double> sums(2 * static_cast<std::size_t>(tiles), 0.0);
  Status status = Status::ok;
  for (int tile = ranks_.rank(); tile < tiles && status == Status::ok; tile += ranks_.size())
    status = trainee_.held_out(tile, theta_.data(), sums[2 * static_cast<std::size_t>(tile)],
                               sums[2 * static_cast<std::size_t>(tile) + 1]);
  const auto watch = watchdog_.watch("held-out error after iteration", iteration_);
  check(status, "held-out error");
  table.push(ranks_.rank(), sums.data());
  table.finish(sums.data());
  double squares = 0, values = 0;
  for (std::size_t i = 0; i < sums.size(); i += 2) squares += sums[i], values += sums[i + 1];
  return std::sqrt(squares / values);
}
}  // namespace revode::host
