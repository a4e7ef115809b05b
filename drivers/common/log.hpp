/// log.txt: a line an event, `event key=value ...`, on the disk's way as soon as it is written.
#pragma once
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <type_traits>

#include "common/text.hpp"

namespace revode::host {
/// `key=value`; a text with blanks or quotes is quoted.
struct Field {
  template <class T>
  Field(std::string name, const T& value) : key(std::move(name)) {
    if constexpr (std::is_same_v<T, bool>)
      text = value ? "yes" : "no";
    else if constexpr (std::is_floating_point_v<T>)
      text = shortest(static_cast<double>(value));
    else if constexpr (std::is_integral_v<T>)
      text = std::to_string(value);
    else
      text = quoted_if_needed(value);
  }
  static std::string quoted_if_needed(const std::string& text);
  std::string key, text;
};

/// The bits of a number, readable: 0x1.8p+1. For losses that must be equal on any number of ranks.
std::string hexadecimal(double value);
/// All 16 digits of a hash.
std::string hexadecimal(std::uint64_t value);

class Log {
 public:
  /// Appends; Failure (Exit::io) where the file cannot be opened.
  explicit Log(const std::filesystem::path& file);
  /// Failure (Exit::io) where the line cannot be written.
  void event(const std::string& name, std::initializer_list<Field> fields = {});

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};
}  // namespace revode::host
