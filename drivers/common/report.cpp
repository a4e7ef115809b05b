#include "common/report.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <sstream>

#include "common/error.hpp"
#include "common/files.hpp"
#include "common/text.hpp"

namespace revode::host {
namespace {
namespace fs = std::filesystem;

/// Colours that also the colour-blind tell apart; the truth lies under the others, wide and pale.
struct Look {
  const char* name;
  const Curve Panel::*curve;
  const char* style;
};
constexpr std::array<Look, 4> kLooks{{
    {"truth", &Panel::truth, "with lines lw 6 lc rgb '#c9c9c9'"},
    {"reconstruction", &Panel::reconstruction, "with lines lw 2 lc rgb '#0072b2'"},
    {"extrapolation", &Panel::extrapolation, "with lines lw 2 lc rgb '#d55e00'"},
    {"observed", &Panel::observed, "with points pt 7 ps 0.45 lc rgb '#222222'"},
}};

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  void take(const std::vector<double>& values) {
    for (const double v : values)
      if (std::isfinite(v)) low = std::min(low, v), high = std::max(high, v);
  }
  bool empty() const { return !(low <= high); }
  double middle() const { return 0.5 * (low + high); }
  double extent() const { return high - low; }
  std::string text() const { return "[" + shortest(low) + ":" + shortest(high) + "]"; }
};

/// The range of what is known, opened for the model's curves, but not by more than half: one that runs away must not
/// make the others invisible.
Range range_of(const Panel& panel, std::vector<double> Curve::*axis) {
  Range known, all;
  for (const Look& look : kLooks) all.take(panel.*look.curve.*axis);
  for (const Curve* curve : {&panel.truth, &panel.observed}) known.take(curve->*axis);
  if (all.empty()) return {-1, 1};
  if (!known.empty() && known.extent() > 0) {
    all.low = std::max(all.low, known.low - 0.5 * known.extent());
    all.high = std::min(all.high, known.high + 0.5 * known.extent());
  }
  const double margin = all.extent() > 0 ? 0.06 * all.extent() : 1;
  return {all.low - margin, all.high + margin};
}

std::string curves_csv(const std::vector<Panel>& panels) {
  std::string text = "panel,curve,x,y\n";
  for (std::size_t i = 0; i < panels.size(); ++i)
    for (const Look& look : kLooks) {
      const Curve& curve = panels[i].*look.curve;
      for (std::size_t k = 0; k < std::min(curve.x.size(), curve.y.size()); ++k)
        if (std::isfinite(curve.x[k]) && std::isfinite(curve.y[k]))
          text += std::to_string(i) + "," + look.name + "," + shortest(curve.x[k]) + "," + shortest(curve.y[k]) + "\n";
    }
  return text;
}

/// The grid in pixels, and a panel's edges as gnuplot's screen fractions.
struct Grid {
  int columns, rows;
  bool equal;
  static constexpr int kTop = 10, kLegend = 44, kGap = 8, kTitle = 22;
  int left() const { return equal ? 8 : 44; }
  int tics() const { return equal ? 0 : 24; }
  int cell_width() const { return equal ? 220 : 280; }
  int cell_height() const { return equal ? 220 : 170; }
  Canvas canvas() const {
    return {columns * (left() + cell_width()) + kGap, kTop + rows * (kTitle + cell_height() + tics() + kGap) + kLegend};
  }
  std::string margins(int at) const {
    const Canvas whole = canvas();
    const int row = at / columns, column = at % columns;
    const double x = column * (left() + cell_width()) + left();
    const double y = kTop + row * (kTitle + cell_height() + tics() + kGap) + kTitle;
    std::ostringstream text;
    text << "set lmargin at screen " << x / whole.width << "; set rmargin at screen "
         << (x + cell_width()) / whole.width << "\nset tmargin at screen " << 1 - y / whole.height
         << "; set bmargin at screen " << 1 - (y + cell_height()) / whole.height << "\n";
    return text.str();
  }
};

/// Lets a curve begin where the other ends, so that no gap is seen between them.
void join(const Curve& first, Curve& second) {
  if (first.x.empty() || second.x.empty()) return;
  second.x.insert(second.x.begin(), first.x.back());
  second.y.insert(second.y.begin(), first.y.back());
}

bool present(const std::vector<Panel>& panels, const Look& look) {
  return std::any_of(panels.begin(), panels.end(), [&](const Panel& p) { return !(p.*look.curve).x.empty(); });
}

std::string panel_script(const std::string& data, const Panel& panel, int at, const Grid& grid) {
  Range x = range_of(panel, &Curve::x), y = range_of(panel, &Curve::y);
  if (grid.equal) {
    const double half = 0.5 * std::max(x.extent(), y.extent());
    x = {x.middle() - half, x.middle() + half};
    y = {y.middle() - half, y.middle() + half};
  }
  std::ostringstream script;
  script << grid.margins(at) << "set title " << gnuplot_text(panel.title) << "\nset xrange " << x.text()
         << "\nset yrange " << y.text() << "\n";
  std::vector<std::string> plots;
  for (const Look& look : kLooks)
    if (!(panel.*look.curve).x.empty())
      plots.push_back(data + " using 3:(pick(" + std::to_string(at) + ", '" + look.name + "')) " + look.style);
  script << "plot " << (plots.empty() ? std::string("NaN") : joined(plots, ", \\\n     ")) << "\n";
  return script.str();
}

/// A strip below the panels with nothing in it but the legend.
std::string legend_script(const std::vector<Panel>& panels, const Grid& grid) {
  std::vector<std::string> plots;
  for (const Look& look : kLooks)
    if (present(panels, look)) plots.push_back(std::string("NaN title '") + look.name + "' " + look.style);
  std::ostringstream script;
  script << "set lmargin at screen 0; set rmargin at screen 1\nset bmargin at screen 0; set tmargin at screen "
         << static_cast<double>(Grid::kLegend) / grid.canvas().height
         << "\nunset title; unset border; unset tics\nset xrange [0:1]; set yrange [0:1]\n"
         << "set key center center horizontal reverse Left samplen 2.5 width 1 font ',12'\n"
         << "plot " << joined(plots, ", \\\n     ") << "\n";
  return script.str();
}
}  // namespace

