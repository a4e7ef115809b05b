/// A trained Mlp between two worlds: a safetensors file of a host, and the flat theta of a device.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "common/safetensors.hpp"
#include "revode/kernels.hpp"

namespace revode::host {
struct Piece {
  std::string name;                 ///< of its tensor
  std::vector<std::int64_t> shape;  ///< row-major
  std::size_t offset = 0, count = 0;
};
struct Model {
  std::vector<int> widths;    ///< rows in, of each hidden layer, out
  bool time = false;          ///< every layer sees t
  std::vector<Piece> pieces;  ///< in the order of theta
  std::vector<float> theta;
};
/// The layers PREFIX.0, PREFIX.1, ... of the file, each weight [out, in], time_weight [out] or none, bias [out];
/// doubles are rounded. Failure (Exit::usage) names what is missing or does not fit together.
Model model_of(const TensorFile& file, const std::string& prefix);

/// How parameters lie in flash.
enum class Storage { float32, float16, int8 };
/// int8: q = rint(x / scale), scale = the tensor's largest |x| / 127.
struct Stored {
  Storage storage = Storage::float32;
  std::vector<std::uint16_t> halves;
  std::vector<std::int8_t> bytes;
  std::vector<float> scales;  ///< int8: of each piece
  std::vector<float> theta;   ///< what a device reads back
  std::size_t flash() const { return 4 * scales.size() + 2 * halves.size() + bytes.size(); }
};
/// Failure (Exit::usage) where a parameter is not finite, or too large for float16.
Stored store(const Model& model, Storage storage);

/// What the storage changed.
struct Loss {
  double largest = 0;   ///< |difference| of a parameter
  double relative = 0;  ///< root mean square of all of them over that of the parameters
  double output = 0;    ///< the same of the network's output at 1,000 inputs, uniform in [-1, 1]
};
Loss loss_of(const Model& model, const Stored& stored, Activation activation);

/// IEEE 754 binary16: half to even, and exactly back.
std::uint16_t to_half(float x);
float from_half(std::uint16_t half);

/// CRC-32 of little-endian floats.
std::uint32_t checksum(const std::vector<float>& theta);

/// A C header: the stored parameters, what they are, how to read and check them, and the bytes the model needs.
std::string header_of(const Model& model, const Stored& stored, const std::string& name, const std::string& source);

/// The parameters in a device's output, which may have other lines around them:
///   revode-dump COUNT CHECKSUM, and behind it COUNT words of eight hexadecimal digits, the floats' bits.
/// Failure (Exit::usage) of `name` where there is none, it is cut short, or the checksum is another.
std::vector<float> read_dump(const std::string& text, const std::string& name);
/// The file with these parameters in the place of the model's own.
TensorFile with_theta(TensorFile file, const Model& model, const std::vector<float>& theta);
}  // namespace revode::host
