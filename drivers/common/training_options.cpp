// What every training may be told.
#include "common/training.hpp"

namespace revode::host {
std::vector<Option> training_options(const TrainingDefaults& d) {
  return {
      {.key = "training.epochs",
       .value = d.epochs,
       .help = "passes over the training series",
       .at_least = 1,
       .at_most = 1e9},
      {.key = "training.iterations",
       .value = std::int64_t{0},
       .help = "updates in all; 0: as the epochs say",
       .at_least = 0,
       .at_most = 1e12},
      {.key = "training.tiles",
       .value = d.tiles,
       .help = "tiles in a batch: part of the experiment, and the most ranks there can be",
       .at_least = 1,
       .at_most = 1e6},
      {.key = "training.optimizer",
       .value = d.optimizer,
       .help = "sgd, adam, adamw or adamax",
       .words = {"sgd", "adam", "adamw", "adamax"}},
      {.key = "training.rate", .value = d.rate, .help = "learning rate", .above = 0},
      {.key = "training.final_rate", .value = d.final_rate, .help = "the rate never falls below it", .at_least = 0},
      {.key = "training.schedule",
       .value = d.schedule,
       .help = "of the rate over the run",
       .words = {"constant", "exponential", "cosine"}},
      {.key = "training.warmup", .value = std::int64_t{20}, .help = "updates over which the rate rises", .at_least = 0},
      {.key = "training.momentum", .value = 0.9, .help = "of sgd", .at_least = 0, .at_most = 1},
      {.key = "training.weight_decay", .value = 0.0, .help = "per unit of rate", .at_least = 0},
      {.key = "training.clip", .value = d.clip, .help = "most norm of a gradient; 0: any", .at_least = 0},
      {.key = "training.seed", .value = std::int64_t{1}, .help = "of weights, order and noise", .at_least = 0},
      {.key = "training.evaluate_every",
       .value = std::int64_t{1},
       .help = "epochs between held-out errors",
       .at_least = 1},
      {.key = "training.log_every",
       .value = std::int64_t{10},
       .help = "iterations between step lines in log.txt; 0: only a line an epoch",
       .at_least = 0,
       .may_change = true},
  };
}
}  // namespace revode::host
