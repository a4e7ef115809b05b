#include "common/log.hpp"

#include <array>
#include <cerrno>
#include <cinttypes>
#include <system_error>

#include "common/error.hpp"

namespace revode::host {
namespace {
[[noreturn]] void fail(const std::string& file) {
  throw Failure(
      Exit::io, file,
      "cannot write it (" + std::generic_category().message(errno) + "): free some space or choose another place");
}
}  // namespace

std::string Field::quoted_if_needed(const std::string& text) {
  if (!text.empty() && text.find_first_of(" \t\r\n\"=") == std::string::npos) return text;
  std::string all = "\"";
  for (const char c : text) {
    // One event, one line, whatever a path or a message holds.
    if (c == '\n' || c == '\r' || c == '\t') {
      all += ' ';
      continue;
    }
    if (c == '"' || c == '\\') all += '\\';
    all += c;
  }
  return all + '"';
}

std::string hexadecimal(double value) {
  std::array<char, 40> digits{};
  std::snprintf(digits.data(), digits.size(), "%a", value);
  return digits.data();
}

std::string hexadecimal(std::uint64_t value) {
  std::array<char, 20> digits{};
  std::snprintf(digits.data(), digits.size(), "%016" PRIx64, value);
  return digits.data();
}

Log::Log(const std::filesystem::path& file) : path_(file.string()), file_(std::fopen(file.c_str(), "ae")) {
  if (!file_) fail(path_);
  std::setvbuf(file_.get(), nullptr, _IOLBF, BUFSIZ);
}

void Log::event(const std::string& name, std::initializer_list<Field> fields) {
  std::string line = name;
  for (const Field& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    line += field.text;
  }
  line += '\n';
  if (std::fputs(line.c_str(), file_.get()) < 0 || std::fflush(file_.get()) != 0) fail(path_);
}
}  // namespace revode::host
