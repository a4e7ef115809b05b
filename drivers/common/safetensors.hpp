/// safetensors: named arrays in one file that every framework reads. https://huggingface.co/docs/safetensors
#pragma once
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "common/files.hpp"

namespace revode::host {
enum class Dtype { f64, i64, f32, u8 };

template <class T>
constexpr Dtype dtype_of() {
  if constexpr (std::is_same_v<T, double>) return Dtype::f64;
  if constexpr (std::is_same_v<T, float>) return Dtype::f32;
  if constexpr (std::is_same_v<T, std::int64_t>) return Dtype::i64;
  if constexpr (std::is_same_v<T, std::uint8_t>) return Dtype::u8;
}

/// Row-major, little-endian.
struct Tensor {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<std::int64_t> shape;  ///< empty: one number
  Bytes bytes;

  template <class T>
  static Tensor of(std::string name, std::vector<std::int64_t> shape, std::span<const T> numbers) {
    const auto bytes = std::as_bytes(numbers);
    return {std::move(name), dtype_of<T>(), std::move(shape), Bytes(bytes.begin(), bytes.end())};
  }
  /// Failure (Exit::usage) where the file holds another type.
  template <class T>
  std::vector<T> numbers() const {
    require(dtype_of<T>());
    std::vector<T> all(bytes.size() / sizeof(T));
    if (!all.empty()) std::memcpy(all.data(), bytes.data(), bytes.size());
    return all;
  }

 private:
  void require(Dtype wanted) const;
};

struct TensorFile {
  std::map<std::string, std::string> metadata;
  std::vector<Tensor> tensors;

  /// Failure (Exit::usage) with the nearest name where there is none.
  const Tensor& at(const std::string& name) const;
};

/// The file's bytes: wide types first, so that every tensor is aligned. Bytes and shape of a tensor must agree
/// (Exit::bug).
Bytes to_safetensors(const TensorFile& file);
/// Checks all that the format promises: sizes, types, offsets without holes or overlaps. `name` is for failures
/// (Exit::usage).
TensorFile from_safetensors(std::span<const std::byte> bytes, const std::string& name);

void write_safetensors(const std::filesystem::path& path, const TensorFile& file);
TensorFile read_safetensors(const std::filesystem::path& path);
}  // namespace revode::host
