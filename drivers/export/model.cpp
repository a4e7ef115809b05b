#include "export/model.hpp"

#include <zlib.h>

#include <algorithm>
#include <cmath>

#include "common/error.hpp"
#include "revode/random.hpp"
#include "revode/sequential.hpp"

namespace revode::host {
namespace {
const Tensor* find(const TensorFile& file, const std::string& name) {
  for (const Tensor& tensor : file.tensors)
    if (tensor.name == name) return &tensor;
  return nullptr;
}
std::vector<float> floats(const Tensor& tensor) {
  if (tensor.dtype != Dtype::f64) return tensor.numbers<float>();
  std::vector<float> rounded;
  for (const double x : tensor.numbers<double>()) rounded.push_back(static_cast<float>(x));
  return rounded;
}
std::string text(const std::vector<std::int64_t>& shape) {
  std::string all = "[";
  for (const std::int64_t n : shape) all += (all.size() > 1 ? ", " : "") + std::to_string(n);
  return all + "]";
}
void add(const Tensor& tensor, const std::vector<std::int64_t>& wanted, Model& model) {
  if (tensor.shape != wanted)
    throw Failure(Exit::usage, "tensor '" + tensor.name + "'",
                  "has shape " + text(tensor.shape) + " where " + text(wanted) + " fits: give the layers of one Mlp");
  const std::vector<float> numbers = floats(tensor);
  model.pieces.push_back({tensor.name, tensor.shape, model.theta.size(), numbers.size()});
  model.theta.insert(model.theta.end(), numbers.begin(), numbers.end());
}
double root_mean_square(const std::vector<float>& x) {
  double sum = 0;
  for (const float v : x) sum += static_cast<double>(v) * static_cast<double>(v);
  return std::sqrt(sum / static_cast<double>(std::max<std::size_t>(x.size(), 1)));
}
/// Of b - a, over that of a.
double relative(const std::vector<float>& a, const std::vector<float>& b) {
  std::vector<float> apart(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) apart[i] = b[i] - a[i];
  const double size = root_mean_square(a);
  return size > 0 ? root_mean_square(apart) / size : 0;
}
std::vector<float> outputs(const Model& model, const std::vector<float>& theta, Activation activation) {
  constexpr int samples = 1000;
  const Mlp<float> mlp(model.widths.data(), static_cast<int>(model.widths.size()), activation, model.time);
  const Shape shape = mlp.shape({samples, 0});
  if (shape.in == 0)
    throw Failure(Exit::usage, "model", "more than " + std::to_string(max_layers) + " layers: shorten it");
  std::vector<float> x(static_cast<std::size_t>(shape.in) * samples), y(static_cast<std::size_t>(shape.out) * samples);
  Random random(1, 0);
  for (float& v : x) v = 2 * random.uniform() - 1;
  std::vector<std::byte> bytes(shape.tape + shape.work + std::size_t{2} * REVODE_ALIGN);
  const auto at = reinterpret_cast<std::uintptr_t>(bytes.data()) % REVODE_ALIGN;
  Arena arena(bytes.data() + (at ? REVODE_ALIGN - at : 0), shape.tape + shape.work + REVODE_ALIGN);
  std::byte* const tape = arena.take<std::byte>(shape.tape);
  Call<float> call;
  call.extent = {samples, 0}, call.theta = theta.data(), call.work = arena.take<std::byte>(shape.work);
  mlp.eval(call, x.data(), y.data(), tape);
  return y;
}
}  // namespace

Model model_of(const TensorFile& file, const std::string& prefix) {
  Model model;
  for (int layer = 0;; ++layer) {
    const std::string name = prefix + "." + std::to_string(layer);
    const Tensor* weight = find(file, name + ".weight");
    if (!weight && layer > 0) break;
    if (!weight) file.at(name + ".weight");  // fails, and names the nearest
    if (weight->shape.size() != 2 || weight->shape[0] < 1 || weight->shape[1] < 1 || weight->shape[0] > 1 << 20 ||
        weight->shape[1] > 1 << 20)
      throw Failure(Exit::usage, "tensor '" + weight->name + "'",
                    "has shape " + text(weight->shape) + ": a weight is [out, in]");
    const std::int64_t out = weight->shape[0], in = layer == 0 ? weight->shape[1] : model.widths.back();
    if (layer == 0) model.widths.push_back(static_cast<int>(in));
    add(*weight, {out, in}, model);
    const Tensor* time = find(file, name + ".time_weight");
    if (layer == 0) model.time = time != nullptr;
    if (model.time != (time != nullptr))
      throw Failure(Exit::usage, "tensor '" + name + ".time_weight'", "either every layer sees the time, or none");
    if (time) add(*time, {out}, model);
    add(file.at(name + ".bias"), {out}, model);
    model.widths.push_back(static_cast<int>(out));
  }
  return model;
}

Stored store(const Model& model, Storage storage) {
  Stored s;
  s.storage = storage;
  for (const Piece& piece : model.pieces) {
    const float *from = model.theta.data() + piece.offset, *to = from + piece.count;
    float most = 0;
    for (const float* x = from; x < to; ++x) {
      most = std::max(most, std::fabs(*x));
      if (!std::isfinite(*x) || (storage == Storage::float16 && std::fabs(*x) >= 65520))
        throw Failure(Exit::usage, "tensor '" + piece.name + "'",
                      "holds " + std::to_string(*x) + ", which this storage cannot: train again, or store float32");
    }
    const float scale = most > 0 ? most / 127 : 1;
    if (storage == Storage::int8) s.scales.push_back(scale);
    for (const float* x = from; x < to; ++x) {
      if (storage == Storage::float32) s.theta.push_back(*x);
      if (storage == Storage::float16) s.halves.push_back(to_half(*x)), s.theta.push_back(from_half(s.halves.back()));
      if (storage == Storage::int8) {
        s.bytes.push_back(static_cast<std::int8_t>(std::lrint(*x / scale)));
        s.theta.push_back(static_cast<float>(s.bytes.back()) * scale);
      }
    }
  }
  return s;
}

Loss loss_of(const Model& model, const Stored& stored, Activation activation) {
  Loss loss;
  for (std::size_t i = 0; i < model.theta.size(); ++i)
    loss.largest = std::max(loss.largest, std::fabs(static_cast<double>(stored.theta[i] - model.theta[i])));
  loss.relative = relative(model.theta, stored.theta);
  loss.output = relative(outputs(model, model.theta, activation), outputs(model, stored.theta, activation));
  return loss;
}

std::uint16_t to_half(float x) {
  const auto bits = __builtin_bit_cast(std::uint32_t, x);
  const std::uint32_t sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff;
  if (rest > 0x7f800000) return static_cast<std::uint16_t>(sign | 0x7e00);   // NaN
  if (rest >= 0x477ff000) return static_cast<std::uint16_t>(sign | 0x7c00);  // 65520 and above round to infinity
  if (rest < 0x38800000) {                                                   // subnormal: a multiple of 2^-24
    const float scaled = __builtin_bit_cast(float, rest) * 0x1p24F;
    return static_cast<std::uint16_t>(sign | static_cast<std::uint32_t>(std::lrint(scaled)));
  }
  const std::uint32_t even = rest >> 13 & 1;
  return static_cast<std::uint16_t>(sign | ((rest - (112U << 23) + 0xfff + even) >> 13));
}
float from_half(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16, rest = half & 0x7fffU;
  if (rest < 0x400)
    return __builtin_bit_cast(float, sign | __builtin_bit_cast(std::uint32_t, static_cast<float>(rest) * 0x1p-24F));
  return __builtin_bit_cast(float, sign | ((rest << 13) + ((rest >= 0x7c00 ? 224U : 112U) << 23)));
}

std::uint32_t checksum(const std::vector<float>& theta) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(theta.data()), theta.size() * sizeof(float)));
}

TensorFile with_theta(TensorFile file, const Model& model, const std::vector<float>& theta) {
  if (theta.size() != model.theta.size())
    throw Failure(Exit::usage, "dump",
                  "holds " + std::to_string(theta.size()) + " parameters, the model " +
                      std::to_string(model.theta.size()) + ": give the file it was exported from");
  for (const Piece& piece : model.pieces)
    for (Tensor& tensor : file.tensors)
      if (tensor.name == piece.name)
        tensor = Tensor::of<float>(piece.name, piece.shape, std::span(theta).subspan(piece.offset, piece.count));
  return file;
}
}  // namespace revode::host
