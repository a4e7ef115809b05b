// What a device's compiler reads, and what a device wrote.
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <sstream>

#include "common/error.hpp"
#include "export/model.hpp"

namespace revode::host {
namespace {
template <class... Arguments>
std::string format(const char* pattern, Arguments... arguments) {
  std::array<char, 512> line{};
  const int size = std::snprintf(line.data(), line.size(), pattern, arguments...);
  return {line.data(), std::min(static_cast<std::size_t>(size), line.size() - 1)};
}
/// `name` as a C array, lines of at most 100 columns; element i as text.
template <class Element>
std::string array_of(const std::string& type, const std::string& name, std::size_t count, const Element& element) {
  std::string all = "static const " + type + " " + name + "[" + std::to_string(count) + "] = {", line;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string one = element(i) + (i + 1 < count ? "," : "");
    if (line.empty() || line.size() + one.size() > 98) all += line + "\n", line = " ";
    line += " " + one;
  }
  return all + line + "};\n";
}
std::string arrays(const Stored& s, const std::string& name) {
  const auto number = [](float x) { return format("%af", static_cast<double>(x)); };
  if (s.storage == Storage::float32)
    return array_of("float", name + "_stored", s.theta.size(), [&](std::size_t i) { return number(s.theta[i]); });
  if (s.storage == Storage::float16)
    return array_of("uint16_t", name + "_stored", s.halves.size(),
                    [&](std::size_t i) { return format("0x%04x", static_cast<unsigned>(s.halves[i])); });
  return array_of("float", name + "_scale", s.scales.size(), [&](std::size_t i) { return number(s.scales[i]); }) +
         array_of("int8_t", name + "_stored", s.bytes.size(),
                  [&](std::size_t i) { return std::to_string(static_cast<int>(s.bytes[i])); });
}
/// The body of NAME_read(float* theta).
std::string reader(const Model& model, const Stored& s, const std::string& name) {
  const std::string all = std::to_string(s.theta.size());
  if (s.storage == Storage::float32) return "  memcpy(theta, " + name + "_stored, sizeof " + name + "_stored);\n";
  if (s.storage == Storage::float16)
    return "  for (int i = 0; i < " + all + "; ++i) {\n    const uint32_t half = " + name +
           "_stored[i], rest = half & 0x7fff;\n"
           "    uint32_t bits = (rest << 13) + 0x38000000u;\n"
           "    float value = (float)rest * 0x1p-24f; /* subnormal */\n"
           "    if (rest < 0x400) memcpy(&bits, &value, 4);\n"
           "    bits |= (half & 0x8000) << 16;\n"
           "    memcpy(theta + i, &bits, 4);\n  }\n";
  std::string ends;
  for (const Piece& piece : model.pieces)
    ends += (ends.empty() ? "" : ", ") + std::to_string(piece.offset + piece.count);
  return "  static const int end[] = {" + ends + "};\n  int piece = 0;\n  for (int i = 0; i < " + all +
         "; ++i) {\n    if (i == end[piece]) ++piece;\n    theta[i] = (float)" + name + "_stored[i] * " + name +
         "_scale[piece];\n  }\n";
}
std::size_t padded_to_8(int floats) {
  return (static_cast<std::size_t>(floats) * 4 + 7) / 8 * 8;
}
/// Bytes of one evaluation of FixedMlp.
std::string evaluation(const Model& model, const std::string& macro) {
  std::size_t tape = 0, widest = 0;
  for (std::size_t l = 1; l + 1 < model.widths.size(); ++l) {
    const std::size_t row = padded_to_8(model.widths[l]);
    tape += row, widest = std::max(widest, row);
  }
  const std::size_t work = (model.widths.size() > 3 ? 2 : 1) * widest;
  return format("#define %s_TAPE_BYTES %zu /* of an evaluation as FixedMlp, REVODE_ALIGN 8 */\n", macro.c_str(), tape) +
         format("#define %s_WORK_BYTES %zu\n", macro.c_str(), work);
}
bool next_word(std::istringstream& in, std::uint32_t& bits) {
  std::string word;
  if (!(in >> word) || word.size() != 8) return false;
  const auto [end, error] = std::from_chars(word.data(), word.data() + 8, bits, 16);
  return error == std::errc() && end == word.data() + 8;
}
}  // namespace

