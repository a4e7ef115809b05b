/// What trainees share: the order of samples, and memory for a model's arena.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace revode::host {
/// A permutation of n samples that depends on (seed, stream, epoch) alone.
std::vector<std::size_t> permutation(std::uint64_t seed, std::uint32_t stream, long epoch, std::size_t n);
/// Aligned bytes within `memory`. Failure (Exit::usage), about `flag`, where the machine has less.
std::byte* reserve(std::vector<std::byte>& memory, std::size_t bytes, const char* flag);
}  // namespace revode::host
