#include "models/cnf_options.hpp"

#include "common/error.hpp"
#include "common/text.hpp"
#include "models/solver_options.hpp"
#include "models/toys.hpp"

namespace revode::host {
namespace {
std::vector<Option> data_options() {
  return {
      {.key = "data.file", .value = "", .help = "table, CSV or white-space text; empty: a toy", .flag = "data"},
      {.key = "data.columns",
       .value = "",
       .help = "its columns to use: names, numbers from 1 or ranges, separated by commas; empty: all",
       .flag = "columns"},
      {.key = "data.test_every",
       .value = std::int64_t{10},
       .help = "of so many rows of a table the last one is test",
       .at_least = 2,
       .at_most = 1e6},
      {.key = "data.held_out_every",
       .value = std::int64_t{10},
       .help = "of so many of the others the last one is held out",
       .at_least = 2,
       .at_most = 1e6},
      {.key = "data.standardise", .value = true, .help = "columns of a table get mean 0 and deviation 1"},
      {.key = "data.toy", .value = "moons", .help = "density in the plane", .words = toy_names()},
      {.key = "data.seed", .value = std::int64_t{1}, .help = "of a toy's points", .flag = "data-seed", .at_least = 0},
      {.key = "data.points",
       .value = std::int64_t{0},
       .help = "training points of a toy; 0: every batch is drawn anew",
       .at_least = 0,
       .at_most = 1e8},
      {.key = "data.held_out_points",
       .value = std::int64_t{2000},
       .help = "held-out points of a toy",
       .at_least = 1,
       .at_most = 1e8},
      {.key = "data.test_points",
       .value = std::int64_t{10000},
       .help = "test points of a toy",
       .at_least = 1,
       .at_most = 1e8},
  };
}
std::vector<Option> model_options() {
  return {
      {.key = "model.layer",
       .value = "concat_squash",
       .help = "how the field sees time",
       .words = {"concat", "concat_squash", "hyper"}},
      {.key = "model.hidden", .value = "64,64", .help = "widths of the field's hidden layers; of hyper: one"},
      {.key = "model.hyper_hidden",
       .value = std::int64_t{32},
       .help = "units of the hypernetwork's hidden layers",
       .at_least = 1,
       .at_most = 4096},
      {.key = "model.activation",
       .value = "tanh",
       .help = "of the field; a twice differentiable one",
       .words = {"tanh", "softplus", "silu", "sigmoid"}},
      {.key = "model.first_scale",
       .value = 1.0,
       .help = "factor of the first layer's initial weights and biases: above 1 for densities with edges",
       .above = 0},
      {.key = "model.first_reach",
       .value = 1.0,
       .help = "further factor of those biases: how far from the origin its units bend",
       .above = 0},
      {.key = "model.flows", .value = std::int64_t{1}, .help = "flows in a row", .at_least = 1, .at_most = 64},
      {.key = "model.norm", .value = false, .help = "normalisation by moving statistics around each flow"},
      {.key = "model.base_variance", .value = 1.0, .help = "of the base, a normal distribution", .above = 0},
      {.key = "model.end_time", .value = 1.0, .help = "of each flow", .above = 0},
      {.key = "model.learn_time", .value = false, .help = "the end times are learned"},
      {.key = "model.trace",
       .value = "closed",
       .help = "in training: closed form (one or two hidden layers), one tangent a dimension, or an estimate",
       .words = {"closed", "exact", "hutchinson"}},
      {.key = "model.noise", .value = "rademacher", .help = "of the estimate", .words = {"rademacher", "gaussian"}},
      {.key = "model.kinetic", .value = 0.0, .help = "weight of the integral of |f|^2", .at_least = 0},
      {.key = "model.jacobian", .value = 0.0, .help = "weight of the integral of |J eps|^2", .at_least = 0},
      {.key = "model.taylor", .value = 0.0, .help = "weight of the integral of |d^2 z / dt^2|^2", .at_least = 0},
      {.key = "model.lanes",
       .value = std::int64_t{64},
       .help = "samples in a tile, a multiple of 16",
       .at_least = 16,
       .at_most = 1024},
  };
}
std::vector<Option> command_options() {
  return {
      {.key = "model", .value = "", .help = "a trained model.safetensors, for what follows; nothing is trained"},
      {.key = "evaluate", .value = "", .help = "table: print its mean log p, and write that of each row to --out"},
      {.key = "sample",
       .value = std::int64_t{0},
       .help = "write so many samples to --out",
       .at_least = 0,
       .at_most = 1e9},
      {.key = "to_base", .value = "", .help = "table: write where its rows come from in the base to --out"},
      {.key = "from_base", .value = "", .help = "table in the base: write where its rows go to --out"},
      {.key = "sample_seed", .value = std::int64_t{1}, .help = "of --sample", .at_least = 0},
      {.key = "out", .value = "", .help = "CSV file that a command writes"},
  };
}
}  // namespace

Program cnf_program() {
  Program program;
  program.name = "cnf";
  program.about =
      "Fits a density with a continuous normalizing flow (Chen et al. 2018, FFJORD): a toy in the plane, or a table. "
      "With --model it evaluates, samples and inverts a fitted one.";
  TrainingDefaults defaults;
  defaults.epochs = 30, defaults.tiles = 4, defaults.rate = 5e-3, defaults.final_rate = 1e-5, defaults.clip = 10;
  defaults.patience = 20;  // held-out -log p is by a finer solver: what exploits a coarse one is not kept
  for (auto& group : {command_options(), data_options(), model_options(), solver_options("rk4", 6), tolerance_options(),
                      training_options(defaults)})
    program.options.insert(program.options.end(), group.begin(), group.end());
  program.options.push_back({.key = "solver.test_steps",
                             .value = std::int64_t{40},
                             .help = "of a flow, by the Runge-Kutta method of order 4, wherever nothing is trained",
                             .at_least = 1,
                             .at_most = 1e6});
  program.options.push_back({.key = "training.per_epoch",
                             .value = std::int64_t{50},
                             .help = "updates in an epoch of points that are drawn anew",
                             .at_least = 1,
                             .at_most = 1e6});
  return program;
}

DensityData density_data(const Options& options) {
  const std::string& file = options.text("data.file");
  if (file.empty())
    return toy_data(options.text("data.toy"), static_cast<std::uint64_t>(options.integer("data.seed")),
                    static_cast<std::size_t>(options.integer("data.points")),
                    static_cast<std::size_t>(options.integer("data.held_out_points")),
                    static_cast<std::size_t>(options.integer("data.test_points")));
  return split_table(
      read_table(file, list_of(options.text("data.columns"))),
      {options.integer("data.test_every"), options.integer("data.held_out_every"), options.on("data.standardise")},
      file);
}

CnfModel<float>::Config cnf_config(const Options& options, int dim) {
  using Model = CnfModel<float>;
  Model::Config c;
  c.dim = dim, c.lanes = static_cast<int>(options.integer("model.lanes"));
  const std::string &layer = options.text("model.layer"), &trace = options.text("model.trace");
  c.layer = layer == "hyper"    ? Model::Layer::hyper
            : layer == "concat" ? Model::Layer::concat
                                : Model::Layer::concat_squash;
  c.hidden.clear();
  for (const std::string& word : list_of(options.text("model.hidden"))) {
    const auto width = whole_number(trimmed(word));
    if (!width || *width < 1 || *width > 65536)
      throw Failure(Exit::usage, "--hidden", "'" + word + "' is no width: give whole numbers from 1, as in 64,64");
    c.hidden.push_back(static_cast<int>(*width));
  }
  if (c.hidden.empty() || c.hidden.size() > max_layers - 1 || (layer == "hyper" && c.hidden.size() > 1))
    throw Failure(Exit::usage, "--hidden",
                  "gives " + std::to_string(c.hidden.size()) + " hidden layers: give " +
                      (layer == "hyper" ? "1 to a hypernetwork" : "1 to 7"));
  if (trace == "closed" && c.hidden.size() > 2)
    throw Failure(Exit::usage, "--trace",
                  "closed is for one or two hidden layers: use exact, or hutchinson in many dimensions");
  if (c.lanes % 16) throw Failure(Exit::usage, "--lanes", "must be a multiple of 16, the samples of a gradient leaf");
  c.trace = trace == "closed" ? Trace::closed : trace == "exact" ? Trace::exact : Trace::hutchinson;
  c.hyper_hidden = static_cast<int>(options.integer("model.hyper_hidden"));
  c.activation = activation(options.text("model.activation"));
  c.flows = static_cast<int>(options.integer("model.flows")), c.norm = options.on("model.norm");
  c.kinetic = static_cast<float>(options.number("model.kinetic"));
  c.jacobian = static_cast<float>(options.number("model.jacobian"));
  c.taylor = static_cast<float>(options.number("model.taylor"));
  c.end_time = static_cast<float>(options.number("model.end_time")), c.learn_time = options.on("model.learn_time");
  c.steps = options.integer("solver.steps"), c.test_steps = options.integer("solver.test_steps");
  c.base_variance = static_cast<float>(options.number("model.base_variance"));
  c.first_scale = static_cast<float>(options.number("model.first_scale"));
  c.first_reach = static_cast<float>(options.number("model.first_reach"));
  if (layer == "hyper" && (c.first_scale != 1 || c.first_reach != 1))
    throw Failure(Exit::usage, c.first_scale != 1 ? "--first-scale" : "--first-reach",
                  "scales a layer's own weights, which hyper has not: leave it out");
  c.plan = solver_plan(options);
  add_tolerances(options, c.plan);
  if (c.plan.control.adaptive() && !(c.plan.control.atol > 0))
    throw Failure(Exit::usage, "--atol", "0 leaves log p, which begins at 0, no tolerance: give one beside --rtol");
  const int noise = c.trace == Trace::hutchinson || (c.trace == Trace::closed && c.jacobian > 0) ? dim : 0;
  const int rows = dim + 1 + (c.kinetic > 0) + (c.jacobian > 0) + (c.taylor > 0) + noise;
  make_room(c.plan, c.steps, rows, c.lanes, static_cast<int>(options.integer("solver.tape_bits")));
  if (c.plan.control.adaptive()) c.steps = 1;  // nothing is wanted between the ends
  c.test_plan.method = runge_kutta(tableau::rk4<float>);
  c.test_plan.way = Way::none, c.test_plan.arithmetic = Arithmetic::real;
  return c;
}

std::unique_ptr<CnfTrainee> cnf_trainee(const Options& options, const DensityData& data) {
  CnfTrainee::Batches batches;
  batches.tiles = static_cast<int>(options.integer("training.tiles"));
  batches.per_epoch = options.integer("training.per_epoch");
  batches.seed = static_cast<std::uint64_t>(options.integer("training.seed"));
  batches.gaussian = options.text("model.noise") == "gaussian";
  return std::make_unique<CnfTrainee>(data, batches, cnf_config(options, data.dim));
}
}  // namespace revode::host
