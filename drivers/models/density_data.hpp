/// Samples of a density: drawn from one of the toys, or the rows of a table, standardised and split.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/table.hpp"

namespace revode::host {
struct DensityData {
  int dim = 2;
  std::vector<std::string> names;            ///< of the columns
  std::vector<float> train, held_out, test;  ///< [row][dim]; a toy's train may be empty: every batch is drawn anew
  std::vector<double> mean, scale;           ///< values above are (raw - mean) / scale
  bool fresh = false;
  std::size_t toy = 0;
  std::uint64_t seed = 1;

  std::size_t rows(const std::vector<float>& part) const { return part.size() / static_cast<std::size_t>(dim); }
  /// What log p of raw values has less than that of standardised ones: sum log scale.
  double log_scale() const;
  /// Point `index` of a toy's training, to[dim].
  void draw(std::uint64_t index, float* to) const;
};

/// How a table is split: of every `test_every` rows the last one is test, of every `held_out_every` of the others the
/// last one is held out. The moments are those of all but the test rows.
struct TableSplit {
  long test_every = 10, held_out_every = 10;
  bool standardise = true;
};
/// Failure (Exit::usage), naming `name` and the column, where a column is constant or a part has no row.
DensityData split_table(const Table& table, const TableSplit& split, const std::string& name);
DensityData toy_data(const std::string& toy, std::uint64_t seed, std::size_t train, std::size_t held_out,
                     std::size_t test);
/// A table's values in the units of the data, [row][dim]. Failure (Exit::usage) where it has other columns.
std::vector<float> standardised(const DensityData& data, const Table& table, const std::string& name);
}  // namespace revode::host
