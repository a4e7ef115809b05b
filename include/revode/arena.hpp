/// Arena: all memory is the caller's. Every object has one place(Arena&, sizes) that takes what it needs: run on an
/// empty arena it measures, run on bytes it assigns, so the size and the layout cannot drift apart. This file alone
/// casts bytes.
#pragma once
#include <cstddef>
#include <cstdint>

#ifndef REVODE_ALIGN
#define REVODE_ALIGN 64  // of every array taken; a microcontroller may say 8
#endif

namespace revode {
/// Bytes rounded up so that what follows is aligned: the one rule by which arenas, tapes and work are laid out.
constexpr std::size_t padded(std::size_t bytes) {
  return (bytes + REVODE_ALIGN - 1) / REVODE_ALIGN * REVODE_ALIGN;
}

class Arena {
 public:
  /// A size for bytes that are known to be enough, as the tape and work that a map gets.
  static constexpr std::size_t limit = ~std::size_t{0} / 2;
  constexpr Arena() = default;  ///< measures: every take() returns null
  /// Hands out `bytes[size]`. Misaligned bytes are an arena of size 0, refused by ok().
  Arena(void* bytes, std::size_t size) : base_(static_cast<std::byte*>(bytes)), size_(size) {
    if (reinterpret_cast<std::uintptr_t>(bytes) % REVODE_ALIGN != 0) size_ = 0;
  }
  /// `count` objects of U, uninitialised; null while measuring or when the arena is full.
  template <class U>
  constexpr U* take(std::size_t count) {
    static_assert(alignof(U) <= REVODE_ALIGN);
    std::byte* const bytes = take_bytes(count, sizeof(U));
    return bytes ? cast<U>(bytes) : nullptr;
  }
  /// mark() and rewind() let blocks that live one after another share bytes; bytes() is the high-water mark.
  constexpr std::size_t mark() const { return used_; }
  constexpr void rewind(std::size_t mark) { used_ = mark; }
  constexpr std::size_t bytes() const { return peak_; }
  constexpr bool measuring() const { return base_ == nullptr; }
  constexpr bool ok() const { return base_ && peak_ <= size_ && !overflow_; }

 private:
  constexpr std::byte* take_bytes(std::size_t count, std::size_t size) {
    const std::size_t at = padded(used_);
    if (at > limit || count > (limit - at) / size) overflow_ = true;
    used_ = overflow_ ? limit : at + count * size;
    if (used_ > peak_) peak_ = used_;
    return base_ && used_ <= size_ && !overflow_ ? base_ + at : nullptr;
  }
  template <class U>
  static constexpr U* cast(std::byte* bytes) {
    return reinterpret_cast<U*>(bytes);
  }
  std::byte* base_ = nullptr;
  std::size_t size_ = 0, used_ = 0, peak_ = 0;
  bool overflow_ = false;
};
}  // namespace revode
