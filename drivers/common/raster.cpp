#include "common/raster.hpp"

#include <zlib.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "common/casts.hpp"
#include "common/error.hpp"

namespace revode::host {
namespace {
constexpr int most_pixels = 8192;  // a side

/// PGM and PPM: words separated by blanks, # up to the end of a line is a comment.
class Netpbm {
 public:
  Netpbm(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {}
  Raster read() {
    const char kind = bytes_[1];
    at_ = 2;
    Raster r;
    r.channels = kind == '2' || kind == '5' ? 1 : 3;
    r.width = number(most_pixels, "a width"), r.height = number(most_pixels, "a height");
    const int most = number(255, "a greatest value of one byte");
    if (r.width == 0 || r.height == 0 || most == 0) refuse_byte(name_, at_, "has no pixels: give a picture with some");
    const std::size_t count = size(r.width) * size(r.height) * size(r.channels);
    const bool text = kind == '2' || kind == '3';
    if (!text) ++at_;  // one blank
    if (!text && (at_ > bytes_.size() || bytes_.size() - at_ < count))
      refuse_byte(name_, bytes_.size(), "ends before its last pixel: it is cut short");
    if (text && bytes_.size() < count) refuse_byte(name_, bytes_.size(), "ends before its last pixel: it is cut short");
    r.samples.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      const int v = text ? number(most, "a sample") : byte(bytes_[at_++]);
      r.samples.push_back(static_cast<std::uint8_t>(std::min(v, most) * 255 / most));
    }
    return r;
  }

