#include "common/images.hpp"

#include <algorithm>

#include "common/casts.hpp"
#include "common/error.hpp"
#include "common/text.hpp"

namespace revode::host {
namespace {
constexpr std::uint32_t images_magic = 2051, labels_magic = 2049;
constexpr std::size_t cifar_record = 3073;

/// The whole of a file, and nothing behind it.
void require_length(std::string_view bytes, const std::string& name, std::uint64_t wanted) {
  if (bytes.size() < wanted)
    refuse_byte(
        name, bytes.size(),
        "the file ends here, its head promises " + std::to_string(wanted) + " bytes: it is cut short, fetch it again");
  if (bytes.size() > wanted)
    refuse_byte(name, static_cast<std::size_t>(wanted),
                std::to_string(bytes.size() - wanted) + " bytes more than its head promises: fetch the file again");
}
void require_magic(std::string_view bytes, const std::string& name, std::uint32_t wanted, std::size_t head) {
  const std::string kind = wanted == images_magic ? "images" : "labels", other = kind == "images" ? "labels" : "images";
  if (bytes.size() < head)
    refuse_byte(name, bytes.size(),
                "the file ends within its head of " + std::to_string(head) +
                    " bytes: it is cut short or no IDX file of " + kind);
  const std::uint32_t magic = big_endian(bytes, 0);
  if (magic == wanted) return;
  if (magic == (wanted == images_magic ? labels_magic : images_magic))
    refuse_byte(name, 0,
                "these are " + other + " (magic " + std::to_string(magic) + "), wanted are " + kind + " (" +
                    std::to_string(wanted) + "): exchange the two files");
  refuse_byte(name, 0,
              "begins with " + std::to_string(magic) + ", IDX files of " + kind + " with " + std::to_string(wanted) +
                  ": give the file as it was published");
}
void require_label(std::uint8_t label, int classes, const std::string& name, std::size_t offset) {
  if (label >= classes)
    refuse_byte(name, offset,
                "label " + std::to_string(label) + ", wanted is 0 to " + std::to_string(classes - 1) +
                    ": the file is damaged, or holds another set of classes");
}
}  // namespace

Images read_idx_images(std::string_view bytes, const std::string& name) {
  require_magic(bytes, name, images_magic, 16);
  const std::uint64_t count = big_endian(bytes, 4), height = big_endian(bytes, 8), width = big_endian(bytes, 12);
  constexpr std::uint64_t most = 4096;
  if (count == 0) refuse_byte(name, 4, "holds no image: give a file with some");
  if (height == 0 || height > most)
    refuse_byte(name, 8, "images " + std::to_string(height) + " pixels high, wanted is 1 to 4096: the head is damaged");
  if (width == 0 || width > most)
    refuse_byte(name, 12, "images " + std::to_string(width) + " pixels wide, wanted is 1 to 4096: the head is damaged");
  require_length(bytes, name, 16 + count * height * width);
  Images images;
  images.height = static_cast<int>(height), images.width = static_cast<int>(width);
  images.pixels.resize(bytes.size() - 16);
  std::transform(bytes.begin() + 16, bytes.end(), images.pixels.begin(), byte);
  return images;
}

std::vector<std::uint8_t> read_idx_labels(std::string_view bytes, const std::string& name, int classes) {
  require_magic(bytes, name, labels_magic, 8);
  const std::uint64_t count = big_endian(bytes, 4);
  if (count == 0) refuse_byte(name, 4, "holds no label: give a file with some");
  require_length(bytes, name, 8 + count);
  std::vector<std::uint8_t> labels(bytes.size() - 8);
  std::transform(bytes.begin() + 8, bytes.end(), labels.begin(), byte);
  for (std::size_t i = 0; i < labels.size(); ++i) require_label(labels[i], classes, name, 8 + i);
  return labels;
}

Images read_cifar10(std::string_view bytes, const std::string& name) {
  if (bytes.empty() || bytes.size() % cifar_record != 0)
    refuse_byte(name, bytes.size() / cifar_record * cifar_record,
                "the file ends within a record of 3073 bytes: it is cut short, or not CIFAR-10's binary version");
  Images images;
  images.channels = 3, images.height = images.width = 32;
  images.pixels.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size(); at += cifar_record) {
    require_label(byte(bytes[at]), images.classes, name, at);
    images.labels.push_back(byte(bytes[at]));
    for (const char c : bytes.substr(at + 1, cifar_record - 1)) images.pixels.push_back(byte(c));
  }
  return images;
}

Images read_uci_digits(std::string_view text, const std::string& name) {
  Images images;
  images.height = images.width = 8;
  std::size_t line = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view row = text.substr(at, end - at);
    if (row.ends_with('\r')) row.remove_suffix(1);
    row = trimmed(row);
    const auto fail = [&, number = ++line](int column, const std::string& what) {
      throw Failure(Exit::usage, name + ":" + std::to_string(number) + ":" + std::to_string(column), what);
    };
    int column = 0;
    for (std::size_t from = 0; from <= row.size() && !row.empty(); ++column) {
      const std::size_t comma = std::min(row.find(',', from), row.size());
      const std::string_view cell = trimmed(row.substr(from, comma - from));
      const auto value = whole_number(cell);
      const std::int64_t most = column < 64 ? 16 : 9;
      if (column > 64) fail(column + 1, "more than 64 counts and a digit: give the 8 x 8 version (optdigits)");
      if (!value || *value < 0 || *value > most)
        fail(column + 1, "'" + std::string(cell.substr(0, 20)) + "', wanted is 0 to " + std::to_string(most) +
                             ": the file is damaged or another one");
      if (column < 64)
        images.pixels.push_back(static_cast<std::uint8_t>((*value * 255 + 8) / 16));
      else
        images.labels.push_back(static_cast<std::uint8_t>(*value));
      from = comma + 1;
    }
    if (column != 0 && column != 65)
      fail(column, "the line ends after " + std::to_string(column) + " numbers, wanted are 64 counts and a digit");
    at = end + 1;
  }
  if (images.labels.empty()) throw Failure(Exit::usage, name + ":1:1", "holds no digit: give a file with some");
  return images;
}

Images labelled(Images images, std::vector<std::uint8_t> labels, const std::string& images_name,
                const std::string& labels_name) {
  if (images.size() != labels.size())
    refuse_byte(labels_name, 4,
                std::to_string(labels.size()) + " labels for the " + std::to_string(images.size()) + " images of " +
                    images_name + ": give files that belong together");
  images.labels = std::move(labels);
  return images;
}

void append(Images& a, const Images& b, const std::string& name) {
  if (a.pixels.empty()) {
    a = b;
    return;
  }
  if (a.channels != b.channels || a.height != b.height || a.width != b.width || a.labels.empty() != b.labels.empty())
    throw Failure(Exit::usage, name, "images of another size than those before: give one set alone");
  a.pixels.insert(a.pixels.end(), b.pixels.begin(), b.pixels.end());
  a.labels.insert(a.labels.end(), b.labels.begin(), b.labels.end());
}
}  // namespace revode::host
