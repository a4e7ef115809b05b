// The harness of what runs on devices: no heap, no exceptions, no streams. A case prints numbers, as hashes over their
// bits, which golden.txt has from the host; and checks what must hold of itself.
#pragma once
#include <cstddef>
#include <cstdint>

#include "board.hpp"
#include "revode/status.hpp"

namespace device {
/// FNV-1a over the bits of results; NaN made one, for its sign and payload are a processor's own.
class Hash {
 public:
  Hash& add(std::size_t n, const float* x) {
    for (std::size_t i = 0; i < n; ++i) {
      const std::uint32_t nan = 0x7fc00000;
      word(x[i] != x[i] ? nan : __builtin_bit_cast(std::uint32_t, x[i]));
    }
    return *this;
  }
  Hash& add(float x) { return add(1, &x); }
  Hash& add(std::size_t n, const std::int32_t* x) {
    for (std::size_t i = 0; i < n; ++i) word(static_cast<std::uint32_t>(x[i]));
    return *this;
  }
  Hash& word(std::uint32_t w) {
    for (int byte = 0; byte < 4; ++byte, w >>= 8) value_ = (value_ ^ (w & 255)) * 1099511628211u;
    return *this;
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 14695981039346656037u;
};

/// "case name hash", a line that must be the same everywhere.
void print(const char* name, const Hash& hash);
/// "# name number", a line that may differ.
void remark(const char* name, unsigned long number);
/// Counts and names what does not hold.
void check(bool holds, const char* what, const char* file, int line);
#define CHECK(...) ::device::check((__VA_ARGS__), #__VA_ARGS__, __FILE_NAME__, __LINE__)

/// The cases, a file each.
#define DEVICE_CASES(X) X(kernels) X(maps) X(solvers) X(training) X(refusals)
#define DEVICE_DECLARE(name) void name();
DEVICE_CASES(DEVICE_DECLARE)
#undef DEVICE_DECLARE
}  // namespace device
