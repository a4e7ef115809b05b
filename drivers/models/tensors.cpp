#include "models/tensors.hpp"

#include <cmath>

#include "revode/random.hpp"

namespace revode::host {
namespace {
std::size_t add(const std::string& name, std::vector<std::size_t> shape, std::size_t offset, std::vector<Part>& out) {
  out.push_back({name, std::move(shape), offset});
  return offset + out.back().count();
}
std::size_t size(int n) {
  return static_cast<std::size_t>(n);
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
