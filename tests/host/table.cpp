#include "common/table.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <set>

#include "common/error.hpp"
#include "models/density_data.hpp"
#include "models/toys.hpp"

namespace revode::host {
namespace {
std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), Exit::usage);
    return sentence(failure);
  }
  return "accepted";
}
std::string refused(const std::string& text, const std::vector<std::string>& columns = {}) {
  return refusal([&] { parse_table(text, "t.csv", columns); });
}
void begins(const std::string& text, const std::string& start) {
  EXPECT_EQ(text.substr(0, start.size()), start);
}

TEST(Table, CommasAndBlanksWithAHeaderAndWithout) {
  const Table a = parse_table("x, y\r\n1,2\r\n\r\n3,-4e1\r\n", "t.csv");
  EXPECT_EQ(a.names, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(a.values, (std::vector<double>{1, 2, 3, -40}));
  const Table b = parse_table(" 1\t2  3\n4 5 6", "t.txt");
  EXPECT_EQ(b.names, (std::vector<std::string>{"c1", "c2", "c3"}));
  EXPECT_EQ(b.values, (std::vector<double>{1, 2, 3, 4, 5, 6}));
}

TEST(Table, ColumnsByNameNumberAndRange) {
  const std::string text = "x,y,z,class\n1,2,3,g\n4,5,6,h\n";
  EXPECT_EQ(parse_table(text, "t.csv", {"z", "x"}).values, (std::vector<double>{3, 1, 6, 4}));
  EXPECT_EQ(parse_table(text, "t.csv", {"2-3"}).names, (std::vector<std::string>{"y", "z"}));
  EXPECT_EQ(parse_table("1,2,g\n", "t.csv", {"1-2"}).values, (std::vector<double>{1, 2}));
}

TEST(Table, RefusesAndNamesTheCell) {
  begins(refused(""), "t.csv:1:1: the file is empty");
  begins(refused("x,y\n1,two\n"), "t.csv:2:2: 'two' in column 'y' is not a number");
  begins(refused("1,2\n1,nan\n"), "t.csv:2:2: 'nan' in column 'c2' is not finite");
  begins(refused("1,2\n1,inf\n"), "t.csv:2:2: 'inf'");
  begins(refused("1,2\n\n1\n"), "t.csv:3:2: 1 cells where the first line has 2");
  begins(refused("1,2\n1,2,3\n"), "t.csv:2:3: 3 cells");
  begins(refused("1,2\n1,\n"), "t.csv:2:2: '' in column 'c2' is not a number");
  begins(refused("speed,y\n1,2\n", {"sped"}), "--columns: 'sped' is no column of t.csv");
  begins(refused("1,2\n", {"1-3"}), "--columns: '1-3'");
}

TEST(DensityData, SplitsAndStandardises) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += std::to_string(i) + "," + std::to_string(i % 7) + "\n";
  const DensityData data = split_table(parse_table(text, "t.csv"), {}, "t.csv");
  EXPECT_EQ(data.rows(data.test), 10u);
  EXPECT_EQ(data.rows(data.held_out), 9u);
  EXPECT_EQ(data.rows(data.train), 81u);
  EXPECT_NEAR(static_cast<double>(data.test[0]) * data.scale[0] + data.mean[0], 9, 1e-5);
  double sum = 0, squares = 0;
  for (const auto* part : {&data.train, &data.held_out})
    for (std::size_t i = 0; i < part->size(); i += 2) {
      const auto v = static_cast<double>((*part)[i]);
      sum += v, squares += v * v;
    }
  EXPECT_NEAR(sum / 90, 0, 1e-6);
  EXPECT_NEAR(squares / 90, 1, 1e-6);
  begins(refusal([] { split_table(parse_table("1,2\n3,2\n5,2\n", "t.csv"), {}, "t.csv"); }),
         "t.csv: column 'c2' is constant");
  begins(refusal([] { split_table(parse_table("1,2\n3,4\n", "t.csv"), {}, "t.csv"); }), "t.csv: 2 rows leave nothing");
}

/// Its entropy by quadrature against -mean log p over draws of it: the formula of the points, of p and the quadrature.
TEST(Toys, EntropyOfEightGaussians) {
  const std::size_t toy = 2;
  ASSERT_EQ(toy_names()[toy], "eight_gaussians");
  const double sd = .5 / 1.414, radius = 4 / 1.414, pi = 3.14159265358979;
  double sum = 0, squares = 0;
  const int n = 20000;
  for (int i = 0; i < n; ++i) {
    const auto x = toy_point(toy, 1, 3, static_cast<std::uint64_t>(i));
    double p = 0;
    for (int k = 0; k < 8; ++k) {
      const double u = x[0] - radius * std::cos(2 * pi * k / 8), v = x[1] - radius * std::sin(2 * pi * k / 8);
      p += std::exp(-.5 * (u * u + v * v) / (sd * sd)) / (16 * pi * sd * sd);
    }
    sum -= std::log(p), squares += std::log(p) * std::log(p);
  }
  const double mean = sum / n, error = std::sqrt((squares / n - mean * mean) / n);
  EXPECT_LT(std::abs(mean - toy_entropy(toy)), 3 * error);
  EXPECT_LT(error, .01);
}

TEST(Toys, TheCheckerboardFillsHalfOfItsCells) {
  const std::size_t toy = 7;
  ASSERT_EQ(toy_names()[toy], "checkerboard");
  std::set<std::pair<int, int>> cells;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    const auto x = toy_point(toy, 1, 3, i);
    EXPECT_LE(std::abs(x[0]), 4);
    EXPECT_LE(std::abs(x[1]), 4);
    cells.insert({static_cast<int>(std::floor(x[0] / 2)), static_cast<int>(std::floor(x[1] / 2))});
  }
  EXPECT_EQ(cells.size(), 8u);  // of sixteen of side 2: area 32
  for (const auto& [i, j] : cells) EXPECT_EQ((i + j) & 1, 0);
  EXPECT_EQ(toy_entropy(toy), std::log(32.));
}

TEST(Toys, PointsDependOnTheirNumberAlone) {
  for (std::size_t toy = 0; toy < toy_names().size(); ++toy) {
    EXPECT_EQ(toy_point(toy, 1, 3, 5), toy_point(toy, 1, 3, 5));
    EXPECT_NE(toy_point(toy, 1, 3, 5), toy_point(toy, 1, 3, 6));
    EXPECT_NE(toy_point(toy, 1, 3, 5), toy_point(toy, 2, 3, 5));
  }
}
}  // namespace
}  // namespace revode::host
