#include "models/glyphs.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "revode/random.hpp"

namespace revode::host {
namespace {
constexpr std::uint32_t glyph_stream = 20;
struct Point {
  double x, y;
};
/// A stroke begins at its first point, bends towards those between and ends at its last.
using Stroke = std::vector<Point>;

const std::array<std::vector<Stroke>, 10>& alphabet() {
  static const std::array<std::vector<Stroke>, 10> strokes{{
      {{{.5, .04}, {.14, .08}, {.1, .5}, {.14, .92}, {.5, .96}, {.86, .92}, {.9, .5}, {.86, .08}, {.5, .04}}},
      {{{.28, .27}, {.54, .05}}, {{.54, .05}, {.52, .95}}},
      {{{.14, .3}, {.2, .02}, {.86, .0}, {.88, .4}, {.5, .66}, {.14, .94}}, {{.14, .94}, {.88, .94}}},
      {{{.16, .16}, {.5, -.06}, {.9, .08}, {.84, .42}, {.42, .47}},
       {{.42, .47}, {.94, .5}, {.92, .96}, {.46, 1.04}, {.12, .82}}},
      {{{.68, .95}, {.72, .05}}, {{.72, .05}, {.1, .64}}, {{.1, .64}, {.92, .64}}},
      {{{.84, .05}, {.25, .05}},
       {{.25, .05}, {.19, .45}},
       {{.19, .45}, {.6, .28}, {.98, .55}, {.86, .96}, {.42, 1.02}, {.12, .86}}},
      {{{.76, .06}, {.26, .16}, {.08, .62}, {.16, 1.0}, {.62, 1.02}, {.92, .8}, {.82, .46}, {.42, .42}, {.15, .68}}},
      {{{.12, .06}, {.88, .06}}, {{.88, .06}, {.58, .42}, {.42, .96}}},
      {{{.5, .48},
        {.1, .42},
        {.12, .04},
        {.5, .03},
        {.88, .04},
        {.9, .42},
        {.5, .48},
        {.06, .56},
        {.06, .98},
        {.5, .97},
        {.94, .98},
        {.94, .56},
        {.5, .48}}},
      {{{.84, .34}, {.62, .58}, {.18, .52}, {.1, .2}, {.44, -.02}, {.84, .06}, {.88, .42}, {.8, .74}, {.62, .97}}},
  }};
  return strokes;
}

double within(Random& random, double most) {
  return most * (2 * static_cast<double>(random.uniform()) - 1);
}

/// The stroke as a polygon: quadratic curves from middle to middle of its points.
Stroke polygon(std::span<const Point> p) {
  constexpr int pieces = 6;
  const auto middle = [](Point a, Point b) { return Point{0.5 * (a.x + b.x), 0.5 * (a.y + b.y)}; };
  Stroke line{p.front()};
  for (std::size_t i = 1; i + 1 < p.size(); ++i) {
    const Point a = line.back(), b = p[i], c = i + 2 == p.size() ? p[i + 1] : middle(p[i], p[i + 1]);
    for (int k = 1; k <= pieces; ++k) {
      const double t = static_cast<double>(k) / pieces, u = 1 - t;
      line.push_back({u * u * a.x + 2 * u * t * b.x + t * t * c.x, u * u * a.y + 2 * u * t * b.y + t * t * c.y});
    }
  }
  if (p.size() == 2) line.push_back(p.back());
  return line;
}

double square_distance(Point p, Point a, Point b) {
  const double x = b.x - a.x, y = b.y - a.y, length = x * x + y * y;
  const double along = length > 0 ? std::clamp(((p.x - a.x) * x + (p.y - a.y) * y) / length, 0.0, 1.0) : 0.0;
  const double dx = p.x - a.x - along * x, dy = p.y - a.y - along * y;
  return dx * dx + dy * dy;
}

void draw(const Glyphs& protocol, std::uint64_t index, int digit, std::uint8_t* pixels) {
  Random random(protocol.seed, glyph_stream, index);
  const double n = protocol.size, height = n * (0.66 + within(random, 0.1)),
               width = height * (0.72 + within(random, 0.12));
  const double lean = within(random, 0.3), turn = within(random, 0.22), pen = n * (0.055 + within(random, 0.02));
  const double x0 = 0.5 * n + within(random, 0.09 * n), y0 = 0.5 * n + within(random, 0.09 * n);
  std::vector<Stroke> lines;
  for (const Stroke& stroke : alphabet()[static_cast<std::size_t>(digit)]) {
    Stroke moved;
    for (const Point& p : stroke) {
      const double x = p.x - 0.5 + within(random, protocol.wobble), y = p.y - 0.5 + within(random, protocol.wobble);
      moved.push_back({x0 + width * (x - lean * y) - turn * height * y, y0 + height * y + turn * width * x});
    }
    lines.push_back(polygon(moved));
  }
  for (int i = 0; i < protocol.size; ++i)
    for (int j = 0; j < protocol.size; ++j) {
      double least = 1e9;
      for (const Stroke& line : lines)
        for (std::size_t k = 0; k + 1 < line.size(); ++k)
          least = std::min(least, square_distance({j + 0.5, i + 0.5}, line[k], line[k + 1]));
      const double ink = std::clamp(0.5 + pen - std::sqrt(least), 0.0, 1.0) + within(random, protocol.noise);
      *pixels++ = static_cast<std::uint8_t>(std::lround(255 * std::clamp(ink, 0.0, 1.0)));
    }
}

Images draw_many(const Glyphs& protocol, std::size_t first, std::size_t count) {
  Images images;
  images.height = images.width = protocol.size;
  images.pixels.resize(count * images.area());
  for (std::size_t i = 0; i < count; ++i) {
    const int digit = static_cast<int>((first + i) % 10);
    images.labels.push_back(static_cast<std::uint8_t>(digit));
    draw(protocol, first + i, digit, images.pixels.data() + i * images.area());
  }
  return images;
}
}  // namespace

ImageSet draw_glyphs(const Glyphs& protocol) {
  return {draw_many(protocol, 0, protocol.train), draw_many(protocol, protocol.train, protocol.test), "own digits"};
}
}  // namespace revode::host
