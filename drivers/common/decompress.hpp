/// gzip and xz, by zlib and liblzma.
#pragma once
#include <string>

#include "common/files.hpp"

namespace revode::host {
/// What a gzip or xz file holds; other bytes as they are. `name` is for the error of a damaged one (Exit::usage).
std::string decompressed(const Bytes& bytes, const std::string& name);
}  // namespace revode::host
