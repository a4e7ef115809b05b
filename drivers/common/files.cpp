#include "common/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "common/decompress.hpp"
#include "common/error.hpp"

namespace revode::host {
namespace {
namespace fs = std::filesystem;

std::string remedy(int error) {
  switch (error) {
    case ENOENT:
      return "check the path";
    case EACCES:
    case EPERM:
    case EROFS:
      return "change its permissions or choose another place";
    case ENOTDIR:
    case EISDIR:
    case EEXIST:
      return "choose another place";
    case ENOSPC:
    case EDQUOT:
      return "free some space or choose another disk";
    default:
      return "choose another place if it stays so";
  }
}
[[noreturn]] void fail_with(const fs::path& file, const char* doing, int error) {
  throw Failure(
      Exit::io, file.string(),
      std::string("cannot ") + doing + " it (" + std::generic_category().message(error) + "): " + remedy(error));
}

class Descriptor {
 public:
  Descriptor(const fs::path& file, int flags, const char* doing) : file_(file) {
    do number_ = ::open(file.c_str(), flags | O_CLOEXEC, 0666);
    while (number_ < 0 && errno == EINTR);
    if (number_ < 0) fail_with(file, doing, errno);
  }
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

  void write(std::span<const std::byte> part) const {
    while (!part.empty()) {
      const ssize_t written = ::write(number_, part.data(), part.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) fail_with(file_, "write", errno);
      part = part.subspan(static_cast<std::size_t>(written));
    }
  }
  void sync() const {
    // Some file systems have no fsync for folders: the data are as safe as they get.
    if (::fsync(number_) != 0 && errno != EINVAL && errno != ENOTSUP) fail_with(file_, "write", errno);
  }
  /// Network file systems and quotas speak up only here.
  void close() {
    const int closing = number_;
    number_ = -1;
    if (::close(closing) != 0 && errno != EINTR) fail_with(file_, "write", errno);
  }

 private:
  const fs::path& file_;
  int number_;
};

void write_and_sync(const fs::path& file, std::initializer_list<std::span<const std::byte>> parts) {
  Descriptor descriptor(file, O_WRONLY | O_CREAT | O_TRUNC, "write");
  for (const auto& part : parts) descriptor.write(part);
  descriptor.sync();
  descriptor.close();
}
}  // namespace

Bytes read_bytes(const fs::path& file) {
  const Descriptor descriptor(file, O_RDONLY, "read");
  struct stat facts {};
  if (::fstat(descriptor.number(), &facts) != 0) fail_with(file, "read", errno);
  // A pipe has no size; and a file may grow while it is read.
  Bytes bytes(static_cast<std::size_t>(facts.st_size) + 1);
  std::size_t used = 0;
  while (true) {
    if (used == bytes.size()) bytes.resize(bytes.size() + std::max<std::size_t>(bytes.size(), 65536));
    const ssize_t got = ::read(descriptor.number(), bytes.data() + used, bytes.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_with(file, "read", errno);
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  bytes.resize(used);
  return bytes;
}

std::string read_text(const fs::path& file) {
  return decompressed(read_bytes(file), file.string());
}

void write_whole(const fs::path& file, std::initializer_list<std::span<const std::byte>> parts) {
  const fs::path unfinished = file.string() + ".tmp";
  try {
    write_and_sync(unfinished, parts);
  } catch (...) {
    ::unlink(unfinished.c_str());
    throw;
  }
  if (::rename(unfinished.c_str(), file.c_str()) != 0) {
    const int error = errno;
    ::unlink(unfinished.c_str());
    fail_with(file, "write", error);
  }
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  Descriptor(folder, O_RDONLY | O_DIRECTORY, "write").sync();
}

void probe_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail_with(folder, "make", error.value());
  const fs::path probe = folder / ".probe.tmp";
  const char content = 0;
  try {
    write_and_sync(probe, {std::as_bytes(std::span<const char>(&content, 1))});
  } catch (const Failure& failure) {
    ::unlink(probe.c_str());
    throw Failure(failure.code(), folder.string(), failure.what());
  }
  ::unlink(probe.c_str());
}
}  // namespace revode::host
