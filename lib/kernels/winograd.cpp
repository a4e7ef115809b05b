// Winograd's convolution: some tiles of a row at a time are transformed, multiplied point by point as dense layers, and
// transformed back, so that what stands between lies in the second cache.
#include "revode/winograd_kernels.hpp"

#include "revode/impl/pack.hpp"
#include "scalars.hpp"
#include "sweep.hpp"
#include "winograd_transform.hpp"

namespace revode::kernel {
namespace {
using namespace transform;

/// F(2x2, 3x3), and F(2x2, 2x2) of the four phases of a stride of 2. side: of a square of points.
struct Whole {
  static constexpr int kernel = 3, step = 1, taps = 3, side = 4, points = side * side, phases = step * step;
};
struct Strided {
  static constexpr int kernel = 4, step = 2, taps = 2, side = 3, points = side * side, phases = step * step;
};

/// Tiles first ... first + tiles - 1 of row `row` of an image [channels][height][width][lanes], and where they stand in
/// the domain: [points][channels][tiles][lanes]. A tile's pixels are `step` apart, the first one of the first tile is
/// at (down, right).
template <class T>
struct Row {
  Index height, width, lanes, point;
  Index step = 1, down = 0, right = 0;
  Index row = 0, first = 0, tiles = 0;
  void stand(Index at, Index first_tile, Index count) { row = at, first = first_tile, tiles = count; }
  /// The pixels of a phase, which begin so many before those of the image.
  template <class F>
  void see(int phase, int before) {
    down = phase / F::step - before, right = phase % F::step - before;
  }
  /// Of the tiles, N pixels wide each, of a channel. Pixels of one parity lie in lines that no processor expects.
  template <int N, int write>
  REVODE_INLINE void fetch(const T* channel, Index y, Index x) const {
    constexpr Index line = 64 / static_cast<Index>(sizeof(T));
    for (Index r = 0; r < N; ++r)
      for (Index s = 0; s < 2 * tiles + N - 2; ++s)
        for (Index l = 0; l < lanes; l += line)
          __builtin_prefetch(channel + ((y + r * step) * width + x + s * step) * lanes + l, write);
  }
  /// f.operator()<W>(channel, its first pixel, a tile's first pixel along each axis, its place in the domain). N: of a
  /// channel ahead, what fetch() takes; 0: nothing.
  template <int N, int write, class I, class F>
  REVODE_INLINE void each(int channels, I* image, T* domain, const F& f) const {
    constexpr int ahead = 2;
    constexpr bool vectors = kernel::width<T> != 1;
    const Index apart = 2 * step, y = apart * row + down, begin = apart * first + right, n = lanes, count = tiles;
    const Index plane = height * width * lanes;
    for (int c = 0; c < channels; ++c, image += plane) {
      if constexpr (N > 0 && vectors)
        if (c + ahead < channels) fetch<N, write>(image + ahead * plane, y, begin);
      for (Index tile = 0, x = begin; tile < count; ++tile, x += apart, domain += n)
        sweep<T>(static_cast<std::size_t>(n), [&]<int W>(std::size_t l) REVODE_INLINED {
          f.template operator()<W>(c, image + l, y, x, domain + l);
        });
    }
  }
  bool inside(Index y, Index x) const { return y >= 0 && y < height && x >= 0 && x < width; }
  /// N x N pixels; those outside of the image are 0.
  template <int W, int N>
  REVODE_INLINE void load(const T* channel, Index y, Index x, Pack<T, W> (&d)[N][N]) const {
    REVODE_UNROLL for (int r = 0; r < N; ++r) REVODE_UNROLL for (int s = 0; s < N; ++s) {
      const Index at = ((y + r * step) * width + x + s * step) * lanes;
      d[r][s] = inside(y + r * step, x + s * step) ? On<T, W>::load(channel + at) : On<T, W>::all(T(0));
    }
  }
  template <int W, int N>
  REVODE_INLINE void store(T* domain, const Pack<T, W> (&v)[N][N]) const {
    REVODE_UNROLL for (int p = 0; p < N * N; ++p) On<T, W>::store(domain + p * point, v[p / N][p % N]);
  }
  template <class F>
  void inward(int channels, const T* image, T* domain) const;
  template <class F>
  void cotangent(int channels, const T* image, T* domain) const;
  template <class F, class Base>
  void outward(int channels, T* domain, T* image, const Base& base) const;
};
template <class T>
template <class F>
void Row<T>::inward(int channels, const T* image, T* domain) const {
  each<F::phases == 1 ? 0 : F::side, 0>(
      channels, image, domain, [&]<int W>(int, const T* channel, Index y, Index x, T* to) REVODE_INLINED {
        Pack<T, W> d[F::side][F::side], v[F::side][F::side];
        load<W>(channel, y, x, d);
        both(d, v, [](const auto& in, auto& out) REVODE_INLINED { transform::inward(in, out); });
        store<W>(to, v);
      });
}
template <class T>
template <class F>
void Row<T>::cotangent(int channels, const T* image, T* domain) const {
  each<0, 0>(channels, image, domain, [&]<int W>(int, const T* channel, Index top, Index left, T* to) REVODE_INLINED {
    Pack<T, W> y[2][2], m[F::side][F::side];
    load<W>(channel, top, left, y);
    both(y, m, [](const auto& in, auto& out) REVODE_INLINED { outward_vjp(in, out); });
    store<W>(to, m);
  });
}
/// image = base(channel, row, column, what is there) + A^T m A
template <class T>
template <class F, class Base>
void Row<T>::outward(int channels, T* domain, T* image, const Base& base) const {
  each<F::phases == 1 ? 0 : 2, 1>(
      channels, image, domain, [&]<int W>(int c, T* channel, Index top, Index left, T* from) REVODE_INLINED {
        Pack<T, W> m[F::side][F::side], y[2][2];
        REVODE_UNROLL for (int p = 0; p < F::points; ++p) m[p / F::side][p % F::side] =
            On<T, W>::load(from + p * point);
        both(m, y, [](const auto& in, auto& out) REVODE_INLINED { transform::outward(in, out); });
        REVODE_UNROLL for (int r = 0; r < 2; ++r) REVODE_UNROLL for (int s = 0; s < 2; ++s) {
          const Index line = top + r * step, column = left + s * step;
          if (!inside(line, column)) continue;
          T* const pixel = channel + (line * width + column) * lanes;
          On<T, W>::store(pixel, base.template operator()<W>(c, line, column, pixel) + y[r][s]);
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
        V(U + sizes.phases * sizes.points * sizes.weights),
        M(V + sizes.points * sizes.row),
        bases(M + sizes.points * sizes.row) {}
  T* of_point(int phase, int p) const {
    return U + (static_cast<std::size_t>(phase) * sizes.points + static_cast<std::size_t>(p)) * sizes.weights;
  }
  Index row() const { return static_cast<Index>(sizes.row); }
  /// What is transformed and its products. Where there is one phase, a point's product goes where the point before it
  /// stood: the first cache still holds it.
  struct Domain {
    T *V, *M;
  };
  Domain domain() const { return sizes.phases == 1 ? Domain{V + row(), V} : Domain{V, M}; }
};
/// A row of x, or of one phase of it; and of y.
template <class T>
Row<T> row_of_x(const Convolution& c, int lanes, const Parts<T>& parts) {
  return {c.height, c.width, lanes, parts.row(), c.stride};
}
template <class T>
Row<T> row_of_y(const Convolution& c, int lanes, const Parts<T>& parts) {
  return {c.out_height(), c.out_width(), lanes, parts.row()};
}
/// f(row of tiles, first tile, tiles) over an image of height x width, some tiles at a time.
template <class F>
void each_part(int height, int width, int most, const F& f) {
  const int all = (width + 1) / 2;
  for (int row = 0; 2 * row < height; ++row)
    for (int first = 0; first < all; first += most) f(row, first, all - first < most ? all - first : most);
}
/// For W inputs of one output, or their rest, one by one: f.operator()<W>(place of the first, its weights).
template <class T, class F, class I, class Each>
void each_weight(const Convolution& c, I* W, const Each& f) {
  constexpr Index area = F::kernel * F::kernel;
  const Index time = c.time ? 1 : 0, row = area * (c.in + time);
  for (int o = 0; o < c.out; ++o) {
    I* const at = W + o * row + area * time;
    sweep<T>(static_cast<std::size_t>(c.in), [&]<int N>(std::size_t i) REVODE_INLINED {
      f.template operator()<N>(static_cast<Index>(o) * c.in + static_cast<Index>(i), at + area * static_cast<Index>(i));
    });
  }
}
/// Taps of a phase, of all phases: g = kernels, or kernels = g.
template <class F, class V, class Move>
REVODE_INLINE void each_tap(int phase, V (&kernels)[F::kernel][F::kernel], V (&g)[F::taps][F::taps], const Move& move) {
  REVODE_UNROLL for (int r = 0; r < F::taps; ++r) REVODE_UNROLL for (int s = 0; s < F::taps; ++s)
      move(g[r][s], kernels[F::step * r + phase / F::step][F::step * s + phase % F::step]);
}
/// U[phases][points][out][in] = G g G^T
template <class T, class F>
void transform_weights(const Convolution& c, const T* W, const Parts<T>& parts) {
  each_weight<T, F>(c, W, [&]<int N>(Index place, const T* from) REVODE_INLINED {
    Pack<T, N> kernels[F::kernel][F::kernel], g[F::taps][F::taps], u[F::side][F::side];
    load_kernels<T, N>(from, kernels);
    REVODE_UNROLL for (int phase = 0; phase < F::phases; ++phase) {
      each_tap<F>(phase, kernels, g, [](auto& tap, auto& weight) REVODE_INLINED { tap = weight; });
      both(g, u, [](const auto& in, auto& out) REVODE_INLINED { weights<T>(in, out); });
      REVODE_UNROLL for (int p = 0; p < F::points; ++p)
          On<T, N>::store(parts.of_point(phase, p) + place, u[p / F::side][p % F::side]);
    }
  });
}
/// W_bar += G^T U G
template <class T, class F>
void add_weights(const Convolution& c, const Parts<T>& parts, T* W_bar) {
  each_weight<T, F>(c, W_bar, [&]<int N>(Index place, T* to) REVODE_INLINED {
    Pack<T, N> kernels[F::kernel][F::kernel], g[F::taps][F::taps], u[F::side][F::side];
    REVODE_UNROLL for (int phase = 0; phase < F::phases; ++phase) {
      REVODE_UNROLL for (int p = 0; p < F::points; ++p) u[p / F::side][p % F::side] =
          On<T, N>::load(parts.of_point(phase, p) + place);
      both(u, g, [](const auto& in, auto& out) REVODE_INLINED { weights_vjp<T>(in, out); });
      each_tap<F>(phase, kernels, g, [](auto& tap, auto& weight) REVODE_INLINED { weight = tap; });
    }
    add_kernels<T, N>(kernels, to);
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

template <class T, class F>
void forward(const Convolution& c, int lanes, const T* W, const T* b, T t, const T* x, T* y, bool add, T* work) {
  const Parts<T> parts(c, lanes, work);
  Row<T> from = row_of_x(c, lanes, parts), to = row_of_y(c, lanes, parts);
  T *const V = parts.domain().V, *const M = parts.domain().M;
  transform_weights<T, F>(c, W, parts);
  find_bases<T>(c, W, add ? nullptr : b, t, parts.bases);
  each_part(c.out_height(), c.out_width(), parts.sizes.tiles, [&](int row, int first, int tiles) {
    from.stand(row, first, tiles), to.stand(row, first, tiles);
    for (int phase = 0; phase < F::phases; ++phase) {
      from.template see<F>(phase, 1);
      from.template inward<F>(c.in, x, V);
      for (int p = 0; p < F::points; ++p)
        dense<T>(c.out, c.in, tiles * lanes, parts.of_point(phase, p), nullptr, V + p * parts.row(),
                 M + p * parts.row(), phase > 0);
    }
    to.template outward<F>(c.out, M, y, [&]<int N>(int o, Index line, Index column, const T* at) REVODE_INLINED {
      const T base = parts.bases[9 * o + 3 * edge(line, c.height) + edge(column, c.width)];
      return add ? On<T, N>::load(at) + base : On<T, N>::all(base);
    });
  });
}

template <class T, class F>
void vjp_input(const Convolution& c, int lanes, const T* W, const T* y_bar, T* x_bar, bool add, T* work) {
  const Parts<T> parts(c, lanes, work);
  Row<T> from = row_of_y(c, lanes, parts), to = row_of_x(c, lanes, parts);
  T *const V = parts.domain().V, *const M = parts.domain().M;
  from.down = from.right = -1;
  transform_weights<T, F>(c, W, parts);
  // The kernel the other way round: its first and its last point change places along each axis.
  const auto turned = [](int at) { return at == 0 ? F::side - 1 : at == F::side - 1 ? 0 : at; };
  const int more = F::step - 1;  // pixels that only the last taps of the last of y's see
  each_part(c.out_height() + more, c.out_width() + more, parts.sizes.tiles, [&](int row, int first, int tiles) {
    from.stand(row, first, tiles), to.stand(row, first, tiles);
    from.template inward<F>(c.out, y_bar, V);
    for (int phase = 0; phase < F::phases; ++phase) {
      for (int p = 0; p < F::points; ++p)
        dense_vjp_input<T>(c.out, c.in, tiles * lanes,
                           parts.of_point(phase, F::side * turned(p / F::side) + turned(p % F::side)),
                           V + p * parts.row(), M + p * parts.row());
      to.template see<F>(phase, more);
      to.template outward<F>(c.in, M, x_bar, [&]<int N>(int, Index, Index, const T* at) REVODE_INLINED {
        return add ? On<T, N>::load(at) : On<T, N>::all(T(0));
      });
    }
  });
}

template <class T, class F>
void vjp_weight(const Convolution& c, int lanes, int samples, T t, const T* y_bar, const T* x, T* W_bar, T* b_bar,
                T* work) {
  constexpr int most_samples = 64;
  const Parts<T> parts(c, lanes, work);
  Row<T> from = row_of_x(c, lanes, parts), to = row_of_y(c, lanes, parts);
  if (c.time || b_bar) convolve_vjp_weight<T>(c, lanes, samples, t, y_bar, nullptr, W_bar, b_bar);
  for (T* u = parts.U; u != parts.V; ++u) *u = 0;
  // Tiles of a whole leaf follow each other without a gap: as many at a time as a dense layer takes.
  const int together = samples == lanes ? most_samples / samples : 1;
  each_part(c.out_height(), c.out_width(), parts.sizes.tiles, [&](int row, int first, int tiles) {
    from.stand(row, first, tiles), to.stand(row, first, tiles);
    to.template cotangent<F>(c.out, y_bar, parts.M);
    for (int phase = 0; phase < F::phases; ++phase) {
      from.template see<F>(phase, 1);
      from.template inward<F>(c.in, x, parts.V);
      for (int p = 0; p < F::points; ++p)
        for (int tile = 0; tile < tiles; tile += together) {
          const int count = tiles - tile < together ? tiles - tile : together;
          const Index at = p * parts.row() + static_cast<Index>(tile) * lanes;
          dense_vjp_weight<T>(c.out, c.in, tiles * lanes, count * samples, parts.M + at, parts.V + at,
                              parts.of_point(phase, p), nullptr);
        }
    }
  });
  add_weights<T, F>(c, parts, W_bar);
}
}  // namespace

template <class T>
void winograd(const Convolution& c, int lanes, const T* W, const T* b, T t, const T* x, T* y, bool add, T* work) {
  if (c.stride == 1) return forward<T, Whole>(c, lanes, W, b, t, x, y, add, work);
  forward<T, Strided>(c, lanes, W, b, t, x, y, add, work);
}

template <class T>
void winograd_vjp_input(const Convolution& c, int lanes, const T* W, const T* y_bar, T* x_bar, bool add, T* work) {
  if (c.stride == 1) return vjp_input<T, Whole>(c, lanes, W, y_bar, x_bar, add, work);
  vjp_input<T, Strided>(c, lanes, W, y_bar, x_bar, add, work);
}

template <class T>
void winograd_vjp_weight(const Convolution& c, int lanes, int samples, T t, const T* y_bar, const T* x, T* W_bar,
                         T* b_bar, T* work) {
  if (c.stride == 1) return vjp_weight<T, Whole>(c, lanes, samples, t, y_bar, x, W_bar, b_bar, work);
  vjp_weight<T, Strided>(c, lanes, samples, t, y_bar, x, W_bar, b_bar, work);
}

#define REVODE_INSTANTIATE(T)                                                                        \
  template void winograd<T>(const Convolution&, int, const T*, const T*, T, const T*, T*, bool, T*); \
  template void winograd_vjp_input<T>(const Convolution&, int, const T*, const T*, T*, bool, T*);    \
  template void winograd_vjp_weight<T>(const Convolution&, int, int, T, const T*, const T*, T*, T*, T*);
REVODE_INSTANTIATE(float)
REVODE_DOUBLE(REVODE_INSTANTIATE(double))
}  // namespace revode::kernel
