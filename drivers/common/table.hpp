/// A table of numbers: CSV or white-space text, with a line of names above it or without.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace revode::host {
struct Table {
  std::vector<std::string> names;  ///< of the columns; c1, c2, ... where the file has none
  std::vector<double> values;      ///< [row][column]
  std::size_t columns() const { return names.size(); }
  std::size_t rows() const { return names.empty() ? 0 : values.size() / names.size(); }
};

/// Cells are separated by commas, or else by blanks and tabs; the first line is names where none of its cells is a
/// number; empty lines are passed over; the file may be packed by gzip or xz. `wanted`: columns by name or by number
/// from 1, ranges as 2-5 too; empty: all. Failures (Exit::usage) name FILE:LINE:COLUMN, where COLUMN counts cells from
/// 1.
Table read_table(const std::filesystem::path& file, const std::vector<std::string>& wanted = {});
/// The same of a text; `name` is for failures.
Table parse_table(const std::string& text, const std::string& name, const std::vector<std::string>& wanted = {});
}  // namespace revode::host
