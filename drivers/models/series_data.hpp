/// Irregular series as samples, the spirals of Chen et al. 2018, and the packing of samples into tiles.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "common/csv.hpp"
#include "models/latent_ode.hpp"
#include "revode/random.hpp"

namespace revode::host {
/// Values at times; [time][channel], NaN: not observed.
struct Points {
  std::vector<double> times;
  std::vector<double> values;
  std::size_t size() const { return times.size(); }
};

/// How a real series is seen: the encoder gets part of its points, the likelihood all of them in training, and held-out
/// errors are over the points the encoder did not get. Channels are standardised by the training series, times scaled
/// so that the longest series lasts `span`. The last part of the series is held out.
struct Observing {
  enum class Kind { random, gap, first };
  Kind kind = Kind::random;  ///< keep at random / all but one contiguous gap / the beginning
  double keep = 0.5;         ///< fraction of points kept; gap: 1 - keep is missing
  double held_out = 0.2;     ///< of the series
  double span = 3;
  bool anew = false;  ///< in training, what the encoder sees is drawn again for every batch
  std::uint64_t seed = 1;
};
/// Part of a series' points, [time][channel], drawn as `how` says.
Points seen_part(const Points& all, const Observing& how, Random random);

/// One series seen through its observations. Times count from the beginning of the window.
struct Sample {
  std::string name;
  double begin = 0;  ///< raw time of the window's beginning
  Points observed;   ///< what the encoder sees
  Points target;     ///< what the likelihood asks for in training
  Points test;       ///< what held-out errors are measured on; never seen in training
  Points truth;      ///< all that is known, for pictures
};

struct SeriesData {
  int channels = 0;
  std::vector<Sample> train, held_out;
  double window = 0;                ///< longest time of an observation or target
  double horizon = 0;               ///< longest time of a test point
  double time_unit = 1;             ///< raw time = begin + time_unit * time
  std::vector<double> mean, scale;  ///< of each channel: values above are (raw - mean) / scale
  std::vector<std::string> channel_names;
  Observing observing;  ///< of a real series

  bool channel_masks() const;  ///< some observation lacks a channel
  bool complete() const;       ///< no target lacks a channel
  bool forecasts() const;      ///< no test point is before an observation of its series
  std::size_t most_observations() const;
  std::size_t most_targets() const;
  std::size_t most_tests() const;
};

/// The protocol of the spirals: `count` of them, half clockwise, r = a + b theta with a = 0, b = 0.3 over theta in [0,
/// 6 pi] in `points` steps (clockwise: r = a + 50 b / theta), centres (-5, 0) and (+5, 0), unscaled. Each sample is a
/// window of 100 points that begins at a random index; noise of sd 0.3 is added, `observed` points are kept without
/// replacement, and the next 100 points, noise-free, are its test. The last 20 % of the spirals are held out. Windows
/// begin in the first 600 points of the spiral: in the last 200 the clockwise radius grows from 3 to 15, where few
/// windows teach anything.
struct Spirals {
  int count = 1000, points = 1000, window = 100, observed = 100, first = 0, last = 600;
  double a = 0, b = 0.3, noise = 0.3;
  std::uint64_t seed = 1;
};
SeriesData spirals(const Spirals& protocol);

SeriesData observe(const SeriesFile& file, const Observing& how);

/// Samples side by side in the layout of a SeriesTile, with room for a data set's longest sample.
template <class T>
class TilePacker {
 public:
  enum class Ask { targets, tests, observed };
  TilePacker(const SeriesData& data, int lanes, int latent);
  /// samples[count] (count <= lanes) with everything the encoder may see, and z0 at its mean.
  void pack(const std::vector<Sample>& samples, const std::size_t* index, std::size_t count, Ask ask);
  /// For training: noise keyed by (seed, iteration, sample index). least < 1: the window begins at a random place in
  /// its first 1 - least part, the encoder sees a random beginning of what is left, at least `least` of it, and the
  /// likelihood asks for all of it, so that going on is learned, and from anywhere.
  void pack_noisy(const std::vector<Sample>& samples, const std::size_t* index, std::size_t count, double least,
                  std::uint64_t seed, std::uint64_t iteration);
  const SeriesTile<T>& tile() const { return tile_; }
  int encoder_steps() const { return encoder_steps_; }
  int readings() const { return readings_; }

 private:
  void clear();
  void pack_lane(const Points& observed, const Points& asked, std::size_t lane);
  void pack_inputs(const Points& observed, std::size_t lane);
  void pack_readings(const Points& points, std::size_t lane);
  int channels_, lanes_, latent_, encoder_steps_, readings_, input_rows_;
  bool masks_;
  Observing observing_;
  double window_;
  std::vector<T> inputs_, times_, targets_, weights_, noise_, active_;
  SeriesTile<T> tile_;
};
}  // namespace revode::host
