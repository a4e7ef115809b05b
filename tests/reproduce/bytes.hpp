// Aligned bytes of the host's heap as an arena, and how a program gives up.
#pragma once
#include <cstdlib>
#include <iostream>
#include <string>

#include "revode/arena.hpp"
#include "revode/status.hpp"

namespace reproduce {
class Bytes {
 public:
  explicit Bytes(std::size_t size)
      : size_(size), at_(static_cast<std::byte*>(std::aligned_alloc(REVODE_ALIGN, revode::padded(size + 1)))) {}
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  ~Bytes() { std::free(at_); }
  revode::Arena arena() const { return revode::Arena(at_, size_); }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_;
  std::byte* at_;
};

[[noreturn]] inline void give_up(const std::string& why) {
  std::cerr << "reproduce: " << why << '\n';
  std::exit(1);
}
inline void expect(revode::Status status) {
  if (status != revode::Status::ok) give_up(revode::sentence(status));
}
}  // namespace reproduce
