/// Winograd's minimal filtering of a convolution (Winograd 1980; Lavin and Gray 2016, arXiv 1509.09308): a tile of y's
/// pixels by fewer multiplications, in the domain of transforms; along each line first, then down each column.
/// F(2x2, 3x3), of kernels 3 x 3 of stride 1, 16 for 36:
///   B^T d = (d0 - d2, d1 + d2, d2 - d1, d1 - d3), G g = (g0, (g0 + g2 + g1) / 2, (g0 + g2 - g1) / 2, g2),
///   A^T m = (m0 + m1 + m2, m1 - m2 - m3),
///   back to weights A y = (y0, y0 + y1, y0 - y1, -y1), G^T m = (m0 + h, (m1 - m2) / 2, h + m3), h = (m1 + m2) / 2.
/// F(3x3, 3x3), 25 for 81, of the points 0, 1, -1, 2 and infinity; factors by fma:
///   B^T d = (2 (d0 - d2) + e, d1 + d2 - e, 3 (d2 - d1) - e, e, d4 - d2 - 2 e), e = d3 - d1,
///   A^T m = (m0 + h + m3, m1 - m2 + 2 m3, h + 4 m3 + m4), h = m1 + m2,
///   A y = (y0, y0 + y2 + y1, y0 + y2 - y1, y0 + 2 y1 + 4 y2, y2), scale u = (u0 / 2, u1 / 2, u2 / 6, u3 / 6, u4), by
///   times 1 / 6; G g = scale A g, G^T m = A^T scale m.
/// Of 64 channels in float it errs by 1.0e-6 (rms, of the rms of y), F(2x2, 3x3) by 2.7e-7, the direct sum by 3.9e-7.
/// F(2x2, 2x2), of kernels 4 x 4 of stride 2, 36 for 64: along each axis the even taps see the odd pixels, the odd taps
/// the even ones, so it is a sum of four convolutions 2 x 2 of stride 1, its phases (tap's parity down, right):
///   B^T d = (d0 - d1, d1, d2 - d1), G g = (g0, g0 + g1, g1) = A g, A^T m = (m0 + m1, m1 + m2) = G^T m.
/// In the domain each of 16, 25 or 9 points is a dense layer over channels. Sums go from the left. The laws of
/// kernels.hpp hold; another chain than convolve()'s, hence other bits: which of the two is the caller's choice, by
/// shape and never by machine.
#pragma once
#include "revode/image_kernels.hpp"

namespace revode::kernel {
/// A stride of 2 has no channel of t.
constexpr bool winograd_fits(const Convolution& c) {
  const bool three = c.kernel == 3 && c.stride == 1, four = c.kernel == 4 && c.stride == 2 && !c.time;
  return c.valid() && (three || four) && c.padding == 1 && c.height >= 2 && c.width >= 2;
}
/// Tiles of so many pixels along an axis of `size`.
constexpr int winograd_tiles(int size, int pixels) {
  return (size + pixels - 1) / pixels;
}
/// Points of a tile of pixels x pixels, a phase.
constexpr std::size_t winograd_points(const Convolution& c, int pixels) {
  const auto side = static_cast<std::size_t>(pixels + c.kernel / c.stride - 1);
  return side * side;
}
/// Multiplications an input and output.
constexpr std::size_t winograd_products(const Convolution& c, int pixels) {
  const auto tiles = [pixels](int size) { return static_cast<std::size_t>(winograd_tiles(size, pixels)); };
  const auto step = static_cast<std::size_t>(c.stride);
  return step * step * winograd_points(c, pixels) * tiles(c.out_height()) * tiles(c.out_width());
}
/// A tile's width: 3 where that spares a sixth of the multiplications that 2 take, and there are kernels of 3 x 3.
constexpr int winograd_pixels(const Convolution& c) {
  return c.kernel == 3 && 6 * winograd_products(c, 3) <= 5 * winograd_products(c, 2) ? 3 : 2;
}
/// True where it takes at most three quarters of the multiplications, of enough channels and tiles to pay for the
/// transforms.
constexpr bool winograd_pays(const Convolution& c) {
  if (!winograd_fits(c) || c.in < 32 || c.out < 32) return false;
  const auto taps = [&](int n) {
    return static_cast<std::size_t>(c.kernel == 3 ? 3 * n - 2 : n % 2 ? 2 * n - 3 : 2 * n - 2);
  };
  const int pixels = winograd_pixels(c);
  return 4 * winograd_products(c, pixels) <= 3 * taps(c.height) * taps(c.width) &&
         winograd_tiles(c.out_height(), pixels) * winograd_tiles(c.out_width(), pixels) >= 4;
}
/// Of `work`: weights, some tiles of x and of y in the domain, what an output adds at corners, edges and inside.
struct WinogradSizes {
  static constexpr std::size_t apart = 16;  ///< between points, or they would share a cache's set
  static constexpr int most_lanes = 64;     ///< of tiles at a time, or one tile
  std::size_t points, phases;
  std::size_t weights, row;  ///< scalars of a point
  std::size_t bases;
  int tiles;  ///< at a time
  constexpr WinogradSizes(const Convolution& c, int lanes)
      : points(winograd_points(c, winograd_pixels(c))),
        phases(static_cast<std::size_t>(c.stride * c.stride)),
        weights(static_cast<std::size_t>(c.out) * static_cast<std::size_t>(c.in) + apart),
        row(apart),
        bases(9 * static_cast<std::size_t>(c.out)),
        tiles(lanes < most_lanes ? most_lanes / lanes : 1) {
    const int more = c.stride - 1, pixels = winograd_pixels(c);  // a stride of 2 has a pixel more on the way back
    const int all = winograd_tiles(c.out_height() + more, pixels) * winograd_tiles(c.out_width() + more, pixels);
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
/// As convolve_vjp_input(). Chain: y_bar as x is in winograd(), kernels turned round, those of a phase in its place; a
/// point's fma over outputs from 0, x_bar = A^T m A or x_bar + A^T m A.
template <class T>
void winograd_vjp_input(const Convolution& c, int lanes, const T* W, const T* y_bar, T* x_bar, bool add, T* work);
/// One leaf, as convolve_vjp_weight(), t's channel and b_bar by its chain. Chain: a point's fma of
/// (A y_bar A^T)(B^T x B) over tiles and the leaf's lanes from 0, then W_bar + G^T m G.
template <class T>
void winograd_vjp_weight(const Convolution& c, int lanes, int samples /*1 .. 64*/, T t, const T* y_bar, const T* x,
                         T* W_bar, T* b_bar, T* work);
}  // namespace revode::kernel
