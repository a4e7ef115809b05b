#include "models/cnf_report.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "common/error.hpp"
#include "common/files.hpp"
#include "common/text.hpp"

namespace revode::host {
namespace {
namespace fs = std::filesystem;
constexpr std::size_t drawn_points = 5000, drawn_columns = 10;
constexpr int pixels = 160, frames = 6;

std::vector<float> first(const std::vector<float>& part, std::size_t dim) {
  const std::size_t n = std::min(part.size(), drawn_points * dim);
  return {part.begin(), part.begin() + static_cast<std::ptrdiff_t>(n)};
}

/// The square around the data, with a tenth on each side.
struct Window {
  double x = 0, y = 0, half = 1;
  explicit Window(const std::vector<float>& points) {
    double low[2] = {1e300, 1e300}, high[2] = {-1e300, -1e300};
    for (std::size_t k = 0; k < points.size(); ++k) {
      low[k % 2] = std::min(low[k % 2], static_cast<double>(points[k]));
      high[k % 2] = std::max(high[k % 2], static_cast<double>(points[k]));
    }
    x = .5 * (low[0] + high[0]), y = .5 * (low[1] + high[1]);
    half = .6 * std::max(high[0] - low[0], high[1] - low[1]);
  }
  std::string ranges() const {
    return "set xrange [" + shortest(x - half) + ":" + shortest(x + half) + "]; set yrange [" + shortest(y - half) +
           ":" + shortest(y + half) + "]\n";
  }
};

void add_points(std::string& text, int panel, const std::vector<float>& points) {
  for (std::size_t k = 0; k + 1 < points.size(); k += 2)
    text += std::to_string(panel) + "," + shortest(static_cast<double>(points[k])) + "," +
            shortest(static_cast<double>(points[k + 1])) + "\n";
}

/// Samples of the base, and what becomes of them.
Drawn draw_flow(const fs::path& folder, CnfTrainee& trainee, const std::vector<float>& theta,
                const std::vector<float>& base, const Window& window) {
  std::string text = "panel,x,y\n";
  std::ostringstream script;
  script << "set datafile columnheaders\nset multiplot layout 1," << frames
         << " margins 0.01,0.99,0.02,0.86 spacing 0.01\nunset key; unset tics\nset border 15 lc rgb '#aaaaaa'\n"
         << "set size ratio 1\n"
         << window.ranges();
  std::vector<float> points = base;
  std::vector<double> gain;
  for (int k = 0; k < frames; ++k) {
    const float last = trainee.base(), step = last / (frames - 1);
    const float to = k + 1 == frames ? 0.f : last - step * static_cast<float>(k);
    if (k > 0) require(trainee.carry(last - step * static_cast<float>(k - 1), to, theta.data(), points, gain), "flow");
    add_points(text, k, points);
    const std::string title = k == 0            ? "base"
                              : k + 1 == frames ? "samples"
                                                : std::to_string(k) + "/" + std::to_string(frames - 1);
    script << "set title " << gnuplot_text(title) << "\nplot 'flow.csv' using (column(1) == " << k
           << " ? column(2) : NaN):3 with points pt 7 ps 0.12 lc rgb '#0072b2'\n";
  }
  write_whole(folder / "flow.csv", {bytes_of(text)});
  return draw(folder, "flow", script.str() + "unset multiplot\n", {1200, 230});
}
}  // namespace

std::string points_csv(const DensityData& data, const std::vector<float>& points) {
  std::string text = joined(data.names, ",") + "\n";
  const std::size_t d = data.names.size();
  for (std::size_t k = 0; k < points.size(); ++k)
    text +=
        shortest(static_cast<double>(points[k]) * data.scale[k % d] + data.mean[k % d]) + (k % d + 1 == d ? "\n" : ",");
  return text;
}

std::vector<Drawn> draw_plane(const fs::path& folder, const DensityData& data, CnfTrainee& trainee,
                              const std::vector<float>& theta) {
  const std::vector<float> shown = first(data.test, 2);
  const Window window(shown);
  std::vector<float> samples, grid;
  require(trainee.sample(theta.data(), 1, 0, drawn_points, samples), "samples");
  const double h = 2 * window.half / pixels;
  for (int i = 0; i < pixels; ++i)
    for (int j = 0; j < pixels; ++j) {
      grid.push_back(static_cast<float>(window.x - window.half + (i + .5) * h));
      grid.push_back(static_cast<float>(window.y - window.half + (j + .5) * h));
    }
  std::vector<double> log_p;
  require(trainee.log_density(theta.data(), grid, log_p), "density");
  std::string points = "panel,x,y\n", density = "x,y,density\n";
  add_points(points, 0, shown), add_points(points, 1, samples);
  for (std::size_t k = 0; k < log_p.size(); ++k)
    density += shortest(static_cast<double>(grid[2 * k])) + "," + shortest(static_cast<double>(grid[2 * k + 1])) + "," +
               shortest(std::exp(log_p[k])) + "\n";
  write_whole(folder / "points.csv", {bytes_of(points)});
  write_whole(folder / "density.csv", {bytes_of(density)});
  std::ostringstream script;
  script << "set datafile columnheaders\nset multiplot layout 1,3 margins 0.01,0.99,0.02,0.92 spacing 0.01\n"
         << "unset key; unset tics; unset colorbox\nset border 15 lc rgb '#aaaaaa'\nset size ratio 1\n"
         << window.ranges() << "set palette defined (0 '#ffffff', 1 '#9ecae1', 3 '#0072b2', 6 '#08306b')\n"
         << "set title 'data'\nplot 'points.csv' using (column(1) == 0 ? column(2) : NaN):3 with points pt 7 ps 0.12 "
            "lc rgb '#222222'\n"
         << "set title 'samples'\nplot 'points.csv' using (column(1) == 1 ? column(2) : NaN):3 with points pt 7 ps "
            "0.12 lc rgb '#0072b2'\n"
         << "set title 'density'\nplot 'density.csv' using 1:2:3 with image\nunset multiplot\n";
  std::vector<Drawn> drawn{draw(folder, "density", script.str(), {1200, 430})};
  std::vector<double> gain;
  std::vector<float> base = samples;
  require(trainee.carry(0, trainee.base(), theta.data(), base, gain), "samples");
  drawn.push_back(draw_flow(folder, trainee, theta, base, window));
  return drawn;
}

Drawn draw_margins(const fs::path& folder, const DensityData& data, CnfTrainee& trainee,
                   const std::vector<float>& theta) {
  const auto d = static_cast<std::size_t>(data.dim), n = std::min(d, drawn_columns);
  std::vector<float> samples;
  const std::vector<float> shown = first(data.test, d);
  require(trainee.sample(theta.data(), 1, 0, shown.size() / d, samples), "samples");
  write_whole(folder / "data.csv", {bytes_of(points_csv(data, shown))});
  write_whole(folder / "samples.csv", {bytes_of(points_csv(data, samples))});
  std::ostringstream script;
  script << "set datafile columnheaders\nset multiplot layout " << n - 1 << "," << n - 1
         << "\nunset key; unset tics\nset border 15 lc rgb '#aaaaaa'\n";
  for (std::size_t row = 1; row < n; ++row)
    for (std::size_t column = 0; column + 1 < n; ++column) {
      if (column >= row) {
        script << "set multiplot next\n";
        continue;
      }
      script << "set xlabel " << (row + 1 == n ? gnuplot_text(data.names[column]) : "''") << "\nset ylabel "
             << (column == 0 ? gnuplot_text(data.names[row]) : "''") << "\n";
      const std::string axes = std::to_string(column + 1) + ":" + std::to_string(row + 1);
      script << "stats 'data.csv' using " << column + 1 << " nooutput\nset xrange [STATS_min:STATS_max]\n"
             << "stats 'data.csv' using " << row + 1 << " nooutput\nset yrange [STATS_min:STATS_max]\n"
             << "plot 'data.csv' using " << axes << " with points pt 7 ps 0.12 lc rgb '#999999', 'samples.csv' using "
             << axes << " with points pt 7 ps 0.12 lc rgb '#0072b2'\n";
    }
  const int side = 60 + (n > 5 ? 130 : 180) * static_cast<int>(n - 1);
  return draw(folder, "margins", script.str() + "unset multiplot\n", {side, side});
}
}  // namespace revode::host
