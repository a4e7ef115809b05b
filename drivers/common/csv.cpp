#include "common/csv.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "common/error.hpp"
#include "common/files.hpp"
#include "common/text.hpp"

namespace revode::host {
namespace {
class Reader {
 public:
  Reader(std::string_view text, const std::string& name) : text_(text), name_(name) {
    if (text_.substr(0, 3) == "\xef\xbb\xbf") text_.remove_prefix(3);  // a spreadsheet's mark of UTF-8
    while (!text_.empty() && std::string_view(" \t\r\n").find(text_.back()) != std::string_view::npos)
      text_.remove_suffix(1);
  }

  /// The next line's cells; false at the end.
  bool next(std::vector<std::string>& cells) {
    if (text_.empty()) return false;
    ++line_;
    const auto end = text_.find('\n');
    std::string_view line = text_.substr(0, end);
    text_.remove_prefix(end == std::string_view::npos ? text_.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    cells.clear();
    while (true) {
      cells.push_back(cell(line, cells.size()));
      if (line.empty()) return true;
      line.remove_prefix(1);
    }
  }
  [[noreturn]] void fail(std::size_t column, const std::string& message) const { fail_at(line_, column, message); }
  [[noreturn]] void fail_at(std::size_t line, std::size_t column, const std::string& message) const {
    throw Failure(Exit::usage, name_ + ":" + std::to_string(line) + ":" + std::to_string(column + 1), message);
  }
  std::size_t line() const { return line_; }

 private:
  /// Takes a cell from the front of the line and leaves the line at the comma after it, or empty.
  std::string cell(std::string_view& line, std::size_t column) const {
    if (line.empty() || line[0] != '"') {
      const auto end = std::min(line.find(','), line.size());
      std::string content(trimmed(line.substr(0, end)));
      line.remove_prefix(end);
      return content;
    }
    std::string content;
    for (std::size_t i = 1; i < line.size(); ++i) {
      if (line[i] != '"') {
        content += line[i];
      } else if (i + 1 < line.size() && line[i + 1] == '"') {
        content += line[i++];
      } else {
        line.remove_prefix(i + 1);
        if (!line.empty() && line[0] != ',') fail(column, "a comma must follow the closing quote");
        return content;
      }
    }
    fail(column, "no closing quote on this line: a cell does not go on over lines here");
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t line_ = 0;
};

/// Where the wanted columns stand in the header.
struct Layout {
  std::size_t cells = 0, series = 0, time = 0;
  std::vector<std::size_t> channels;
};

std::size_t column_of(const Reader& reader, const std::vector<std::string>& header, const std::string& name) {
  const auto found = std::find(header.begin(), header.end(), name);
  if (found != header.end()) return static_cast<std::size_t>(found - header.begin());
  const std::string near = nearest(name, header);
  reader.fail(0, "no column '" + name + "' in the header '" + joined(header, ",") + "'" +
                     (near.empty() ? ": name the columns, separated by commas" : ": did you mean '" + near + "'?"));
}

Layout layout_of(const Reader& reader, const std::vector<std::string>& header, const Columns& columns,
                 std::vector<std::string>& channels) {
  for (std::size_t i = 0; i < header.size(); ++i)
    if (std::find(header.begin(), header.begin() + static_cast<std::ptrdiff_t>(i), header[i]) !=
        header.begin() + static_cast<std::ptrdiff_t>(i))
      reader.fail(i, "a second column '" + header[i] + "': give each a name of its own");
  Layout layout{.cells = header.size(),
                .series = column_of(reader, header, columns.series),
                .time = column_of(reader, header, columns.time),
                .channels = {}};
  channels = columns.channels;
  if (channels.empty())
    for (const std::string& name : header)
      if (name != columns.series && name != columns.time) channels.push_back(name);
  for (const std::string& name : channels) layout.channels.push_back(column_of(reader, header, name));
  if (channels.empty()) reader.fail(header.size(), "no channel: add a column of values after series and time");
  return layout;
}

double number_in(const Reader& reader, const std::string& cell, std::size_t column, const std::string& name) {
  const std::optional<double> value = real_number(cell);
  if (!value) reader.fail(column, "'" + cell + "' in column '" + name + "' is not a number");
  if (!std::isfinite(*value))
    reader.fail(column,
                "'" + cell + "' in column '" + name + "' is not finite: leave the cell empty where nothing was seen");
  return *value;
}

/// The rows so far; a series and the line it began at.
class Rows {
 public:
  Rows(const Reader& reader, const Layout& layout, const Columns& columns, SeriesFile& file)
      : reader_(reader), layout_(layout), columns_(columns), file_(file) {}

  void add(const std::vector<std::string>& cells) {
    if (cells.size() != layout_.cells)
      reader_.fail(std::min(cells.size(), layout_.cells),
                   std::to_string(cells.size()) + " cells where the header has " + std::to_string(layout_.cells) +
                       ": keep the commas of empty cells");
    const std::string& name = cells[layout_.series];
    if (name.empty()) reader_.fail(layout_.series, "the name of the series is missing");
    if (cells[layout_.time].empty()) reader_.fail(layout_.time, "the time is missing");
    const double time = number_in(reader_, cells[layout_.time], layout_.time, columns_.time);
    Series& series = series_of(name);
    if (!series.times.empty() && time <= series.times.back())
      reader_.fail(layout_.time,
                   (time == series.times.back() ? "a second row of series '" + name + "' at time " + shortest(time)
                                                : "time " + shortest(time) + " after " + shortest(series.times.back()) +
                                                      " in series '" + name + "'") +
                       ": times must increase");
    series.times.push_back(time);
    for (std::size_t k = 0; k < layout_.channels.size(); ++k) {
      const std::size_t column = layout_.channels[k];
      series.values[k].push_back(cells[column].empty() ? std::numeric_limits<double>::quiet_NaN()
                                                       : number_in(reader_, cells[column], column, file_.channels[k]));
    }
  }

  void check() const {
    if (file_.series.empty())
      reader_.fail_at(reader_.line() + 1, 0, "no rows after the header: there is nothing to train on");
    for (std::size_t i = 0; i < file_.series.size(); ++i) {
      const auto seen = [](const std::vector<double>& channel) {
        return std::any_of(channel.begin(), channel.end(), [](double v) { return !std::isnan(v); });
      };
      const auto& values = file_.series[i].values;
      if (std::none_of(values.begin(), values.end(), seen))
        reader_.fail_at(began_[i], layout_.channels[0],
                        "series '" + file_.series[i].name + "' has empty cells only: leave it out");
    }
  }

 private:
  Series& series_of(const std::string& name) {
    const auto [place, fresh] = places_.try_emplace(name, file_.series.size());
    if (fresh) {
      file_.series.push_back({name, {}, std::vector<std::vector<double>>(layout_.channels.size())});
      began_.push_back(reader_.line());
    }
    return file_.series[place->second];
  }

  const Reader& reader_;
  const Layout& layout_;
  const Columns& columns_;
  SeriesFile& file_;
  std::unordered_map<std::string, std::size_t> places_;
  std::vector<std::size_t> began_;
};
}  // namespace

SeriesFile parse_series(const std::string& text, const std::string& name, const Columns& columns) {
  Reader reader(text, name);
  SeriesFile file;
  std::vector<std::string> cells;
  if (!reader.next(cells)) reader.fail_at(1, 0, "the file is empty: begin with a header, series,time,CHANNEL,...");
  const Layout layout = layout_of(reader, cells, columns, file.channels);
  Rows rows(reader, layout, columns, file);
  while (reader.next(cells)) rows.add(cells);
  rows.check();
  return file;
}

SeriesFile read_series(const std::filesystem::path& file, const Columns& columns) {
  return parse_series(read_text(file), file.string(), columns);
}
}  // namespace revode::host
