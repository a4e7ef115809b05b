/// Labelled images in the formats in which they are published: IDX (MNIST, Fashion-MNIST, KMNIST), CIFAR-10's binary
/// records, the CSV of the UCI digits. Bytes are those of an expanded file; `name` is for failures (Exit::usage), which
/// name file and offset.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace revode::host {
struct Images {
  int channels = 1, height = 0, width = 0, classes = 10;
  std::vector<std::uint8_t> pixels;  ///< [count][channels][height][width], 0 to 255
  std::vector<std::uint8_t> labels;  ///< [count], below `classes`; empty: none are known

  std::size_t area() const {
    return static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  }
  std::size_t size() const { return area() ? pixels.size() / area() : 0; }
  const std::uint8_t* at(std::size_t i) const { return pixels.data() + i * area(); }
};

/// Images of one IDX file (magic 2051), without labels.
Images read_idx_images(std::string_view bytes, const std::string& name);
/// Labels of one IDX file (magic 2049), each below `classes`.
std::vector<std::uint8_t> read_idx_labels(std::string_view bytes, const std::string& name, int classes = 10);
/// Records of a label and 3 x 32 x 32 bytes.
Images read_cifar10(std::string_view bytes, const std::string& name);
/// Lines of 64 counts from 0 to 16, row by row, and a digit; counts become 0 to 255.
Images read_uci_digits(std::string_view text, const std::string& name);

/// Images and labels of two files belong together. Failure where their numbers disagree.
Images labelled(Images images, std::vector<std::uint8_t> labels, const std::string& images_name,
                const std::string& labels_name);
/// The images of b behind those of a. Failure where their sizes disagree.
void append(Images& a, const Images& b, const std::string& name);

struct ImageSet {
  Images train, test;
  std::string name;  ///< of the files' kind
};
/// What a folder holds, told by the names under which sets are published, gzip or not. Where there is no test part (UCI
/// digits without .tes) the last fifth is held out.
ImageSet read_image_folder(const std::filesystem::path& folder);
}  // namespace revode::host