Drawn draw_panels(const fs::path& folder, const std::string& name, std::vector<Panel> panels, const PanelStyle& style) {
  for (Panel& panel : panels) join(panel.reconstruction, panel.extrapolation);
  const bool any = std::any_of(kLooks.begin(), kLooks.end(), [&](const Look& look) { return present(panels, look); });
  if (!any) return {{}, "no picture " + name + ": there is no series to draw"};
  const int number = static_cast<int>(panels.size());
  const int columns = std::clamp(style.columns, 1, number);
  const Grid grid{columns, (number + columns - 1) / columns, style.equal_axes};
  const std::string data = gnuplot_text(name + ".csv");
  std::ostringstream script;
  script << "pick(panel, curve) = column(1) == panel && strcol(2) eq curve ? column(4) : NaN\n"
         << "set datafile columnheaders\nset multiplot\nset border 15 lc rgb '#aaaaaa'\nunset key\n"
         << "set title offset 0,-0.6 font ',10'\n";
  if (style.equal_axes)
    script << "unset tics\n";
  else
    script << "set tics font ',8' textcolor rgb '#555555' scale 0.4 nomirror\nset xtics offset 0,0.4\n"
           << "set ytics offset 0.6,0\n";
  for (int i = 0; i < number; ++i) script << "\n" << panel_script(data, panels[static_cast<std::size_t>(i)], i, grid);
  script << "\n" << legend_script(panels, grid) << "unset multiplot\n";
  try {
    write_whole(folder / (name + ".csv"), {bytes_of(curves_csv(panels))});
  } catch (const Failure& failure) {
    return {{}, "no picture " + name + ": " + sentence(failure)};
  }
  return draw(folder, name, script.str(), grid.canvas());
}

namespace {
/// What the diagrams have in common, and the axis of one: logarithmic where all is positive, with labels at 1, 2, 5
/// where a decade alone would leave it bare.
constexpr const char* kMetricsHead = R"(set datafile columnheaders
set grid lt 1 lw 1 lc rgb '#e4e4e4'
set border 3 lc rgb '#888888'
set tics nomirror textcolor rgb '#444444'
set key top right
set lmargin 11; set rmargin 3
set format y '%g'
)";
constexpr const char* kMetricsAxis = R"(if (low > 0 && low < high) {
  set logscale y
  set yrange [low / 1.2:high * 1.2]
  if (high / low < 100) {
    set ytics ('' 1)
    set for [k = -12:12] ytics add (sprintf('%g', 10.0**k) 10.0**k, sprintf('%g', 2 * 10.0**k) 2 * 10.0**k)
    set for [k = -12:12] ytics add (sprintf('%g', 5 * 10.0**k) 5 * 10.0**k)
  }
}
)";

std::string diagram_script(const MetricDiagram& diagram) {
  constexpr std::array<const char*, 4> colours{"#0072b2", "#d55e00", "#009e73", "#cc79a7"};
  std::string script = "unset logscale y; set ytics autofreq; set autoscale y\nlow = 1e300; high = -1e300\n";
  std::vector<std::string> plots;
  for (const auto& [column, name] : diagram.lines) {
    const std::string values = "(column(" + gnuplot_text(column) + "))";
    script +=
        "stats 'metrics.csv' using " + values + " nooutput\n" +
        "if (exists('STATS_records')) { low = low < STATS_min ? low : STATS_min; high = high > STATS_max ? high : "
        "STATS_max }\n";
    plots.push_back("'metrics.csv' using (column('epoch')):" + values + " title " + gnuplot_text(name) +
                    " with linespoints pt 7 ps 0.3 lw 2 lc rgb '" + colours[plots.size() % colours.size()] + "'");
  }
  return script + kMetricsAxis + "set ylabel " + gnuplot_text(diagram.title) + "\nplot " +
         joined(plots, ", \\\n     ") + "\n";
}
}  // namespace

Drawn draw_metrics(const fs::path& folder, const std::string& name, const std::vector<MetricDiagram>& diagrams) {
  std::string script = kMetricsHead;
  script += "set multiplot layout " + std::to_string(diagrams.size()) + ",1\n";
  for (std::size_t d = 0; d < diagrams.size(); ++d) {
    script += d + 1 == diagrams.size() ? "\nset xlabel 'epoch'\n" : "\n";
    script += diagram_script(diagrams[d]);
  }
  return draw(folder, name, script + "unset multiplot\n", {900, 60 + 300 * static_cast<int>(diagrams.size())});
}
}  // namespace revode::host
