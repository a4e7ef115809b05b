// What a training leaves in a checkpoint, and how it goes on from one.
#include "common/error.hpp"
#include "common/pack.hpp"
#include "common/training.hpp"

namespace revode::host {
float* Training::moments() {
  const std::string& optimizer = options_.text("training.optimizer");
  return optimizer == "sgd" ? sgd_.moments() : optimizer == "adamax" ? adamax_.moments() : adam_.moments();
}
std::size_t Training::moment_count() {
  const std::string& optimizer = options_.text("training.optimizer");
  return optimizer == "sgd" ? sgd_.size() : optimizer == "adamax" ? adamax_.size() : adam_.size();
}

void Training::save() {
  if (ranks_.rank() != 0) return;
  Packer packer;
  packer.put(static_cast<std::int64_t>(iteration_));
  for (const double sum : {epoch_loss_, epoch_squares_, epoch_values_, epoch_samples_, held_out_}) packer.put(sum);
  packer.put_all(std::span<const float>(theta_));
  packer.put_all(std::span<const float>(moments(), moment_count()));
  checkpoints_->save(static_cast<std::uint64_t>(iteration_), packer.bytes());
  log_->event("ckpt", {{"iteration", iteration_}, {"bytes", packer.bytes().size()}});
}

/// Rank 0 reads the newest whole checkpoint and sends it to the others.
void Training::resume() {
  if (options_.resumed().empty()) return;
  std::string bytes;
  const auto found = mpi::together(ranks_, [&] { return ranks_.rank() == 0 ? checkpoints_->load() : Found{}; });
  if (log_)
    for (const std::string& reason : found.unreadable) log_->event("bad_ckpt", {{"reason", reason}});
  if (found.newest)
    bytes.assign(reinterpret_cast<const char*>(found.newest->payload.data()), found.newest->payload.size());
  ranks_.broadcast(bytes);
  if (bytes.empty()) return;
  mpi::together(ranks_, [&] {
    Unpacker unpacker(std::as_bytes(std::span<const char>(bytes.data(), bytes.size())), "checkpoint");
    iteration_ = static_cast<long>(unpacker.get<std::int64_t>());
    for (double* sum : {&epoch_loss_, &epoch_squares_, &epoch_values_, &epoch_samples_, &held_out_})
      *sum = unpacker.get<double>();
    unpacker.get_all(std::span<float>(theta_));
    unpacker.get_all(std::span<float>(moments(), moment_count()));
    unpacker.finish();
  });
  sgd_.count = adam_.count = adamax_.count = iteration_;
}
}  // namespace revode::host
