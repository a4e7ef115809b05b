// Winograd's F(2x2, 3x3): a row of tiles at a time is transformed, multiplied point by point as dense layers, and
// transformed back, so that what stands between lies in the second cache.
#include "revode/winograd_kernels.hpp"

#include "revode/impl/pack.hpp"
#include "scalars.hpp"
#include "sweep.hpp"
#include "winograd_transform.hpp"

namespace revode::kernel {
namespace {
using namespace transform;
inline constexpr int points = static_cast<int>(WinogradSizes::points);

/// A row of tiles of an image [channels][height][width][lanes], and where it stands in the domain:
/// [points][channels][tiles][lanes].
template <class T>
struct Row {
  Index height, width, lanes, tiles, point;
  Row(const Convolution& c, int lane_count, const WinogradSizes& sizes)
      : height(c.height),
        width(c.width),
        lanes(lane_count),
        tiles((c.width + 1) / 2),
        point(static_cast<Index>(sizes.row)) {}
  Index plane() const { return height * width * lanes; }
  /// f.operator()<W>(channel, first pixel of a tile, its place in the domain).
  template <class I, class F>
  REVODE_INLINE void each(int channels, I* image, T* domain, Index row, const F& f) const {
    I* at = image + 2 * row * width * lanes;
    for (int c = 0; c < channels; ++c, at += plane() - 2 * tiles * lanes)
      for (Index tile = 0; tile < tiles; ++tile, at += 2 * lanes, domain += lanes)
        sweep<T>(static_cast<std::size_t>(lanes),
                 [&]<int W>(std::size_t l) REVODE_INLINED { f.template operator()<W>(c, tile, at + l, domain + l); });
  }
  /// Pixels of an N x N square from (top, left) of a tile on; those outside of the image are 0.
  template <int W, int N>
  REVODE_INLINE void load(const T* at, Index row, Index tile, int before, Pack<T, W> (&d)[N][N]) const {
    REVODE_UNROLL for (int r = 0; r < N; ++r) REVODE_UNROLL for (int s = 0; s < N; ++s) {
      const Index y = 2 * row + r - before, x = 2 * tile + s - before;
      const bool inside = y >= 0 && y < height && x >= 0 && x < width;
      d[r][s] = inside ? On<T, W>::load(at + ((r - before) * width + s - before) * lanes) : On<T, W>::all(T(0));
    }
  }
  template <int W>
  REVODE_INLINE void store(T* domain, const Pack<T, W> (&v)[4][4]) const {
    REVODE_UNROLL for (int p = 0; p < points; ++p) On<T, W>::store(domain + p * point, v[p / 4][p % 4]);
  }
  void inward(int channels, const T* image, Index row, T* domain) const;
  void cotangent(int channels, const T* image, Index row, T* domain) const;
  template <class Base>
  void outward(int channels, T* domain, Index row, T* image, const Base& base) const;
};
template <class T>
void Row<T>::inward(int channels, const T* image, Index row, T* domain) const {
  each(channels, image, domain, row, [&]<int W>(int, Index tile, const T* at, T* to) REVODE_INLINED {
    Pack<T, W> d[4][4], v[4][4];
    load<W, 4>(at, row, tile, 1, d);
    both(d, v, [](const auto& in, auto& out) REVODE_INLINED { transform::inward(in, out); });
    store<W>(to, v);
  });
}
template <class T>
void Row<T>::cotangent(int channels, const T* image, Index row, T* domain) const {
  each(channels, image, domain, row, [&]<int W>(int, Index tile, const T* at, T* to) REVODE_INLINED {
    Pack<T, W> y[2][2], m[4][4];
    load<W, 2>(at, row, tile, 0, y);
    both(y, m, [](const auto& in, auto& out) REVODE_INLINED { outward_vjp(in, out); });
    store<W>(to, m);
  });
}
/// image = base(channel, row, column, what is there) + A^T m A
template <class T>
template <class Base>
void Row<T>::outward(int channels, T* domain, Index row, T* image, const Base& base) const {
  each(channels, image, domain, row, [&]<int W>(int channel, Index tile, T* at, T* from) REVODE_INLINED {
    Pack<T, W> m[4][4], y[2][2];
    REVODE_UNROLL for (int p = 0; p < points; ++p) m[p / 4][p % 4] = On<T, W>::load(from + p * point);
    both(m, y, [](const auto& in, auto& out) REVODE_INLINED { transform::outward(in, out); });
    REVODE_UNROLL for (int r = 0; r < 2; ++r) REVODE_UNROLL for (int s = 0; s < 2; ++s) {
      if (2 * row + r >= height || 2 * tile + s >= width) continue;
      T* const pixel = at + (r * width + s) * lanes;
      On<T, W>::store(pixel, base.template operator()<W>(channel, 2 * row + r, 2 * tile + s, pixel) + y[r][s]);
    }
  });
}

/// `work` as its parts.
template <class T>
struct Parts {
  WinogradSizes sizes;
  T *U, *V, *M, *bases;
  Parts(const Convolution& c, int lanes, T* work)
      : sizes(c, lanes),
        U(work),
        V(U + sizes.points * sizes.weights),
        M(V + sizes.points * sizes.row),
        bases(M + sizes.points * sizes.row) {}
};
/// For W inputs of one output, or their rest, one by one: f.operator()<W>(input, weights of x's channels there).
template <class T, class I, class F>
void each_weight(const Convolution& c, I* W, const F& f) {
  const Index time = c.time ? 1 : 0, row = 9 * (c.in + time);
  for (int o = 0; o < c.out; ++o) {
    I* const at = W + o * row + 9 * time;
    sweep<T>(static_cast<std::size_t>(c.in), [&]<int N>(std::size_t i) REVODE_INLINED {
      f.template operator()<N>(static_cast<Index>(o) * c.in + static_cast<Index>(i), at + 9 * i);
    });
  }
}
/// U[points][out][in] = G g G^T
template <class T>
void transform_weights(const Convolution& c, const T* W, const Parts<T>& parts) {
  each_weight<T>(c, W, [&]<int N>(Index place, const T* from) REVODE_INLINED {
    Pack<T, N> g[3][3], u[4][4];
    load_kernels<T, N>(from, g);
    both(g, u, [](const auto& in, auto& out) REVODE_INLINED { weights<T>(in, out); });
    REVODE_UNROLL for (int p = 0; p < points; ++p)
        On<T, N>::store(parts.U + p * static_cast<Index>(parts.sizes.weights) + place, u[p / 4][p % 4]);
  });
}
/// W_bar += G^T U G
template <class T>
void add_weights(const Convolution& c, const Parts<T>& parts, T* W_bar) {
  each_weight<T>(c, W_bar, [&]<int N>(Index place, T* to) REVODE_INLINED {
    Pack<T, N> u[4][4], w[3][3];
    REVODE_UNROLL for (int p = 0; p < points; ++p) u[p / 4][p % 4] =
        On<T, N>::load(parts.U + p * static_cast<Index>(parts.sizes.weights) + place);
    both(u, w, [](const auto& in, auto& out) REVODE_INLINED { weights_vjp<T>(in, out); });
    add_kernels<T, N>(w, to);
  });
}
/// Which of three bases a pixel has along an axis: the first lacks the first tap, the last one the last.
inline int edge(Index at, Index size) {
  return at == 0 ? 0 : at + 1 == size ? 2 : 1;
}
/// bases[out][3][3] = b + t s
template <class T>
void find_bases(const Convolution& c, const T* W, const T* b, T t, T* bases) {
  for (int o = 0; o < c.out; ++o, W += 9 * (c.in + (c.time ? 1 : 0)))
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j, ++bases) {
        *bases = b ? b[o] : T(0);
        if (!c.time) continue;
        T s = 0;
        for (int k = i == 0 ? 1 : 0; k < (i == 2 ? 2 : 3); ++k)
          for (int l = j == 0 ? 1 : 0; l < (j == 2 ? 2 : 3); ++l) s += W[3 * k + l];
        *bases = On<T, 1>::fma(t, s, *bases);
      }
}
}  // namespace

