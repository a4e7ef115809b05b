/// The pictures of a run, drawn from CSV files in its folder, so that anyone can draw them anew or otherwise.
#pragma once
#include <string>
#include <vector>

#include "common/gnuplot.hpp"

namespace revode::host {
/// Columns of metrics.csv in one diagram over the epochs; its axis is logarithmic where all their values are positive.
struct MetricDiagram {
  std::string title;
  std::vector<std::pair<std::string, std::string>> lines;  ///< column, name in the legend
};
/// Diagrams one above the other, as FOLDER/NAME.png and .svg.
Drawn draw_metrics(const std::filesystem::path& folder, const std::string& name,
                   const std::vector<MetricDiagram>& diagrams);

struct Curve {
  std::vector<double> x, y;
};
/// One held-out series. Empty curves are left out.
struct Panel {
  std::string title;
  Curve truth, observed, reconstruction, extrapolation;
};
struct PanelStyle {
  bool equal_axes = false;  ///< orbits in a plane; otherwise x is time
  int columns = 4;
};
/// A grid of panels with one legend; the extrapolation is drawn on from the end of the reconstruction, as in figure 9
/// of Chen et al. 2018. Writes the curves to FOLDER/NAME.csv first.
Drawn draw_panels(const std::filesystem::path& folder, const std::string& name, std::vector<Panel> panels,
                  const PanelStyle& style = {});
}  // namespace revode::host
