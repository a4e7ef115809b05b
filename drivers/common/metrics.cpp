#include "common/metrics.hpp"

#include <cerrno>
#include <cmath>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "common/error.hpp"
#include "common/files.hpp"
#include "common/text.hpp"

namespace revode::host {
Metrics::Metrics(std::filesystem::path file, std::vector<std::string> columns)
    : path_(std::move(file)), columns_(std::move(columns)) {
  open(header());
}

Metrics::Metrics(std::filesystem::path file, std::vector<std::string> columns, std::int64_t last_epoch)
    : path_(std::move(file)), columns_(std::move(columns)) {
  std::string kept = header();
  if (std::filesystem::exists(path_)) {
    const std::string text = read_text(path_);
    if (text.rfind(kept, 0) != 0)
      throw Failure(Exit::io, path_.string(), "has other columns than this program writes: start a new run");
    std::string_view left = std::string_view(text).substr(kept.size());
    for (auto end = left.find('\n'); end != std::string_view::npos; end = left.find('\n')) {
      const std::string_view line = left.substr(0, end + 1);
      const auto epoch = whole_number(line.substr(0, line.find(',')));
      if (!epoch || *epoch > last_epoch) break;
      kept += line;
      left.remove_prefix(line.size());
    }
  }
  open(kept);
}

std::string Metrics::header() const {
  return "epoch," + joined(columns_, ",") + "\n";
}

void Metrics::open(const std::string& content) {
  write_whole(path_, {bytes_of(content)});
  file_.reset(std::fopen(path_.c_str(), "ae"));
  if (!file_)
    throw Failure(Exit::io, path_.string(),
                  "cannot write it (" + std::generic_category().message(errno) + "): choose another place");
}

void Metrics::row(std::int64_t epoch, const std::vector<double>& values) {
  if (values.size() != columns_.size()) throw std::logic_error("a row of metrics has a value for each column");
  std::string line = std::to_string(epoch);
  for (const double value : values) {
    line += ',';
    if (std::isfinite(value)) line += shortest(value);
  }
  line += '\n';
  if (std::fputs(line.c_str(), file_.get()) < 0 || std::fflush(file_.get()) != 0)
    throw Failure(Exit::io, path_.string(),
                  "cannot write it (" + std::generic_category().message(errno) + "): free some space");
}
}  // namespace revode::host
