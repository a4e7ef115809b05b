/// metrics.csv: a row an epoch.
#pragma once
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace revode::host {
class Metrics {
 public:
  /// Begins the file with the header `epoch,COLUMN,...`.
  Metrics(std::filesystem::path file, std::vector<std::string> columns);
  /// Goes on with a file: rows after `last_epoch`, which the checkpoint does not know of, are dropped, and so is a row
  /// that a kill cut short. Begins it where it is missing. Failure (Exit::io) where its header is another.
  Metrics(std::filesystem::path file, std::vector<std::string> columns, std::int64_t last_epoch);

  /// One value a column; what is not finite leaves an empty cell.
  void row(std::int64_t epoch, const std::vector<double>& values);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  void open(const std::string& content);
  std::string header() const;

  std::filesystem::path path_;
  std::vector<std::string> columns_;
  std::unique_ptr<std::FILE, Close> file_;
};
}  // namespace revode::host
