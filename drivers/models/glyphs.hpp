/// Digits of our own for where there are no data: strokes whose points are moved at random, under a random affine map,
/// drawn with a pen of random width, with noise. A digit is a function of (seed, index) and of + - * / sqrt alone, so
/// it is the same on every machine.
#pragma once
#include "common/images.hpp"

namespace revode::host {
struct Glyphs {
  std::size_t train = 4096, test = 1024;
  int size = 20;         ///< pixels a side
  double noise = 0.15;   ///< most that a pixel is off, of its range
  double wobble = 0.06;  ///< most that a point of a stroke is off, of the glyph's height
  std::uint64_t seed = 1;
};
/// Digits in order of their index, classes in turn.
ImageSet draw_glyphs(const Glyphs& protocol);
}  // namespace revode::host
