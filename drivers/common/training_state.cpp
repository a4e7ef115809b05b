// The run folder of a training, what a checkpoint in it holds, and how a run goes on from one.
#include <array>
#include <cmath>
#include <set>

#include "common/error.hpp"
#include "common/pack.hpp"
#include "common/run_folder.hpp"
#include "common/training.hpp"

namespace revode::host {
namespace {
/// Hosts that the ranks are on. Collective.
std::size_t hosts(const mpi::Communicator& ranks) {
  std::array<char, 256> name{};
  ranks.host().copy(name.data(), name.size() - 1);
  std::set<std::string> all;
  for (const auto& host : ranks.gather(name)) all.insert(host.data());
  return all.size();
}
std::vector<std::string> columns(const std::string& metric) {
  return {"loss",    "train_" + metric, "held_out_" + metric, "rate", "gradient_norm", "samples_per_second",
          "seconds", "nfe_forward",     "nfe_backward",       "bytes"};
}
}  // namespace

/// Opens the folder and what is written there, and goes on where its newest checkpoint left.
void Training::open() {
  mpi::together(ranks_, [&] {
    if (!first()) return;
    folder_ = open_run_folder(options_, options_.program());
    checkpoints_.emplace(folder_ / "checkpoints", static_cast<int>(options_.integer("checkpoint.keep")));
    log_.emplace(folder_ / "log.txt");
    progress_.emplace(stdout, options_.text("terminal"));
  });
  resume();
  const std::size_t host_count = hosts(ranks_);
  mpi::together(ranks_, [&] {
    if (!first()) return;
    // A part of an epoch has a row of its own only at the end of a run.
    metrics_.emplace(folder_ / "metrics.csv", columns(trainee_.metric()),
                     iteration_ == iterations_ ? epoch() : iteration_ / per_epoch_);
    log_->event("start", {{"ranks", ranks_.size()},
                          {"hosts", host_count},
                          {"tiles", options_.integer("training.tiles")},
                          {"params", trainee_.params()},
                          {"iterations", iterations_},
                          {"resumed_iteration", iteration_},
                          {"same_bits", trainee_.same_bits()},
                          {"threads", 1},
                          {"blas", std::string(Options::blas())},
                          {"version", std::string(Options::release())},
                          {"git", std::string(Options::revision())}});
  });
}

/// The state as it is, for write(): its own loss is known only when the next iteration has computed it.
void Training::hold() {
  held_ = iteration_;
  if (!first()) return;
  Packer packer;
  packer.put(static_cast<std::int64_t>(iteration_));
  packer.put(epoch_);
  packer.put(held_out_);
  packer.put_all(std::span<const float>(theta_));
  packer.put_all(std::span<const float>(updater_->moments()));
  if (options_.integer("training.patience") > 0) {
    packer.put(stale_), packer.put(best_score_);
    packer.put_all(std::span<const float>(best_.empty() ? theta_ : best_));
  }
  state_ = packer.bytes();
}

void Training::write() {
  if (held_ == 0) return;
  const double begun = seconds_now();
  if (first()) {
    checkpoints_->save(static_cast<std::uint64_t>(held_), state_);
    log_->event("ckpt", {{"iteration", held_}, {"bytes", state_.size()}, {"ms", 1e3 * (seconds_now() - begun)}});
  }
  written_ = held_, held_ = 0;
}

/// Rank 0 reads the newest whole checkpoint and sends it to the others.
void Training::resume() {
  if (options_.resumed().empty()) return;
  const Found found = mpi::together(ranks_, [&] { return first() ? checkpoints_->load() : Found{}; });
  if (log_)
    for (const std::string& reason : found.unreadable) log_->event("bad_ckpt", {{"reason", reason}});
  std::string bytes, name;
  if (found.newest) {
    bytes.assign(reinterpret_cast<const char*>(found.newest->payload.data()), found.newest->payload.size());
    name = found.newest->file.string();
  }
  ranks_.broadcast(bytes);
  if (bytes.empty()) return;
  mpi::together(ranks_, [&] {
    Unpacker unpacker(bytes_of(bytes), name);
    written_ = iteration_ = static_cast<long>(unpacker.get<std::int64_t>());
    epoch_ = unpacker.get<Epoch>();
    held_out_ = unpacker.get<double>();
    unpacker.get_all(std::span<float>(theta_));
    unpacker.get_all(updater_->moments());
    if (options_.integer("training.patience") > 0) {
      stale_ = unpacker.get<std::int64_t>(), best_score_ = unpacker.get<double>();
      best_.resize(theta_.size());
      unpacker.get_all(std::span<float>(best_));
      if (std::isinf(best_score_)) best_.clear();
    }
    unpacker.finish();
  });
  updater_->go_on(iteration_);
}
}  // namespace revode::host
