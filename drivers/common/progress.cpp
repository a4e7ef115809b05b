#include "common/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "common/text.hpp"

namespace revode::host {
namespace {
double now_in_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string figure(const char* format, double value) {
  if (!std::isfinite(value)) return "-";
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

std::string upper(std::string word) {
  for (char& c : word) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return word;
}
/// Asked anew each time: windows change their width.
int width(std::FILE* out) {
  if (const char* columns = std::getenv("COLUMNS"))
    if (const auto number = whole_number(columns); number && *number > 0 && *number < 10000)
      return static_cast<int>(*number);
  winsize size{};
  if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}
}  // namespace

std::string clock_time(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0 || seconds > 1e9) return "-";
  const auto whole = static_cast<long>(std::lround(seconds));
  std::array<char, 40> text{};
  if (whole < 3600)
    std::snprintf(text.data(), text.size(), "%ld:%02ld", whole / 60, whole % 60);
  else
    std::snprintf(text.data(), text.size(), "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
  return text.data();
}

std::string progress_line(const Progress& now, int columns) {
  const std::string last = std::to_string(now.epochs);
  std::string epoch = std::to_string(now.epoch);
  if (epoch.size() < last.size()) epoch.insert(0, last.size() - epoch.size(), ' ');
  const std::array<std::string, 5> pieces{"epoch " + epoch + "/" + last, "loss " + figure("%-10.5g", now.loss),
                                          "held-out " + upper(now.metric) + " " + figure("%.4f", now.held_out),
                                          figure("%.0f", now.samples_per_second) + " samples/s",
                                          clock_time(now.seconds_left) + " left"};
  std::string line;
  for (const std::string& piece : pieces) {
    const std::size_t longer = line.size() + (line.empty() ? 0 : 2) + piece.size();
    if (longer > static_cast<std::size_t>(columns)) break;
    if (!line.empty()) line += "  ";
    line += piece;
  }
  return line;
}

ProgressPrinter::ProgressPrinter(std::FILE* out, const std::string& terminal)
    : out_(out),
      terminal_(terminal == "yes" || (terminal != "no" && isatty(fileno(out)) != 0)),
      drawn_at_(-std::numeric_limits<double>::infinity()) {}

ProgressPrinter::~ProgressPrinter() {
  finish();
}

void ProgressPrinter::draw(const Progress& now) {
  // The last column stays free: some terminals go to the next line when it is written.
  last_ = progress_line(now, width(out_) - 1);
  std::fprintf(out_, "\r%s\x1b[K", last_.c_str());
  std::fflush(out_);
  open_ = true;
  drawn_at_ = now_in_seconds();
}

void ProgressPrinter::update(const Progress& now) {
  if (terminal_ && now_in_seconds() - drawn_at_ >= 0.1) draw(now);
}

void ProgressPrinter::epoch(const Progress& now) {
  if (terminal_) {
    draw(now);
    return;
  }
  std::fprintf(out_, "%s\n", progress_line(now).c_str());
  std::fflush(out_);
}

void ProgressPrinter::say(const std::string& line) {
  if (open_)
    std::fprintf(out_, "\r%s\x1b[K\n%s", line.c_str(), last_.c_str());
  else
    std::fprintf(out_, "%s\n", line.c_str());
  std::fflush(out_);
}

void ProgressPrinter::finish() {
  if (!open_) return;
  open_ = false;
  std::fputc('\n', out_);
  std::fflush(out_);
}
}  // namespace revode::host
