// What a training tells: lines in log.txt, rows of metrics.csv, and the line that a person watches.
#include <cmath>

#include "common/training.hpp"

namespace revode::host {
Progress Training::progress() const {
  const double done = static_cast<double>(iteration_ - first_iteration_), seconds = seconds_now() - started_;
  return {.epoch = epoch(),
          .epochs = (iterations_ + per_epoch_ - 1) / per_epoch_,
          .loss = epoch_.loss / epoch_.samples,
          .held_out = held_out_,
          .metric = trainee_.metric(),
          .samples_per_second = epoch_.samples / epoch_.seconds,
          .seconds_left = seconds / done * static_cast<double>(iterations_ - iteration_)};
}

void Training::end_step(const Epoch& step) {
  if (progress_) progress_->update(progress());
  const std::int64_t every = options_.integer("training.log_every");
  if (!log_ || every == 0 || iteration_ % every != 0) return;
  log_->event("step", {{"iteration", iteration_},
                       {"loss", loss_},
                       {"loss_hex", hexadecimal(loss_)},
                       {"grad_norm", norm_},
                       {"nfe_f", step.evaluations_forward},
                       {"nfe_b", step.evaluations_backward},
                       {"ms", 1e3 * step.seconds},
                       {"wait_ms_max", 1e3 * step.waited}});
}

void Training::end_epoch() {
  const bool measured = epoch() % options_.integer("training.evaluate_every") == 0 || iteration_ == iterations_;
  if (measured) held_out_ = held_out_score(), judge();
  const double held_out = measured ? held_out_ : std::nan("");
  if (first()) {
    const Epoch& e = epoch_;
    const double loss = e.loss / e.samples, score = trainee_.score(e.squares, e.values);
    const std::string metric = trainee_.metric();
    const double solves = e.iterations * static_cast<double>(options_.integer("training.tiles"));
    metrics_->row(epoch(), {loss, score, held_out, updater_->rate(iteration_ - 1), static_cast<double>(norm_),
                            e.samples / e.seconds, seconds_now() - started_, e.evaluations_forward / solves,
                            e.evaluations_backward / solves, static_cast<double>(trainee_.bytes())});
    log_->event("epoch", {{"epoch", epoch()},
                          {"iteration", iteration_},
                          {"loss", loss},
                          {"loss_hex", hexadecimal(loss)},
                          {"train_" + metric, score},
                          {"held_out_" + metric, held_out},
                          {"grad_norm", norm_},
                          {"nfe_f", e.evaluations_forward / e.iterations},
                          {"nfe_b", e.evaluations_backward / e.iterations},
                          {"ms", 1e3 * e.seconds / e.iterations},
                          {"wait_ms_max", 1e3 * e.waited / e.iterations}});
    progress_->epoch(progress());
  }
  epoch_ = {};
}
}  // namespace revode::host
