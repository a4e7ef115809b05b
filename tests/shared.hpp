// What tests and experiments share: bytes for an arena, a hash, a distance.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

#include "revode/arena.hpp"

namespace tests {
/// Exactly `size` aligned bytes, so that a sanitizer sees the first one beyond them.
class Bytes {
 public:
  explicit Bytes(std::size_t size, int fill = 0xA5)
      : size_(size), at_(static_cast<std::byte*>(::operator new (size, std::align_val_t{REVODE_ALIGN}))) {
    std::memset(at_, fill, size);
  }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  ~Bytes() { ::operator delete (at_, std::align_val_t{REVODE_ALIGN}); }
  std::byte* data() const { return at_; }
  std::size_t size() const { return size_; }
  revode::Arena arena() const { return {at_, size_}; }

 private:
  std::size_t size_;
  std::byte* at_;
};

/// FNV-1a over the bits of n numbers.
template <class T>
std::uint64_t hash(const T* x, std::size_t n) {
  std::uint64_t h = 14695981039346656037u;
  for (std::size_t i = 0; i < n; ++i) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, x + i, sizeof(T));
    h = (h ^ bits) * 1099511628211u;
  }
  return h;
}
/// Largest |a - b|; NaN where there is one.
template <class T>
double distance(const std::vector<T>& a, const std::vector<T>& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double apart = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!(apart <= most)) most = apart;
  }
  return most;
}
}  // namespace tests
