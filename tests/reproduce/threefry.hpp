// The draws that JAX makes of a key, by Threefry-2x32 (Salmon et al., SC 2011) as jax.random counts before its 0.5: so
// that an experiment published with keys begins where it began.
#pragma once
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace reproduce {
struct Key {
  std::uint32_t high = 0, low = 0;
};

/// Twenty rounds on one counter; a key is injected every four.
constexpr Key threefry(Key key, Key counter) {
  constexpr int turns[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
  const std::uint32_t keys[] = {key.high, key.low, key.high ^ key.low ^ 0x1BD11BDAu};
  std::uint32_t a = counter.high + keys[0], b = counter.low + keys[1];
  for (std::uint32_t group = 0; group < 5; ++group) {
    for (const int turn : turns[group % 2]) {
      a += b;
      b = a ^ (b << turn | b >> (32 - turn));
    }
    a += keys[(group + 1) % 3];
    b += keys[(group + 2) % 3] + group + 1;
  }
  return {a, b};
}
// The known answers of Random123, the authors' library.
static_assert(threefry({}, {}).high == 0x6b200159u && threefry({}, {}).low == 0x99ba4efeu);
static_assert(threefry({0x13198a2eu, 0x03707344u}, {0x243f6a88u, 0x85a308d3u}).high == 0xc4923a9cu);

/// jax.random.split(key): counters 0 to 3, the first two of them beside the last two.
constexpr std::pair<Key, Key> split(Key key) {
  const Key even = threefry(key, {0, 2}), odd = threefry(key, {1, 3});
  return {{even.high, odd.high}, {even.low, odd.low}};
}

/// jax.random.uniform(key, (n,), float64, -limit, limit): 52 bits each.
inline std::vector<double> uniform(Key key, std::uint32_t n, double limit) {
  std::vector<double> values(n);
  for (std::uint32_t i = 0; i < n; ++i) {
    const Key word = threefry(key, {i, n + i});
    const std::uint64_t bits = std::uint64_t{word.high} << 32 | word.low;
    values[i] = static_cast<double>(bits >> 12) * 0x1p-52 * (limit - -limit) - limit;
  }
  return values;
}
}  // namespace reproduce
