#include "common/decompress.hpp"

#include <lzma.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string_view>

#include "common/error.hpp"

namespace revode::host {
namespace {
constexpr std::size_t kChunk = 1 << 16;

[[noreturn]] void damaged(const std::string& name, const char* format) {
  throw Failure(Exit::usage, name,
                std::string("this ") + format + " file is cut short or damaged: fetch or pack it again");
}
bool begins_with(const Bytes& bytes, std::string_view magic) {
  const auto head = bytes_of(magic);
  return bytes.size() >= head.size() && std::equal(head.begin(), head.end(), bytes.begin());
}

std::string from_gzip(const Bytes& bytes, const std::string& name) {
  z_stream stream{};
  // 16: a gzip header is wanted.
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) throw Failure(Exit::bug, name, "zlib did not start");
  std::array<unsigned char, kChunk> chunk;
  std::string text;
  std::size_t read = 0;
  int state = Z_OK;
  // A file may be several gzip files one after another.
  while (state != Z_STREAM_END || read < bytes.size()) {
    if (state == Z_STREAM_END) inflateReset(&stream);
    const std::size_t left = std::min<std::size_t>(bytes.size() - read, std::numeric_limits<uInt>::max());
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data() + read));
    stream.avail_in = static_cast<uInt>(left);
    stream.next_out = chunk.data();
    stream.avail_out = static_cast<uInt>(chunk.size());
    state = inflate(&stream, Z_NO_FLUSH);
    read += left - stream.avail_in;
    text.append(reinterpret_cast<const char*>(chunk.data()), chunk.size() - stream.avail_out);
    if (state != Z_OK && state != Z_STREAM_END) {
      inflateEnd(&stream);
      damaged(name, "gzip");
    }
  }
  inflateEnd(&stream);
  return text;
}

std::string from_xz(const Bytes& bytes, const std::string& name) {
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&stream, std::numeric_limits<std::uint64_t>::max(), LZMA_CONCATENATED) != LZMA_OK)
    throw Failure(Exit::bug, name, "liblzma did not start");
  std::array<std::uint8_t, kChunk> chunk;
  std::string text;
  stream.next_in = reinterpret_cast<const std::uint8_t*>(bytes.data());
  stream.avail_in = bytes.size();
  lzma_ret state = LZMA_OK;
  while (state == LZMA_OK) {
    stream.next_out = chunk.data();
    stream.avail_out = chunk.size();
    state = lzma_code(&stream, LZMA_FINISH);
    text.append(reinterpret_cast<const char*>(chunk.data()), chunk.size() - stream.avail_out);
  }
  lzma_end(&stream);
  if (state != LZMA_STREAM_END) damaged(name, "xz");
  return text;
}
}  // namespace

std::string decompressed(const Bytes& bytes, const std::string& name) {
  if (begins_with(bytes, "\x1f\x8b")) return from_gzip(bytes, name);
  if (begins_with(bytes, std::string_view("\xfd"
                                          "7zXZ\0",
                                          6)))
    return from_xz(bytes, name);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
}  // namespace revode::host
