/// Files that are whole or absent. Failures are Exit::io and name the file.
#pragma once
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace revode::host {
using Bytes = std::vector<std::byte>;

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span<const char>(text.data(), text.size()));
}

inline void append(Bytes& bytes, std::span<const std::byte> more) {
  const std::size_t before = bytes.size();
  bytes.resize(before + more.size());
  if (!more.empty()) std::memcpy(bytes.data() + before, more.data(), more.size());
}

Bytes read_bytes(const std::filesystem::path& file);
/// As text; a gzip or xz file (told by its first bytes, not its name) is expanded.
std::string read_text(const std::filesystem::path& file);
/// The parts one after another, by way of FILE.tmp: a reader, a kill and a full disk see the old file or the new one.
void write_whole(const std::filesystem::path& file, std::initializer_list<std::span<const std::byte>> parts);
/// Makes the folder where it is missing and writes a file into it, so that a bad folder shows at the start of a run.
void probe_folder(const std::filesystem::path& folder);
}  // namespace revode::host
