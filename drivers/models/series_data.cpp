#include "models/series_data.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "revode/random.hpp"

namespace revode::host {
namespace {
constexpr std::uint32_t noise_stream = 2, observation_stream = 3, start_stream = 4, choice_stream = 5, part_stream = 8,
                        anew_stream = 9;

template <class Get>
std::size_t most(const SeriesData& data, Get get) {
  std::size_t n = 0;
  for (const auto* part : {&data.train, &data.held_out})
    for (const Sample& sample : *part) n = std::max(n, get(sample).size());
  return n;
}
/// The points from `begin` to `end`, on a clock that starts at `begin`.
Points stretch(const Points& points, double begin, double end) {
  Points part;
  const std::size_t channels = points.size() ? points.values.size() / points.size() : 0;
  for (std::size_t j = 0; j < points.size(); ++j) {
    if (points.times[j] < begin || points.times[j] > end) continue;
    part.times.push_back(points.times[j] - begin);
    const auto from = points.values.begin() + static_cast<std::ptrdiff_t>(j * channels);
    part.values.insert(part.values.end(), from, from + static_cast<std::ptrdiff_t>(channels));
  }
  return part;
}
}  // namespace

bool SeriesData::channel_masks() const {
  for (const auto* part : {&train, &held_out})
    for (const Sample& sample : *part)
      for (const Points* seen : {&sample.observed, observing.anew ? &sample.target : &sample.observed})
        if (std::any_of(seen->values.begin(), seen->values.end(), [](double v) { return std::isnan(v); })) return true;
  return false;
}
bool SeriesData::complete() const {
  for (const auto* part : {&train, &held_out})
    for (const Sample& sample : *part)
      if (std::any_of(sample.target.values.begin(), sample.target.values.end(), [](double v) { return std::isnan(v); }))
        return false;
  return true;
}
bool SeriesData::forecasts() const {
  return std::all_of(held_out.begin(), held_out.end(), [](const Sample& sample) {
    return sample.test.size() == 0 || sample.test.times.front() > sample.observed.times.back();
  });
}
std::size_t SeriesData::most_observations() const {
  return most(*this, [](const Sample& s) -> const Points& { return s.observed; });
}
std::size_t SeriesData::most_targets() const {
  return most(*this, [](const Sample& s) -> const Points& { return s.target; });
}
std::size_t SeriesData::most_tests() const {
  return most(*this, [](const Sample& s) -> const Points& { return s.test; });
}

SeriesData spirals(const Spirals& p) {
  SeriesData data;
  data.channels = 2;
  data.mean = {0, 0}, data.scale = {1, 1};
  data.channel_names = {"x", "y"};
  const double turn = 6 * 3.14159265358979323846, step = turn / (p.points - 1);
  data.window = (p.window - 1) * step, data.horizon = (2 * p.window - 1) * step;
  for (int i = 0; i < p.count; ++i) {
    const auto index = static_cast<std::uint64_t>(i);
    const bool clockwise = i % 2 == 0;
    const auto point = [&](int at, int axis) {
      const double theta = clockwise ? turn + 1 - at * step : at * step;
      const double r = clockwise ? p.a + p.b * 50 / theta : p.a + p.b * theta;
      return axis ? r * std::sin(theta) : r * std::cos(theta) + (clockwise ? -5 : 5);
    };
    Random start(p.seed, start_stream, index), noise(p.seed, observation_stream, index),
        choice(p.seed, choice_stream, index);
    const int from = p.first + static_cast<int>(start.below(static_cast<std::uint32_t>(p.last - p.first)));
    std::vector<int> kept(static_cast<std::size_t>(p.window));
    for (int j = 0; j < p.window; ++j) kept[static_cast<std::size_t>(j)] = j;
    for (int j = 0; j < p.observed; ++j)  // the first `observed` of a random permutation
      std::swap(kept[static_cast<std::size_t>(j)],
                kept[static_cast<std::size_t>(j) + choice.below(static_cast<std::uint32_t>(p.window - j))]);
    kept.resize(static_cast<std::size_t>(p.observed));
    std::sort(kept.begin(), kept.end());
    Sample sample;
    sample.name = (clockwise ? "clockwise " : "counter-clockwise ") + std::to_string(i);
    for (const int j : kept) {
      sample.observed.times.push_back(j * step);
      for (int axis = 0; axis < 2; ++axis)
        sample.observed.values.push_back(point(from + j, axis) + p.noise * static_cast<double>(noise.normal()));
    }
    sample.target = sample.observed;
    for (int j = 0; j < 2 * p.window; ++j) {
      for (Points* points : {&sample.truth, &sample.test}) {
        if (points == &sample.test && j < p.window) continue;
        points->times.push_back(j * step);
        for (int axis = 0; axis < 2; ++axis) points->values.push_back(point(from + j, axis));
      }
    }
    (i < p.count * 4 / 5 ? data.train : data.held_out).push_back(std::move(sample));
  }
  return data;
}

template <class T>
TilePacker<T>::TilePacker(const SeriesData& data, int lanes, int latent)
    : channels_(data.channels),
      lanes_(lanes),
      latent_(latent),
      encoder_steps_(static_cast<int>(data.most_observations()) + 1),
      readings_(static_cast<int>(std::max(data.most_targets(), data.most_tests()))),
      masks_(data.channel_masks()),
      observing_(data.observing),
      window_(data.window) {
  input_rows_ = 3 + channels_ * (masks_ ? 2 : 1);
  const auto size = [&](int rows) { return static_cast<std::size_t>(rows) * static_cast<std::size_t>(lanes_); };
  inputs_.resize(size(encoder_steps_ * input_rows_));
  times_.resize(size(readings_)), active_.resize(size(1)), noise_.resize(size(latent_));
  targets_.resize(size(readings_ * channels_)), weights_.resize(size(readings_ * channels_));
}

template <class T>
void TilePacker<T>::pack_inputs(const Points& observed, std::size_t lane) {
  const auto lanes = static_cast<std::size_t>(lanes_), rows = static_cast<std::size_t>(input_rows_);
  const auto channels = static_cast<std::size_t>(channels_), n = observed.size();
  const std::size_t skip = static_cast<std::size_t>(encoder_steps_ - 1) - n;  // padding stands first
  for (std::size_t k = 0; k < n; ++k) {
    const std::size_t j = n - 1 - k;  // latest first
    T* row = inputs_.data() + (skip + k) * rows * lanes + lane;
    row[0] = j + 1 < n ? static_cast<T>(observed.times[j + 1] - observed.times[j]) : T(0);
    row[lanes] = static_cast<T>(observed.times[j]);
    for (std::size_t c = 0; c < channels; ++c) {
      const double v = observed.values[j * channels + c];
      row[(2 + c) * lanes] = std::isnan(v) ? T(0) : static_cast<T>(v);
      if (masks_) row[(2 + channels + c) * lanes] = std::isnan(v) ? T(0) : T(1);
    }
    row[(rows - 1) * lanes] = 1;
  }
  T* last = inputs_.data() + static_cast<std::size_t>(encoder_steps_ - 1) * rows * lanes + lane;
  last[0] = static_cast<T>(n > 0 ? observed.times[0] : 0);
}

template <class T>
void TilePacker<T>::pack_readings(const Points& points, std::size_t lane) {
  const auto lanes = static_cast<std::size_t>(lanes_), channels = static_cast<std::size_t>(channels_);
  for (std::size_t j = 0; j < points.size(); ++j) {
    times_[j * lanes + lane] = static_cast<T>(points.times[j]);
    for (std::size_t c = 0; c < channels; ++c) {
      const double v = points.values[j * channels + c];
      const std::size_t at = (j * channels + c) * lanes + lane;
      targets_[at] = std::isnan(v) ? T(0) : static_cast<T>(v);
      weights_[at] = std::isnan(v) ? T(0) : T(1);
    }
  }
}

template <class T>
void TilePacker<T>::clear() {
  for (auto* part : {&inputs_, &targets_, &weights_, &noise_, &active_}) std::fill(part->begin(), part->end(), T(0));
  std::fill(times_.begin(), times_.end(), std::numeric_limits<T>::infinity());
  tile_ = {inputs_.data(), 0, times_.data(), targets_.data(), weights_.data(), active_.data(), nullptr};
}

template <class T>
void TilePacker<T>::pack_lane(const Points& observed, const Points& asked, std::size_t lane) {
  pack_inputs(observed, lane);
  pack_readings(asked, lane);
  tile_.readings = std::max(tile_.readings, static_cast<int>(asked.size()));
  active_[lane] = 1;
}

template <class T>
void TilePacker<T>::pack(const std::vector<Sample>& samples, const std::size_t* index, std::size_t count, Ask ask) {
  clear();
  for (std::size_t lane = 0; lane < count; ++lane) {
    const Sample& sample = samples[index[lane]];
    pack_lane(sample.observed,
              ask == Ask::targets ? sample.target
              : ask == Ask::tests ? sample.test
                                  : sample.observed,
              lane);
  }
}

template <class T>
void TilePacker<T>::pack_noisy(const std::vector<Sample>& samples, const std::size_t* index, std::size_t count,
                               double least, std::uint64_t seed, std::uint64_t iteration) {
  clear();
  const auto lanes = static_cast<std::size_t>(lanes_);
  for (std::size_t lane = 0; lane < count; ++lane) {
    const Sample& sample = samples[index[lane]];
    Random noise(seed, noise_stream, (iteration << 32) + index[lane]);
    for (std::size_t d = 0; d < static_cast<std::size_t>(latent_); ++d)
      noise_[d * lanes + lane] = static_cast<T>(noise.normal());
    Random part(seed, part_stream, (iteration << 32) + index[lane]);
    const double begin = (1 - least) * static_cast<double>(part.uniform());
    const double end = begin + (1 - begin) * (least + (1 - least) * static_cast<double>(part.uniform()));
    const Points observed = observing_.anew ? seen_part(sample.target, observing_,
                                                        Random(seed, anew_stream, (iteration << 32) + index[lane]))
                                            : sample.observed;
    const Points seen = stretch(observed, window_ * begin, window_ * end);
    if (least < 1 && seen.size() > 0)
      pack_lane(seen, stretch(sample.target, window_ * begin, window_), lane);
    else
      pack_lane(observed, sample.target, lane);
  }
  tile_.noise = noise_.data();
}

template class TilePacker<float>;
template class TilePacker<double>;
}  // namespace revode::host
