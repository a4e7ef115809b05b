// Run on any number of ranks: sums over 1 to 16 tiles have the bits of a serial tree written independently of the
// library.
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "revode/mpi/tree_allreduce.hpp"

namespace {
using revode::mpi::Communicator;
using revode::mpi::TreeAllreduce;
constexpr std::size_t extras = 3;

std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 31)) * 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9u;
  return x ^ (x >> 32);
}

// Magnitudes from 2^-10 to 2^10 and both signs: almost every order of additions rounds differently.
double value(int round, int tile, std::size_t i) {
  const std::uint64_t random =
      mix(mix(64 * static_cast<std::uint64_t>(round) + static_cast<std::uint64_t>(tile) + 1) + i);
  const double fraction = static_cast<double>(random >> 11) * 0x1p-53 - 0.5;
  return std::ldexp(fraction, static_cast<int>(random % 21) - 10);
}

// The definition: split at the largest power of two below the count.
template <class T, class Leaf>
T tree(int first, int count, const Leaf& leaf) {
  if (count == 1) return leaf(first);
  int left = 1;
  while (2 * left < count) left *= 2;
  return tree<T>(first, left, leaf) + tree<T>(first + left, count - left, leaf);
}

std::uint64_t bits(float x) {
  return std::bit_cast<std::uint32_t>(x);
}
std::uint64_t bits(double x) {
  return std::bit_cast<std::uint64_t>(x);
}

struct Tally {
  long failures = 0, sums = 0, unlike_chain = 0;
};

template <class T>
void compare(Tally& tally, int round, int tiles, std::size_t begin, std::size_t n, const T* sum) {
  for (std::size_t i = 0; i < n; ++i) {
    const auto leaf = [&](int tile) { return static_cast<T>(value(round, tile, begin + i)); };
    const T expected = tree<T>(0, tiles, leaf);
    T chain = leaf(0);
    for (int tile = 1; tile < tiles; ++tile) chain += leaf(tile);
    tally.failures += bits(expected) != bits(sum[i]);
    tally.unlike_chain += bits(expected) != bits(chain);
    ++tally.sums;
  }
}

template <class T>
void check(Tally& tally, const Communicator& ranks, int tiles, std::size_t length) {
  TreeAllreduce<T> reduce(ranks, tiles, length, extras);
  std::vector<T> leaf(length), sum(length);
  std::vector<double> extra(extras);
  constexpr std::size_t extra_begin = 1u << 20;
  for (int round = 0; round < 2; ++round) {
    for (int tile = reduce.first(); tile < reduce.last(); ++tile) {
      for (std::size_t i = 0; i < length; ++i) leaf[i] = static_cast<T>(value(round, tile, i));
      for (std::size_t i = 0; i < extras; ++i) extra[i] = value(round, tile, extra_begin + i);
      reduce.push(tile, leaf.data(), extra.data());
    }
    const bool vote = round == 1 && ranks.rank() == ranks.size() - 1;
    const bool stop = reduce.finish(sum.data(), extra.data(), vote);
    tally.failures += stop != (round == 1);
    compare(tally, round, tiles, 0, length, sum.data());
    compare(tally, round, tiles, extra_begin, extras, extra.data());
  }
}

int run(const Communicator& ranks) {
  Tally tally;
  for (int tiles = ranks.size(); tiles <= 16; ++tiles) {
    // On both sides of the length where sums are cut into slices; odd ones, and fewer numbers than ranks.
    for (const std::size_t length : {1u, 2u, 5u, 1000u, 5003u}) {
      check<float>(tally, ranks, tiles, length);
      check<double>(tally, ranks, tiles, length);
    }
  }
  // Were most sums the same in any order, equal bits would prove nothing.
  const bool telling = tally.unlike_chain > tally.sums / 4;
  const auto failures = ranks.gather(tally.failures);
  long all = 0;
  for (const long f : failures) all += f;
  if (ranks.rank() == 0) {
    std::printf("ranks=%d sums=%ld unlike_chain=%ld failures=%ld\n", ranks.size(), tally.sums, tally.unlike_chain, all);
  }
  return all == 0 && telling ? 0 : 1;
}
}  // namespace

int main(int argc, char** argv) {
  return revode::mpi::run_main(argc, argv, run);
}
