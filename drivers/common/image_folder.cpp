// Sets of images by the names of their files.
#include <array>

#include "common/error.hpp"
#include "common/files.hpp"
#include "common/images.hpp"

namespace revode::host {
namespace {
namespace fs = std::filesystem;

/// The file of that name, or gzipped, or empty.
fs::path find(const fs::path& folder, const std::string& name) {
  for (const char* ending : {"", ".gz"}) {
    std::error_code error;
    if (fs::exists(folder / (name + ending), error)) return folder / (name + ending);
  }
  return {};
}
fs::path require(const fs::path& folder, const std::string& name, const std::string& beside) {
  fs::path file = find(folder, name);
  if (file.empty())
    throw Failure(Exit::io, (folder / name).string(),
                  "is missing, with or without .gz, beside " + beside + ": put all files of the set into the folder");
  return file;
}

/// Images and labels of one part of a set; `dot` for the spelling train-images.idx3-ubyte.
Images read_idx(const fs::path& folder, const std::string& part, char dot) {
  const std::string images_name = part + "-images" + dot + "idx3-ubyte",
                    labels_name = part + "-labels" + dot + "idx1-ubyte";
  const fs::path images = require(folder, images_name, labels_name), labels = require(folder, labels_name, images_name);
  return labelled(read_idx_images(read_text(images), images.string()),
                  read_idx_labels(read_text(labels), labels.string()), images.string(), labels.string());
}

ImageSet read_cifar(const fs::path& folder) {
  ImageSet set;
  set.name = "CIFAR-10";
  for (int i = 1; i <= 5; ++i) {
    const fs::path file = require(folder, "data_batch_" + std::to_string(i) + ".bin", "data_batch_1.bin");
    append(set.train, read_cifar10(read_text(file), file.string()), file.string());
  }
  const fs::path test = require(folder, "test_batch.bin", "data_batch_1.bin");
  set.test = read_cifar10(read_text(test), test.string());
  return set;
}

ImageSet read_uci(const fs::path& folder) {
  ImageSet set;
  set.name = "UCI digits";
  const fs::path train = find(folder, "optdigits.tra"), test = find(folder, "optdigits.tes");
  set.train = read_uci_digits(read_text(train), train.string());
  if (!test.empty()) {
    set.test = read_uci_digits(read_text(test), test.string());
    return set;
  }
  if (set.train.size() < 5)
    throw Failure(Exit::usage, train.string(), "has too few digits to hold a fifth out: 5 or more");
  set.test = set.train;
  const std::size_t kept = set.train.size() - set.train.size() / 5;
  set.test.pixels.erase(set.test.pixels.begin(),
                        set.test.pixels.begin() + static_cast<std::ptrdiff_t>(kept * set.test.area()));
  set.test.labels.erase(set.test.labels.begin(), set.test.labels.begin() + static_cast<std::ptrdiff_t>(kept));
  set.train.pixels.resize(kept * set.train.area());
  set.train.labels.resize(kept);
  return set;
}
}  // namespace

ImageSet read_image_folder(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error))
    throw Failure(Exit::io, folder.string(), "is no folder: give the one that the set's files are in");
  for (const char dot : {'-', '.'})
    for (const char* part : {"-images", "-labels"})
      if (!find(folder, std::string("train") + part + dot + (part[1] == 'i' ? "idx3-ubyte" : "idx1-ubyte")).empty()) {
        ImageSet set{read_idx(folder, "train", dot), read_idx(folder, "t10k", dot), "IDX images"};
        if (set.train.height != set.test.height || set.train.width != set.test.width)
          throw Failure(Exit::usage, folder.string(),
                        "images to train on and to test on differ in size: give one set alone");
        return set;
      }
  if (!find(folder, "data_batch_1.bin").empty()) return read_cifar(folder);
  if (!find(folder, "optdigits.tra").empty()) return read_uci(folder);
  throw Failure(Exit::io, folder.string(),
                "holds none of train-images-idx3-ubyte, data_batch_1.bin (CIFAR-10), optdigits.tra (UCI), with or "
                "without .gz: name the folder that they are in");
}
}  // namespace revode::host
