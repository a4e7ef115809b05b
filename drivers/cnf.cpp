/// Fits a density with a continuous normalizing flow, on any number of MPI ranks with the same bits, and evaluates,
/// samples and inverts a fitted one.
///
///   build   cmake --preset release && cmake --build build --target cnf
///   run     drivers/run cnf                                           (two moons, all cores of this machine)
///           drivers/run cnf --toy pinwheel                            (checkerboard, spirals, rings ...)
///           drivers/run cnf --data my.csv --columns 1-5               (a table: a row a sample)
///           build/drivers/cnf --model RUN/model.safetensors --evaluate my.csv --out log_p.csv
///           build/drivers/cnf --model RUN/model.safetensors --sample 1000 --out samples.csv
///
/// What to expect: a minute or two on two cores; -log p of held-out points falls towards the entropy of the data. The
/// run folder holds the configuration as used, metrics.csv, log.txt, model.safetensors, checkpoints and pictures.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <numeric>

#include "common/error.hpp"
#include "common/program.hpp"
#include "common/report.hpp"
#include "common/run_folder.hpp"
#include "models/cnf_commands.hpp"
#include "models/cnf_options.hpp"
#include "models/cnf_report.hpp"
#include "models/toys.hpp"

using namespace revode;
using namespace revode::host;

namespace {
struct Moments {
  double mean, error;  ///< and its standard error
};
Moments moments(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.) / n;
  double squares = 0;
  for (const double v : values) squares += (v - mean) * (v - mean);
  return {mean, std::sqrt(squares / n / n)};
}

std::vector<Drawn> pictures_of(const Options& options, const std::filesystem::path& folder, const DensityData& data,
                               CnfTrainee& trainee, const std::vector<float>& theta) {
  if (!options.on("pictures")) return {};
  std::vector<Drawn> pictures{draw_metrics(
      folder, "loss", {{"-log p a sample, nats", {{"train_nll", "training"}, {"held_out_nll", "held out"}}}})};
  if (data.dim == 2)
    for (Drawn& drawn : draw_plane(folder, data, trainee, theta)) pictures.push_back(std::move(drawn));
  if (data.dim > 1 && !options.text("data.file").empty())
    pictures.push_back(draw_margins(folder, data, trainee, theta));
  return pictures;
}

void report(const Options& options, const DensityData& data, CnfTrainee& trainee, Training& training, double held_out) {
  const std::filesystem::path& folder = training.folder();
  const std::vector<float>& theta = training.theta();
  write_cnf(folder / "model.safetensors", trainee, theta, data, options);
  std::vector<double> log_p;
  require(trainee.log_density(theta.data(), data.test, log_p), "test rows");
  const std::vector<Drawn> pictures = pictures_of(options, folder, data, trainee, theta);
  const Moments test = moments(log_p);
  training.log()->event("test", {{"nll", -test.mean},
                                 {"standard_error", test.error},
                                 {"rows", log_p.size()},
                                 {"nll_raw", data.log_scale() - test.mean},
                                 {"bytes", trainee.bytes()},
                                 {"drift", trainee.drift()}});
  std::printf("\n%zu parameters, %zu bytes of model memory a rank, %ld updates\n", trainee.params(), trainee.bytes(),
              training.iteration());
  std::printf("-log p a sample, nats: held out %.4f, test %.4f +- %.4f over %zu rows", held_out, -test.mean, test.error,
              log_p.size());
  if (!options.text("data.file").empty()) std::printf(" (in the table's own units %.4f)", data.log_scale() - test.mean);
  const double entropy = options.text("data.file").empty() ? toy_entropy(data.toy) : std::nan("");
  if (!std::isnan(entropy)) std::printf("; the density's entropy is %.4f", entropy);
  std::printf("\n");
  if (trainee.drift() > 0)
    std::printf("the walk back in floats missed a state by %.1e of its size\n", static_cast<double>(trainee.drift()));
  if (!trainee.same_bits()) std::printf("OpenBLAS computes some wide layer: other machines may find other bits\n");
  end_report(training, pictures);
}

int train(const mpi::Communicator& ranks, int argc, char** argv) {
  // 1. What to do.
  Options options(cnf_program());
  if (answered(ranks, options, argc, argv)) return 0;
  // 2. A fitted model to be asked something: nothing is trained.
  if (mpi::together(ranks, [&] { return is_command(options); })) {
    mpi::together(ranks, [&] {
      if (ranks.rank() == 0) run_command(options);
    });
    return 0;
  }
  // 3. Data and model.
  const DensityData data = mpi::together(ranks, [&] { return density_data(options); });
  const auto trainee = mpi::together(ranks, [&] { return cnf_trainee(options, data); });
  // 4. Training and results.
  Training training(ranks, options, *trainee);
  return train_and_report(ranks, training,
                          [&](double held_out) { report(options, data, *trainee, training, held_out); });
}
}  // namespace

int main(int argc, char** argv) {
  return mpi::run_main(argc, argv, [&](const mpi::Communicator& ranks) { return train(ranks, argc, argv); });
}
