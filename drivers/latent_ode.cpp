/// Trains a latent ODE on irregular series, on any number of MPI ranks with the same bits.
///
///   build   cmake --preset release && cmake --build build --target latent_ode
///   run     drivers/run latent_ode                                 (spirals, all cores of this machine)
///           mpirun -n 4 build/drivers/latent_ode --observed 30     (fewer observations)
///           drivers/run latent_ode --data my.csv --keep 0.3        (columns: series, time, channels...)
///
/// What to expect: a minute on two cores; the held-out error falls to about half the noise. The run folder holds
/// the configuration as used, metrics.csv, log.txt, model.safetensors, checkpoints and pictures.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <sstream>

#include "common/error.hpp"
#include "common/program.hpp"
#include "common/report.hpp"
#include "common/run_folder.hpp"
#include "common/safetensors.hpp"
#include "models/latent_ode_options.hpp"

using namespace revode;
using namespace revode::host;

namespace {
void write_model(const std::filesystem::path& file, const SeriesTrainee& trainee, const std::vector<float>& theta,
                 const SeriesData& data, const Options& options) {
  TensorFile out = model_file(options, trainee.tensors(), theta);
  const auto channels = static_cast<std::int64_t>(data.channels);
  out.tensors.push_back(Tensor::of<double>("data.mean", {channels}, data.mean));
  out.tensors.push_back(Tensor::of<double>("data.scale", {channels}, data.scale));
  write_safetensors(file, out);
}

/// What held-out series look like: points the encoder saw, and unseen ones with their predictions, in the data's own
/// units.
void write_held_out(const std::filesystem::path& file, const SeriesData& data, SeriesTrainee& trainee,
                    const std::vector<float>& theta) {
  std::ostringstream out;
  out.precision(9);
  out << "series,channel,time,seen,value,prediction\n";
  const auto cell = [](const std::string& text) {
    std::string all = "\"";
    for (const char c : text) all += c == '"' ? "\"\"" : std::string(1, c);
    return text.find_first_of(",\"\n") == std::string::npos ? text : all + '"';
  };
  const auto channels = static_cast<std::size_t>(data.channels);
  std::vector<float> x;
  for (std::size_t i = 0; i < data.held_out.size(); ++i) {
    require(trainee.predict(&i, 1, theta.data(), x), file.string());
    const Sample& sample = data.held_out[i];
    const auto row = [&](const Points& points, std::size_t k) -> std::ostream& {
      const std::size_t c = k % channels;
      return out << cell(sample.name) << ',' << cell(data.channel_names[c]) << ','
                 << sample.begin + data.time_unit * points.times[k / channels] << ',' << (&points == &sample.observed)
                 << ',' << points.values[k] * data.scale[c] + data.mean[c] << ',';
    };
    for (std::size_t k = 0; k < sample.observed.values.size(); ++k)
      if (!std::isnan(sample.observed.values[k])) row(sample.observed, k) << '\n';
    const std::size_t lanes = trainee.lanes();
    for (std::size_t k = 0; k < sample.test.values.size(); ++k)
      if (!std::isnan(sample.test.values[k]))
        row(sample.test, k) << static_cast<double>(x[k * lanes]) * data.scale[k % channels] + data.mean[k % channels]
                            << '\n';
  }
  write_text(file, out.str());
}

/// x and y of points: the first two channels of an orbit, or time and the first channel.
Curve curve(const Points& points, int channels, bool orbit) {
  Curve c;
  for (std::size_t j = 0; j < points.size(); ++j) {
    const double* v = points.values.data() + j * static_cast<std::size_t>(channels);
    if (std::isnan(v[0]) || (orbit && std::isnan(v[1]))) continue;
    c.x.push_back(orbit ? v[0] : points.times[j]), c.y.push_back(orbit ? v[1] : v[0]);
  }
  return c;
}

/// Held-out series with truth, observed points, reconstruction and extrapolation, as in figure 9 of Chen et al. 2018.
std::vector<Panel> panels(const SeriesData& data, SeriesTrainee& trainee, const std::vector<float>& theta, bool orbit) {
  constexpr std::size_t count = 8, points = 160;
  const std::size_t n = std::min(count, data.held_out.size());
  const auto channels = static_cast<std::size_t>(data.channels);
  auto* latent = dynamic_cast<LatentOdeTrainee*>(&trainee);
  std::vector<Panel> all;
  for (std::size_t i = 0; i < n; ++i) {
    const Sample& sample = data.held_out[i];
    Panel panel{
        sample.name, curve(sample.truth, data.channels, orbit), curve(sample.observed, data.channels, orbit), {}, {}};
    std::vector<double> times = sample.test.times;
    std::vector<float> x;
    if (latent) {
      times.clear();
      for (std::size_t j = 0; j < points; ++j)
        times.push_back(data.horizon * static_cast<double>(j) / static_cast<double>(points - 1));
    }
    require(latent ? latent->predict_at(times, &i, 1, theta.data(), x) : trainee.predict(&i, 1, theta.data(), x),
            "picture");
    const std::size_t lanes = trainee.lanes();
    const double seen = sample.observed.times.back();
    for (std::size_t j = 0; j < times.size(); ++j) {
      Curve& c = times[j] <= seen ? panel.reconstruction : panel.extrapolation;
      const auto value = [&](std::size_t channel) { return static_cast<double>(x[(j * channels + channel) * lanes]); };
      c.x.push_back(orbit ? value(0) : times[j]), c.y.push_back(orbit ? value(1) : value(0));
    }
    all.push_back(std::move(panel));
  }
  return all;
}

void report(const Options& options, const SeriesData& data, SeriesTrainee& trainee, Training& training, double rmse) {
  const std::filesystem::path& folder = training.folder();
  write_model(folder / "model.safetensors", trainee, training.theta(), data, options);
  write_held_out(folder / "held_out.csv", data, trainee, training.theta());
  const bool orbit = options.text("data.file").empty();
  std::vector<Drawn> pictures;
  if (options.on("pictures"))
    pictures = {
        draw_metrics(folder, "loss",
                     {{"negative evidence lower bound a series", {{"loss", "training"}}},
                      {"root mean square error",
                       {{"train_rmse", "observed points, training"}, {"held_out_rmse", "unseen points, held out"}}}}),
        draw_panels(folder, orbit ? "spirals" : "series", panels(data, trainee, training.theta(), orbit),
                    {.equal_axes = orbit})};
  std::printf("\n%s on %zu series, %zu held out: %ld updates, %zu parameters, %zu bytes of model memory a rank\n",
              options.text("model.kind").c_str(), data.train.size(), data.held_out.size(), training.iteration(),
              trainee.params(), trainee.bytes());
  if (std::isnan(rmse))
    std::printf("no unseen point in the held-out series: nothing to measure an error on (lower --keep)\n");
  else
    std::printf("held-out root mean square error on unseen points: %.4f\n", rmse);
  if (!trainee.same_bits()) std::printf("OpenBLAS computes some wide layer: other machines may find other bits\n");
  end_report(training, pictures);
}

int train(const mpi::Communicator& ranks, int argc, char** argv) {
  // 1. What to do.
  Options options(latent_ode_program());
  if (answered(ranks, options, argc, argv)) return 0;
  // 2. Data and model.
  const SeriesData data = mpi::together(ranks, [&] { return series_data(options); });
  const auto trainee = mpi::together(ranks, [&] { return series_trainee(options, data); });
  // 3. Training and results.
  Training training(ranks, options, *trainee);
  return train_and_report(ranks, training, [&](double rmse) { report(options, data, *trainee, training, rmse); });
}
}  // namespace

int main(int argc, char** argv) {
  return mpi::run_main(argc, argv, [&](const mpi::Communicator& ranks) { return train(ranks, argc, argv); });
}
