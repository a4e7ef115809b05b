/// Names of the parts of theta, as PyTorch has them: for the model file and for the first parameters.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "common/options.hpp"
#include "common/safetensors.hpp"
#include "revode/gru.hpp"
#include "revode/sequential.hpp"

namespace revode::host {
/// A named part of theta.
struct Part {
  std::string name;
  std::vector<std::size_t> shape;
  std::size_t offset;  ///< in scalars
  std::size_t count() const;
};

/// Names and shapes of a dense layer or an Mlp at `offset`, as PyTorch would call them; returns the next offset.
template <class T>
std::size_t name_layers(const Mlp<T>& mlp, const std::string& prefix, std::size_t offset, std::vector<Part>& out);
template <class T>
std::size_t name_layer(const Dense<T>& dense, const std::string& prefix, std::size_t offset, std::vector<Part>& out);
template <class T>
std::size_t name_gru(const Gru<T>& gru, const std::string& prefix, std::size_t offset, std::vector<Part>& out);
/// Uniform in +-1/sqrt(rows in), PyTorch's default, for every tensor of two dimensions and its biases.
template <class T>
void initialise_uniform(const std::vector<Part>& tensors, std::uint64_t seed, T* theta);

/// False where a layer is so wide that a BLAS computes it (kernel::same_bits).
bool same_bits(const std::vector<Part>& parts);

/// The program, its configuration and the parts of theta; what describes the data is the caller's to add.
TensorFile model_file(const Options& options, const std::vector<Part>& parts, const std::vector<float>& theta);
/// The way back: a file of the program of `options`, which take its configuration, and theta's parts. Failure
/// (Exit::usage) where it is another program's, or a part has another shape or holds a number that is not finite.
TensorFile read_model(const std::string& file, Options& options);
void read_parts(const TensorFile& model, const std::string& file, const std::vector<Part>& parts,
                std::vector<float>& theta);
}  // namespace revode::host
