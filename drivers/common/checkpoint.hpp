/// Checkpoints that are never torn: a file appears under its name only when all of it is on the disk.
///
/// `step-%012d.ckpt` is a header {magic, step, bytes, CRC-32 of the payload, CRC-32 of the header} and the payload. The
/// folder needs room for keep + 1 of them.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/files.hpp"

namespace revode::host {
struct Checkpoint {
  std::uint64_t step = 0;
  Bytes payload;
  std::filesystem::path file;
};

/// What a look into the folder found.
struct Found {
  std::optional<Checkpoint> newest;     ///< the newest that is whole
  std::vector<std::string> unreadable;  ///< newer ones that are not, each with the reason
};

class Checkpoints {
 public:
  /// Makes the folder and writes into it, so that a bad place shows at the start. Failures are Exit::io.
  Checkpoints(std::filesystem::path folder, int keep);
  /// Then forgets all but the newest `keep` up to this step, and later ones: those were unreadable, or this run left
  /// them.
  void save(std::uint64_t step, std::span<const std::byte> payload) const;
  Found load() const;

 private:
  std::filesystem::path folder_;
  std::size_t keep_;
};
}  // namespace revode::host
