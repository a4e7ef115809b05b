// Readers of labelled images: what is read, and what a refusal says of file, offset and remedy; our own digits.
#include "common/images.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/error.hpp"
#include "common/raster.hpp"
#include "host/scratch.hpp"
#include "models/glyphs.hpp"

namespace {
using namespace revode::host;

std::string number(std::uint32_t n) {
  return {static_cast<char>(n >> 24), static_cast<char>(n >> 16), static_cast<char>(n >> 8), static_cast<char>(n)};
}
std::string idx_images(std::uint32_t count, std::uint32_t height, std::uint32_t width, const std::string& pixels) {
  return number(2051) + number(count) + number(height) + number(width) + pixels;
}
std::string idx_labels(const std::string& labels) {
  return number(2049) + number(static_cast<std::uint32_t>(labels.size())) + labels;
}
template <class Read>
void refused(const Read& read, const std::string& where, const std::string& what) {
  try {
    read();
    ADD_FAILURE() << "was read: " << where;
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), Exit::usage) << failure.where();
    EXPECT_NE(failure.where().find(where), std::string::npos) << failure.where() << " is not at " << where;
    EXPECT_NE(std::string(failure.what()).find(what), std::string::npos) << failure.what() << " lacks " << what;
  }
}

TEST(Images, IdxFilesAreRead) {
  const Images images = read_idx_images(idx_images(2, 1, 3, "abcdef"), "i");
  EXPECT_EQ(images.size(), 2u);
  EXPECT_EQ(images.height, 1);
  EXPECT_EQ(images.width, 3);
  EXPECT_EQ(images.at(1)[2], 'f');
  EXPECT_EQ(read_idx_labels(idx_labels({'\x03', '\x09'}), "l"), (std::vector<std::uint8_t>{3, 9}));
}

TEST(Images, DamagedIdxFilesAreRefusedWithOffsetAndRemedy) {
  const std::string good = idx_images(2, 1, 3, "abcdef");
  const auto images = [](const std::string& bytes) { return [bytes] { read_idx_images(bytes, "i"); }; };
  refused(images(good.substr(0, 20)), "i, byte 20", "fetch it again");
  refused(images(good + "x"), "i, byte 22", "1 bytes more");
  refused(images(good.substr(0, 7)), "i, byte 7", "cut short");
  refused(images(idx_labels("12345678")), "i, byte 0", "exchange the two files");
  refused(images("word" + good.substr(4)), "i, byte 0", "as it was published");
  refused(images(idx_images(0, 1, 3, "")), "i, byte 4", "holds no image");
  refused(images(idx_images(1, 0, 3, "")), "i, byte 8", "damaged");
  refused(images(idx_images(1, 1, 5000, "")), "i, byte 12", "damaged");
  refused(images(idx_images(0xffffffff, 4096, 4096, "")), "i, byte 16", "cut short");
  refused([] { read_idx_labels(idx_labels(std::string("\0\x0a", 2)), "l"); }, "l, byte 9",
          "label 10, wanted is 0 to 9");
  refused([&] { read_idx_labels(good, "l"); }, "l, byte 0", "exchange the two files");
  refused(
      [&] {
        labelled(read_idx_images(good, "i"), {1, 2, 3}, "i", "l");
      },
      "l, byte 4", "3 labels for the 2 images of i");
}

TEST(Images, CifarRecordsAreRead) {
  std::string record(3073, '\x07');
  const Images images = read_cifar10(record + record, "c");
  EXPECT_EQ(images.size(), 2u);
  EXPECT_EQ(images.channels, 3);
  EXPECT_EQ(images.labels, (std::vector<std::uint8_t>{7, 7}));
  refused([&] { read_cifar10(record + "x", "c"); }, "c, byte 3073", "cut short");
  refused([&] { read_cifar10("", "c"); }, "c, byte 0", "cut short");
  const std::string first = record;
  record[0] = '\x0b';
  refused([&] { read_cifar10(first + record, "c"); }, "c, byte 3073", "label 11");
}

