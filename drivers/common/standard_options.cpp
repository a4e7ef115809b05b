// What every driver has: where a run is kept, how it goes on, how it looks, how it leaves.
#include "common/options.hpp"

namespace revode::host::detail {
std::vector<Option> standard_options() {
  return {
      {.key = "checkpoint.every",
       .value = 200,
       .help = "iterations between checkpoints; 0: only at a stop and at the end",
       .flag = "checkpoint-every",
       .at_least = 0,
       .may_change = true},
      {.key = "checkpoint.keep",
       .value = 2,
       .help = "checkpoints kept",
       .flag = "checkpoint-keep",
       .at_least = 1,
       .may_change = true},
      {.key = "cluster.stall_s",
       .value = 600.0,
       .help = "seconds without an answer from another rank after which the run ends with 76; 0: wait for ever",
       .at_least = 0,
       .may_change = true},
      {.key = "folder", .value = "", .help = "run folder; default runs/PROGRAM-DATE-TIME"},
      {.key = "resume",
       .value = "never",
       .help = "FOLDER: go on with that run, in its configuration; auto: with that of --folder if it has begun; never"},
      {.key = "config", .value = "", .help = "TOML file of the options that follow [section] headings here"},
      {.key = "terminal",
       .value = "auto",
       .help = "yes: one progress line that changes; no: a line an epoch; auto: yes where the output is a terminal",
       .words = {"auto", "yes", "no"}},
      {.key = "pictures", .value = true, .help = "draw pictures at the end; --pictures no leaves gnuplot alone"},
      {.key = "print_tiles",
       .value = false,
       .help = "print the number of tiles in a batch, the most ranks there can be"},
      {.key = "help", .value = false, .help = "this text"},
      {.key = "version", .value = false, .help = "the version"},
  };
}
}  // namespace revode::host::detail
