#include "models/tensors.hpp"

#include <algorithm>
#include <cmath>

#include "common/casts.hpp"
#include "common/error.hpp"
#include "common/text.hpp"
#include "revode/kernels.hpp"
#include "revode/random.hpp"

namespace revode::host {
namespace {
std::size_t add(const std::string& name, std::vector<std::size_t> shape, std::size_t offset, std::vector<Part>& out) {
  out.push_back({name, std::move(shape), offset});
  return offset + out.back().count();
}
std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::vector<std::string> sizes;
  sizes.reserve(shape.size());
  for (const std::int64_t n : shape) sizes.push_back(std::to_string(n));
  return "[" + joined(sizes) + "]";
}
}  // namespace

std::size_t Part::count() const {
  std::size_t product = 1;
  for (const std::size_t n : shape) product *= n;
  return product;
}

TensorFile model_file(const Options& options, const std::vector<Part>& parts, const std::vector<float>& theta) {
  TensorFile out;
  out.metadata["program"] = options.program();
  out.metadata["config"] = options.toml();
  for (const Part& part : parts) {
    const std::vector<std::int64_t> shape(part.shape.begin(), part.shape.end());
    out.tensors.push_back(Tensor::of<float>(part.name, shape, {theta.data() + part.offset, part.count()}));
  }
  return out;
}

TensorFile read_model(const std::string& file, Options& options) {
  TensorFile model = read_safetensors(file);
  const auto program = model.metadata.find("program"), config = model.metadata.find("config");
  if (program == model.metadata.end() || program->second != options.program() || config == model.metadata.end())
    throw Failure(Exit::usage, file,
                  "is no model of " + options.program() + ": give the model.safetensors of one of its runs");
  options.read_toml(config->second, file + " (config)");
  return model;
}

void read_parts(const TensorFile& model, const std::string& file, const std::vector<Part>& parts,
                std::vector<float>& theta) {
  for (const Part& part : parts) {
    const Tensor& tensor = model.at(part.name);
    const std::vector<std::int64_t> wanted(part.shape.begin(), part.shape.end());
    if (tensor.shape != wanted)
      throw Failure(Exit::usage, file,
                    "tensor " + part.name + " is " + shape_text(tensor.shape) + " where its configuration asks for " +
                        shape_text(wanted) + ": another model's file?");
    const std::vector<float> values = tensor.numbers<float>();
    if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }))
      throw Failure(Exit::usage, file,
                    "tensor " + part.name + " holds a number that is not finite: take the model of another run");
    std::copy(values.begin(), values.end(), theta.begin() + static_cast<std::ptrdiff_t>(part.offset));
  }
}

bool same_bits(const std::vector<Part>& parts) {
  return std::all_of(parts.begin(), parts.end(), [](const Part& part) {
    return part.shape.size() < 2 || kernel::same_bits(static_cast<int>(part.shape[0]), static_cast<int>(part.shape[1]));
  });
}

template <class T>
std::size_t name_layer(const Dense<T>& dense, const std::string& prefix, std::size_t offset, std::vector<Part>& out) {
  offset = add(prefix + ".weight", {size(dense.out()), size(dense.in())}, offset, out);
  if (dense.time()) offset = add(prefix + ".time_weight", {size(dense.out())}, offset, out);
  return add(prefix + ".bias", {size(dense.out())}, offset, out);
}

template <class T>
std::size_t name_layers(const Mlp<T>& mlp, const std::string& prefix, std::size_t offset, std::vector<Part>& out) {
  for (int i = 0; i < mlp.size(); ++i) offset = name_layer(mlp.layer(i), prefix + "." + std::to_string(i), offset, out);
  return offset;
}

template <class T>
std::size_t name_gru(const Gru<T>& gru, const std::string& prefix, std::size_t offset, std::vector<Part>& out) {
  const std::size_t gates = 3 * size(gru.hidden());
  offset = add(prefix + ".weight_ih", {gates, size(gru.input())}, offset, out);
  offset = add(prefix + ".weight_hh", {gates, size(gru.hidden())}, offset, out);
  offset = add(prefix + ".bias_ih", {gates}, offset, out);
  return add(prefix + ".bias_hh", {gates}, offset, out);
}

template <class T>
void initialise_uniform(const std::vector<Part>& tensors, std::uint64_t seed, T* theta) {
  double bound = 1;
  std::uint64_t index = 0;
  for (const Part& tensor : tensors) {
    if (tensor.shape.size() == 2) bound = 1 / std::sqrt(static_cast<double>(tensor.shape[1]));
    Random random(seed, 1, index++);
    for (std::size_t i = 0; i < tensor.count(); ++i)
      theta[tensor.offset + i] = static_cast<T>(bound * (2 * static_cast<double>(random.uniform()) - 1));
  }
}

#define REVODE_INSTANTIATE(T)                                                                            \
  template std::size_t name_layers(const Mlp<T>&, const std::string&, std::size_t, std::vector<Part>&);  \
  template std::size_t name_layer(const Dense<T>&, const std::string&, std::size_t, std::vector<Part>&); \
  template std::size_t name_gru(const Gru<T>&, const std::string&, std::size_t, std::vector<Part>&);     \
  template void initialise_uniform(const std::vector<Part>&, std::uint64_t, T*);
REVODE_INSTANTIATE(float)
REVODE_INSTANTIATE(double)
#undef REVODE_INSTANTIATE
}  // namespace revode::host
