/// Winograd's minimal filtering F(2x2, 3x3) of a convolution (Winograd 1980; Lavin and Gray 2016, arXiv 1509.09308): 2
/// x 2 pixels of y from 4 x 4 of x by 16 multiplications instead of 36, in the domain of the transforms
///   B^T d = (d0 - d2, d1 + d2, d2 - d1, d1 - d3), G g = (g0, (g0 + g2 + g1) / 2, (g0 + g2 - g1) / 2, g2),
///   A^T m = (m0 + m1 + m2, m1 - m2 - m3),
/// columns first, then rows; sums from the left. There each of 16 points is a dense layer over channels. The laws of
/// kernels.hpp hold; another chain than convolve()'s, hence other bits: which of the two is the caller's choice, by
/// shape and never by machine.
#pragma once
#include "revode/image_kernels.hpp"

namespace revode::kernel {
constexpr bool winograd_fits(const Convolution& c) {
  return c.valid() && c.kernel == 3 && c.stride == 1 && c.padding == 1 && c.height >= 2 && c.width >= 2;
}
/// True where it takes at most three quarters of the multiplications, of enough channels to pay for the transforms.
constexpr bool winograd_pays(const Convolution& c) {
  const auto tiles = [](int n) { return static_cast<std::size_t>((n + 1) / 2); };
  const auto taps = [](int n) { return static_cast<std::size_t>(3 * n - 2); };
  return winograd_fits(c) && c.in >= 32 && c.out >= 32 &&
         64 * tiles(c.height) * tiles(c.width) <= 3 * taps(c.height) * taps(c.width);
}
/// Of `work`: weights, a row of tiles of x and of y in the domain, what an output adds at corners, edges and inside.
struct WinogradSizes {
  static constexpr std::size_t points = 16, apart = 16;  ///< apart: between points, or they would share a cache's set
  std::size_t weights, row;                              ///< scalars of a point
  std::size_t bases;
  constexpr WinogradSizes(const Convolution& c, int lanes)
      : weights(static_cast<std::size_t>(c.out) * static_cast<std::size_t>(c.in) + apart),
        row(static_cast<std::size_t>(c.in > c.out ? c.in : c.out) * static_cast<std::size_t>((c.width + 1) / 2) *
                static_cast<std::size_t>(lanes) +
            apart),
        bases(9 * static_cast<std::size_t>(c.out)) {}
  constexpr std::size_t scalars() const { return points * (weights + 2 * row) + bases; }
};
/// As convolve() of a shape that winograd_fits(). Chain: a point's fma over channels from 0;
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
