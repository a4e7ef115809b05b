/// The folder of a run: its configuration as used, log, metrics, model, checkpoints and pictures.
#pragma once
#include <filesystem>
#include <string>

#include "common/options.hpp"

namespace revode::host {
/// The folder that the options ask for, ready to write into, with config.toml in it:
/// - that of the run which goes on (options.resumed()), or
/// - --folder: made where it is missing, refused (Exit::usage) where it is not empty, or
/// - runs/PROGRAM-YYYYmmdd-HHMMSS under the current folder, with -2, -3, ... where that exists.
/// Failure (Exit::io) naming the folder where it cannot be written. Call it on one rank only.
std::filesystem::path open_run_folder(const Options& options, const std::string& program);

/// Replaces or makes a text file in one piece.
void write_text(const std::filesystem::path& file, const std::string& text);
}  // namespace revode::host
