#include "common/safetensors.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "common/error.hpp"
#include "host/scratch.hpp"

namespace revode::host {
namespace {
TensorFile model() {
  const std::vector<float> weight{1.5F, -2, 3, 4, 5, 6};
  const std::vector<double> scale{0.1};
  const std::vector<std::int64_t> step{-7};
  const std::vector<std::uint8_t> flags{1, 2, 3};
  TensorFile file;
  file.metadata = {{"format", "revode"}, {"quote", "\"\\\n\xc3\xa9"}};
  file.tensors = {Tensor::of<std::uint8_t>("flags", {3}, flags), Tensor::of<float>("dense.weight", {2, 3}, weight),
                  Tensor::of<std::int64_t>("step", {}, step), Tensor::of<double>("scale", {1}, scale),
                  Tensor::of<float>("empty", {0, 4}, {})};
  return file;
}
Bytes assembled(const std::string& header, std::size_t data) {
  const std::uint64_t length = header.size();
  Bytes bytes;
  append(bytes, std::as_bytes(std::span(&length, 1)));
  append(bytes, bytes_of(header));
  bytes.resize(bytes.size() + data);
  return bytes;
}
std::string refusal(const Bytes& bytes) {
  try {
    from_safetensors(bytes, "m.safetensors");
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), Exit::usage);
    EXPECT_EQ(failure.where(), "m.safetensors");
    return failure.what();
  }
  return "accepted";
}
std::string refusal(const std::string& header, std::size_t data) {
  return refusal(assembled(header, data));
}

TEST(Safetensors, ReadsWhatItWrote) {
  Scratch scratch;
  write_safetensors(scratch.path("m.safetensors"), model());
  const TensorFile back = read_safetensors(scratch.path("m.safetensors"));
  EXPECT_EQ(back.metadata, model().metadata);
  EXPECT_EQ(back.tensors.size(), 5U);
  for (const Tensor& tensor : model().tensors) {
    EXPECT_EQ(back.at(tensor.name).shape, tensor.shape) << tensor.name;
    EXPECT_EQ(back.at(tensor.name).dtype, tensor.dtype) << tensor.name;
    EXPECT_EQ(back.at(tensor.name).bytes, tensor.bytes) << tensor.name;
  }
  EXPECT_EQ(back.at("dense.weight").numbers<float>()[1], -2);
  EXPECT_EQ(back.at("step").numbers<std::int64_t>()[0], -7);
}

TEST(Safetensors, LayoutOfTheFormat) {
  const Bytes bytes = to_safetensors(model());
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  EXPECT_EQ(length % 8, 0U);
  EXPECT_EQ(static_cast<char>(bytes[8]), '{');
  // Wide types come first: the double's bytes begin at a multiple of 8 of the file, as numpy's memory maps want it.
  const std::string header(reinterpret_cast<const char*>(bytes.data()) + 8, length);
  EXPECT_NE(header.find(R"("step":{"dtype":"I64","shape":[],"data_offsets":[0,8]})"), std::string::npos) << header;
  EXPECT_NE(header.find(R"("scale":{"dtype":"F64","shape":[1],"data_offsets":[8,16]})"), std::string::npos);
  EXPECT_NE(header.find(R"("dense.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[16,40]})"), std::string::npos);
  EXPECT_EQ(bytes.size(), 8 + length + 16 + 24 + 3);
}

TEST(Safetensors, RefusesEveryTruncation) {
  const Bytes bytes = to_safetensors(model());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_NE(refusal(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size))), "accepted") << size;
  Bytes longer = bytes;
  longer.push_back(std::byte{0});
  EXPECT_NE(refusal(longer).find("1 bytes at its end"), std::string::npos);
}

TEST(Safetensors, RefusesWhatTheFormatForbids) {
  const auto says = [](const std::string& header, std::size_t data, const char* what) {
    const std::string said = refusal(header, data);
    EXPECT_NE(said.find(what), std::string::npos) << header << "\n" << said;
  };
  EXPECT_EQ(refusal(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4), "accepted");
  EXPECT_EQ(refusal(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}    )", 4), "accepted");
  says("[]", 0, "not a JSON object");
  says("{", 0, "does not fit");
  says("{{", 0, "not JSON");
  says(R"({"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}})", 2, "dtype F16");
  says(R"({"a":{"shape":[1],"data_offsets":[0,4]}})", 4, "no dtype");
  says(R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4, "no shape");
  says(R"({"a":{"dtype":"F32","shape":[1]}})", 4, "no data_offsets");
  says(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, "whole numbers");
  says(R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})", 4, "whole numbers");
  says(R"({"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}})", 4, "not a list");
  says(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", 4, "do not lie within");
  says(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4, "do not lie within");
  says(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", 4, "do not lie within");
  says(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4, "different sizes");
  says(R"({"a":{"dtype":"F32","shape":[4611686018427387904,2],"data_offsets":[0,0]}})", 0, "different sizes");
  says(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
       3, "overlaps");
  says(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[3,5]}})",
       5, "hole");
  says(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
       2, "stands twice");
  says(R"({"__metadata__":{"n":1}})", 0, "not a text");
  Bytes huge = assembled("{}", 0);
  huge[7] = std::byte{0xff};
  EXPECT_NE(refusal(huge).find("does not fit"), std::string::npos);
}

TEST(Safetensors, NamesWhatIsMissingOrOfAnotherType) {
  const TensorFile file = model();
  try {
    file.at("dense.weigth");
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(sentence(failure), "tensor 'dense.weigth': not in the file: is it 'dense.weight'?");
  }
  try {
    file.at("scale").numbers<float>();
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(sentence(failure), "tensor 'scale': holds F64 where F32 is wanted: convert it");
  }
  TensorFile wrong = model();
  wrong.tensors[0].shape = {4};
  EXPECT_THROW(to_safetensors(wrong), Failure);
}
}  // namespace
}  // namespace revode::host
