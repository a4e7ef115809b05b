/// A user's irregular series: a CSV file with a header, a row an observation time, an empty cell where nothing was
/// seen.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace revode::host {
struct Series {
  std::string name;
  std::vector<double> times;                ///< increasing
  std::vector<std::vector<double>> values;  ///< [channel][time]; NaN: not observed
};

struct SeriesFile {
  std::vector<std::string> channels;
  std::vector<Series> series;  ///< in the order of their first rows
};

/// Which columns to read, by their names in the header.
struct Columns {
  std::string series = "series";
  std::string time = "time";
  std::vector<std::string> channels{};  ///< empty: all columns but the two above
};

/// Cells are separated by commas and may be "quoted"; lines end in LF or CRLF; the file may be packed by gzip or xz.
/// The rows of a series need not be neighbours. Failures name FILE:LINE:COLUMN, where COLUMN counts cells from 1.
SeriesFile read_series(const std::filesystem::path& file, const Columns& columns = {});
/// The same of a text; `name` is for failures.
SeriesFile parse_series(const std::string& text, const std::string& name, const Columns& columns = {});
}  // namespace revode::host
