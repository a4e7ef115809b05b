// Winograd's F(2x2, 3x3), F(3x3, 3x3) and, of a stride of 2, F(2x2, 2x2) of four phases, as winograd_kernels.hpp states
// them: scalar, a tile and a lane at a time. With `bound` every sum and product is of magnitudes: what an element's
// roundings are relative to. Tests compare bits, and errors.
#pragma once
#include <array>
#include <cmath>
#include <vector>

#include "revode/winograd_kernels.hpp"
#include "unit/image_text.hpp"

namespace text {
template <class T>
struct Winograd {
  Convolution c;
  int lanes;
  bool bound = false;
  using Line = std::array<T, 5>;
  using Square = std::array<Line, 5>;

  T minus(T a, T b) const { return bound ? std::abs(a) + std::abs(b) : a - b; }
  T plus(T a, T b) const { return bound ? std::abs(a) + std::abs(b) : a + b; }
  T fused(T a, T b, T s) const { return bound ? std::abs(a * b) + std::abs(s) : std::fma(a, b, s); }
  bool strided() const { return c.stride == 2; }
  int phases() const { return strided() ? 4 : 1; }
  int pixels() const { return revode::kernel::winograd_pixels(c); }
  bool large() const { return pixels() == 3; }
  std::size_t side() const { return static_cast<std::size_t>(pixels()) + taps() - 1; }
  Line inward(const Line& d) const {
    if (large()) {
      const T odd = minus(d[3], d[1]);
      return {fused(2, minus(d[0], d[2]), odd), minus(plus(d[1], d[2]), odd), fused(3, minus(d[2], d[1]), -odd), odd,
              fused(-2, odd, minus(d[4], d[2]))};
    }
    if (strided()) return {minus(d[0], d[1]), d[1], minus(d[2], d[1])};
    return {minus(d[0], d[2]), plus(d[1], d[2]), minus(d[2], d[1]), minus(d[1], d[3])};
  }
  Line outward(const Line& m) const {
    if (large()) {
      const T even = plus(m[1], m[2]);
      return {plus(plus(m[0], even), m[3]), fused(2, m[3], minus(m[1], m[2])), plus(fused(4, m[3], even), m[4])};
    }
    if (strided()) return {plus(m[0], m[1]), plus(m[1], m[2])};
    return {plus(plus(m[0], m[1]), m[2]), minus(minus(m[1], m[2]), m[3])};
  }
  Line outward_vjp(const Line& y) const {
    if (large()) {
      const T ends = plus(y[0], y[2]);
      return {y[0], plus(ends, y[1]), minus(ends, y[1]), fused(4, y[2], fused(2, y[1], y[0])), y[2]};
    }
    if (strided()) return {y[0], plus(y[0], y[1]), y[1]};
    return {y[0], plus(y[0], y[1]), minus(y[0], y[1]), -y[1]};
  }
  static Line scaled(const Line& u) {
    return {u[0] * T(0.5), u[1] * T(0.5), u[2] * (T(1) / 6), u[3] * (T(1) / 6), u[4]};
  }
  Line weights(const Line& g) const {
    if (large()) return scaled(outward_vjp(g));
    if (strided()) return {g[0], plus(g[0], g[1]), g[1]};
    const T ends = plus(g[0], g[2]);
    return {g[0], plus(ends, g[1]) * T(0.5), minus(ends, g[1]) * T(0.5), g[2]};
  }
  Line weights_vjp(const Line& m) const {
    if (large()) return outward(scaled(m));
    if (strided()) return {plus(m[0], m[1]), plus(m[1], m[2])};
    const T even = plus(m[1], m[2]) * T(0.5);
    return {plus(m[0], even), minus(m[1], m[2]) * T(0.5), plus(even, m[3])};
  }
  /// Along each line first, then down each column.
  template <class F>
  static Square both(const Square& in, const F& f) {
    Square half{}, out{};
    for (std::size_t r = 0; r < 5; ++r) half[r] = f(in[r]);
    for (std::size_t s = 0; s < 5; ++s) {
      const Line line = f({half[0][s], half[1][s], half[2][s], half[3][s], half[4][s]});
      for (std::size_t r = 0; r < 5; ++r) out[r][s] = line[r];
    }
    return out;
  }
  /// size x size pixels, `step` apart, from (top, left) on; 0 outside of the image.
  struct Plane {
    int height, width, step;
  };
  Plane of_x() const { return {c.height, c.width, c.stride}; }
  Plane of_y() const { return {c.out_height(), c.out_width(), 1}; }
  Square square(const Tile<T>& image, const Plane& p, int channel, int top, int left, std::size_t size,
                int lane) const {
    Square d{};
    for (std::size_t r = 0; r < size; ++r)
      for (std::size_t s = 0; s < size; ++s) {
        const int y = top + p.step * static_cast<int>(r), x = left + p.step * static_cast<int>(s);
        if (y >= 0 && y < p.height && x >= 0 && x < p.width)
          d[r][s] = image[at((channel * p.height + y) * p.width + x, lane, lanes)];
      }
    return d;
  }
  /// Of a phase, where tap (r, s) of its square stands in a kernel.
  std::size_t tap(int phase, std::size_t r, std::size_t s) const {
    if (!strided()) return 3 * r + s;
    return 4 * (2 * r + static_cast<std::size_t>(phase) / 2) + 2 * s + static_cast<std::size_t>(phase) % 2;
  }
  std::size_t taps() const { return strided() ? 2 : 3; }
  int area() const { return c.kernel * c.kernel; }
  /// back: the kernel the other way round.
  Square transformed(const Tile<T>& W, int phase, int o, int i, bool back) const {
    const int channels = c.in + (c.time ? 1 : 0);
    const auto place = [&](std::size_t at) { return back ? taps() - 1 - at : at; };
    Square g{};
    for (std::size_t r = 0; r < taps(); ++r)
      for (std::size_t s = 0; s < taps(); ++s)
        g[place(r)][place(s)] = W[at(o * channels + i + channels - c.in, static_cast<int>(tap(phase, r, s)), area())];
    return both(g, [&](const Line& l) { return weights(l); });
  }
  /// [phases][out][in]
  std::vector<Square> all_transformed(const Tile<T>& W, bool back = false) const {
    std::vector<Square> u;
    for (int phase = 0; phase < phases(); ++phase)
      for (int o = 0; o < c.out; ++o)
        for (int k = 0; k < c.in; ++k) u.push_back(transformed(W, phase, o, k, back));
    return u;
  }
  /// What the tile (i, j) sees of a phase of x.
  Square seen(const Tile<T>& x, int channel, int phase, int i, int j, int lane) const {
    const int down = strided() ? phase / 2 - 1 : -1, right = strided() ? phase % 2 - 1 : -1;
    const int apart = pixels() * c.stride;
    return both(square(x, of_x(), channel, apart * i + down, apart * j + right, side(), lane),
                [&](const Line& l) { return inward(l); });
  }
  /// What a pixel of y begins with: b + t s.
  T base(const Tile<T>& W, const T* b, T t, int o, int down, int right) const {
    const T start = b ? b[o] : T(0);
    if (!c.time) return start;
    T s = 0;
    for (int k = 0; k < 3; ++k)
      for (int l = 0; l < 3; ++l) {
        const int y = down + k - 1, x = right + l - 1;
        if (y >= 0 && y < c.height && x >= 0 && x < c.width) s = plus(s, W[at(o * (c.in + 1) * 3 + k, l, 3)]);
      }
    return fused(t, s, start);
  }
  void fuse(const Square& u, const Square& v, Square& m) const {
    for (std::size_t p = 0; p < side(); ++p)
      for (std::size_t q = 0; q < side(); ++q) m[p][q] = fused(u[p][q], v[p][q], m[p][q]);
  }
  void forward(const Tile<T>& W, const T* b, T t, const Tile<T>& x, Tile<T>& y, bool add) const {
    const Plane out = of_y();
    const int n = pixels();
    const auto u = all_transformed(W);
    for (int lane = 0; lane < lanes; ++lane)
      for (int i = 0; n * i < out.height; ++i)
        for (int j = 0; n * j < out.width; ++j) {
          std::vector<Square> v;
          for (int phase = 0; phase < phases(); ++phase)
            for (int k = 0; k < c.in; ++k) v.push_back(seen(x, k, phase, i, j, lane));
          for (int o = 0; o < c.out; ++o) {
            Square m{};
            for (int phase = 0; phase < phases(); ++phase)
              for (int k = 0; k < c.in; ++k) fuse(u[at(phase * c.out + o, k, c.in)], v[at(phase, k, c.in)], m);
            const Square sums = both(m, [&](const Line& l) { return outward(l); });
            for (int r = 0; r < n && n * i + r < out.height; ++r)
              for (int s = 0; s < n && n * j + s < out.width; ++s) {
                T& pixel = y[at((o * out.height + n * i + r) * out.width + n * j + s, lane, lanes)];
                const T first = base(W, add ? nullptr : b, t, o, n * i + r, n * j + s);
                pixel = plus(add ? plus(pixel, first) : first,
                             sums[static_cast<std::size_t>(r)][static_cast<std::size_t>(s)]);
              }
          }
        }
  }
  void back(const Tile<T>& W, const Tile<T>& y_bar, Tile<T>& x_bar, bool add) const {
    const int step = c.stride, n = pixels();
    const auto u = all_transformed(W, true);
    for (int lane = 0; lane < lanes; ++lane)
      for (int i = 0; n * step * i < c.height + step; ++i)
        for (int j = 0; n * step * j < c.width + step; ++j) {
          std::vector<Square> v(static_cast<std::size_t>(c.out));
          for (int o = 0; o < c.out; ++o)
            v[static_cast<std::size_t>(o)] = both(square(y_bar, of_y(), o, n * i - 1, n * j - 1, side(), lane),
                                                  [&](const Line& l) { return inward(l); });
          for (int phase = 0; phase < phases(); ++phase)
            for (int k = 0; k < c.in; ++k) {
              Square m{};
              for (int o = 0; o < c.out; ++o)
                fuse(u[at(phase * c.out + o, k, c.in)], v[static_cast<std::size_t>(o)], m);
              const Square sums = both(m, [&](const Line& l) { return outward(l); });
              for (int r = 0; r < n; ++r)
                for (int s = 0; s < n; ++s) {
                  const int down = step * (n * i + r) + (strided() ? phase / 2 - 1 : 0);
                  const int right = step * (n * j + s) + (strided() ? phase % 2 - 1 : 0);
                  if (down < 0 || down >= c.height || right < 0 || right >= c.width) continue;
                  T& pixel = x_bar[at((k * c.height + down) * c.width + right, lane, lanes)];
                  pixel = plus(add ? pixel : T(0), sums[static_cast<std::size_t>(r)][static_cast<std::size_t>(s)]);
                }
            }
        }
  }
  /// W_bar of x's channels, of the first `samples` lanes.
  void weight(int samples, const Tile<T>& y_bar, const Tile<T>& x, Tile<T>& W_bar) const {
    const int channels = c.in + (c.time ? 1 : 0), n = pixels();
    const Plane out = of_y();
    // Of each place of a tile, its lanes.
    const auto everywhere = [&](const auto& f) {
      std::vector<Square> all;
      for (int i = 0; n * i < out.height; ++i)
        for (int j = 0; n * j < out.width; ++j)
          for (int lane = 0; lane < samples; ++lane) all.push_back(f(i, j, lane));
      return all;
    };
    std::vector<std::vector<Square>> from;  // [in][phases]
    for (int k = 0; k < c.in; ++k)
      for (int phase = 0; phase < phases(); ++phase)
        from.push_back(everywhere([&](int i, int j, int lane) { return seen(x, k, phase, i, j, lane); }));
    for (int o = 0; o < c.out; ++o) {
      const auto to_o = everywhere([&](int i, int j, int lane) {
        return both(square(y_bar, out, o, n * i, n * j, static_cast<std::size_t>(n), lane),
                    [&](const Line& l) { return outward_vjp(l); });
      });
      for (int k = 0; k < c.in; ++k)
        for (int phase = 0; phase < phases(); ++phase) {
          Square u{};
          for (std::size_t term = 0; term < to_o.size(); ++term)
            fuse(to_o[term], from[at(k, phase, phases())][term], u);
          const Square w = both(u, [&](const Line& l) { return weights_vjp(l); });
          for (std::size_t r = 0; r < taps(); ++r)
            for (std::size_t s = 0; s < taps(); ++s) {
              T& to = W_bar[at(o * channels + k + channels - c.in, static_cast<int>(tap(phase, r, s)), area())];
              to = plus(to, w[r][s]);
            }
        }
    }
  }
};
}  // namespace text
