#include "models/latent_ode_options.hpp"

#include "common/error.hpp"
#include "models/solver_options.hpp"

namespace revode::host {
namespace {
std::vector<Option> data_options() {
  return {
      {.key = "data.file",
       .value = "",
       .help = "CSV of irregular series (series,time,channels...); empty: the spirals",
       .flag = "data"},
      {.key = "data.series_column", .value = "series", .help = "its column of series names"},
      {.key = "data.time_column", .value = "time", .help = "its column of times"},
      {.key = "data.channels", .value = "", .help = "its columns to use, separated by commas; empty: all others"},
      {.key = "data.observe",
       .value = "random",
       .help = "what the encoder sees of a series from a file",
       .words = {"random", "gap", "first"}},
      {.key = "data.keep",
       .value = 0.5,
       .help = "part of a series' points that the encoder sees",
       .above = 0,
       .at_most = 1},
      {.key = "data.anew",
       .value = false,
       .help = "in training, what the encoder sees of a series from a file is drawn again for every batch",
       .flag = "anew"},
      {.key = "data.held_out",
       .value = 0.2,
       .help = "part of the series held out, from the end",
       .above = 0,
       .at_most = 0.9},
      {.key = "data.seed",
       .value = std::int64_t{1},
       .help = "of spirals, noise and of what is seen",
       .flag = "data-seed",
       .at_least = 0},
      {.key = "spirals.count",
       .value = std::int64_t{1000},
       .help = "spirals, the last 20 % held out",
       .flag = "spirals",
       .at_least = 0,
       .at_most = 1e6},
      {.key = "spirals.observed",
       .value = std::int64_t{50},
       .help = "points kept of the 100 of a window",
       .flag = "observed",
       .at_least = 1,
       .at_most = 100},
      {.key = "spirals.noise",
       .value = 0.3,
       .help = "standard deviation added to them",
       .flag = "spiral-noise",
       .at_least = 0},
  };
}
std::vector<Option> model_options() {
  return {
      {.key = "model.kind",
       .value = "latent_ode",
       .help = "the latent ODE, or the recurrent baseline",
       .flag = "model",
       .words = {"latent_ode", "rnn"}},
      {.key = "model.encoder",
       .value = "gru",
       .help = "recognition network, run backwards in time",
       .words = {"gru", "ode_rnn"}},
      {.key = "model.latent", .value = std::int64_t{4}, .help = "latent dimension", .at_least = 1, .at_most = 4096},
      {.key = "model.hidden", .value = std::int64_t{25}, .help = "recurrent units", .at_least = 1, .at_most = 4096},
      {.key = "model.field_width",
       .value = std::int64_t{20},
       .help = "units of a hidden layer of the field",
       .at_least = 1,
       .at_most = 4096},
      {.key = "model.field_layers",
       .value = std::int64_t{2},
       .help = "hidden layers of the field",
       .at_least = 1,
       .at_most = 6},
      {.key = "model.decoder_width",
       .value = std::int64_t{20},
       .help = "units of the decoder",
       .at_least = 1,
       .at_most = 4096},
      {.key = "model.activation", .value = "elu", .help = "of the field", .words = activation_words()},
      {.key = "model.noise", .value = 0.3, .help = "standard deviation of the likelihood", .above = 0},
      {.key = "model.kl_weight",
       .value = 1.0,
       .help = "of the KL term beside the likelihood summed over a series' points",
       .at_least = 0},
      {.key = "model.kl_warmup",
       .value = std::int64_t{3000},
       .help = "updates over which the KL term rises to its weight",
       .at_least = 0},
      {.key = "model.least_part",
       .value = 0.3,
       .help = "in training the encoder sees a random beginning of the window, at least this part",
       .above = 0,
       .at_most = 1},
      {.key = "model.lanes",
       .value = std::int64_t{16},
       .help = "samples in a tile, a multiple of 16",
       .at_least = 16,
       .at_most = 1024},
  };
}
}  // namespace

Program latent_ode_program() {
  Program program;
  program.name = "latent_ode";
  program.about =
      "Trains a latent ODE (Chen et al. 2018) on irregular series: spirals made from a seed, or a CSV file.";
  TrainingDefaults defaults;
  defaults.epochs = 2000;
  defaults.rate = 5e-3;
  for (auto& group : {data_options(), model_options(), solver_options("midpoint", 10), tolerance_options(),
                      training_options(defaults)})
    program.options.insert(program.options.end(), group.begin(), group.end());
  return program;
}

SeriesData series_data(const Options& options) {
  const std::string& file = options.text("data.file");
  if (file.empty()) {
    Spirals protocol;
    protocol.count = static_cast<int>(options.integer("spirals.count"));
    protocol.observed = static_cast<int>(options.integer("spirals.observed"));
    protocol.noise = options.number("spirals.noise");
    protocol.seed = static_cast<std::uint64_t>(options.integer("data.seed"));
    if (protocol.count < 5)
      throw Failure(Exit::usage, "--spirals", "gives no series to train on or to hold out: 5 or more");
    return spirals(protocol);
  }
  Columns columns;
  columns.series = options.text("data.series_column"), columns.time = options.text("data.time_column");
  columns.channels = list_of(options.text("data.channels"));
  Observing how;
  const std::string& kind = options.text("data.observe");
  how.kind = kind == "gap" ? Observing::Kind::gap : kind == "first" ? Observing::Kind::first : Observing::Kind::random;
  how.keep = options.number("data.keep"), how.held_out = options.number("data.held_out");
  how.anew = options.on("data.anew");
  how.seed = static_cast<std::uint64_t>(options.integer("data.seed"));
  return observe(read_series(file, columns), how);
}

std::unique_ptr<SeriesTrainee> series_trainee(const Options& options, const SeriesData& data) {
  SeriesTrainee::Batches batches;
  batches.tiles = static_cast<int>(options.integer("training.tiles"));
  batches.lanes = static_cast<int>(options.integer("model.lanes"));
  batches.seed = static_cast<std::uint64_t>(options.integer("training.seed"));
  batches.least_part = options.number("model.least_part");
  if (batches.lanes % 16)
    throw Failure(Exit::usage, "--lanes", "must be a multiple of 16, the samples of a gradient leaf");
  const auto hidden = static_cast<int>(options.integer("model.hidden"));
  const auto noise = static_cast<float>(options.number("model.noise"));
  if (options.text("model.kind") == "rnn") {
    if (!data.complete())
      throw Failure(Exit::usage, "--model",
                    "rnn needs every channel at every time: use latent_ode for data with empty cells");
    if (!data.forecasts())
      throw Failure(Exit::usage, "--model",
                    "rnn predicts what comes after all it has seen: use --observe first, or latent_ode");
    RnnBaseline<float>::Config config;
    config.hidden = hidden, config.noise = noise;
    return std::make_unique<RnnTrainee>(data, batches, config);
  }
  LatentOde<float>::Config config;
  config.hidden = hidden, config.noise = noise, config.plan = solver_plan(options);
  config.latent = static_cast<int>(options.integer("model.latent"));
  config.field_width = static_cast<int>(options.integer("model.field_width"));
  config.field_layers = static_cast<int>(options.integer("model.field_layers"));
  config.decoder_width = static_cast<int>(options.integer("model.decoder_width"));
  config.ode_rnn = options.text("model.encoder") == "ode_rnn";
  config.field_activation = activation(options.text("model.activation"));
  add_tolerances(options, config.plan);
  LatentOdeTrainee::Settings settings;
  settings.steps = options.integer("solver.steps");
  settings.kl_weight = options.number("model.kl_weight");
  settings.kl_warmup = static_cast<double>(options.integer("model.kl_warmup"));
  settings.tape_bits = static_cast<int>(options.integer("solver.tape_bits"));
  return std::make_unique<LatentOdeTrainee>(data, batches, config, settings);
}
}  // namespace revode::host
