#include "common/run_folder.hpp"

#include <array>
#include <ctime>
#include <system_error>

#include "common/error.hpp"
#include "common/files.hpp"

namespace revode::host {
namespace {
namespace fs = std::filesystem;
constexpr const char* kRemedy = "): choose another place with --folder";

std::string stamp() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y%m%d-%H%M%S", &local);
  return text.data();
}

/// A folder that nobody else has: two runs may begin in the same second.
fs::path make_new(const std::string& program) {
  std::error_code error;
  fs::create_directories("runs", error);
  if (error) throw Failure(Exit::io, "runs", "cannot make the run folder (" + error.message() + kRemedy);
  const std::string name = "runs/" + program + "-" + stamp();
  fs::path folder = name;
  for (int n = 2; !fs::create_directory(folder, error); ++n) {
    if (error) throw Failure(Exit::io, folder.string(), "cannot make the run folder (" + error.message() + kRemedy);
    folder = name + "-" + std::to_string(n);
  }
  return folder;
}

void refuse_if_used(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) return;
  const bool empty = fs::is_empty(folder, error);
  if (!error && !empty)
    throw Failure(Exit::usage, folder.string(),
                  "the run folder is not empty: choose another with --folder, or go on with that run by --resume " +
                      folder.string());
}
}  // namespace

fs::path open_run_folder(const Options& options, const std::string& program) {
  fs::path folder = options.resumed();
  if (folder.empty() && options.text("folder").empty()) folder = make_new(program);
  if (folder.empty()) {
    folder = options.text("folder");
    refuse_if_used(folder);
  }
  probe_folder(folder);
  write_text(folder / "config.toml", options.toml());
  return folder;
}

void write_text(const fs::path& file, const std::string& text) {
  write_whole(file, {bytes_of(text)});
}
}  // namespace revode::host
