/// Pictures by gnuplot, as PNG and SVG, from a script that stays beside them. A run never fails for want of a picture.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace revode::host {
struct Drawn {
  std::vector<std::filesystem::path> files;
  std::string warning;  ///< empty, or why there is no picture and how to get it
};

struct Canvas {
  int width = 900, height = 500;  ///< of the SVG; the PNG has twice the pixels, for sharp screens
};

/// Writes NAME.gp into the folder and draws NAME.png and NAME.svg there. The script names files relative to the folder
/// and sets neither terminal nor output.
Drawn draw(const std::filesystem::path& folder, const std::string& name, const std::string& script, Canvas canvas = {});

/// A text in gnuplot's single quotes.
std::string gnuplot_text(const std::string& text);
}  // namespace revode::host