template <class T>
void winograd(const Convolution& c, int lanes, const T* W, const T* b, T t, const T* x, T* y, bool add, T* work) {
  const Parts<T> parts(c, lanes, work);
  const Row<T> row(c, lanes, parts.sizes);
  transform_weights(c, W, parts);
  find_bases<T>(c, W, add ? nullptr : b, t, parts.bases);
  T *const M = parts.V, *const V = M + parts.sizes.row;
  for (int i = 0; 2 * i < c.height; ++i) {
    row.inward(c.in, x, i, V);
    for (std::size_t p = 0; p < WinogradSizes::points; ++p)
      dense<T>(c.out, c.in, static_cast<int>(row.tiles) * lanes, parts.U + p * parts.sizes.weights, nullptr,
               V + p * parts.sizes.row, M + p * parts.sizes.row);
    row.outward(c.out, M, i, y, [&]<int N>(int o, Index down, Index right, const T* at) REVODE_INLINED {
      const T base = parts.bases[9 * o + 3 * edge(down, c.height) + edge(right, c.width)];
      return add ? On<T, N>::load(at) + base : On<T, N>::all(base);
    });
  }
}

template <class T>
void winograd_vjp_input(const Convolution& c, int lanes, const T* W, const T* y_bar, T* x_bar, bool add, T* work) {
  const Parts<T> parts(c, lanes, work);
  const Row<T> row(c, lanes, parts.sizes);
  transform_weights(c, W, parts);
  T *const M = parts.V, *const V = M + parts.sizes.row;
  for (int i = 0; 2 * i < c.height; ++i) {
    row.inward(c.out, y_bar, i, V);
    for (std::size_t p = 0; p < WinogradSizes::points; ++p) {
      // The kernel the other way round: its first and its last point change places along each axis.
      const auto turned = [](std::size_t at) { return at == 0 ? std::size_t{3} : at == 3 ? std::size_t{0} : at; };
      dense_vjp_input<T>(c.out, c.in, static_cast<int>(row.tiles) * lanes,
                         parts.U + (4 * turned(p / 4) + turned(p % 4)) * parts.sizes.weights,
                         V + p * parts.sizes.row, M + p * parts.sizes.row);
    }
    row.outward(c.in, M, i, x_bar, [&]<int N>(int, Index, Index, const T* at) REVODE_INLINED {
      return add ? On<T, N>::load(at) : On<T, N>::all(T(0));
    });
  }
}

