#include "models/toys.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include "revode/random.hpp"

namespace revode::host {
namespace {
using Point = std::array<double, 2>;
constexpr double pi = std::numbers::pi;
constexpr double gaussian_radius = 4 / 1.414, gaussian_sd = .5 / 1.414;

/// Uniforms of 53 bits and normals, in double.
class Draw {
 public:
  Draw(std::uint64_t seed, std::uint32_t stream, std::uint64_t index) : random_(seed, stream, index) {}
  double uniform() {
    const double high = random_.next() >> 6, low = random_.next() >> 5;
    return (high * 0x1p27 + low) * 0x1p-53;
  }
  double normal() { return static_cast<double>(random_.normal()); }
  std::uint32_t below(std::uint32_t n) { return random_.below(n); }

 private:
  Random random_;
};

Point circle(double radius, double turn) {
  return {radius * std::cos(2 * pi * turn), radius * std::sin(2 * pi * turn)};
}
Point noisy(Point p, double sd, Draw& draw) {
  for (double& v : p) v += sd * draw.normal();
  return p;
}
Point scaled(Point p, double by) {
  return {by * p[0], by * p[1]};
}

Point moons(Draw& draw) {
  const bool lower = draw.below(2);
  const double a = pi * draw.uniform();
  const Point on = lower ? Point{1 - std::cos(a), .5 - std::sin(a)} : Point{std::cos(a), std::sin(a)};
  const Point p = noisy(on, .1, draw);
  return {2 * p[0] - 1, 2 * p[1] - .2};
}
Point circles(Draw& draw) {
  const double radius = draw.below(2) ? .5 : 1;
  return scaled(noisy(circle(radius, draw.uniform()), .08, draw), 3);
}
Point eight_gaussians(Draw& draw) {
  return noisy(circle(gaussian_radius, draw.below(8) / 8.), gaussian_sd, draw);
}
Point pinwheel(Draw& draw) {
  const double arm = draw.below(5);
  const double radial = 1 + .3 * draw.normal(), tangential = .1 * draw.normal();
  const double a = 2 * pi * arm / 5 + .25 * std::exp(radial);
  return {2 * (radial * std::cos(a) + tangential * std::sin(a)), 2 * (tangential * std::cos(a) - radial * std::sin(a))};
}
Point spirals(Draw& draw) {
  const double n = std::sqrt(draw.uniform()) * 540 * 2 * pi / 360, side = draw.below(2) ? 1. / 3 : -1. / 3;
  const double x = -std::cos(n) * n + .5 * draw.uniform(), y = std::sin(n) * n + .5 * draw.uniform();
  return noisy({side * x, side * y}, .1, draw);
}
Point swiss_roll(Draw& draw) {
  const double t = 1.5 * pi * (1 + 2 * draw.uniform());
  return scaled(noisy({t * std::cos(t), t * std::sin(t)}, 1, draw), .2);
}
Point rings(Draw& draw) {
  const double radius = .25 * (1 + draw.below(4));
  return noisy(scaled(circle(radius, draw.uniform()), 3), .08, draw);
}
Point checkerboard(Draw& draw) {
  const double x = 4 * draw.uniform() - 2, y = draw.uniform() - 2 * draw.below(2);
  return scaled({x, y + (static_cast<int>(std::floor(x)) & 1)}, 2);
}

struct Toy {
  const char* name;
  Point (*point)(Draw&);
};
constexpr Toy toys[] = {{"moons", moons},       {"circles", circles},          {"eight_gaussians", eight_gaussians},
                        {"pinwheel", pinwheel}, {"spirals", spirals},          {"swiss_roll", swiss_roll},
                        {"rings", rings},       {"checkerboard", checkerboard}};

/// -int p log p over a square that holds all but e^-70 of it, midpoint rule, spacing a twelfth of a deviation.
double gaussians_entropy() {
  const double h = gaussian_sd / 12, half = gaussian_radius + 12 * gaussian_sd;
  const auto n = static_cast<int>(2 * half / h);
  double sum = 0;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) {
      const double x = -half + (i + .5) * h, y = -half + (j + .5) * h;
      double p = 0;
      for (int k = 0; k < 8; ++k) {
        const Point c = circle(gaussian_radius, k / 8.);
        const double r2 = (x - c[0]) * (x - c[0]) + (y - c[1]) * (y - c[1]);
        p += std::exp(-.5 * r2 / (gaussian_sd * gaussian_sd)) / (8 * 2 * pi * gaussian_sd * gaussian_sd);
      }
      if (p > 0) sum -= p * std::log(p) * h * h;
    }
  return sum;
}
}  // namespace

const std::vector<std::string>& toy_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Toy& toy : toys) all.emplace_back(toy.name);
    return all;
  }();
  return names;
}

std::array<double, 2> toy_point(std::size_t toy, std::uint64_t seed, std::uint32_t stream, std::uint64_t index) {
  Draw draw(seed, stream, index);
  return toys[toy].point(draw);
}

double toy_entropy(std::size_t toy) {
  const std::string name = toys[toy].name;
  if (name == "checkerboard") return std::log(32.);
  if (name == "eight_gaussians") return gaussians_entropy();
  return std::numeric_limits<double>::quiet_NaN();
}
}  // namespace revode::host
