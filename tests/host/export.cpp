// The way of a network to a device and back: shapes, storage, header, dump.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "common/error.hpp"
#include "export/model.hpp"
#include "revode/random.hpp"

namespace revode::host {
namespace {
std::vector<float> drawn(std::size_t count, std::uint64_t stream) {
  Random random(7, static_cast<std::uint32_t>(stream));
  std::vector<float> x(count);
  for (float& v : x) v = random.normal();
  return x;
}
/// 2-16-2, and a tensor that is none of its.
TensorFile file() {
  TensorFile f;
  f.metadata = {{"program", "test"}};
  f.tensors = {Tensor::of<float>("other", {1}, drawn(1, 9)), Tensor::of<float>("field.0.weight", {16, 2}, drawn(32, 0)),
               Tensor::of<float>("field.0.bias", {16}, drawn(16, 1)),
               Tensor::of<float>("field.1.weight", {2, 16}, drawn(32, 2)),
               Tensor::of<float>("field.1.bias", {2}, drawn(2, 3))};
  return f;
}
std::string refusal(const TensorFile& f, const std::string& prefix = "field") {
  try {
    model_of(f, prefix);
  } catch (const Failure& failure) {
    return sentence(failure);
  }
  return "accepted";
}
std::string dump_of(const std::vector<float>& theta) {
  char word[16];
  std::snprintf(word, sizeof word, "%08x", checksum(theta));
  std::string text = "booting\nrevode-dump " + std::to_string(theta.size()) + " " + word + "\n";
  for (const float v : theta) {
    std::snprintf(word, sizeof word, "%08x\n", __builtin_bit_cast(std::uint32_t, v));
    text += word;
  }
  return text + "done\n";
}
std::string refusal(const std::string& dump) {
  try {
    read_dump(dump, "d.txt");
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.where(), "d.txt");
    return failure.what();
  }
  return "accepted";
}

TEST(Export, TheLayersOfAnMlpInTheOrderOfTheta) {
  const Model m = model_of(file(), "field");
  EXPECT_EQ(m.widths, (std::vector{2, 16, 2}));
  ASSERT_EQ(m.theta.size(), 82U);
  ASSERT_EQ(m.pieces.size(), 4U);
  EXPECT_EQ(m.pieces[2].name, "field.1.weight");
  EXPECT_EQ(m.pieces[2].offset, 48U);
  EXPECT_EQ(m.theta[48], drawn(32, 2)[0]);
  EXPECT_FALSE(m.time);
}

TEST(Export, RefusesWhatIsNoMlpAndNamesTheTensor) {
  EXPECT_EQ(refusal(file(), "fields"), "tensor 'fields.0.weight': not in the file: is it 'field.0.weight'?");
  TensorFile f = file();
  f.tensors[3].shape = {16, 2};
  EXPECT_EQ(refusal(f), "tensor 'field.1.weight': has shape [16, 2] where [16, 16] fits: give the layers of one Mlp");
  f = file();
  f.tensors.push_back(Tensor::of<float>("field.1.time_weight", {2}, drawn(2, 4)));
  EXPECT_EQ(refusal(f), "tensor 'field.1.time_weight': either every layer sees the time, or none");
  f = file();
  f.tensors[1].shape = {32};
  EXPECT_EQ(refusal(f), "tensor 'field.0.weight': has shape [32]: a weight is [out, in]");
}

TEST(Export, HalvesAreThoseOfTheStandard) {
  for (unsigned h = 0; h < 0x10000; ++h) {
    const auto half = static_cast<std::uint16_t>(h);
    const int exponent = half >> 10 & 31, fraction = half & 1023;
    if (exponent == 31) continue;
    const double value =
        (half & 0x8000 ? -1 : 1) * (exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24));
    ASSERT_EQ(static_cast<double>(from_half(half)), value) << h;
    ASSERT_EQ(to_half(from_half(half)), half) << h;
    if ((half & 0x7fff) >= 0x7bff) continue;  // between neighbours: half to even, and the nearest beside it
    const float next = from_half(static_cast<std::uint16_t>(half + 1)), middle = (from_half(half) + next) / 2;
    ASSERT_EQ(to_half(middle), half % 2 ? half + 1 : half) << h;
    ASSERT_EQ(to_half(std::nextafter(middle, next)), half + 1) << h;
    ASSERT_EQ(to_half(std::nextafter(middle, from_half(half))), half) << h;
  }
  EXPECT_EQ(to_half(65519.99F), 0x7bff);
  EXPECT_EQ(to_half(65520.F), 0x7c00);
  EXPECT_EQ(to_half(-std::numeric_limits<float>::infinity()), 0xfc00);
}

TEST(Export, StorageLosesWhatItsFormatLoses) {
  const Model m = model_of(file(), "field");
  EXPECT_EQ(store(m, Storage::float32).theta, m.theta);
  EXPECT_EQ(loss_of(m, store(m, Storage::float32), Activation::tanh).output, 0);
  const Stored halves = store(m, Storage::float16), bytes = store(m, Storage::int8);
  EXPECT_EQ(halves.flash(), 164U);
  EXPECT_EQ(bytes.flash(), 82U + 4 * 4);
  for (std::size_t i = 0; i < m.theta.size(); ++i)  // half a unit of 11 bits
    EXPECT_LE(std::fabs(halves.theta[i] - m.theta[i]), std::fabs(m.theta[i]) * 0x1p-11F) << i;
  for (std::size_t p = 0; p < m.pieces.size(); ++p)
    for (std::size_t i = m.pieces[p].offset; i < m.pieces[p].offset + m.pieces[p].count; ++i)  // and float's rounding
      EXPECT_LE(std::fabs(bytes.theta[i] - m.theta[i]), bytes.scales[p] * .5001F) << i;
  const Loss h = loss_of(m, halves, Activation::tanh), b = loss_of(m, bytes, Activation::tanh);
  EXPECT_GT(h.output, 0);
  EXPECT_LT(h.output, 1e-3);  // of the order of 2^-11
  EXPECT_GT(b.output, h.output);
  EXPECT_LT(b.output, .05);  // of the order of 1 / 127
  TensorFile f = file();
  f.tensors[2] = Tensor::of<float>("field.0.bias", {16}, std::vector<float>(16, 70000));
  EXPECT_THROW(store(model_of(f, "field"), Storage::float16), Failure);
}

TEST(Export, ADumpComesBackUnderTheSameNames) {
  const TensorFile before = file();
  const Model m = model_of(before, "field");
  const std::vector<float> tuned = drawn(82, 20);
  const TensorFile after = with_theta(before, m, read_dump(dump_of(tuned), "d.txt"));
  EXPECT_EQ(model_of(after, "field").theta, tuned);
  EXPECT_EQ(after.at("other").bytes, before.at("other").bytes);
  EXPECT_EQ(after.metadata, before.metadata);
  EXPECT_THROW(with_theta(before, m, drawn(81, 0)), Failure);
}

TEST(Export, ADamagedDumpIsRefused) {
  const std::string whole = dump_of(drawn(5, 1));
  EXPECT_EQ(refusal(whole), "accepted");
  EXPECT_NE(refusal("nothing").find("no line"), std::string::npos);
  for (std::size_t size = whole.find("dump") + 5; size + 6 < whole.size(); ++size)
    EXPECT_NE(refusal(whole.substr(0, size)), "accepted") << size;
  std::string flipped = whole;
  char& digit = flipped[flipped.size() - 10];
  digit = digit == '0' ? '1' : '0';
  EXPECT_NE(refusal(flipped).find("checksum"), std::string::npos) << flipped;
}
}  // namespace
}  // namespace revode::host
