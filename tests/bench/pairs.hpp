// How a ratio is measured: the core's FMA peak, ours and the peer in turn, several rounds, thread CPU time; the figure
// is the median of the rounds' ratios, so that a change of clock frequency or a busy neighbour falls out.
#pragma once
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "revode/impl/pack.hpp"

namespace bench {
inline constexpr int rounds = 25;
inline constexpr double slice = 3e-4;  // seconds of each turn

inline double now() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}
inline double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

template <class F>
double seconds(std::int64_t calls, const F& f) {
  const double begin = now();
  for (std::int64_t i = 0; i < calls; ++i) {
    f();
    benchmark::ClobberMemory();
  }
  return (now() - begin) / static_cast<double>(calls);
}
/// Calls that fill a slice, after one that warms up.
template <class F>
std::int64_t calls(const F& f) {
  f();
  std::int64_t n = 1;
  while (seconds(n, f) * static_cast<double>(n) < slice / 2) n *= 2;
  return n;
}

/// Floating-point operations a second of nothing but independent fma in registers.
template <class T>
[[gnu::noinline]] double peak() {
  namespace kernel = revode::kernel;
  constexpr int W = kernel::width<T>, chains = kernel::register_bytes ? 12 : 4, turns = 20000;
  using O = kernel::On<T, W>;
  typename O::V sum[chains];
  const volatile T first = T(1), half = T(0.5);  // unknown to the compiler
  const T start = first, factor = half;
  REVODE_UNROLL for (int j = 0; j < chains; ++j) sum[j] = O::all(start + T(j));
  const auto by = O::all(factor);
  const double begin = now();
  _Pragma("GCC unroll 8") for (int i = 0; i < turns; ++i) {
    REVODE_UNROLL for (int j = 0; j < chains; ++j) sum[j] = O::fma(sum[j], by, by);
  }
  const double taken = now() - begin;
  T out[W];
  REVODE_UNROLL for (int j = 1; j < chains; ++j) sum[0] = sum[0] + sum[j];
  O::store(out, sum[0]);
  benchmark::DoNotOptimize(out[0]);
  return 2.0 * W * chains * turns / taken;
}

/// gflops and peak_fraction of ours.
template <class T, class F>
void against_peak(benchmark::State& state, double flops, const F& ours) {
  const std::int64_t n = calls(ours);
  std::vector<double> fractions, rates;
  for (int round = 0; round < rounds; ++round) {
    const double before = peak<T>(), rate = flops / seconds(n, ours), after = peak<T>();
    rates.push_back(rate * 1e-9);
    fractions.push_back(rate / (0.5 * (before + after)));
  }
  state.counters["gflops"] = median(rates);
  state.counters["peak_fraction"] = median(fractions);
}
/// The peer's time over ours, as the counter `name`.
template <class F, class G>
void against(benchmark::State& state, const char* name, const F& ours, const G& peer) {
  const std::int64_t n = calls(ours), m = calls(peer);
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round) {
    const double mine = seconds(n, ours);
    ratios.push_back(seconds(m, peer) / mine);
  }
  state.counters[name] = median(ratios);
}

/// n numbers in (-bound, bound), on a cache line.
template <class T>
class Numbers {
 public:
  explicit Numbers(std::int64_t n, T bound = T(0.3)) : values_(static_cast<std::size_t>(n) + 64 / sizeof(T)) {
    std::mt19937 random(1);
    std::uniform_real_distribution<T> number(-bound, bound);
    for (T& v : values_) v = number(random);
  }
  T* data() {
    const auto address = reinterpret_cast<std::uintptr_t>(values_.data());
    return values_.data() + (64 - address % 64) % 64 / sizeof(T);
  }

 private:
  std::vector<T> values_;
};
}  // namespace bench
