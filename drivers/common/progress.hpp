/// What a person sees while a program trains: one line that changes, or a line an epoch where nobody is watching.
#pragma once
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>

namespace revode::host {
struct Progress {
  std::int64_t epoch = 0, epochs = 0;
  double loss = std::numeric_limits<double>::quiet_NaN();
  double held_out = std::numeric_limits<double>::quiet_NaN();  ///< NaN: not measured yet
  std::string metric = "rmse";                                 ///< what the held-out number measures
  double samples_per_second = 0;
  double seconds_left = std::numeric_limits<double>::quiet_NaN();  ///< NaN: not known yet
};

/// The line, without its end: at most `columns` wide, where the last figures give way first.
std::string progress_line(const Progress& now, int columns = std::numeric_limits<int>::max());
/// 0:07, 12:34, 3:07:00; "-" for what is not known.
std::string clock_time(double seconds);

class ProgressPrinter {
 public:
  /// `terminal`: the value of --terminal. The width is that of COLUMNS, of the terminal, or 80.
  ProgressPrinter(std::FILE* out, const std::string& terminal);
  ~ProgressPrinter();
  ProgressPrinter(const ProgressPrinter&) = delete;
  ProgressPrinter& operator=(const ProgressPrinter&) = delete;

  /// Between the ends of epochs: changes the line, at most ten times a second; nothing where there is no terminal.
  void update(const Progress& now);
  /// At the end of an epoch.
  void epoch(const Progress& now);
  /// A line of its own, above the one that changes.
  void say(const std::string& line);
  /// Leaves the line that changes as it is and goes to the next.
  void finish();

 private:
  void draw(const Progress& now);

  std::FILE* out_;
  bool terminal_;
  bool open_ = false;
  double drawn_at_;
  std::string last_;
};
}  // namespace revode::host
