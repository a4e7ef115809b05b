/// Trains a network with a continuous-depth block to name images, on any number of MPI ranks with the same bits.
///
///   build    cmake --preset release && cmake --build build --target odenet
///   run      drivers/run odenet                                     (digits of our own, all cores of this machine)
///            drivers/run odenet --data mnist --epochs 10            (a folder of the four files of MNIST)
///            drivers/run odenet --network resnet                    (six residual blocks instead of the ODE)
///   predict  build/drivers/odenet --model runs/odenet-.../model.safetensors --predict pictures/
///
/// What to expect: a minute or two on two cores; of 512 digits held out a handful is named wrongly. The run folder
/// holds the configuration as used, metrics.csv, log.txt, model.safetensors, confusion.csv, checkpoints and pictures.
#include <cstdio>
#include <filesystem>

#include "common/error.hpp"
#include "common/program.hpp"
#include "common/report.hpp"
#include "common/run_folder.hpp"
#include "models/image_report.hpp"
#include "models/odenet_options.hpp"

using namespace revode;
using namespace revode::host;

namespace {
void report(const Options& options, const ImageSet& set, ImageTrainee& trainee, Training& training, double error) {
  const std::filesystem::path& folder = training.folder();
  write_image_model(folder / "model.safetensors", trainee, training.theta(), set.train, options);
  const Answers answers = answers_of(trainee, set.test, training.theta());
  write_answers(folder / "answers.csv", set.test, answers);
  write_confusion(folder / "confusion.csv", set.test, answers);
  std::vector<Drawn> pictures;
  if (options.on("pictures"))
    pictures = {draw_metrics(folder, "loss",
                             {{"cross-entropy an image", {{"loss", "training"}}},
                              {"share named wrongly", {{"train_error", "training"}, {"held_out_error", "held out"}}}}),
                draw_confusion(folder, "confusion", set.test), draw_mistakes(folder, "mistakes", set.test, answers)};
  std::printf("\n%s on %zu images (%s), %zu held out: %ld updates, %zu parameters\n",
              options.text("model.network").c_str(), set.train.size(), set.name.c_str(), set.test.size(),
              training.iteration(), trainee.params());
  std::printf("memory a rank, known before the run: %zu bytes, of which an ODE block holds %zu\n", trainee.bytes(),
              trainee.block_bytes());
  std::printf("held-out images named wrongly: %.2f %%\n", 100 * error);
  end_report(training, pictures);
}

int train(const mpi::Communicator& ranks, int argc, char** argv) {
  // 1. What to do.
  Options options(odenet_program());
  if (answered(ranks, options, argc, argv)) return 0;
  if (!options.text("predict").empty()) {
    mpi::together(ranks, [&] {
      if (ranks.rank() == 0) predict(options.text("predict"), options.text("model"));
    });
    return 0;
  }
  // 2. Data and model.
  const ImageSet set = mpi::together(ranks, [&] { return image_set(options); });
  const auto trainee = mpi::together(ranks, [&] {
    return std::make_unique<ImageTrainee>(set, image_batches(options), odenet_config(options, set.train));
  });
  // 3. Training and results.
  Training training(ranks, options, *trainee);
  return train_and_report(ranks, training, [&](double error) { report(options, set, *trainee, training, error); });
}
}  // namespace

int main(int argc, char** argv) {
  return mpi::run_main(argc, argv, [&](const mpi::Communicator& ranks) { return train(ranks, argc, argv); });
}