TEST(Images, UciDigitsAreRead) {
  std::string row = "16";
  for (int i = 1; i < 64; ++i) row += ",0";
  const Images images = read_uci_digits(row + ",4\n\n" + row + ",9", "u");
  EXPECT_EQ(images.size(), 2u);
  EXPECT_EQ(images.at(0)[0], 255);
  EXPECT_EQ(images.labels, (std::vector<std::uint8_t>{4, 9}));
  refused([&] { read_uci_digits(row + ",4\n17" + row.substr(2) + ",4\n", "u"); }, "u:2:1", "'17', wanted is 0 to 16");
  refused([&] { read_uci_digits(row + "\n", "u"); }, "u:1:64", "ends after 64 numbers");
  refused([&] { read_uci_digits(row + ",4,4\n", "u"); }, "u:1:66", "more than 64");
  refused([] { read_uci_digits("\n", "u"); }, "u:1:1", "holds no digit");
}

TEST(Images, AFolderIsToldByTheNamesInIt) {
  const Scratch scratch;
  const auto put = [&](const std::string& name, const std::string& bytes) { scratch.write(name, bytes); };
  EXPECT_THROW(read_image_folder(scratch.folder()), Failure);  // nothing is there yet
  put("train-images-idx3-ubyte", idx_images(2, 1, 3, "abcdef"));
  put("train-labels-idx1-ubyte", idx_labels("\x01\x02"));
  put("t10k-images-idx3-ubyte", idx_images(1, 1, 3, "xyz"));
  EXPECT_THROW(read_image_folder(scratch.folder()), Failure);  // its labels are missing
  put("t10k-labels-idx1-ubyte", idx_labels("\x03"));
  const ImageSet set = read_image_folder(scratch.folder());
  EXPECT_EQ(set.train.labels, (std::vector<std::uint8_t>{1, 2}));
  EXPECT_EQ(set.test.labels, (std::vector<std::uint8_t>{3}));
}

TEST(Images, WithoutATestPartTheLastFifthIsHeldOut) {
  const Scratch scratch;
  std::string row, all;
  for (int i = 0; i < 64; ++i) row += "1,";
  for (int i = 0; i < 10; ++i) all += row + std::to_string(i) + "\n";
  scratch.write("optdigits.tra", all);
  const ImageSet set = read_image_folder(scratch.folder());
  EXPECT_EQ(set.train.size(), 8u);
  EXPECT_EQ(set.test.labels, (std::vector<std::uint8_t>{8, 9}));
}

TEST(Images, DigitsOfOurOwnFollowFromTheSeedAlone) {
  Glyphs protocol;
  protocol.train = 40, protocol.test = 10;
  const ImageSet a = draw_glyphs(protocol), b = draw_glyphs(protocol);
  EXPECT_EQ(a.train.pixels, b.train.pixels);
  EXPECT_EQ(a.train.size(), 40u);
  EXPECT_EQ(a.test.size(), 10u);
  protocol.train = 30;  // digit 35 is the same, wherever it goes
  const ImageSet c = draw_glyphs(protocol);
  EXPECT_TRUE(std::equal(c.test.at(5), c.test.at(6), a.train.at(35)));
  protocol.seed = 2;
  EXPECT_NE(draw_glyphs(protocol).train.pixels, c.train.pixels);
  for (std::size_t i = 0; i < a.train.size(); ++i) {
    const auto ink = std::count_if(a.train.at(i), a.train.at(i + 1), [](std::uint8_t v) { return v > 128; });
    EXPECT_GT(ink, 8) << "digit " << i;  // a stroke is some pixels long and one or two wide
    EXPECT_LT(ink, 200) << "digit " << i;
  }
}

TEST(Raster, APictureIsFittedByArea) {
  const Raster r = read_raster(std::string("P5 4 2 255\n") + std::string("\x00\x10\x20\x30\x00\x10\x20\x30", 8), "p");
  EXPECT_EQ(fitted(r, 1, 1, 2), (std::vector<std::uint8_t>{8, 40}));
  EXPECT_EQ(fitted(r, 3, 1, 1), (std::vector<std::uint8_t>{24, 24, 24}));
  EXPECT_EQ(fitted(r, 1, 4, 8).size(), 32u);
}
}  // namespace
