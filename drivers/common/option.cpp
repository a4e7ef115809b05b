// One option: its names, what it takes, and how its value is written.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "common/options.hpp"
#include "common/text.hpp"

namespace revode::host::detail {
namespace {
std::string quoted(const std::string& text) {
  std::string all = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      all += '\\';
      all += c;
    } else if (code < 0x20 || code == 0x7f) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04X", static_cast<unsigned>(code));
      all += escape.data();
    } else {
      all += c;
    }
  }
  return all + '"';
}
}  // namespace

std::string section(const Option& option) {
  const auto dot = option.key.rfind('.');
  return dot == std::string::npos ? "" : option.key.substr(0, dot);
}

std::string flag(const Option& option) {
  if (!option.flag.empty()) return option.flag;
  const auto dot = option.key.rfind('.');
  std::string name = dot == std::string::npos ? option.key : option.key.substr(dot + 1);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

std::string range(const Option& option) {
  std::string text;
  if (std::isfinite(option.at_least)) text = "from " + shortest(option.at_least);
  if (std::isfinite(option.above)) text = "above " + shortest(option.above);
  if (std::isfinite(option.at_most)) text += (text.empty() ? "up to " : " to ") + shortest(option.at_most);
  return text;
}

std::string wanted(const Option& option) {
  const std::string limits = range(option).empty() ? "" : " " + range(option);
  if (std::holds_alternative<bool>(option.value)) return "yes or no";
  if (std::holds_alternative<std::int64_t>(option.value)) return "a whole number" + limits;
  if (std::holds_alternative<double>(option.value)) return "a number" + limits;
  return option.words.empty() ? "a text" : "one of " + joined(option.words);
}

bool fits(const Option& option, const Value& value) {
  if (value.index() != option.value.index()) return false;
  if (const auto* text = std::get_if<std::string>(&value))
    return option.words.empty() || std::find(option.words.begin(), option.words.end(), *text) != option.words.end();
  if (std::holds_alternative<bool>(value)) return true;
  const auto* whole = std::get_if<std::int64_t>(&value);
  const double number = whole ? static_cast<double>(*whole) : std::get<double>(value);
  return std::isfinite(number) && number >= option.at_least && number > option.above && number <= option.at_most;
}

std::string toml(const Value& value) {
  if (const auto* yes = std::get_if<bool>(&value)) return *yes ? "true" : "false";
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
  if (const auto* text = std::get_if<std::string>(&value)) return quoted(*text);
  std::string digits = shortest(std::get<double>(value));
  // TOML's numbers have types: 5 is whole, 5.0 is not.
  if (digits.find_first_of(".e") == std::string::npos) digits += ".0";
  return digits;
}
}  // namespace revode::host::detail