template <class T>
void winograd_vjp_weight(const Convolution& c, int lanes, int samples, T t, const T* y_bar, const T* x, T* W_bar,
                         T* b_bar, T* work) {
  constexpr int most_samples = 64;
  const Parts<T> parts(c, lanes, work);
  const Row<T> row(c, lanes, parts.sizes);
  if (c.time || b_bar) convolve_vjp_weight<T>(c, lanes, samples, t, y_bar, nullptr, W_bar, b_bar);
  for (std::size_t k = 0; k < parts.sizes.points * parts.sizes.weights; ++k) parts.U[k] = 0;
  // Tiles of a whole leaf follow each other without a gap: as many at a time as a dense layer takes.
  const int tiles = static_cast<int>(row.tiles), together = samples == lanes ? most_samples / samples : 1;
  for (int i = 0; 2 * i < c.height; ++i) {
    row.inward(c.in, x, i, parts.V);
    row.cotangent(c.out, y_bar, i, parts.M);
    for (std::size_t p = 0; p < WinogradSizes::points; ++p)
      for (int tile = 0; tile < tiles; tile += together) {
        const int count = tiles - tile < together ? tiles - tile : together;
        const std::size_t at = p * parts.sizes.row + static_cast<std::size_t>(tile * lanes);
        dense_vjp_weight<T>(c.out, c.in, tiles * lanes, count * samples, parts.M + at, parts.V + at,
                            parts.U + p * parts.sizes.weights, nullptr);
      }
  }
  add_weights(c, parts, W_bar);
}

#define REVODE_INSTANTIATE(T)                                                                        \
  template void winograd<T>(const Convolution&, int, const T*, const T*, T, const T*, T*, bool, T*); \
  template void winograd_vjp_input<T>(const Convolution&, int, const T*, const T*, T*, bool, T*);    \
  template void winograd_vjp_weight<T>(const Convolution&, int, int, T, const T*, const T*, T*, T*, T*);
REVODE_INSTANTIATE(float)
REVODE_DOUBLE(REVODE_INSTANTIATE(double))
}  // namespace revode::kernel