std::string header_of(const Model& model, const Stored& stored, const std::string& name, const std::string& source) {
  std::string macro = name, widths;
  std::transform(macro.begin(), macro.end(), macro.begin(), [](unsigned char c) { return std::toupper(c); });
  for (const int w : model.widths) widths += (widths.empty() ? "" : ", ") + std::to_string(w);
  const char* const m = macro.c_str();
  const std::size_t bytes = stored.theta.size() * 4;
  const std::size_t flash = stored.storage == Storage::float32 ? bytes : stored.flash();
  std::string out = "/* Made by revode-export from " + source + ". */\n";
  out += format("#ifndef REVODE_MODEL_%s\n#define REVODE_MODEL_%s\n#include <stdint.h>\n#include <string.h>\n\n", m, m);
  out += format("#define %s_WIDTHS %s /* rows in, hidden, out%s */\n", m, widths.c_str(),
                model.time ? "; every layer sees t" : "");
  out += format("#define %s_PARAMS %zu\n", m, stored.theta.size());
  out += format("#define %s_CHECKSUM 0x%08xu /* CRC-32 of theta, little-endian floats */\n", m, checksum(stored.theta));
  out += format("#define %s_FLASH_BYTES %zu /* of the parameters here */\n", m, flash);
  out += format("#define %s_THETA_BYTES %zu /* in RAM, where they change or are not stored as floats */\n", m, bytes);
  out += format("#define %s_TRAIN_BYTES %zu /* theta, its gradient and the two moments of Adam */\n", m, 4 * bytes);
  if (!model.time) out += evaluation(model, macro);
  out += "\n/* theta:\n";
  for (const Piece& piece : model.pieces) {
    std::string shape;
    for (const std::int64_t n : piece.shape) shape += "[" + std::to_string(n) + "]";
    out += format(" * [%zu, %zu) %s%s\n", piece.offset, piece.offset + piece.count, piece.name.c_str(), shape.c_str());
  }
  out += " */\n" + arrays(stored, name);
  out +=
      "\n/* theta[" + macro + "_PARAMS] = the parameters. */\nstatic inline void " + name + "_read(float *theta) {\n";
  out += reader(model, stored, name) + "}\n";
  out += "/* " + macro + "_CHECKSUM where theta is what was exported. */\nstatic inline uint32_t " + name +
         "_check(const float *theta) {\n  uint32_t crc = ~0u;\n  for (int i = 0; i < " + macro +
         "_PARAMS; ++i) {\n    uint32_t bits;\n    memcpy(&bits, theta + i, 4);\n    crc ^= bits;\n"
         "    for (int k = 0; k < 32; ++k) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);\n  }\n  return "
         "~crc;\n}\n#endif\n";
  return out;
}

std::vector<float> read_dump(const std::string& text, const std::string& name) {
  const auto refuse = [&](const std::string& what) -> Failure {
    return {Exit::usage, name, what + "; take it from the device again"};
  };
  const std::string key = "revode-dump ";
  const std::size_t at = text.rfind(key);
  if (at == std::string::npos) throw refuse("no line 'revode-dump COUNT CHECKSUM'");
  std::istringstream in(text.substr(at + key.size()));
  std::size_t count = 0;
  std::uint32_t sum = 0;
  if (!(in >> count) || !next_word(in, sum)) throw refuse("its line 'revode-dump COUNT CHECKSUM' is damaged");
  if (count > text.size()) throw refuse("it is cut short");
  std::vector<float> theta(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t bits = 0;
    if (!next_word(in, bits))
      throw refuse("word " + std::to_string(i) + " of " + std::to_string(count) + " is missing or damaged");
    theta[i] = __builtin_bit_cast(float, bits);
  }
  if (checksum(theta) != sum) throw refuse("its words do not have its checksum");
  return theta;
}
}  // namespace revode::host
