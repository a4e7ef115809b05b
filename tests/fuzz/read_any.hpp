// One input of the fuzzer: its first byte chooses a reader, the rest is a file. A reader gives what it promises or
// throws a Failure that names the file, a place in it and a remedy; anything else is a bug.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <string>

#include "common/decompress.hpp"
#include "common/error.hpp"
#include "common/images.hpp"
#include "common/raster.hpp"

namespace fuzz {
inline void require(bool good) {
  if (!good) std::abort();
}

inline void whole(const revode::host::Images& images, bool labelled) {
  require(images.area() > 0 && images.size() > 0 && images.pixels.size() == images.size() * images.area());
  require(images.labels.size() == (labelled ? images.size() : 0));
  for (const std::uint8_t label : images.labels) require(label < images.classes);
}

/// True where a reader took it.
inline bool read_any(const std::uint8_t* data, std::size_t size) {
  using namespace revode::host;
  if (size == 0) return false;
  const std::string bytes(reinterpret_cast<const char*>(data + 1), size - 1), name = "input";
  try {
    switch (data[0] % 6) {
      case 0:
        return whole(read_idx_images(bytes, name), false), true;
      case 1:
        for (const std::uint8_t label : read_idx_labels(bytes, name)) require(label < 10);
        return true;
      case 2:
        return whole(read_cifar10(bytes, name), true), true;
      case 3:
        return whole(read_uci_digits(bytes, name), true), true;
      case 4: {
        const Raster r = read_raster(bytes, name);
        const auto rows = static_cast<std::size_t>(r.channels) * static_cast<std::size_t>(r.height);
        require(r.samples.size() == rows * static_cast<std::size_t>(r.width));
        require(fitted(r, 1, 5, 7).size() == 35 && fitted(r, 3, 2, 2).size() == 12);
        return true;
      }
      default: {
        Bytes packed(size - 1);
        for (std::size_t i = 0; i + 1 < size; ++i) packed[i] = static_cast<std::byte>(data[i + 1]);
        return decompressed(packed, name), true;
      }
    }
  } catch (const Failure& failure) {
    require(failure.where().rfind(name, 0) == 0 && *failure.what() != '\0');
  }
  return false;
}
}  // namespace fuzz
