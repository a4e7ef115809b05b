#include "common/training.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <limits>

#include "common/error.hpp"

namespace revode::host {
namespace {
// Beside a gradient: samples, evaluations forwards and backwards, failed tiles, and the time that each rank waited in
// the allreduce before, in a place of its own: so one allreduce is all that an iteration sends.
constexpr std::size_t counters = 4;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

long updates(const Options& options, long per_epoch) {
  const std::int64_t asked = options.integer("training.iterations");
  return asked > 0 ? asked : options.integer("training.epochs") * per_epoch;
}
}  // namespace

double seconds_now() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

Training::Training(const mpi::Communicator& ranks, const Options& options, Trainee& trainee)
    : ranks_(ranks),
      options_(options),
      trainee_(trainee),
      per_epoch_(trainee.iterations_per_epoch()),
      iterations_(updates(options, per_epoch_)),
      allreduce_(ranks, static_cast<int>(options.integer("training.tiles")),
                 trainee.summed() + Trainee::statistics + trainee.buffers(),
                 counters + static_cast<std::size_t>(ranks.size())),
      watchdog_(ranks, options.number("cluster.stall_s")),
      updater_(mpi::together(ranks, [&] { return std::make_unique<Updater>(options, trainee.params(), iterations_); })),
      theta_(trainee.params() + trainee.buffers()),
      leaf_(trainee.summed() + Trainee::statistics + trainee.buffers()),
      sum_(leaf_.size()),
      held_out_(nan) {
  trainee.initialise(theta_.data());
  open();
}

Training::End Training::run() {
  started_ = seconds_now();
  first_iteration_ = iteration_;
  const std::int64_t every = options_.integer("checkpoint.every");
  bool stop = false;
  while (!done() && !stop) {
    stop = iterate();
    if (iteration_ % per_epoch_ == 0 || iteration_ == iterations_) end_epoch();
    if (stop || done() || (every > 0 && iteration_ % every == 0)) hold();
  }
  write();
  const End end = done() ? End::finished : End::stopped;
  if (end == End::finished && !best_.empty()) theta_ = best_;
  if (progress_) progress_->finish();
  if (log_) {
    std::uint64_t hash = 14695981039346656037u;  // FNV-1a over the parameters' bits
    for (const float v : theta_) hash = (hash ^ std::bit_cast<std::uint32_t>(v)) * 1099511628211u;
    log_->event(end == End::stopped ? "stopped" : "done",
                {{"iteration", iteration_}, {"params_hash", hexadecimal(hash)}, {"seconds", seconds_now() - started_}});
  }
  return end;
}

/// One update; true when some rank was asked to stop.
bool Training::iterate() {
  Epoch step;
  const bool stop = reduce(step);
  loss_ = step.loss / step.samples;
  if (!std::isfinite(loss_)) diverged("loss", "is not finite");
  update(step);
  write();
  ++iteration_;
  epoch_.loss += step.loss, epoch_.squares += step.squares, epoch_.values += step.values;
  epoch_.samples += step.samples, epoch_.iterations += 1;
  epoch_.evaluations_forward += step.evaluations_forward, epoch_.evaluations_backward += step.evaluations_backward;
  epoch_.seconds += step.seconds, epoch_.waited += step.waited;
  end_step(step);
  return stop;
}

/// This rank's tiles of the batch, and the sum over all of them.
bool Training::reduce(Epoch& step) {
  const double begun = seconds_now();
  Status status = trainee_.prepare(theta_.data());
  std::vector<double> beside(counters + static_cast<std::size_t>(ranks_.size()));
  for (int tile = allreduce_.first(); tile < allreduce_.last(); ++tile) {
    TileWork work;
    // After a failure the tiles left are pushed all the same: the other ranks wait for their sum.
    if (status == Status::ok) status = trainee_.gradient(iteration_, tile, theta_.data(), leaf_.data(), work);
    beside[0] = work.samples, beside[1] = work.evaluations_forward, beside[2] = work.evaluations_backward;
    beside[3] = status == Status::ok ? 0 : 1;
    beside[counters + static_cast<std::size_t>(ranks_.rank())] = tile == allreduce_.first() ? waited_ : 0;
    allreduce_.push(tile, leaf_.data(), beside.data());
  }
  const double pushed = seconds_now();
  bool stop;
  {
    const auto watch = watchdog_.watch("allreduce of iteration", iteration_);
    stop = allreduce_.finish(sum_.data(), beside.data(), signals_.requested());
  }
  if (beside[3] > 0) check(status, "gradient");
  const float* statistics = sum_.data() + trainee_.summed();
  step.loss = static_cast<double>(statistics[0]), step.squares = static_cast<double>(statistics[1]);
  step.values = static_cast<double>(statistics[2]), step.samples = beside[0];
  step.evaluations_forward = beside[1], step.evaluations_backward = beside[2], step.iterations = 1;
  step.waited = *std::max_element(beside.begin() + counters, beside.end());
  waited_ = seconds_now() - pushed, step.seconds = seconds_now() - begun;
  return stop;
}

void Training::update(const Epoch& step) {
  const auto scale = static_cast<float>(1 / step.samples);
  for (float& g : sum_) g *= scale;
  Status status = Status::ok;
  float* const gradient = trainee_.gather(theta_.data(), sum_.data(), status);
  check(status, "gradient");
  norm_ = updater_->update(iteration_, gradient, theta_.data());
  if (!std::isfinite(norm_)) diverged("gradient", "is not finite");
  trainee_.track(sum_.data() + trainee_.summed() + Trainee::statistics, theta_.data() + trainee_.params());
}

/// The run is over: all its updates are made, or the held-out measure has not got better for too long.
bool Training::done() const {
  const std::int64_t patience = options_.integer("training.patience");
  return iteration_ >= iterations_ || (patience > 0 && stale_ >= patience);
}

/// Keeps the parameters of the best held-out measure.
void Training::judge() {
  if (options_.integer("training.patience") == 0 || std::isnan(held_out_)) return;
  ++stale_;
  if (held_out_ < best_score_) best_score_ = held_out_, best_ = theta_, stale_ = 0;
}

/// Each rank fills in its tiles of a table; adding the others' zeros changes nothing, so the ranks do not show.
double Training::held_out_score() {
  const auto tiles = static_cast<std::size_t>(trainee_.held_out_tiles());
  const auto rank = static_cast<std::size_t>(ranks_.rank()), size = static_cast<std::size_t>(ranks_.size());
  mpi::TreeAllreduce<double> table(ranks_, ranks_.size(), 2 * tiles + 1);
  std::vector<double> sums(2 * tiles + 1, 0.0);  // and at its end the ranks that failed
  Status status = Status::ok;
  for (std::size_t tile = rank; tile < tiles && status == Status::ok; tile += size)
    status = trainee_.held_out(static_cast<int>(tile), theta_.data(), sums[2 * tile], sums[2 * tile + 1]);
  const auto watch = watchdog_.watch("held-out error after iteration", iteration_);
  sums.back() = status == Status::ok ? 0 : 1;
  table.push(ranks_.rank(), sums.data());
  table.finish(sums.data());
  if (sums.back() > 0) check(status, "held-out error");
  double squares = 0, values = 0;
  for (std::size_t i = 0; i < 2 * tiles; i += 2) squares += sums[i], values += sums[i + 1];
  if (!std::isfinite(squares)) diverged("held-out error", "is not finite");
  return trainee_.score(squares, values);
}

/// Every rank that meets a failure brings it; rank 0 prints one.
void Training::check(Status status, const std::string& what) {
  if (status == Status::ok) return mpi::agree(ranks_, nullptr);
  const bool divergence = status == Status::not_finite || status == Status::range;
  const bool room = status == Status::capacity || status == Status::too_many_steps;
  const std::string remedy = divergence ? "; where training diverges, lower --rate; " + last_checkpoint()
                             : status == Status::capacity ? "; raise --tape-bits, --slots or --most-steps"
                             : room                       ? "; raise --most-steps, or the tolerances"
                                                          : "";
  const Failure failure(divergence ? Exit::not_finite
                        : room     ? Exit::usage
                                   : Exit::bug,
                        what + " of iteration " + std::to_string(iteration_), sentence(status) + remedy);
  mpi::agree(ranks_, &failure);
}

/// From which training can go on: an update from it was finite.
std::string Training::last_checkpoint() const {
  return written_ > 0 ? "the checkpoint of iteration " + std::to_string(written_) + " is kept"
                      : "there is no checkpoint yet (--checkpoint-every)";
}

/// What all ranks see alike, before anything of it is saved.
void Training::diverged(const std::string& what, const std::string& how) {
  const Failure failure(Exit::not_finite, what + " of iteration " + std::to_string(iteration_),
                        how + ": lower --rate or --clip; " + last_checkpoint());
  mpi::agree(ranks_, &failure);
  throw mpi::Refused(Exit::not_finite);
}
}  // namespace revode::host
