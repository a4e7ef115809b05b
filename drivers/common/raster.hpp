/// Pictures of one image: PGM and PPM (P2, P3, P5, P6; one byte a sample) and PNG (8 bits a sample, grey or colour,
/// with or without alpha, not interlaced; a palette is not read). Failure (Exit::usage) names file and offset.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace revode::host {
struct Raster {
  int channels = 1, height = 0, width = 0;  ///< 1 grey, 3 red, green, blue
  std::vector<std::uint8_t> samples;        ///< [height][width][channels]
};
/// By the first bytes, not the name. Alpha is left out.
Raster read_raster(std::string_view bytes, const std::string& name);
/// What a network is shown of a picture of any size, each pixel the mean over the area that it covers:
/// [channels][height][width], grey or colour as wanted.
std::vector<std::uint8_t> fitted(const Raster& raster, int channels, int height, int width);
}  // namespace revode::host
