#include "common/table.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "common/error.hpp"
#include "common/files.hpp"
#include "common/text.hpp"

namespace revode::host {
namespace {
[[noreturn]] void fail(const std::string& name, std::size_t line, std::size_t column, const std::string& message) {
  throw Failure(Exit::usage, name + ":" + std::to_string(line) + ":" + std::to_string(column + 1), message);
}

std::vector<std::string_view> cells_of(std::string_view line, bool commas) {
  std::vector<std::string_view> cells;
  if (commas) {
    while (true) {
      const std::size_t end = line.find(',');
      cells.push_back(trimmed(line.substr(0, end)));
      if (end == std::string_view::npos) return cells;
      line.remove_prefix(end + 1);
    }
  }
  while (!(line = trimmed(line)).empty()) {
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    cells.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return cells;
}

/// "3" or "2-5" or a name, as columns from 0.
void choose(const std::string& word, const std::string& name, const std::vector<std::string>& names,
            std::vector<std::size_t>& out) {
  const auto found = std::find(names.begin(), names.end(), word);
  if (found != names.end()) return out.push_back(static_cast<std::size_t>(found - names.begin()));
  const std::size_t dash = word.find('-');
  const auto first = whole_number(word.substr(0, dash));
  const auto last = dash == std::string::npos ? first : whole_number(word.substr(dash + 1));
  const auto count = static_cast<std::int64_t>(names.size());
  if (!first || !last || *first < 1 || *last < *first || *last > count) {
    const std::string near = nearest(word, names);
    throw Failure(Exit::usage, "--columns",
                  "'" + word + "' is no column of " + name + ", which has " +
                      (near.empty() ? "1 to " + std::to_string(count) : "'" + near + "'") +
                      ": give names, numbers or ranges like 2-5");
  }
  for (std::int64_t i = *first; i <= *last; ++i) out.push_back(static_cast<std::size_t>(i - 1));
}

double number_in(std::string_view cell, const std::string& name, std::size_t line, std::size_t column,
                 const std::string& column_name) {
  const auto value = real_number(cell);
  const std::string what = "'" + std::string(cell) + "' in column '" + column_name + "'";
  if (!value) fail(name, line, column, what + " is not a number: choose others with --columns, or mend the cell");
  if (!std::isfinite(*value)) fail(name, line, column, what + " is not finite: leave the row out");
  return *value;
}
}  // namespace

Table parse_table(const std::string& text, const std::string& name, const std::vector<std::string>& wanted) {
  std::string_view left = text;
  if (left.substr(0, 3) == "\xef\xbb\xbf") left.remove_prefix(3);  // a spreadsheet's mark of UTF-8
  Table table;
  std::vector<std::string> names;
  std::vector<std::size_t> chosen;
  std::size_t number = 0;
  bool commas = false;
  while (!left.empty()) {
    const std::size_t end = left.find('\n');
    std::string_view line = left.substr(0, end);
    left.remove_prefix(end == std::string_view::npos ? left.size() : end + 1);
    ++number;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (trimmed(line).empty()) continue;
    if (names.empty()) commas = line.find(',') != std::string_view::npos;
    const std::vector<std::string_view> cells = cells_of(line, commas);
    if (names.empty()) {
      const bool header = std::none_of(cells.begin(), cells.end(), [](auto cell) { return real_number(cell); });
      for (std::size_t i = 0; i < cells.size(); ++i)
        names.push_back(header ? std::string(cells[i]) : "c" + std::to_string(i + 1));
      for (const std::string& word : wanted) choose(word, name, names, chosen);
      for (std::size_t i = 0; i < names.size() && wanted.empty(); ++i) chosen.push_back(i);
      if (header) continue;
    }
    if (cells.size() != names.size())
      fail(name, number, std::min(cells.size(), names.size()),
           std::to_string(cells.size()) + " cells where the first line has " + std::to_string(names.size()) +
               ": give every row the same");
    for (const std::size_t i : chosen) table.values.push_back(number_in(cells[i], name, number, i, names[i]));
  }
  if (names.empty()) fail(name, 1, 0, "the file is empty: give a row a line");
  for (const std::size_t i : chosen) table.names.push_back(names[i]);
  return table;
}

Table read_table(const std::filesystem::path& file, const std::vector<std::string>& wanted) {
  return parse_table(read_text(file), file.string(), wanted);
}
}  // namespace revode::host
