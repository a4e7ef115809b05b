#include "models/density_data.hpp"

#include <algorithm>
#include <cmath>

#include "common/error.hpp"
#include "common/text.hpp"
#include "models/toys.hpp"

namespace revode::host {
namespace {
constexpr std::uint32_t train_stream = 11, held_out_stream = 12, test_stream = 13;

/// Mean and deviation of a column over the rows that are not test.
void moments(const Table& table, const TableSplit& split, std::size_t column, double& mean, double& scale) {
  double sum = 0, squares = 0, count = 0;
  for (const int pass : {0, 1})
    for (std::size_t r = 0; r < table.rows(); ++r) {
      if (static_cast<long>(r) % split.test_every == split.test_every - 1) continue;
      const double v = table.values[r * table.columns() + column];
      if (pass == 0)
        sum += v, count += 1;
      else
        squares += (v - sum / count) * (v - sum / count);
    }
  mean = sum / count, scale = std::sqrt(squares / count);
}
}  // namespace

double DensityData::log_scale() const {
  double sum = 0;
  for (const double s : scale) sum += std::log(s);
  return sum;
}

void DensityData::draw(std::uint64_t index, float* to) const {
  const auto point = toy_point(toy, seed, train_stream, index);
  for (std::size_t i = 0; i < 2; ++i) to[i] = static_cast<float>(point[i]);
}

DensityData toy_data(const std::string& toy, std::uint64_t seed, std::size_t train, std::size_t held_out,
                     std::size_t test) {
  DensityData data;
  const auto& names = toy_names();
  data.toy = static_cast<std::size_t>(std::find(names.begin(), names.end(), toy) - names.begin());
  data.seed = seed, data.fresh = train == 0, data.names = {"x", "y"}, data.mean = {0, 0}, data.scale = {1, 1};
  const auto fill = [&](std::vector<float>& part, std::size_t count, std::uint32_t stream) {
    for (std::size_t i = 0; i < count; ++i)
      for (const double v : toy_point(data.toy, seed, stream, i)) part.push_back(static_cast<float>(v));
  };
  fill(data.train, train, train_stream);
  fill(data.held_out, held_out, held_out_stream);
  fill(data.test, test, test_stream);
  return data;
}

DensityData split_table(const Table& table, const TableSplit& split, const std::string& name) {
  DensityData data;
  const std::size_t d = table.columns();
  data.dim = static_cast<int>(d), data.names = table.names;
  data.mean.assign(d, 0), data.scale.assign(d, 1);
  for (std::size_t i = 0; i < d; ++i) {
    double mean = 0, scale = 0;
    moments(table, split, i, mean, scale);
    if (!(scale > 1e-12 * (1 + std::abs(mean))))
      throw Failure(Exit::usage, name,
                    "column '" + table.names[i] + "' is constant, so it has no density: leave it out with --columns");
    if (split.standardise) data.mean[i] = mean, data.scale[i] = scale;
  }
  long others = 0;
  for (std::size_t r = 0; r < table.rows(); ++r) {
    const bool tested = static_cast<long>(r) % split.test_every == split.test_every - 1;
    const bool held = !tested && others++ % split.held_out_every == split.held_out_every - 1;
    std::vector<float>& part = tested ? data.test : held ? data.held_out : data.train;
    for (std::size_t i = 0; i < d; ++i)
      part.push_back(static_cast<float>((table.values[r * d + i] - data.mean[i]) / data.scale[i]));
  }
  if (data.train.empty() || data.held_out.empty() || data.test.empty())
    throw Failure(
        Exit::usage, name,
        std::to_string(table.rows()) + " rows leave nothing to train on, to hold out or to test with: give more");
  return data;
}

std::vector<float> standardised(const DensityData& data, const Table& table, const std::string& name) {
  const std::size_t d = table.columns();
  if (d != static_cast<std::size_t>(data.dim))
    throw Failure(Exit::usage, name,
                  std::to_string(d) + " columns where the model has " + std::to_string(data.dim) +
                      ": choose them with --columns");
  if (table.names != data.names && std::is_permutation(table.names.begin(), table.names.end(), data.names.begin()))
    throw Failure(Exit::usage, name,
                  "its columns are the model's in another order: take --columns " + joined(data.names, ","));
  std::vector<float> all(table.values.size());
  for (std::size_t k = 0; k < all.size(); ++k)
    all[k] = static_cast<float>((table.values[k] - data.mean[k % d]) / data.scale[k % d]);
  return all;
}
}  // namespace revode::host
