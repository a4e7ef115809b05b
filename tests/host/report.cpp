#include "common/report.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cmath>
#include <limits>

#include "common/metrics.hpp"
#include "host/scratch.hpp"

namespace revode::host {
namespace {
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

void expect_pictures(const Scratch& scratch, const Drawn& drawn, const std::string& name) {
  EXPECT_EQ(drawn.warning, "");
  ASSERT_EQ(drawn.files.size(), 2U);
  EXPECT_EQ(scratch.read(name + ".png").substr(0, 4), "\x89PNG");
  EXPECT_NE(scratch.read(name + ".svg").find("</svg>"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(scratch.path(name + ".err")));
}

std::vector<Panel> spirals(int number) {
  std::vector<Panel> panels(static_cast<std::size_t>(number));
  for (std::size_t p = 0; p < panels.size(); ++p) {
    panels[p].title = "it's spiral " + std::to_string(p);
    for (int i = 0; i < 60; ++i) {
      const double angle = 0.2 * i, x = (1 + angle) * std::cos(angle), y = (1 + angle) * std::sin(angle);
      Curve& model = i < 30 ? panels[p].reconstruction : panels[p].extrapolation;
      for (Curve* curve : {&panels[p].truth, &model}) {
        curve->x.push_back(x);
        curve->y.push_back(y);
      }
    }
    panels[p].observed = {{1, 2, kNaN}, {1, 2, 3}};
  }
  return panels;
}

TEST(Report, Spirals) {
  Scratch scratch;
  expect_pictures(scratch, draw_panels(scratch.folder(), "spirals", spirals(6), {.equal_axes = true}), "spirals");
  const std::string svg = scratch.read("spirals.svg");
  for (const char* word : {"it's spiral 5", "truth", "observed", "reconstruction", "extrapolation"})
    EXPECT_NE(svg.find(word), std::string::npos) << word;
  // One legend for all panels.
  EXPECT_EQ(svg.find("extrapolation</text>"), svg.rfind("extrapolation</text>"));
  const std::string csv = scratch.read("spirals.csv");
  EXPECT_EQ(csv.find("nan"), std::string::npos);
  EXPECT_NE(csv.find("\n5,observed,2,2\n"), std::string::npos);
}

TEST(Report, PanelsThatMissSomethingOrRunAway) {
  Scratch scratch;
  std::vector<Panel> panels = spirals(3);
  panels[0].truth = {};
  panels[1] = {.title = "nothing here", .truth = {}, .observed = {}, .reconstruction = {}, .extrapolation = {}};
  panels[2].extrapolation.x.back() = 1e300;
  panels[2].extrapolation.y.back() = -std::numeric_limits<double>::infinity();
  panels[2].truth = {{1}, {1}};
  expect_pictures(scratch, draw_panels(scratch.folder(), "odd", panels, {.columns = 9}), "odd");
  for (const bool equal : {false, true}) {
    const Drawn drawn = draw_panels(scratch.folder(), "none", {Panel{}}, {.equal_axes = equal});
    EXPECT_TRUE(drawn.files.empty());
    EXPECT_NE(drawn.warning.find("there is no series"), std::string::npos);
  }
}

TEST(Report, LossCurve) {
  Scratch scratch;
  Metrics metrics(scratch.path("metrics.csv"), {"loss", "held_out", "rmse", "empty"});
  const std::vector<MetricDiagram> diagrams{{"loss", {{"loss", "training"}, {"held_out", "held out"}}},
                                            {"RMSE", {{"rmse", "held out"}}},
                                            {"empty", {{"empty", "nothing"}, {"loss", "something"}}}};
  metrics.row(1, {3, kNaN, 1, kNaN});
  expect_pictures(scratch, draw_metrics(scratch.folder(), "one", diagrams), "one");
  for (int epoch = 2; epoch < 30; ++epoch) metrics.row(epoch, {3.0 / epoch, -1.0 / epoch, 1.0 / epoch, kNaN});
  expect_pictures(scratch, draw_metrics(scratch.folder(), "loss", diagrams), "loss");
  EXPECT_NE(scratch.read("loss.svg").find("training"), std::string::npos);
}

TEST(Report, AScriptWithAMistakeIsAWarning) {
  Scratch scratch;
  const Drawn drawn = draw(scratch.folder(), "bad", "plot 'nothing.csv' usng 1:2\n");
  EXPECT_TRUE(drawn.files.empty());
  EXPECT_NE(drawn.warning.find("no picture bad: gnuplot says '"), std::string::npos) << drawn.warning;
  EXPECT_NE(drawn.warning.find("gnuplot bad.gp"), std::string::npos) << drawn.warning;
  EXPECT_FALSE(std::filesystem::exists(scratch.path("bad.png")));
}

TEST(Report, NoGnuplotIsAWarning) {
  Scratch scratch;
  const char* had = getenv("PATH");
  const std::string before = had ? had : "";
  setenv("PATH", scratch.folder().c_str(), 1);
  const Drawn drawn = draw(scratch.folder(), "p", "plot x\n");
  setenv("PATH", before.c_str(), 1);
  EXPECT_TRUE(drawn.files.empty());
  EXPECT_NE(drawn.warning.find("install gnuplot-nox"), std::string::npos) << drawn.warning;
  EXPECT_NE(scratch.read("p.gp").find("plot x"), std::string::npos);
}

TEST(Report, AFolderThatCannotBeWrittenIsAWarning) {
  EXPECT_NE(draw("/nowhere", "p", "plot x\n").warning.find("/nowhere/p.gp"), std::string::npos);
}
}  // namespace
}  // namespace revode::host