 private:
  int number(int most, const char* what) {
    while (at_ < bytes_.size() && (std::isspace(byte(bytes_[at_])) || bytes_[at_] == '#')) {
      if (bytes_[at_] == '#')
        while (at_ < bytes_.size() && bytes_[at_] != '\n') ++at_;
      else
        ++at_;
    }
    int value = 0;
    const std::size_t first = at_;
    for (; at_ < bytes_.size() && std::isdigit(byte(bytes_[at_])) && value <= most; ++at_)
      value = 10 * value + (bytes_[at_] - '0');
    if (at_ == first || value > most)
      refuse_byte(name_, first,
                  std::string(what) + " up to " + std::to_string(most) + " is wanted here: the file is damaged");
    return value;
  }
  std::string_view bytes_;
  const std::string& name_;
  std::size_t at_ = 0;
};

class Png {
 public:
  Png(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {}
  Raster read() {
    std::string packed;
    for (std::size_t at = 8;;) {
      if (bytes_.size() < at + 12) refuse_byte(name_, bytes_.size(), "ends within a chunk: the PNG file is cut short");
      const std::uint64_t length = number(at);
      if (bytes_.size() - at - 12 < length)
        refuse_byte(name_, at, "a chunk goes beyond the end: the PNG file is cut short");
      const std::string_view kind = bytes_.substr(at + 4, 4), data = bytes_.substr(at + 8, length);
      const auto sum = crc32(0, reinterpret_cast<const Bytef*>(bytes_.data() + at + 4), static_cast<uInt>(length + 4));
      if (sum != number(at + 8 + length))
        refuse_byte(name_, at, "a chunk's checksum is wrong: the PNG file is damaged");
      if (at == 8) head(kind, data);
      if (kind == "IDAT") packed += data;
      if (kind == "IEND") break;
      at += 12 + length;
    }
    return unfiltered(inflated(packed));
  }

 private:
  std::uint32_t number(std::size_t at) const { return big_endian(bytes_, at); }
  void head(std::string_view kind, std::string_view data) {
    if (kind != "IHDR" || data.size() != 13)
      refuse_byte(name_, 8, "the PNG file does not begin with its head: it is damaged");
    const std::uint32_t width = number(16), height = number(20);
    if (width == 0 || height == 0 || width > most_pixels || height > most_pixels)
      refuse_byte(name_, 16,
                  "is " + std::to_string(width) + " x " + std::to_string(height) + ", wanted is 1 to 8192 each way");
    const int colour = byte(data[9]);
    if (byte(data[8]) != 8 || (colour != 0 && colour != 2 && colour != 4 && colour != 6) || data[12] != 0)
      refuse_byte(name_, 24,
                  "is a PNG of another kind than 8 bits, grey or colour, not interlaced: convert it, as by "
                  "'magick IN -depth 8 -interlace none PNG32:OUT' or to PGM");
    raster_.width = static_cast<int>(width), raster_.height = static_cast<int>(height);
    raster_.channels = colour == 2 || colour == 6 ? 3 : 1;
    stored_ = raster_.channels + (colour >= 4 ? 1 : 0);
  }
  std::string inflated(const std::string& packed) const {
    std::string lines((size(raster_.width) * size(stored_) + 1) * size(raster_.height), '\0');
    uLongf length = static_cast<uLongf>(lines.size());
    const int state = uncompress(reinterpret_cast<Bytef*>(lines.data()), &length,
                                 reinterpret_cast<const Bytef*>(packed.data()), static_cast<uLong>(packed.size()));
    if (state != Z_OK || length != lines.size())
      refuse_byte(name_, 8, "its pixels do not expand: the PNG file is damaged");
    return lines;
  }
  Raster unfiltered(std::string lines) {
    const std::size_t step = size(stored_), width = size(raster_.width) * step;
    std::string above(width, '\0');
    for (int i = 0; i < raster_.height; ++i) {
      char* line = lines.data() + size(i) * (width + 1);
      const int filter = byte(*line++);
      if (filter > 4)
        refuse_byte(name_, 8, "line " + std::to_string(i) + " has no known filter: the PNG file is damaged");
      for (std::size_t k = 0; k < width; ++k) {
        const int a = k >= step ? byte(line[k - step]) : 0, b = byte(above[k]),
                  c = k >= step ? byte(above[k - step]) : 0;
        line[k] = static_cast<char>(byte(line[k]) + guess(filter, a, b, c));
      }
      above.assign(line, width);
      for (std::size_t k = 0; k < width; k += step)
        for (int channel = 0; channel < raster_.channels; ++channel)
          raster_.samples.push_back(byte(line[k + size(channel)]));
    }
    return std::move(raster_);
  }
  static int guess(int filter, int a, int b, int c) {
    if (filter == 1) return a;
    if (filter == 2) return b;
    if (filter == 3) return (a + b) / 2;
    if (filter != 4) return 0;
    const int to_a = std::abs(b - c), to_b = std::abs(a - c), to_c = std::abs(a + b - 2 * c);
    return to_a <= to_b && to_a <= to_c ? a : to_b <= to_c ? b : c;
  }
  std::string_view bytes_;
  const std::string& name_;
  Raster raster_;
  int stored_ = 1;  // samples of a pixel, alpha included
};
}  // namespace

Raster read_raster(std::string_view bytes, const std::string& name) {
  if (bytes.size() > 2 && bytes[0] == 'P' && (bytes[1] == '2' || bytes[1] == '3' || bytes[1] == '5' || bytes[1] == '6'))
    return Netpbm(bytes, name).read();
  if (bytes.substr(0, 8) == std::string_view("\x89PNG\r\n\x1a\n", 8)) return Png(bytes, name).read();
  refuse_byte(name, 0, "is neither PGM, PPM nor PNG: convert it, as by 'magick IN OUT.pgm'");
}

std::vector<std::uint8_t> fitted(const Raster& r, int channels, int height, int width) {
  std::vector<std::uint8_t> out;
  const auto sample = [&](int c, int y, int x) {
    const std::uint8_t* p = r.samples.data() + (size(y) * size(r.width) + size(x)) * size(r.channels);
    if (channels == r.channels) return static_cast<int>(p[c]);
    return r.channels == 1 ? static_cast<int>(p[0]) : (299 * p[0] + 587 * p[1] + 114 * p[2]) / 1000;  // luma, BT.601
  };
  for (int c = 0; c < channels; ++c)
    for (int i = 0; i < height; ++i)
      for (int j = 0; j < width; ++j) {
        const int top = i * r.height / height, left = j * r.width / width;
        const int bottom = std::max(top + 1, (i + 1) * r.height / height),
                  right = std::max(left + 1, (j + 1) * r.width / width);
        long sum = 0;
        for (int y = top; y < bottom; ++y)
          for (int x = left; x < right; ++x) sum += sample(c, y, x);
        const long count = static_cast<long>(bottom - top) * (right - left);
        out.push_back(static_cast<std::uint8_t>((sum + count / 2) / count));
      }
  return out;
}
}  // namespace revode::host
