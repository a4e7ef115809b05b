#include "models/cnf_commands.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "common/error.hpp"
#include "common/run_folder.hpp"
#include "common/safetensors.hpp"
#include "common/text.hpp"
#include "models/cnf_report.hpp"
#include "models/solver_options.hpp"

namespace revode::host {
namespace {
/// A model as it was fitted: its configuration is that of the file.
struct Fitted {
  DensityData data;
  std::unique_ptr<CnfTrainee> trainee;
  std::vector<float> theta;

  explicit Fitted(const std::string& file) {
    Options options(cnf_program());
    const TensorFile tensors = read_model(file, options);
    data.mean = tensors.at("data.mean").numbers<double>(), data.scale = tensors.at("data.scale").numbers<double>();
    data.dim = static_cast<int>(data.mean.size()), data.fresh = true;
    const auto names = tensors.metadata.find("columns");
    if (names != tensors.metadata.end()) data.names = list_of(names->second);
    if (data.dim < 1 || data.scale.size() != data.mean.size() || data.names.size() != data.mean.size())
      throw Failure(Exit::usage, file, "means, scales and names of its columns do not fit each other: write it anew");
    for (std::size_t i = 0; i < data.mean.size(); ++i)
      if (!std::isfinite(data.mean[i]) || !std::isfinite(data.scale[i]) || data.scale[i] <= 0)
        throw Failure(Exit::usage, file, "mean or scale of column '" + data.names[i] + "' is none: write it anew");
    trainee = cnf_trainee(options, data);
    theta.resize(trainee->params() + trainee->buffers());
    read_parts(tensors, file, trainee->tensors(), theta);
  }
};

/// Its rows as the model sees them; those in the base are in no other units.
std::vector<float> points_of(const Options& options, const std::string& file, const DensityData& data, bool base) {
  const Table table = read_table(file, list_of(options.text("data.columns")));
  DensityData units = data;
  if (base) std::fill(units.mean.begin(), units.mean.end(), 0.), std::fill(units.scale.begin(), units.scale.end(), 1.);
  return standardised(units, table, file);
}

void evaluate(const Options& options, Fitted& fitted) {
  const std::string& file = options.text("evaluate");
  std::vector<double> log_p;
  require(fitted.trainee->log_density(fitted.theta.data(), points_of(options, file, fitted.data, false), log_p), file);
  std::string text = "log_p\n";
  double sum = 0;
  for (const double v : log_p) {
    const double raw = v - fitted.data.log_scale();
    text += shortest(raw) + "\n", sum += v;
  }
  const double mean = sum / static_cast<double>(log_p.size());
  std::printf("mean log p over %zu rows: %.6f nats; of standardised rows %.6f\n", log_p.size(),
              mean - fitted.data.log_scale(), mean);
  if (!options.text("out").empty()) write_text(options.text("out"), text);
}
}  // namespace

void write_cnf(const std::filesystem::path& file, const CnfTrainee& trainee, const std::vector<float>& theta,
               const DensityData& data, const Options& options) {
  TensorFile out = model_file(options, trainee.tensors(), theta);
  out.metadata["columns"] = joined(data.names, ",");
  const auto columns = static_cast<std::int64_t>(data.dim);
  out.tensors.push_back(Tensor::of<double>("data.mean", {columns}, data.mean));
  out.tensors.push_back(Tensor::of<double>("data.scale", {columns}, data.scale));
  write_safetensors(file, out);
}

bool is_command(const Options& options) {
  const int commands = !options.text("evaluate").empty() + (options.integer("sample") > 0) +
                       !options.text("to_base").empty() + !options.text("from_base").empty();
  if (options.text("model").empty()) {
    if (commands > 0)
      throw Failure(Exit::usage, "--model",
                    "is missing: name the model.safetensors that is to be evaluated, sampled or mapped");
    return false;
  }
  if (commands != 1)
    throw Failure(Exit::usage, "--model",
                  "wants one command beside it: --evaluate, --sample, --to-base or --from-base");
  if (options.text("out").empty() && options.text("evaluate").empty())
    throw Failure(Exit::usage, "--out", "is missing: name the CSV file to write");
  return true;
}

void run_command(const Options& options) {
  Fitted fitted(options.text("model"));
  if (!options.text("evaluate").empty()) return evaluate(options, fitted);
  DensityData units = fitted.data;
  std::vector<float> points;
  std::vector<double> gain;
  if (options.integer("sample") > 0) {
    const auto seed = static_cast<std::uint64_t>(options.integer("sample_seed"));
    require(fitted.trainee->sample(fitted.theta.data(), seed, 0, static_cast<std::size_t>(options.integer("sample")),
                                   points),
            "--sample");
  } else if (const std::string& data = options.text("to_base"); !data.empty()) {
    points = points_of(options, data, fitted.data, false);
    require(fitted.trainee->carry(0, fitted.trainee->base(), fitted.theta.data(), points, gain), data);
    std::fill(units.mean.begin(), units.mean.end(), 0.), std::fill(units.scale.begin(), units.scale.end(), 1.);
  } else {
    const std::string& base = options.text("from_base");
    points = points_of(options, base, fitted.data, true);
    require(fitted.trainee->carry(fitted.trainee->base(), 0, fitted.theta.data(), points, gain), base);
  }
  write_text(options.text("out"), points_csv(units, points));
  std::printf("%zu rows in %s\n", points.size() / units.names.size(), options.text("out").c_str());
}
}  // namespace revode::host
