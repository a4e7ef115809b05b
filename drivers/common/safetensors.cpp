#include "common/safetensors.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "common/error.hpp"
#include "common/text.hpp"

namespace revode::host {
namespace {
static_assert(std::endian::native == std::endian::little, "the bytes of a tensor are written as they lie in memory");
using Json = nlohmann::ordered_json;
constexpr std::uint64_t kHeaderLimit = 100'000'000;  // of the format

struct Kind {
  const char* name;
  std::uint64_t bytes;
};
constexpr std::array<Kind, 4> kKinds{{{"F64", 8}, {"I64", 8}, {"F32", 4}, {"U8", 1}}};  // in the order of Dtype
const Kind& kind(Dtype dtype) {
  return kKinds[static_cast<std::size_t>(dtype)];
}

/// Bytes of a shape, or nothing where it has a negative extent or overflows.
std::optional<std::uint64_t> size_of(Dtype dtype, const std::vector<std::int64_t>& shape) {
  std::uint64_t bytes = kind(dtype).bytes;
  for (const std::int64_t extent : shape)
    if (extent < 0 || __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes)) return std::nullopt;
  return bytes;
}

class Header {
 public:
  Header(const std::string& text, const std::string& name) : name_(name) {
    std::vector<std::set<std::string>> seen;
    const auto no_twins = [&](int, Json::parse_event_t event, Json& value) {
      if (event == Json::parse_event_t::object_start) seen.emplace_back();
      if (event == Json::parse_event_t::object_end) seen.pop_back();
      if (event == Json::parse_event_t::key && !seen.back().insert(value.get<std::string>()).second)
        fail("the name '" + value.get<std::string>() + "' stands twice in its header");
      return true;
    };
    try {
      json_ = Json::parse(text, no_twins);
    } catch (const Json::exception&) {
      fail("its header is not JSON");
    }
    if (!json_.is_object()) fail("its header is not a JSON object");
  }

  std::map<std::string, std::string> metadata() const {
    std::map<std::string, std::string> all;
    if (!json_.contains("__metadata__")) return all;
    const Json& metadata = json_["__metadata__"];
    if (!metadata.is_object()) fail("__metadata__ is not an object");
    for (const auto& [key, value] : metadata.items()) {
      if (!value.is_string()) fail("__metadata__ '" + key + "' is not a text");
      all[key] = value.get<std::string>();
    }
    return all;
  }

  /// The tensors in the order of their bytes, which together must be exactly `data`.
  std::vector<Tensor> tensors(std::span<const std::byte> data) const {
    std::vector<std::pair<std::uint64_t, Tensor>> placed;
    for (const auto& [name, facts] : json_.items())
      if (name != "__metadata__") placed.push_back(tensor(name, facts, data));
    std::sort(placed.begin(), placed.end(), [](const auto& a, const auto& b) {
      return std::pair(a.first, a.second.bytes.size()) < std::pair(b.first, b.second.bytes.size());
    });
    std::uint64_t end = 0;
    std::vector<Tensor> all;
    for (auto& [begin, one] : placed) {
      if (begin != end)
        fail("tensor '" + one.name + "' " + (begin < end ? "overlaps another" : "leaves a hole before it"));
      end = begin + one.bytes.size();
      all.push_back(std::move(one));
    }
    if (end != data.size()) fail(std::to_string(data.size() - end) + " bytes at its end belong to no tensor");
    return all;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Failure(Exit::usage, name_, "not a valid safetensors file: " + what + "; write or fetch it again");
  }

  std::vector<std::uint64_t> whole_numbers(const Json& facts, const char* key, const std::string& name) const {
    if (!facts.is_object() || !facts.contains(key)) fail("tensor '" + name + "' has no " + key);
    std::vector<std::uint64_t> numbers;
    if (!facts[key].is_array()) fail(std::string(key) + " of tensor '" + name + "' is not a list");
    for (const Json& number : facts[key]) {
      if (!number.is_number_unsigned())
        fail(std::string(key) + " of tensor '" + name + "' is not of whole numbers from 0");
      numbers.push_back(number.get<std::uint64_t>());
    }
    return numbers;
  }

