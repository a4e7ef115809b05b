#include "common/checkpoint.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "common/error.hpp"
#include "common/text.hpp"

namespace revode::host {
namespace {
namespace fs = std::filesystem;
constexpr std::array<char, 8> kMagic{'r', 'e', 'v', 'o', 'd', 'e', 'c', '1'};

struct Head {
  std::array<char, 8> magic;
  std::uint64_t step, bytes;
  std::uint32_t payload_crc, head_crc;
};
static_assert(sizeof(Head) == 32);

std::uint32_t crc(std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}
std::uint32_t crc_of_head(const Head& head) {
  return crc(std::as_bytes(std::span(&head, 1)).first(offsetof(Head, head_crc)));
}

struct Named {
  std::uint64_t step;
  fs::path file;
};
/// The checkpoints of a folder by their names, newest first; leftovers of a write that was killed go into `unfinished`.
std::vector<Named> list(const fs::path& folder, std::vector<fs::path>& unfinished) {
  constexpr std::string_view prefix = "step-", suffix = ".ckpt";
  std::vector<Named> all;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.rfind(prefix, 0) != 0) continue;
    if (name.ends_with(".ckpt.tmp")) unfinished.push_back(entry->path());
    if (!name.ends_with(suffix)) continue;
    const auto step =
        whole_number(std::string_view(name).substr(prefix.size(), name.size() - prefix.size() - suffix.size()));
    if (step && *step >= 0) all.push_back({static_cast<std::uint64_t>(*step), entry->path()});
  }
  if (error)
    throw Failure(Exit::io, folder.string(), "cannot list it (" + error.message() + "): check its permissions");
  std::sort(all.begin(), all.end(), [](const Named& a, const Named& b) { return a.step > b.step; });
  return all;
}

/// Why the bytes are not the checkpoint of that step, or "".
std::string flaw(std::span<const std::byte> bytes, std::uint64_t step) {
  Head head{};
  if (bytes.size() < sizeof head) return "shorter than a header";
  std::memcpy(&head, bytes.data(), sizeof head);
  if (head.magic != kMagic) return "not a checkpoint of this version";
  if (head.head_crc != crc_of_head(head)) return "damaged header";
  if (head.step != step) return "renamed: it is of step " + std::to_string(head.step);
  if (head.bytes != bytes.size() - sizeof head) return "cut short or grown";
  if (head.payload_crc != crc(bytes.subspan(sizeof head))) return "damaged";
  return "";
}
}  // namespace

Checkpoints::Checkpoints(fs::path folder, int keep)
    : folder_(std::move(folder)), keep_(static_cast<std::size_t>(std::max(keep, 1))) {
  probe_folder(folder_);
}

void Checkpoints::save(std::uint64_t step, std::span<const std::byte> payload) const {
  Head head{kMagic, step, payload.size(), crc(payload), 0};
  head.head_crc = crc_of_head(head);
  std::array<char, 40> name{};
  std::snprintf(name.data(), name.size(), "step-%012" PRIu64 ".ckpt", step);
  write_whole(folder_ / name.data(), {std::as_bytes(std::span(&head, 1)), payload});

  std::vector<fs::path> old;
  std::size_t kept = 0;
  for (const Named& other : list(folder_, old))
    if (other.step > step || ++kept > keep_) old.push_back(other.file);
  std::error_code ignored;  // a file too many does no harm
  for (const fs::path& file : old) fs::remove(file, ignored);
}

Found Checkpoints::load() const {
  Found found;
  std::vector<fs::path> unfinished;
  for (const Named& candidate : list(folder_, unfinished)) {
    std::string why;
    try {
      Bytes bytes = read_bytes(candidate.file);
      why = flaw(bytes, candidate.step);
      if (why.empty()) {
        bytes.erase(bytes.begin(), bytes.begin() + sizeof(Head));
        found.newest = Checkpoint{candidate.step, std::move(bytes), candidate.file};
        return found;
      }
    } catch (const Failure& failure) {
      why = failure.what();
    }
    found.unreadable.push_back(candidate.file.string() + ": " + why);
  }
  return found;
}
}  // namespace revode::host
