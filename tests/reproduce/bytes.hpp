// What the experiments' programs share: bytes, and how a program gives up.
#pragma once
#include <cstdlib>
#include <iostream>
#include <string>

#include "revode/status.hpp"
#include "shared.hpp"

namespace reproduce {
using tests::Bytes;

[[noreturn]] inline void give_up(const std::string& why) {
  std::cerr << "reproduce: " << why << '\n';
  std::exit(1);
}
/// An experiment that cannot be set up is a mistake in its program, or in `what` it was told.
inline void expect(revode::Status status, const std::string& what = {}) {
  if (status != revode::Status::ok) give_up((what.empty() ? "" : what + ": ") + revode::sentence(status));
}
}  // namespace reproduce
