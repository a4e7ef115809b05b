/// What trainees share: the order of samples, which of them a tile takes, the sum of its leaves, and memory for a
/// model's arena.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace revode::host {
/// A permutation of n samples that depends on (seed, stream, epoch) alone.
std::vector<std::size_t> permutation(std::uint64_t seed, std::uint32_t stream, long epoch, std::size_t n);
/// That of the epoch asked for last.
class SampleOrder {
 public:
  SampleOrder(std::uint64_t seed, std::uint32_t stream, std::size_t n) : seed_(seed), stream_(stream), n_(n) {}
  const std::vector<std::size_t>& of(long epoch);

 private:
  std::uint64_t seed_;
  std::uint32_t stream_;
  std::size_t n_;
  long epoch_ = -1;
  std::vector<std::size_t> order_;
};

/// Batches of `tiles` tiles of `lanes` samples; the last one of an epoch may be short.
struct Tiling {
  int tiles;
  std::size_t lanes;

  std::size_t batch() const { return static_cast<std::size_t>(tiles) * lanes; }
  long batches(std::size_t samples) const { return static_cast<long>((samples + batch() - 1) / batch()); }
  int held_out_tiles(std::size_t samples) const { return static_cast<int>((samples + lanes - 1) / lanes); }
  /// The samples first ... first + count - 1 of an epoch are those of a tile of its batch.
  struct Share {
    std::size_t first, count;
  };
  Share share(long batch_of_epoch, int tile, std::size_t samples) const;
};

inline constexpr std::size_t leaf = 16;  ///< samples; lanes are a multiple, so they are free (kernels.hpp, L4)
/// The sum of leaves[..][stride], which are used up.
void sum_leaves(std::vector<float>& leaves, std::size_t stride, float* sum);
/// Aligned bytes within `memory`. Failure (Exit::usage), about `flag`, where the machine has less.
std::byte* reserve(std::vector<std::byte>& memory, std::size_t bytes, const char* flag);
}  // namespace revode::host
