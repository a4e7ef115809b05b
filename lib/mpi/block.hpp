// A partial sum as it travels: 8-byte words, first doubles (the stop vote, the caller's extras), then the numbers of T.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

#include "transport.hpp"

namespace revode::mpi {
using transport::word_bytes;

// Zeroed bytes at the start of a cache line.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t bytes) : bytes_(bytes), data_(new (line) std::byte[bytes]{}) {}
  std::byte* data() const { return data_.get(); }
  std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::align_val_t line{64};
  struct Release {
    void operator()(std::byte* data) const { ::operator delete[](data, line); }
  };
  std::size_t bytes_ = 0;
  std::unique_ptr<std::byte[], Release> data_;
};

template <class T>
class Block {
 public:
  Block(std::size_t length, std::size_t extras)
      : length_(length), doubles_(1 + extras), words_(doubles_ + (length * sizeof(T) + word_bytes - 1) / word_bytes) {}
  std::size_t words() const { return words_; }
  std::size_t bytes() const { return words_ * word_bytes; }

  static void vote(std::byte* block, bool stop) { *number<double>(block) = stop ? 1 : 0; }
  static bool voted(const std::byte* block) { return *number<double>(block) > 0; }

  void store(std::byte* block, const T* leaf, const double* extras) const {
    std::fill_n(number<double>(block), doubles_, 0.0);
    if (extras) std::copy_n(extras, doubles_ - 1, number<double>(block) + 1);
    std::copy_n(leaf, length_, numbers(block));
  }
  void add_leaf(std::byte* block, const T* leaf, const double* extras) const {
    if (extras) add_numbers(number<double>(block) + 1, extras, doubles_ - 1);
    add_numbers(numbers(block), leaf, length_);
  }
  void load(const std::byte* block, T* leaf, double* extras) const {
    if (extras) std::copy_n(number<double>(block) + 1, doubles_ - 1, extras);
    std::copy_n(numbers(block), length_, leaf);
  }
  // left += right for the words begin, ..., end - 1 of a block; both pointers are at word `begin`.
  void add(std::byte* left, const std::byte* right, std::size_t begin, std::size_t end) const {
    const std::size_t split = std::clamp(doubles_, begin, end), skip = (split - begin) * word_bytes;
    add_numbers(number<double>(left), number<double>(right), split - begin);
    add_numbers(number<T>(left + skip), number<T>(right + skip), (end - split) * (word_bytes / sizeof(T)));
  }

 private:
  template <class U>
  static U* number(std::byte* at) {
    return reinterpret_cast<U*>(at);
  }
  template <class U>
  static const U* number(const std::byte* at) {
    return reinterpret_cast<const U*>(at);
  }
  template <class U>
  static void add_numbers(U* left, const U* right, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) left[i] += right[i];
  }
  T* numbers(std::byte* block) const { return number<T>(block + doubles_ * word_bytes); }
  const T* numbers(const std::byte* block) const { return number<T>(block + doubles_ * word_bytes); }

  std::size_t length_, doubles_, words_;
};
}  // namespace revode::mpi
