// Options to and from TOML.
#include <toml++/toml.h>

#include <algorithm>

#include "common/error.hpp"
#include "common/options.hpp"
#include "common/text.hpp"

namespace revode::host {
namespace {
struct Leaf {
  std::string key;
  std::string where;
  std::optional<Value> value;  ///< nothing: of a type that no option has (a date, a list)
};

std::string place(const std::string& name, const toml::source_region& source) {
  return name + ":" + std::to_string(source.begin.line) + ":" + std::to_string(source.begin.column);
}

std::optional<Value> value_of(const toml::node& node) {
  if (const auto yes = node.value_exact<bool>()) return *yes;
  if (const auto whole = node.value_exact<std::int64_t>()) return *whole;
  if (const auto real = node.value_exact<double>()) return *real;
  if (const auto text = node.value_exact<std::string>()) return *text;
  return std::nullopt;
}

void collect(const toml::table& table, const std::string& prefix, const std::string& name, std::vector<Leaf>& leaves) {
  for (const auto& [key, node] : table) {
    const std::string path = prefix + std::string(key.str());
    if (const auto* inner = node.as_table())
      collect(*inner, path + ".", name, leaves);
    else
      leaves.push_back({path, place(name, key.source()), value_of(node)});
  }
}

std::vector<Leaf> leaves_of(const std::string& text, const std::string& name) {
  std::vector<Leaf> leaves;
  try {
    collect(toml::parse(text, name), "", name, leaves);
  } catch (const toml::parse_error& error) {
    throw Failure(Exit::usage, place(name, error.source()), std::string(error.description()) + ": this is not TOML");
  }
  return leaves;
}

std::string shown(const std::optional<Value>& value) {
  return value ? detail::toml(*value) : std::string("a list or a date");
}
}  // namespace

void Options::read_toml(const std::string& text, const std::string& name) {
  std::vector<std::string> known;
  for (const Entry& entry : entries_)
    if (!detail::section(entry.option).empty()) known.push_back(entry.option.key);
  for (const Leaf& leaf : leaves_of(text, name)) {
    if (std::find(known.begin(), known.end(), leaf.key) == known.end()) {
      const std::string near = nearest(leaf.key, known);
      throw Failure(Exit::usage, leaf.where,
                    "unknown key '" + leaf.key +
                        "': " + (near.empty() ? "--help lists those there are" : "did you mean '" + near + "'?"));
    }
    Entry& entry = entries_[index(leaf.key)];
    std::optional<Value> value = leaf.value;
    if (value && std::holds_alternative<double>(entry.option.value))
      if (const auto* whole = std::get_if<std::int64_t>(&*value)) value = static_cast<double>(*whole);
    if (!value || !detail::fits(entry.option, *value))
      throw Failure(Exit::usage, leaf.where,
                    leaf.key + " = " + shown(leaf.value) + " is not " + detail::wanted(entry.option));
    entry.value = *value;
    entry.given = true;
  }
}

std::string Options::toml() const {
  std::vector<std::string> sections;
  for (const Entry& entry : entries_) {
    const std::string section = detail::section(entry.option);
    if (!section.empty() && std::find(sections.begin(), sections.end(), section) == sections.end())
      sections.push_back(section);
  }
  std::string text = "# The configuration as used: " + program_.name + " --config THIS-FILE runs it again.\n";
  for (const std::string& section : sections) {
    text += "\n[" + section + "]\n";
    for (const Entry& entry : entries_)
      if (detail::section(entry.option) == section)
        text += entry.option.key.substr(section.size() + 1) + " = " + detail::toml(entry.value) + "\n";
  }
  return text;
}
}  // namespace revode::host
