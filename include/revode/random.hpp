/// Random: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). The numbers of a
/// sample are a function of (seed, stream, index) alone, so they do not depend on ranks, tiles or order.
#pragma once
#include <cstdint>

namespace revode {
struct Block128 {
  std::uint32_t word[4];
};

/// Ten rounds of Philox on one counter.
constexpr Block128 philox(Block128 counter, std::uint32_t key0, std::uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * counter.word[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * counter.word[2];
    counter = {{static_cast<std::uint32_t>(p1 >> 32) ^ counter.word[1] ^ key0, static_cast<std::uint32_t>(p1),
                static_cast<std::uint32_t>(p0 >> 32) ^ counter.word[3] ^ key1, static_cast<std::uint32_t>(p0)}};
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return counter;
}

/// A sequence of draws. Streams separate uses (initialisation, noise, shuffling); index is a sample, an epoch or both.
class Random {
 public:
  constexpr Random(std::uint64_t seed, std::uint32_t stream, std::uint64_t index = 0)
      : seed_(seed), index_(index), stream_(stream) {}

  constexpr std::uint32_t next() {
    if (left_ == 0) {
      block_ =
          philox({{draw_++, stream_, static_cast<std::uint32_t>(index_), static_cast<std::uint32_t>(index_ >> 32)}},
                 static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32));
      left_ = 4;
    }
    return block_.word[--left_];
  }
  /// In [0, 1), a multiple of 2^-24.
  constexpr float uniform() { return static_cast<float>(next() >> 8) * 0x1p-24f; }
  /// In 0 .. n - 1, without bias (Lemire 2019).
  constexpr std::uint32_t below(std::uint32_t n) {
    for (;;) {
      const std::uint64_t product = std::uint64_t{next()} * n;
      if (static_cast<std::uint32_t>(product) >= (0u - n) % n) return static_cast<std::uint32_t>(product >> 32);
    }
  }
  /// Standard normal (Box and Muller 1958): a draw of two uniforms, by this library's own log, sin and cos.
  float normal();

 private:
  std::uint64_t seed_, index_;
  std::uint32_t stream_, draw_ = 0;
  Block128 block_{};
  int left_ = 0;
};
}  // namespace revode
