// Real series seen in part.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/error.hpp"
#include "models/series_data.hpp"
#include "revode/random.hpp"

namespace revode::host {
namespace {
constexpr std::uint32_t keep_stream = 7;

/// Which of n points the encoder sees.
std::vector<bool> kept(std::size_t n, const Observing& how, Random random) {
  auto count = static_cast<std::size_t>(std::lround(how.keep * static_cast<double>(n)));
  count = std::clamp<std::size_t>(count, 1, n);
  std::vector<bool> keep(n, false);
  if (how.kind == Observing::Kind::first) {
    std::fill(keep.begin(), keep.begin() + static_cast<std::ptrdiff_t>(count), true);
  } else if (how.kind == Observing::Kind::gap) {  // inside, where both sides are seen
    std::fill(keep.begin(), keep.end(), true);
    const std::size_t missing = std::min(n - count, n > 2 ? n - 2 : 0);
    const std::size_t places = n - missing > 1 ? n - missing - 1 : 1;
    const std::size_t from = 1 + random.below(static_cast<std::uint32_t>(places));
    for (std::size_t i = from; i < std::min(n, from + missing); ++i) keep[i] = false;
  } else {
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (std::size_t i = 0; i < count; ++i) {
      std::swap(order[i], order[i + random.below(static_cast<std::uint32_t>(n - i))]);
      keep[order[i]] = true;
    }
  }
  return keep;
}

void add(Points& points, double time, const std::vector<double>& values) {
  points.times.push_back(time);
  points.values.insert(points.values.end(), values.begin(), values.end());
}

/// Mean and standard deviation of a channel over the training series; a constant channel keeps its scale.
std::pair<double, double> moments(const std::vector<Series>& series, std::size_t train, std::size_t channel) {
  double sum = 0, squares = 0, n = 0;
  for (std::size_t i = 0; i < train; ++i)
    for (const double v : series[i].values[channel])
      if (!std::isnan(v)) sum += v, n += 1;
  const double mean = n > 0 ? sum / n : 0;
  for (std::size_t i = 0; i < train; ++i)
    for (const double v : series[i].values[channel])
      if (!std::isnan(v)) squares += (v - mean) * (v - mean);
  const double sd = n > 0 ? std::sqrt(squares / n) : 0;
  return {mean, sd > 0 ? sd : 1};
}
}  // namespace

Points seen_part(const Points& all, const Observing& how, Random random) {
  const std::vector<bool> keep = kept(all.size(), how, random);
  const auto channels = static_cast<std::ptrdiff_t>(all.size() ? all.values.size() / all.size() : 0);
  Points part;
  for (std::size_t j = 0; j < all.size(); ++j) {
    if (!keep[j]) continue;
    const auto from = all.values.begin() + static_cast<std::ptrdiff_t>(j) * channels;
    add(part, all.times[j], {from, from + channels});
  }
  return part;
}

SeriesData observe(const SeriesFile& file, const Observing& how) {
  SeriesData data;
  data.channels = static_cast<int>(file.channels.size());
  data.channel_names = file.channels;
  data.observing = how;
  const std::size_t n = file.series.size();
  const auto held_out = static_cast<std::size_t>(std::max(1.0, std::round(how.held_out * static_cast<double>(n))));
  if (n < 2) throw Failure(Exit::usage, "--data", "holds one series only: training needs one more to be held out");
  const std::size_t train = n - std::min(held_out, n - 1);
  double longest = 0;
  for (const Series& s : file.series) longest = std::max(longest, s.times.back() - s.times.front());
  if (!(longest > 0))
    throw Failure(Exit::usage, "--data", "every series has one time only: a series needs two or more");
  for (std::size_t c = 0; c < file.channels.size(); ++c) {
    const auto [mean, scale] = moments(file.series, train, c);
    data.mean.push_back(mean), data.scale.push_back(scale);
  }
  for (std::size_t i = 0; i < n; ++i) {
    const Series& series = file.series[i];
    const std::vector<bool> keep = kept(series.times.size(), how, Random(how.seed, keep_stream, i));
    Sample sample;
    sample.name = series.name, sample.begin = series.times.front();
    for (std::size_t j = 0; j < series.times.size(); ++j) {
      const double time = (series.times[j] - series.times.front()) * how.span / longest;
      std::vector<double> values;
      for (std::size_t c = 0; c < file.channels.size(); ++c)
        values.push_back((series.values[c][j] - data.mean[c]) / data.scale[c]);
      add(sample.truth, time, values);
      add(sample.target, time, values);
      add(keep[j] ? sample.observed : sample.test, time, values);
    }
    (i < train ? data.train : data.held_out).push_back(std::move(sample));
  }
  data.window = data.horizon = how.span, data.time_unit = longest / how.span;
  return data;
}
}  // namespace revode::host
