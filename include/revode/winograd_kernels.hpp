/// Winograd's minimal filtering of a convolution (Winograd 1980; Lavin and Gray 2016, arXiv 1509.09308): a tile of 2 x
/// 2 pixels of y by fewer multiplications, in the domain of transforms, columns first, then rows; sums from the left.
/// F(2x2, 3x3), of kernels 3 x 3 of stride 1, 16 for 36:
///   B^T d = (d0 - d2, d1 + d2, d2 - d1, d1 - d3), G g = (g0, (g0 + g2 + g1) / 2, (g0 + g2 - g1) / 2, g2),
///   A^T m = (m0 + m1 + m2, m1 - m2 - m3).
/// F(2x2, 2x2), of kernels 4 x 4 of stride 2, 36 for 64: along each axis the even taps see the odd pixels, the odd taps
/// the even ones, so it is a sum of four convolutions 2 x 2 of stride 1, its phases (tap's parity down, right):
///   B^T d = (d0 - d1, d1, d2 - d1), G g = (g0, g0 + g1, g1), A^T m = (m0 + m1, m1 + m2).
/// There each of 16 or 9 points is a dense layer over channels. The laws of kernels.hpp hold; another chain than
/// convolve()'s, hence other bits: which of the two is the caller's choice, by shape and never by machine.
#pragma once
#include "revode/image_kernels.hpp"

namespace revode::kernel {
/// A stride of 2 has no channel of t.
constexpr bool winograd_fits(const Convolution& c) {
  const bool three = c.kernel == 3 && c.stride == 1, four = c.kernel == 4 && c.stride == 2 && !c.time;
  return c.valid() && (three || four) && c.padding == 1 && c.height >= 2 && c.width >= 2;
}
/// True where it takes at most three quarters of the multiplications, of enough channels to pay for the transforms.
constexpr bool winograd_pays(const Convolution& c) {
  if (!winograd_fits(c) || c.in < 32 || c.out < 32) return false;
  const auto tiles = [](int out) { return static_cast<std::size_t>((out + 1) / 2); };
  const auto taps = [&](int n) {
    return static_cast<std::size_t>(c.kernel == 3 ? 3 * n - 2 : n % 2 ? 2 * n - 3 : 2 * n - 2);
  };
  const std::size_t points = c.kernel == 3 ? 16 : 36;
  return 4 * points * tiles(c.out_height()) * tiles(c.out_width()) <= 3 * taps(c.height) * taps(c.width);
}
/// Of `work`: weights, some tiles of a row of x and of y in the domain, what an output adds at corners, edges and
/// inside.
struct WinogradSizes {
  static constexpr std::size_t apart = 16;  ///< between points, or they would share a cache's set
  static constexpr int most_lanes = 64;     ///< of tiles at a time, or one tile
  std::size_t points, phases;
  std::size_t weights, row;  ///< scalars of a point
  std::size_t bases;
  int tiles;  ///< at a time
  constexpr WinogradSizes(const Convolution& c, int lanes)
      : points(c.kernel == 3 ? 16 : 9),
        phases(static_cast<std::size_t>(c.stride * c.stride)),
        weights(static_cast<std::size_t>(c.out) * static_cast<std::size_t>(c.in) + apart),
        row(apart),
        bases(9 * static_cast<std::size_t>(c.out)),
        tiles(lanes < most_lanes ? most_lanes / lanes : 1) {
    const int all = (c.out_width() + c.stride) / 2;  // a stride of 2 has a pixel more on the way back
    if (all < tiles) tiles = all;
    row += static_cast<std::size_t>(c.in > c.out ? c.in : c.out) * static_cast<std::size_t>(tiles * lanes);
  }
  constexpr std::size_t scalars() const { return points * (phases * weights + 2 * row) + bases; }
};
/// As convolve() of a shape that winograd_fits(). Chain: a point's fma over phases and channels from 0;
/// y = b + t s + A^T m A where s is what convolve_time() gives, or y + t s + A^T m A when add.
template <class T>
void winograd(const Convolution& c, int lanes, const T* W, const T* b /*[out]*/, T t, const T* x, T* y, bool add,
              T* work /*[WinogradSizes::scalars()]*/);
/// As convolve_vjp_input(). Chain: a point's fma over outputs from 0, x_bar = A^T m A or x_bar + A^T m A.
template <class T>
void winograd_vjp_input(const Convolution& c, int lanes, const T* W, const T* y_bar, T* x_bar, bool add, T* work);
/// One leaf, as convolve_vjp_weight(), t's channel and b_bar by its chain. Chain: a point's fma over tiles and the
/// leaf's lanes from 0, then W_bar + G^T m G.
template <class T>
void winograd_vjp_weight(const Convolution& c, int lanes, int samples /*1 .. 64*/, T t, const T* y_bar, const T* x,
                         T* W_bar, T* b_bar, T* work);
}  // namespace revode::kernel
