/// How host code fails: one exception with an exit code, the thing it is about, and a sentence that ends in the remedy.
#pragma once
#include <string>

#include "revode/mpi/error.hpp"

namespace revode::host {
using mpi::Exit;
using Failure = mpi::Error;  ///< so that run_main() turns it into the error line and the exit code

/// `THING: sentence`, for a terminal.
inline std::string sentence(const Failure& failure) {
  return failure.where() + ": " + failure.what();
}
}  // namespace revode::host
