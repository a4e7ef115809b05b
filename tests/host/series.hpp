/// Series, memory and differences for tests of the models of irregular series.
#pragma once
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "models/series_data.hpp"
#include "revode/random.hpp"

namespace revode::host {
/// `count` series over [0, 1], each with 4 to 9 observations at times of its own; where `holes`, a third of the cells
/// is empty. Targets are the observations, tests five points of their own.
inline SeriesData irregular_series(int count, int channels, bool holes) {
  SeriesData data;
  data.channels = channels, data.window = data.horizon = 1;
  for (int i = 0; i < count; ++i) {
    Random random(11, 0, static_cast<std::uint64_t>(i));
    const auto points = [&](int n) {
      Points p;
      for (int j = 0; j < n; ++j) {
        // the last one at the very end, where a reading is a node
        p.times.push_back(j + 1 == n ? 1 : (j + .9 * static_cast<double>(random.uniform())) / n);
        for (int c = 0; c < channels; ++c) {
          const double value = std::sin(3 * p.times.back() + i + c) + .1 * static_cast<double>(random.normal());
          p.values.push_back(holes && random.below(3) == 0 ? std::numeric_limits<double>::quiet_NaN() : value);
        }
      }
      return p;
    };
    Sample sample;
    sample.name = std::to_string(i);
    sample.observed = sample.target = points(4 + i % 6);
    sample.test = points(5);
    data.train.push_back(sample);
  }
  return data;
}

/// Aligned memory of a given size.
class Memory {
 public:
  explicit Memory(std::size_t bytes, std::byte fill = std::byte{0}) : bytes_(bytes), blocks_(bytes / align + 1) {
    for (Block& block : blocks_)
      for (std::byte& b : block.bytes) b = fill;
  }
  Arena arena() { return arena_of(bytes_); }
  Arena arena_of(std::size_t bytes) { return Arena(blocks_.data(), bytes); }

 private:
  static constexpr std::size_t align = REVODE_ALIGN;
  struct alignas(align) Block {
    std::byte bytes[align];
  };
  std::size_t bytes_;
  std::vector<Block> blocks_;
};

/// d loss / dv by the five-point rule with e = 1e-3: error e^4 / 30 of the fifth derivative, and 1.5 / e of the loss's
/// own rounding.
template <class Loss>
double difference(double& v, const Loss& loss) {
  constexpr double e = 1e-3;
  const double keep = v;
  const auto at = [&](double step) {
    v = keep + step;
    return loss();
  };
  const double slope = (8 * (at(e) - at(-e)) - (at(2 * e) - at(-2 * e))) / (12 * e);
  v = keep;
  return slope;
}
}  // namespace revode::host
