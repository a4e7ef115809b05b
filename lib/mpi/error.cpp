#include "revode/mpi/error.hpp"

#include <unistd.h>

#include <cstddef>

namespace revode::mpi {
namespace {
std::string quoted(std::string text) {
  for (char& c : text) {
    if (c == '"') c = '\'';
    if (c == '\n' || c == '\r') c = ' ';
  }
  return '"' + text + '"';
}
}  // namespace

const char* word(Exit code) {
  switch (code) {
    case Exit::done:
      return "done";
    case Exit::bug:
      return "bug";
    case Exit::usage:
      return "usage";
    case Exit::io:
      return "io";
    case Exit::stopped:
      return "stopped";
    case Exit::stalled:
      return "stall";
    case Exit::not_finite:
      return "not_finite";
    case Exit::misconfigured:
      return "launch";
  }
  return "unknown";
}

std::string error_line(int rank, const std::string& host, const Error& error) {
  return "error rank=" + std::to_string(rank) + " host=" + host + " what=" + word(error.code()) +
         " where=" + quoted(error.where()) + " msg=" + quoted(error.what()) + "\n";
}

void write_line(const std::string& line) {
  std::size_t written = 0;
  while (written < line.size()) {
    const auto n = ::write(STDERR_FILENO, line.data() + written, line.size() - written);
    if (n <= 0) return;  // nobody is left to tell
    written += static_cast<std::size_t>(n);
  }
}
}  // namespace revode::mpi
