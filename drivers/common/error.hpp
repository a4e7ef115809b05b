/// How host code fails: one exception with an exit code, the thing it is about, and a sentence that ends in the remedy.
#pragma once
#include <cstddef>
#include <string>

#include "revode/mpi/error.hpp"
#include "revode/status.hpp"

namespace revode::host {
using mpi::Exit;
using Failure = mpi::Error;  ///< so that run_main() turns it into the error line and the exit code

/// `THING: sentence`, for a terminal.
inline std::string sentence(const Failure& failure) {
  return failure.where() + ": " + failure.what();
}
/// A file that is not what it should be, from `offset` bytes on.
[[noreturn]] inline void refuse_byte(const std::string& file, std::size_t offset, const std::string& what) {
  throw Failure(Exit::usage, file + ", byte " + std::to_string(offset), what);
}
/// What a trained model was asked for, `what`, came out.
inline void require(Status status, const std::string& what) {
  if (status != Status::ok) throw Failure(Exit::not_finite, what, revode::sentence(status));
}
}  // namespace revode::host
