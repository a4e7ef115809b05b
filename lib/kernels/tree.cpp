// The neighbour-first tree ((0+1)+(2+3))+...: lanes, tiles, threads and ranks may be split at any power of two and the
// sum keeps its bits.
#include "scalars.hpp"
#include "sweep.hpp"
#include "transpose.hpp"

namespace revode::kernel {
namespace {
inline constexpr int twig = 16;    // lanes summed at a time; whole twigs are whole subtrees
inline constexpr int levels = 32;  // of twigs: more than an int can count

/// Tree over fewer than twig lanes of W rows, by turning them.
template <class T, int W>
REVODE_INLINE Pack<T, W> sum_twig(Index lanes, Index count, const T* rows) {
  using O = On<T, W>;
  alignas(64) T t[twig * W];
  turn<T, W>(W, lanes, count, rows, t, W);
  for (Index step = 1; step < count; step *= 2)
    for (Index l = 0; l + step < count; l += 2 * step)
      O::store(t + l * W, O::load(t + l * W) + O::load(t + (l + step) * W));
  return O::load(t);
}

/// Twigs join as the digits of a binary counter carry; what is left over at the end joins from the smallest.
template <class T, int W>
REVODE_INLINE Pack<T, W> sum_tree(Index lanes, const T* rows) {
  Pack<T, W> waiting[levels];
  int depth = 0;
  for (Index lane = 0, twigs = 1; lane < lanes; lane += twig, ++twigs) {
    const Index count = lanes - lane < twig ? lanes - lane : twig;
    waiting[depth++] =
        W > 1 && count == twig ? sum_lanes<T, W, twig>(rows + lane, lanes) : sum_twig<T, W>(lanes, count, rows + lane);
    for (Index carry = twigs; (carry & 1) == 0 && count == twig; carry >>= 1, --depth)
      waiting[depth - 2] = waiting[depth - 2] + waiting[depth - 1];
  }
  for (; depth > 1; --depth) waiting[depth - 2] = waiting[depth - 2] + waiting[depth - 1];
  return waiting[0];
}

template <class T, int W>
void sum_trees(std::size_t count, Index lanes, const T* rows, T* sum) {
  for (; count >= W; count -= W, rows += W * lanes, sum += W) On<T, W>::store(sum, sum_tree<T, W>(lanes, rows));
  if constexpr (W > 1)
    if (count) sum_trees<T, narrower<T, W>>(count, lanes, rows, sum);
}

template <class T>
constexpr T halves(const T* values, int count) {
  return count == 1 ? values[0] : halves(values, count / 2) + halves(values + count / 2, count / 2);
}
}  // namespace

template <class T>
void tree_lanes(std::size_t count, int lanes, const T* rows, T* sum) {
  sum_trees<T, width<T>>(count, lanes, rows, sum);
}

template <class T>
void tree_slices(std::size_t n, int leaves, std::size_t stride, T* slices) {
  for (std::size_t step = 1, all = static_cast<std::size_t>(leaves); step < all; step *= 2)
    for (std::size_t i = 0; i + step < all; i += 2 * step) {
      T* const into = slices + i * stride;
      const T* const from = slices + (i + step) * stride;
      sweep<T>(n, [&]<int W>(std::size_t k) REVODE_INLINED {
        On<T, W>::store(into + k, On<T, W>::load(into + k) + On<T, W>::load(from + k));
      });
    }
}

template <class T>
T sum_of_squares(std::size_t n, const T* x) {
  constexpr int chains = 16, W = width<T> < chains ? width<T> : chains;
  using O = On<T, W>;
  alignas(64) T sum[chains] = {};
  std::size_t k = 0;
  if (n >= chains) {
    typename O::V part[chains / W] = {};
    for (; k + chains <= n; k += chains) REVODE_UNROLL for (int j = 0; j < chains / W; ++j) {
        const auto v = O::load(x + k + static_cast<std::size_t>(j * W));
        part[j] = O::fma(v, v, part[j]);
      }
    for (int j = 0; j < chains / W; ++j) O::store(sum + j * W, part[j]);
  }
  for (int j = 0; k < n; ++k, ++j) sum[j] = On<T, 1>::fma(x[k], x[k], sum[j]);
  return halves(sum, chains);
}

template <class T>
bool finite(std::size_t n, const T* x) {
  constexpr int W = width<T>, chains = W > 1 ? 4 : 1;  // four hide the additions' latency
  using O = On<T, W>;
  typename O::V zeros[chains] = {};
  std::size_t k = 0;
  const auto look = [&]<int count>() REVODE_INLINED {  // x - x is 0, or NaN for what is not finite, and NaN stays
    for (; k + count * W <= n; k += count * W) REVODE_UNROLL for (int j = 0; j < count; ++j) {
        const auto v = O::load(x + k + static_cast<std::size_t>(j * W));
        zeros[j] = zeros[j] + (v - v);
      }
  };
  look.template operator()<chains>();
  if constexpr (chains > 1) look.template operator()<1>();
  REVODE_UNROLL for (int j = 1; j < chains; ++j) zeros[0] = zeros[0] + zeros[j];
  alignas(64) T lanes[W];
  O::store(lanes, zeros[0]);
  T few{};
  for (; k < n; ++k) few += x[k] - x[k];
  for (const T v : lanes) few += v;
  return few == T(0);
}

#define REVODE_INSTANTIATE(T)                                      \
  template void tree_lanes<T>(std::size_t, int, const T*, T*);     \
  template void tree_slices<T>(std::size_t, int, std::size_t, T*); \
  template T sum_of_squares<T>(std::size_t, const T*);             \
  template bool finite<T>(std::size_t, const T*);
REVODE_INSTANTIATE(float)
REVODE_DOUBLE(REVODE_INSTANTIATE(double))
}  // namespace revode::kernel
