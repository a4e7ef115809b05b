/// Numbers into bytes and back, for checkpoints: the same order in and out, arrays with their lengths.
#pragma once
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>

#include "common/error.hpp"
#include "common/files.hpp"

namespace revode::host {
class Packer {
 public:
  template <class T>
  void put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>);
    append(bytes_, std::as_bytes(std::span<const T>(&value, 1)));
  }
  template <class T>
  void put_all(std::span<const T> values) {
    static_assert(std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>);
    put(static_cast<std::uint64_t>(values.size()));
    append(bytes_, std::as_bytes(values));
  }
  const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

/// Failure (Exit::io) naming `name` where the bytes are those of another model or layout.
class Unpacker {
 public:
  Unpacker(std::span<const std::byte> bytes, std::string name) : left_(bytes), name_(std::move(name)) {}

  template <class T>
  T get() {
    T value;
    copy(std::as_writable_bytes(std::span<T>(&value, 1)));
    return value;
  }
  /// The array must have as many numbers as `values`.
  template <class T>
  void get_all(std::span<T> values) {
    if (get<std::uint64_t>() != values.size()) fail();
    copy(std::as_writable_bytes(values));
  }
  /// Nothing may be left over.
  void finish() const {
    if (!left_.empty()) fail();
  }

 private:
  void copy(std::span<std::byte> out) {
    if (left_.size() < out.size()) fail();
    if (!out.empty()) std::memcpy(out.data(), left_.data(), out.size());
    left_ = left_.subspan(out.size());
  }
  [[noreturn]] void fail() const {
    throw Failure(Exit::io, name_,
                  "is the checkpoint of another model or version: go on with the program that wrote it");
  }
  std::span<const std::byte> left_;
  std::string name_;
};
}  // namespace revode::host
