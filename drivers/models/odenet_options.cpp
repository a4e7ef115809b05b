#include "models/odenet_options.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "models/glyphs.hpp"
#include "models/solver_options.hpp"

namespace revode::host {
namespace {
std::vector<Option> data_options() {
  return {
      {.key = "data.folder",
       .value = "",
       .help = "folder of a published set: IDX (MNIST, Fashion-MNIST, KMNIST), CIFAR-10 binary, UCI digits, gzip or "
               "not; empty: digits of our own",
       .flag = "data"},
      {.key = "data.train",
       .value = std::int64_t{0},
       .help = "images to train on, from the beginning; 0: all",
       .flag = "train",
       .at_least = 0,
       .at_most = 1e9},
      {.key = "data.test",
       .value = std::int64_t{0},
       .help = "images held out, from the beginning; 0: all",
       .flag = "test",
       .at_least = 0,
       .at_most = 1e9},
      {.key = "data.shift",
       .value = std::int64_t{-1},
       .help = "most pixels by which a training image is moved each way, as a random crop of the padded image; -1: 4 "
               "of MNIST's 28, 0 of our own digits",
       .flag = "shift",
       .at_least = -1,
       .at_most = 64},
      {.key = "digits.train",
       .value = std::int64_t{2048},
       .help = "digits of our own to train on",
       .flag = "digits",
       .at_least = 1,
       .at_most = 1e7},
      {.key = "digits.test",
       .value = std::int64_t{512},
       .help = "digits of our own held out",
       .flag = "digits-test",
       .at_least = 1,
       .at_most = 1e7},
      {.key = "digits.size",
       .value = std::int64_t{16},
       .help = "their pixels a side",
       .flag = "digits-size",
       .at_least = 8,
       .at_most = 64},
      {.key = "digits.noise",
       .value = 0.15,
       .help = "most that a pixel is off, of its range",
       .flag = "digits-noise",
       .at_least = 0,
       .at_most = 1},
      {.key = "digits.seed",
       .value = std::int64_t{1},
       .help = "of strokes and noise",
       .flag = "digits-seed",
       .at_least = 0},
  };
}
std::vector<Option> model_options() {
  return {
      {.key = "model.network",
       .value = "odenet",
       .help = "ODE block, residual blocks beside it, or an ODE of dense layers over the pixels",
       .words = {"odenet", "resnet", "mlp_odenet"}},
      {.key = "model.filters",
       .value = std::int64_t{64},
       .help = "channels of the convolutions",
       .at_least = 1,
       .at_most = 4096},
      {.key = "model.groups", .value = std::int64_t{32}, .help = "of a normalisation", .at_least = 1, .at_most = 4096},
      {.key = "model.halvings",
       .value = std::int64_t{2},
       .help = "convolutions of stride 2 before the blocks",
       .at_least = 0,
       .at_most = 6},
      {.key = "model.blocks",
       .value = std::int64_t{0},
       .help = "ODE or residual blocks; 0: one ODE block, six residual ones",
       .at_least = 0,
       .at_most = 64},
      {.key = "model.augment",
       .value = std::int64_t{0},
       .help = "channels of zeros beside an ODE's state (Dupont et al. 2019)",
       .at_least = 0,
       .at_most = 4096},
      {.key = "model.hidden",
       .value = std::int64_t{100},
       .help = "hidden units of mlp_odenet",
       .at_least = 1,
       .at_most = 65536},
      {.key = "model.anode",
       .value = false,
       .help = "ODE blocks keep nothing but their input and are run again on the way back (Gholami et al. 2019)",
       .flag = "anode"},
      {.key = "model.lanes",
       .value = std::int64_t{16},
       .help = "samples in a tile, a multiple of 16",
       .at_least = 16,
       .at_most = 1024},
  };
}
/// Those of every driver, and the continuous adjoint.
std::vector<Option> image_solver_options() {
  std::vector<Option> all = solver_options("midpoint", 2);
  for (Option& option : all) {
    if (option.key != "solver.gradient") continue;
    option.help += "; for comparison the continuous adjoint";
    option.words.emplace_back("backsolve");
  }
  return all;
}
/// Options of one launch.
std::vector<Option> predict_options() {
  return {
      {.key = "predict",
       .value = "",
       .help = "IDX file, picture or folder of pictures (PGM, PPM, PNG) to name instead of training"},
      {.key = "model", .value = "", .help = "model.safetensors of a run, for --predict"},
  };
}

/// The first `count` images; 0: all.
void keep_first(Images& images, std::int64_t count, const char* flag) {
  if (count == 0) return;
  const auto n = static_cast<std::size_t>(count);
  if (n > images.size())
    throw Failure(Exit::usage, flag, "there are only " + std::to_string(images.size()) + " images: lower it");
  images.pixels.resize(n * images.area());
  images.labels.resize(n);
}
}  // namespace

Program odenet_program() {
  Program program;
  program.name = "odenet";
  program.about =
      "Trains a network with a continuous-depth block (Chen et al. 2018), or a ResNet beside it, to name images.";
  TrainingDefaults defaults;
  defaults.epochs = 8, defaults.tiles = 8;
  defaults.rate = 0.1, defaults.final_rate = 0, defaults.clip = 0;
  defaults.optimizer = "sgd", defaults.schedule = "one_cycle";
  for (auto& group : {data_options(), model_options(), image_solver_options(), tolerance_options(),
                      training_options(defaults), predict_options()})
    program.options.insert(program.options.end(), group.begin(), group.end());
  return program;
}

ImageSet image_set(const Options& options) {
  const std::string& folder = options.text("data.folder");
  ImageSet set;
  if (folder.empty()) {
    Glyphs protocol;
    protocol.train = static_cast<std::size_t>(options.integer("digits.train"));
    protocol.test = static_cast<std::size_t>(options.integer("digits.test"));
    protocol.size = static_cast<int>(options.integer("digits.size"));
    protocol.noise = options.number("digits.noise");
    protocol.seed = static_cast<std::uint64_t>(options.integer("digits.seed"));
    set = draw_glyphs(protocol);
  } else {
    set = read_image_folder(folder);
  }
  keep_first(set.train, options.integer("data.train"), "--train");
  keep_first(set.test, options.integer("data.test"), "--test");
  return set;
}

OdeNet::Config odenet_config(const Options& options, const Images& images) {
  const auto integer = [&](const char* key) { return static_cast<int>(options.integer(key)); };
  OdeNet::Config c;
  const std::string& network = options.text("model.network");
  c.kind = network == "resnet"       ? OdeNet::Kind::resnet
           : network == "mlp_odenet" ? OdeNet::Kind::mlp_odenet
                                     : OdeNet::Kind::odenet;
  c.channels = images.channels, c.height = images.height, c.width = images.width, c.classes = images.classes;
  c.filters = integer("model.filters"), c.groups = integer("model.groups"), c.halvings = integer("model.halvings");
  c.augment = integer("model.augment"), c.hidden = integer("model.hidden"), c.anode = options.on("model.anode");
  c.blocks = integer("model.blocks") ? integer("model.blocks") : c.kind == OdeNet::Kind::resnet ? 6 : 1;
  c.lanes = integer("model.lanes");
  if (c.lanes % 16) throw Failure(Exit::usage, "--lanes", "must be a multiple of 16, the samples of a gradient leaf");
  const std::string& gradient = options.text("solver.gradient");
  c.plan = solver_plan(options), c.backsolve = gradient == "backsolve";
  if (c.backsolve && options.text("solver.method") != "runge_kutta")
    throw Failure(Exit::usage, "--gradient", "backsolve is of a single state: use --method runge_kutta");
  c.steps = options.integer("solver.steps");
  add_tolerances(options, c.plan);
  const int rows = c.kind == OdeNet::Kind::mlp_odenet ? c.channels * c.height * c.width + c.augment
                                                      : (c.filters + c.augment) * c.height * c.width;
  make_room(c.plan, c.steps, rows, c.lanes, integer("solver.tape_bits"));
  return c;
}

ImageTrainee::Batches image_batches(const Options& options) {
  ImageTrainee::Batches batches;
  batches.tiles = static_cast<int>(options.integer("training.tiles"));
  batches.seed = static_cast<std::uint64_t>(options.integer("training.seed"));
  const std::int64_t shift = options.integer("data.shift");
  batches.shift = static_cast<int>(shift >= 0 ? shift : options.text("data.folder").empty() ? 0 : 4);
  return batches;
}
}  // namespace revode::host