  std::pair<std::uint64_t, Tensor> tensor(const std::string& name, const Json& facts,
                                          std::span<const std::byte> data) const {
    if (!facts.is_object() || !facts.contains("dtype") || !facts["dtype"].is_string())
      fail("tensor '" + name + "' has no dtype");
    const auto dtype = facts["dtype"].get<std::string>();
    const auto found = std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& k) { return dtype == k.name; });
    if (found == kKinds.end()) fail("dtype " + dtype + " of tensor '" + name + "' is not one of F64, I64, F32, U8");
    Tensor one{name, static_cast<Dtype>(found - kKinds.begin()), {}, {}};
    for (const std::uint64_t extent : whole_numbers(facts, "shape", name))
      one.shape.push_back(static_cast<std::int64_t>(extent));
    const auto offsets = whole_numbers(facts, "data_offsets", name);
    if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data.size())
      fail("data_offsets of tensor '" + name + "' do not lie within its " + std::to_string(data.size()) +
           " bytes of data");
    if (size_of(one.dtype, one.shape) != offsets[1] - offsets[0])
      fail("shape and data_offsets of tensor '" + name + "' give different sizes");
    const auto bytes = data.subspan(offsets[0], offsets[1] - offsets[0]);
    one.bytes.assign(bytes.begin(), bytes.end());
    return {offsets[0], std::move(one)};
  }

  const std::string& name_;
  Json json_;
};
}  // namespace

void Tensor::require(Dtype wanted) const {
  if (dtype == wanted) return;
  throw Failure(Exit::usage, "tensor '" + name + "'",
                std::string("holds ") + kind(dtype).name + " where " + kind(wanted).name + " is wanted: convert it");
}

const Tensor& TensorFile::at(const std::string& name) const {
  std::vector<std::string> names;
  for (const Tensor& tensor : tensors) {
    if (tensor.name == name) return tensor;
    names.push_back(tensor.name);
  }
  const std::string near = nearest(name, names);
  throw Failure(
      Exit::usage, "tensor '" + name + "'",
      near.empty() ? "not in the file: give the file of such a model" : "not in the file: is it '" + near + "'?");
}

Bytes to_safetensors(const TensorFile& file) {
  std::vector<const Tensor*> order;
  for (const Tensor& tensor : file.tensors) order.push_back(&tensor);
  std::stable_sort(order.begin(), order.end(),
                   [](const Tensor* a, const Tensor* b) { return kind(a->dtype).bytes > kind(b->dtype).bytes; });
  Json json = Json::object();
  if (!file.metadata.empty()) json["__metadata__"] = file.metadata;
  std::uint64_t end = 0;
  for (const Tensor* tensor : order) {
    const std::uint64_t begin = end;
    end += tensor->bytes.size();
    if (size_of(tensor->dtype, tensor->shape) != tensor->bytes.size() || json.contains(tensor->name))
      throw Failure(Exit::bug, "tensor '" + tensor->name + "'", "shape and bytes disagree, or its name stands twice");
    json[tensor->name] = {
        {"dtype", kind(tensor->dtype).name}, {"shape", tensor->shape}, {"data_offsets", {begin, end}}};
  }
  std::string header = json.dump();
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = header.size();
  Bytes bytes;
  bytes.reserve(sizeof length + header.size() + end);
  append(bytes, std::as_bytes(std::span(&length, 1)));
  append(bytes, bytes_of(header));
  for (const Tensor* tensor : order) append(bytes, tensor->bytes);
  return bytes;
}

TensorFile from_safetensors(std::span<const std::byte> bytes, const std::string& name) {
  std::uint64_t length = 0;
  if (bytes.size() >= sizeof length) std::memcpy(&length, bytes.data(), sizeof length);
  if (length < 2 || length > kHeaderLimit || length > bytes.size() - sizeof length)
    throw Failure(Exit::usage, name,
                  "not a valid safetensors file: its header does not fit into it; write or fetch it again");
  const auto text = bytes.subspan(sizeof length, length);
  const Header header(std::string(reinterpret_cast<const char*>(text.data()), text.size()), name);
  return {header.metadata(), header.tensors(bytes.subspan(sizeof length + length))};
}

void write_safetensors(const std::filesystem::path& path, const TensorFile& file) {
  write_whole(path, {to_safetensors(file)});
}

TensorFile read_safetensors(const std::filesystem::path& path) {
  return from_safetensors(read_bytes(path), path.string());
}
}  // namespace revode::host
