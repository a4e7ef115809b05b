/// How a run ends, and the one line it leaves behind when it ends badly.
#pragma once
#include <stdexcept>
#include <string>

namespace revode::mpi {
/// Exit codes of every driver. A batch script requeues on `stopped`; 137 and 139 come from the launcher.
enum class Exit : int {
  done = 0,
  bug = 1,             ///< an exception nobody foresaw
  usage = 2,           ///< an unknown flag, a bad value, bad input
  io = 74,             ///< a file or a checkpoint could not be read or written
  stopped = 75,        ///< a signal asked to stop; a checkpoint is written: run me again
  stalled = 76,        ///< no answer from another rank for --stall-s seconds
  not_finite = 77,     ///< the loss is not finite; the last good checkpoint is kept
  misconfigured = 78,  ///< the launch itself is wrong, e.g. ranks that do not know of each other
};

/// The word of an exit code, as in `what=usage`.
const char* word(Exit code);

/// An error with the thing it is about (`where`: a flag, a file, a place in the program) and a message with the remedy.
class Error : public std::runtime_error {
 public:
  Error(Exit code, std::string where, const std::string& message)
      : std::runtime_error(message), code_(code), where_(std::move(where)) {}
  Exit code() const { return code_; }
  const std::string& where() const { return where_; }

 private:
  Exit code_;
  std::string where_;
};

/// Thrown on every rank after agree() has printed the error: nothing is left to say, only to leave with this code.
class Refused : public std::exception {
 public:
  explicit Refused(Exit code) : code_(code) {}
  Exit code() const { return code_; }
  const char* what() const noexcept override { return "all ranks leave after a common error"; }

 private:
  Exit code_;
};

/// `error rank=R host=H what=W where="..." msg="..."` and a newline; quotes and line ends inside are replaced.
std::string error_line(int rank, const std::string& host, const Error& error);

/// Writes a line to stderr in one piece, so that lines of several ranks do not mix.
void write_line(const std::string& line);
}  // namespace revode::mpi
