// The spirals' protocol, and how real series are seen.
#include "models/series_data.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "common/error.hpp"

namespace revode::host {
namespace {
const double step = 6 * std::acos(-1.0) / 999;  // of the angle, between two of 1000 points

bool same(const Points& a, const Points& b) {
  const auto equal = [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); };
  return a.times == b.times && std::equal(a.values.begin(), a.values.end(), b.values.begin(), b.values.end(), equal);
}

TEST(Spirals, CountsAndWindows) {
  Spirals protocol;
  protocol.observed = 30;
  const SeriesData data = spirals(protocol);
  EXPECT_EQ(data.train.size(), 800U);
  EXPECT_EQ(data.held_out.size(), 200U);
  EXPECT_EQ(data.channels, 2);
  EXPECT_FALSE(data.channel_masks());
  EXPECT_DOUBLE_EQ(data.window, 99 * step);
  EXPECT_DOUBLE_EQ(data.horizon, 199 * step);
  for (const auto* part : {&data.train, &data.held_out}) {
    const auto clockwise =
        std::count_if(part->begin(), part->end(), [](const Sample& s) { return s.name.rfind("clockwise", 0) == 0; });
    EXPECT_EQ(2 * static_cast<std::size_t>(clockwise), part->size());
    for (const Sample& s : *part) {
      ASSERT_EQ(s.observed.size(), 30U);
      EXPECT_TRUE(same(s.target, s.observed));
      ASSERT_EQ(s.truth.size(), 200U);
      ASSERT_EQ(s.test.size(), 100U);
      // The test follows the window and has no noise.
      EXPECT_TRUE(std::equal(s.test.times.begin(), s.test.times.end(), s.truth.times.begin() + 100));
      EXPECT_TRUE(std::equal(s.test.values.begin(), s.test.values.end(), s.truth.values.begin() + 200));
      for (std::size_t j = 0; j < 200; ++j) ASSERT_NEAR(s.truth.times[j], static_cast<double>(j) * step, 1e-12);
    }
  }
}

// A point's radius gives its angle: theta = r / b, or 50 b / r where the spiral runs clockwise, around (+-5, 0). An
// angle of up to 19 keeps some 1e-13 through a cosine and back.
TEST(Spirals, PointsLieOnTheirSpirals) {
  std::set<long> starts;
  const Spirals protocol;
  for (const Sample& s : spirals(protocol).train) {
    const bool clockwise = s.name.rfind("clockwise", 0) == 0;
    double before = 0;
    for (std::size_t j = 0; j < 200; ++j) {
      const double x = s.truth.values[2 * j] + (clockwise ? 5 : -5), y = s.truth.values[2 * j + 1];
      const double r = std::hypot(x, y), theta = clockwise ? 0.3 * 50 / r : r / 0.3;
      ASSERT_NEAR(x, r * std::cos(theta), 1e-11);
      ASSERT_NEAR(y, r * std::sin(theta), 1e-11);
      if (j > 0) {
        ASSERT_NEAR(theta - before, clockwise ? -step : step, 1e-11);
      }
      before = theta;
    }
    const double first = clockwise ? 6 * std::acos(-1.0) + 1 - before : before;
    starts.insert(std::lround(first / step) - 199);
  }
  // 800 draws of `places` leave exp(-800 / places) of them out, with a standard deviation below sqrt(places) / 2.
  const double places = protocol.last - protocol.first;
  EXPECT_NEAR(static_cast<double>(starts.size()), places * (1 - std::exp(-800 / places)), 2 * std::sqrt(places));
  EXPECT_GE(*starts.begin(), protocol.first);
  EXPECT_LT(*starts.rbegin(), protocol.last);
}

TEST(Spirals, NoiseAndChoiceOfPoints) {
  Spirals protocol;
  protocol.observed = 50;
  double sum = 0, squares = 0, n = 0;
  std::vector<double> chosen(100);
  const SeriesData data = spirals(protocol);
  for (const Sample& s : data.train) {
    std::set<long> places;
    for (std::size_t j = 0; j < s.observed.size(); ++j) {
      const auto at = static_cast<std::size_t>(std::lround(s.observed.times[j] / step));
      ASSERT_LT(at, 100U);
      EXPECT_EQ(s.observed.times[j], s.truth.times[at]);
      places.insert(static_cast<long>(at)), chosen[at] += 1;
      if (j > 0) {
        EXPECT_GT(s.observed.times[j], s.observed.times[j - 1]);
      }
      for (std::size_t c = 0; c < 2; ++c) {
        const double noise = s.observed.values[2 * j + c] - s.truth.values[2 * at + c];
        sum += noise, squares += noise * noise, n += 1;
      }
    }
    EXPECT_EQ(places.size(), 50U);
  }
  // n = 80,000 normal numbers: standard errors 0.3 / sqrt(n) and 0.3 / sqrt(2 n), of which four are allowed.
  EXPECT_NEAR(sum / n, 0, 4 * 0.3 / std::sqrt(n));
  EXPECT_NEAR(std::sqrt(squares / n), 0.3, 4 * 0.3 / std::sqrt(2 * n));
  // Each place is kept in half of 800 spirals, with a standard deviation of sqrt(200); of 100 places none is off by 5.
  for (const double count : chosen) EXPECT_NEAR(count, 400, 5 * std::sqrt(200.0));
}

TEST(Spirals, TheSeedDecides) {
  Spirals protocol;
  protocol.count = 20;
  const SeriesData one = spirals(protocol), again = spirals(protocol);
  protocol.seed = 2;
  const SeriesData other = spirals(protocol);
  for (std::size_t i = 0; i < one.train.size(); ++i) {
    EXPECT_TRUE(same(one.train[i].observed, again.train[i].observed));
    EXPECT_TRUE(same(one.train[i].test, again.train[i].test));
    EXPECT_FALSE(same(one.train[i].observed, other.train[i].observed));
    EXPECT_FALSE(same(one.train[i].test, other.train[i].test));
  }
}

/// Ten series of 20 rows, at times 100, 101.5, ... (the odd ones half as long); value 10 i + row, empty where it is a
/// multiple of 7, and a channel that never changes.
SeriesFile file() {
  std::string text = "series,time,x,same\n";
  for (int i = 0; i < 10; ++i)
    for (int j = 0; j < 20; ++j) {
      const int value = 10 * i + j;
      text += "s" + std::to_string(i) + "," + std::to_string(100 + j * (i % 2 ? 0.75 : 1.5)) + "," +
              (value % 7 ? std::to_string(value) : "") + ",4\n";
    }
  return parse_series(text, "file", {});
}

TEST(Observe, SeenAndTestPointsArePartsOfTheWhole) {
  using Kind = Observing::Kind;
  for (const Kind kind : {Kind::random, Kind::gap, Kind::first}) {
    Observing how;
    how.kind = kind, how.keep = 0.3;
    const SeriesData data = observe(file(), how);
    EXPECT_EQ(data.train.size(), 8U);
    ASSERT_EQ(data.held_out.size(), 2U);
    EXPECT_EQ(data.held_out[0].name, "s8");
    EXPECT_EQ(data.window, 3);
    EXPECT_EQ(data.horizon, 3);
    EXPECT_TRUE(data.channel_masks());
    EXPECT_FALSE(data.complete());
    EXPECT_EQ(data.forecasts(), kind == Kind::first);
    for (const auto* part : {&data.train, &data.held_out})
      for (const Sample& s : *part) {
        EXPECT_TRUE(same(s.truth, s.target));
        EXPECT_EQ(s.truth.size(), 20U);
        EXPECT_EQ(s.observed.size(), 6U);
        EXPECT_EQ(s.test.size(), 14U);
        std::vector<double> both = s.observed.times;
        both.insert(both.end(), s.test.times.begin(), s.test.times.end());
        std::sort(both.begin(), both.end());
        EXPECT_EQ(both, s.truth.times);
        EXPECT_EQ(s.truth.times.front(), 0);
        EXPECT_DOUBLE_EQ(s.truth.times.back(), s.name == "s1" || s.name == "s9" ? 1.5 : s.truth.times.back());
        EXPECT_DOUBLE_EQ(s.begin + data.time_unit * s.truth.times[1], s.truth.times.back() > 2 ? 101.5 : 100.75);
        if (kind == Kind::gap) {  // one hole inside: both ends are seen, what is unseen lies together
          EXPECT_EQ(s.observed.times.front(), 0);
          EXPECT_EQ(s.observed.times.back(), s.truth.times.back());
          const auto from = std::find(s.truth.times.begin(), s.truth.times.end(), s.test.times.front());
          EXPECT_TRUE(std::equal(s.test.times.begin(), s.test.times.end(), from));
        }
        if (kind == Kind::first) {
          EXPECT_LT(s.observed.times.back(), s.test.times.front());
        }
      }
  }
}

TEST(Observe, ChannelsAreStandardisedByTheTrainingSeries) {
  SeriesFile rows = file();
  const SeriesData data = observe(rows, {});
  for (std::size_t i = 8; i < 10; ++i)  // what is held out does not count
    for (double& v : rows.series[i].values[0]) v = 1e6 + v;
  const SeriesData other = observe(rows, {});
  EXPECT_EQ(data.mean, other.mean);
  EXPECT_EQ(data.scale, other.scale);
  EXPECT_EQ(data.mean[1], 4);
  EXPECT_EQ(data.scale[1], 1);  // of a constant channel
  double sum = 0, squares = 0, n = 0;
  for (const Sample& s : data.train)
    for (std::size_t k = 0; k < s.truth.values.size(); k += 2) {
      const double raw = s.truth.values[k] * data.scale[0] + data.mean[0];
      if (std::isnan(raw)) continue;
      EXPECT_NE(std::lround(raw) % 7, 0);
      EXPECT_NEAR(raw, std::round(raw), 1e-12 * 100);  // values up to 100, rounded a few times
      sum += s.truth.values[k], squares += s.truth.values[k] * s.truth.values[k], n += 1;
    }
  EXPECT_NEAR(sum / n, 0, 1e-12);  // some hundred roundings of 1e-16
  EXPECT_NEAR(squares / n, 1, 1e-12);
}

TEST(Observe, SeedAndFailures) {
  Observing how;
  const SeriesData one = observe(file(), how), again = observe(file(), how);
  how.seed = 2;
  const SeriesData other = observe(file(), how);
  std::size_t different = 0;
  for (std::size_t i = 0; i < one.train.size(); ++i) {
    EXPECT_TRUE(same(one.train[i].observed, again.train[i].observed));
    different += !same(one.train[i].observed, other.train[i].observed);
  }
  EXPECT_EQ(different, one.train.size());  // two of 184,756 choices are rarely the same
  EXPECT_THROW(observe(parse_series("series,time,x\na,0,1\na,1,2\n", "file", {}), how), Failure);
  EXPECT_THROW(observe(parse_series("series,time,x\na,0,1\nb,1,2\n", "file", {}), how), Failure);
}
}  // namespace
}  // namespace revode::host
