// Winograd's convolution: some tiles at a time are transformed, multiplied point by point as dense layers, and
// transformed back, so that what stands between lies in the second cache.
#include "revode/winograd_kernels.hpp"

#include <type_traits>

#include "outer.hpp"
#include "revode/impl/pack.hpp"
#include "scalars.hpp"
#include "sweep.hpp"
#include "winograd_transform.hpp"

namespace revode::kernel {
namespace {
using namespace transform;

/// Tiles of pixels x pixels of y; kernels whose stride is `step` in step^2 phases of taps x taps. side: of a square of
/// points.
template <int kernel_side, int stride, int tile>
struct Form {
  static constexpr int kernel = kernel_side, step = stride, pixels = tile, taps = kernel / step;
  static constexpr int side = pixels + taps - 1, points = side * side, phases = step * step;
};

/// f(each) of a square, row by row. (GCC computes the indices of one loop over both when the program runs.)
template <int N, class V, class F>
REVODE_INLINE void all_of(V (&square)[N][N], const F& f) {
  REVODE_UNROLL for (int r = 0; r < N; ++r) REVODE_UNROLL for (int s = 0; s < N; ++s) f(square[r][s]);
}
/// The points of a square, row by row, `apart` from each other in the domain.
template <class T, int W, int N>
REVODE_INLINE void load_points(const T* from, Index apart, Pack<T, W> (&square)[N][N]) {
  all_of(square, [&](auto& point) REVODE_INLINED { point = On<T, W>::load(from), from += apart; });
}
template <class T, int W, int N>
REVODE_INLINE void store_points(T* to, Index apart, const Pack<T, W> (&square)[N][N]) {
  all_of(square, [&](const auto& point) REVODE_INLINED { On<T, W>::store(to, point), to += apart; });
}

/// Tiles first ... first + tiles - 1, row by row of `across`, of the first `samples` lanes of an image
/// [channels][height][width][lanes], and where they stand in the domain: [points][channels][tiles][samples]. A tile's
/// pixels are `step` apart, the first one of the first tile is at (down, right).
template <class T, class F>
struct Tiles {
  Index height, width, lanes, samples, point;
  Index step = 1, down = 0, right = 0;
  Index across = 0, first = 0, tiles = 0;
  void stand(Index all_across, Index first_tile, Index count) {
    across = all_across, first = first_tile, tiles = count;
  }
  /// The pixels of a phase, which begin so many before those of the image.
  void see(int phase, int before) { down = phase / F::step - before, right = phase % F::step - before; }
  /// Where a tile of N x N pixels stands, and which of its lines and columns lie in the image, a bit each.
  template <int N>
  struct Place {
    Index y, x, left;  // left: tiles of its row from here on
    unsigned rows, columns;
  };
  /// Which of N pixels from `at` on are of 0 ... size - 1.
  template <int N>
  REVODE_INLINE unsigned inside(Index at, Index size) const {
    unsigned bits = 0;
    REVODE_UNROLL for (int k = 0; k < N; ++k, at += step) bits |= unsigned{at >= 0 && at < size} << k;
    return bits;
  }
  template <int N>
  REVODE_INLINE Place<N> begin() const {
    const Index row = first / across, column = first % across;
    const Index y = F::pixels * step * row + down, x = F::pixels * step * column + right;
    return {y, x, across - column, inside<N>(y, height), inside<N>(x, width)};
  }
  template <int N>
  REVODE_INLINE void advance(Place<N>& at) const {
    at.x += F::pixels * step;
    if (--at.left == 0) {
      at.x = right, at.left = across, at.y += F::pixels * step;
      at.rows = inside<N>(at.y, height);
    }
    at.columns = inside<N>(at.x, width);
  }
  /// A channel's tiles from the first on. Pixels of one parity lie in lines that no processor expects.
  template <int N, bool write>
  REVODE_INLINE void fetch(const T* channel, Place<N> at) const {
    constexpr Index line = 64 / static_cast<Index>(sizeof(T));
    for (Index tile = 0; tile < tiles; ++tile, advance(at))
      for (Index r = 0; r < N; ++r)
        for (Index s = tile == 0 || at.left == across ? 0 : N - F::pixels; s < N; ++s)  // the rest is its neighbour's
          for (Index l = 0; l < samples; l += line)
            __builtin_prefetch(channel + ((at.y + r * step) * width + at.x + s * step) * lanes + l, write);
  }
  /// f.operator()<W>(channel, its first pixel, a tile's place in it and in the domain), tiles being N pixels wide.
  /// fetched: by fetch(), before their turn.
  template <int N, bool fetched, class I, class Each>
  REVODE_INLINE void each(int channels, I* image, T* domain, const Each& f) const {
    constexpr int ahead = 2;
    constexpr bool vectors = kernel::width<T> != 1;
    const Index n = samples, count = tiles, plane = height * width * lanes;
    const auto start = begin<N>();
    for (int c = 0; c < channels; ++c, image += plane) {
      if constexpr (fetched && vectors)
        if (c + ahead < channels) fetch<N, !std::is_const_v<I>>(image + ahead * plane, start);
      auto at = start;
      for (Index tile = 0; tile < count; ++tile, advance(at), domain += n)
        sweep<T>(static_cast<std::size_t>(n),
                 [&]<int W>(std::size_t l) REVODE_INLINED { f.template operator()<W>(c, image + l, at, domain + l); });
    }
  }
  /// f(r, s, its place in a channel) of a tile's pixels inside of the image.
  template <int N, class Each>
  REVODE_INLINE void each_pixel(const Place<N>& at, const Each& f) const {
    const Index pixel = step * lanes, line = width * pixel;
    Index row = (at.y * width + at.x) * lanes;
    REVODE_UNROLL for (int r = 0; r < N; ++r, row += line) {
      Index place = row;
      if (at.rows >> r & 1)
        REVODE_UNROLL for (int s = 0; s < N; ++s, place += pixel) if (at.columns >> s & 1) f(r, s, place);
    }
  }
  /// N x N pixels; those outside of the image are 0.
  template <int W, int N>
  REVODE_INLINE void load(const T* channel, const Place<N>& at, Pack<T, W> (&d)[N][N]) const {
    all_of(d, [](auto& pixel) REVODE_INLINED { pixel = On<T, W>::all(T(0)); });
    each_pixel(at, [&](int r, int s, Index place) REVODE_INLINED { d[r][s] = On<T, W>::load(channel + place); });
  }
  void inward(int channels, const T* image, T* domain) const;
  void cotangent(int channels, const T* image, T* domain) const;
  template <class Base>
  void outward(int channels, T* domain, T* image, const Base& base) const;
};
template <class T, class F>
void Tiles<T, F>::inward(int channels, const T* image, T* domain) const {
  constexpr int N = F::side;
  each<N, F::phases != 1>(channels, image, domain,
                          [&]<int W>(int, const T* channel, const Place<N>& at, T* to) REVODE_INLINED {
                            Pack<T, W> d[N][N], v[N][N];
                            load<W>(channel, at, d);
                            both(d, v, [](const auto& in, auto& out) REVODE_INLINED { Line<T, W>::inward(in, out); });
                            store_points<T, W>(to, point, v);
                          });
}
template <class T, class F>
void Tiles<T, F>::cotangent(int channels, const T* image, T* domain) const {
  constexpr int N = F::pixels;
  each<N, false>(channels, image, domain, [&]<int W>(int, const T* channel, const Place<N>& at, T* to) REVODE_INLINED {
    Pack<T, W> y[N][N], m[F::side][F::side];
    load<W>(channel, at, y);
    both(y, m, [](const auto& in, auto& out) REVODE_INLINED { Line<T, W>::outward_vjp(in, out); });
    store_points<T, W>(to, point, m);
  });
}
/// Which of three bases a pixel has along an axis: the first lacks the first tap, the last one the last.
REVODE_INLINE Index edge(Index at, Index size) {
  return at == 0 ? 0 : at + 1 == size ? 2 : 1;
}
/// image = base(channel, which of 3 x 3 bases, what is there) + A^T m A
template <class T, class F>
template <class Base>
void Tiles<T, F>::outward(int channels, T* domain, T* image, const Base& base) const {
  constexpr int N = F::pixels, S = F::side;
  each<N, F::phases != 1>(
      channels, image, domain, [&]<int W>(int c, T* channel, const Place<N>& at, T* from) REVODE_INLINED {
        Pack<T, W> m[S][S], y[N][N];
        load_points<T, W>(from, point, m);
        both(m, y, [](const auto& in, auto& out) REVODE_INLINED { Line<T, W>::outward(in, out); });
        Index down_edge[N], right_edge[N];
        REVODE_UNROLL for (int k = 0; k < F::pixels; ++k) {  // N, which clang-tidy does not follow
          down_edge[k] = 3 * edge(at.y + k * step, height);
          right_edge[k] = edge(at.x + k * step, width);
        }
        each_pixel(at, [&](int r, int s, Index place) REVODE_INLINED {
          T* const pixel = channel + place;
          On<T, W>::store(pixel, base.template operator()<W>(c, down_edge[r] + right_edge[s], pixel) + y[r][s]);
        });
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
/// Those of x, or of one phase of it; and of y.
template <class T, class F>
Tiles<T, F> tiles_of_x(const Convolution& c, int lanes, int samples, const Parts<T>& parts) {
  return {c.height, c.width, lanes, samples, parts.row(), c.stride};
}
template <class T, class F>
Tiles<T, F> tiles_of_y(const Convolution& c, int lanes, int samples, const Parts<T>& parts) {
  return {c.out_height(), c.out_width(), lanes, samples, parts.row()};
}
/// f(tiles) for all tiles of height x width pixels of both images, as many at a time as there is room for, or about.
template <class T, class F, class Each>
void each_part(int height, int width, const Parts<T>& parts, Tiles<T, F>& one, Tiles<T, F>& other, const Each& f) {
  const int across = winograd_tiles(width, F::pixels), all = winograd_tiles(height, F::pixels) * across;
  const int turns = winograd_tiles(all, parts.sizes.tiles), least = all / turns, larger = all % turns;
  for (int turn = 0, first = 0; turn < turns; ++turn) {
    const int count = least + (turn < larger);
    one.stand(across, first, count), other.stand(across, first, count);
    f(count);
    first += count;
  }
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
/// Taps of a phase, of all phases: g = kernels, or kernels = g. back: those of a phase the other way round.
template <class F, bool back, class V, class Move>
REVODE_INLINE void each_tap(int phase, V (&kernels)[F::kernel][F::kernel], V (&g)[F::taps][F::taps], const Move& move) {
  const auto tap = [](int at) { return back ? F::taps - 1 - at : at; };
  REVODE_UNROLL for (int r = 0; r < F::taps; ++r) REVODE_UNROLL for (int s = 0; s < F::taps; ++s)
      move(g[tap(r)][tap(s)], kernels[F::step * r + phase / F::step][F::step * s + phase % F::step]);
}
/// U[phases][points][out][in] = G g G^T; back: of kernels the other way round.
template <class T, class F, bool back>
void transform_weights(const Convolution& c, const T* W, const Parts<T>& parts) {
  const auto apart = static_cast<Index>(parts.sizes.weights);
  each_weight<T, F>(c, W, [&]<int N>(Index place, const T* from) REVODE_INLINED {
    Pack<T, N> kernels[F::kernel][F::kernel], g[F::taps][F::taps], u[F::side][F::side];
    load_kernels<T, N>(from, kernels);
    REVODE_UNROLL for (int phase = 0; phase < F::phases; ++phase) {
      each_tap<F, back>(phase, kernels, g, [](auto& tap, auto& weight) REVODE_INLINED { tap = weight; });
      both(g, u, [](const auto& in, auto& out) REVODE_INLINED { Line<T, N>::weights(in, out); });
      store_points<T, N>(parts.of_point(phase, 0) + place, apart, u);
    }
  });
}
/// W_bar += G^T U G
template <class T, class F>
void add_weights(const Convolution& c, const Parts<T>& parts, T* W_bar) {
  const auto apart = static_cast<Index>(parts.sizes.weights);
  each_weight<T, F>(c, W_bar, [&]<int N>(Index place, T* to) REVODE_INLINED {
    Pack<T, N> kernels[F::kernel][F::kernel], g[F::taps][F::taps], u[F::side][F::side];
    REVODE_UNROLL for (int phase = 0; phase < F::phases; ++phase) {
      load_points<T, N>(parts.of_point(phase, 0) + place, apart, u);
      both(u, g, [](const auto& in, auto& out) REVODE_INLINED { Line<T, N>::weights_vjp(in, out); });
      each_tap<F, false>(phase, kernels, g, [](auto& tap, auto& weight) REVODE_INLINED { weight = tap; });
    }
    add_kernels<T, N>(kernels, to);
  });
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
  auto from = tiles_of_x<T, F>(c, lanes, lanes, parts), to = tiles_of_y<T, F>(c, lanes, lanes, parts);
  T *const V = parts.domain().V, *const M = parts.domain().M;
  transform_weights<T, F, false>(c, W, parts);
  find_bases<T>(c, W, add ? nullptr : b, t, parts.bases);
  each_part(c.out_height(), c.out_width(), parts, from, to, [&](int tiles) {
    for (int phase = 0; phase < F::phases; ++phase) {
      from.see(phase, 1);
      from.inward(c.in, x, V);
      for (int p = 0; p < F::points; ++p)
        dense<T>(c.out, c.in, tiles * lanes, parts.of_point(phase, p), nullptr, V + p * parts.row(),
                 M + p * parts.row(), phase > 0);
    }
    to.outward(c.out, M, y, [&]<int N>(int o, Index edges, const T* at) REVODE_INLINED {
      const T base = parts.bases[9 * o + edges];
      return add ? On<T, N>::load(at) + base : On<T, N>::all(base);
    });
  });
}

template <class T, class F>
void vjp_input(const Convolution& c, int lanes, const T* W, const T* y_bar, T* x_bar, bool add, T* work) {
  const Parts<T> parts(c, lanes, work);
  auto from = tiles_of_y<T, F>(c, lanes, lanes, parts), to = tiles_of_x<T, F>(c, lanes, lanes, parts);
  T *const V = parts.domain().V, *const M = parts.domain().M;
  from.down = from.right = -1;
  transform_weights<T, F, true>(c, W, parts);
  const int more = F::step - 1;  // pixels that only the last taps of the last of y's see
  each_part(c.out_height() + more, c.out_width() + more, parts, from, to, [&](int tiles) {
    from.inward(c.out, y_bar, V);
    for (int phase = 0; phase < F::phases; ++phase) {
      for (int p = 0; p < F::points; ++p)
        dense_vjp_input<T>(c.out, c.in, tiles * lanes, parts.of_point(phase, p), V + p * parts.row(),
                           M + p * parts.row());
      to.see(phase, more);
      to.outward(c.in, M, x_bar, [&]<int N>(int, Index, const T* at) REVODE_INLINED {
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
  auto from = tiles_of_x<T, F>(c, lanes, samples, parts), to = tiles_of_y<T, F>(c, lanes, samples, parts);
  if (c.time || b_bar) convolve_vjp_weight<T>(c, lanes, samples, t, y_bar, nullptr, W_bar, b_bar);
  const int together = most_samples / samples;  // tiles at a time, as a dense layer takes
  each_part(c.out_height(), c.out_width(), parts, from, to, [&](int tiles) {
    to.cotangent(c.out, y_bar, parts.M);
    for (int phase = 0; phase < F::phases; ++phase) {
      from.see(phase, 1);
      from.inward(c.in, x, parts.V);
      for (int p = 0; p < F::points; ++p)
        for (int tile = 0; tile < tiles; tile += together) {
          const int count = tiles - tile < together ? tiles - tile : together;
          const Index at = p * parts.row() + static_cast<Index>(tile) * samples;
          outer_products<T>(c.out, c.in, tiles * samples, count * samples, parts.M + at, parts.V + at,
                            parts.of_point(phase, p), from.first + tile > 0);
        }
    }
  });
  add_weights<T, F>(c, parts, W_bar);
}

/// f.operator()<Form>() of the shape's
template <class Each>
void with_form(const Convolution& c, const Each& f) {
  if (c.stride == 2) return f.template operator()<Form<4, 2, 2>>();
  if (winograd_pixels(c) == 2) return f.template operator()<Form<3, 1, 2>>();
  f.template operator()<Form<3, 1, 3>>();
}
}  // namespace

template <class T>
void winograd(const Convolution& c, int lanes, const T* W, const T* b, T t, const T* x, T* y, bool add, T* work) {
  with_form(c, [&]<class F>() { forward<T, F>(c, lanes, W, b, t, x, y, add, work); });
}

template <class T>
void winograd_vjp_input(const Convolution& c, int lanes, const T* W, const T* y_bar, T* x_bar, bool add, T* work) {
  with_form(c, [&]<class F>() { vjp_input<T, F>(c, lanes, W, y_bar, x_bar, add, work); });
}

template <class T>
void winograd_vjp_weight(const Convolution& c, int lanes, int samples, T t, const T* y_bar, const T* x, T* W_bar,
                         T* b_bar, T* work) {
  with_form(c, [&]<class F>() { vjp_weight<T, F>(c, lanes, samples, t, y_bar, x, W_bar, b_bar, work); });
}

#define REVODE_INSTANTIATE(T)                                                                        \
  template void winograd<T>(const Convolution&, int, const T*, const T*, T, const T*, T*, bool, T*); \
  template void winograd_vjp_input<T>(const Convolution&, int, const T*, const T*, T*, bool, T*);    \
  template void winograd_vjp_weight<T>(const Convolution&, int, int, T, const T*, const T*, T*, T*, T*);
REVODE_INSTANTIATE(float)
REVODE_DOUBLE(REVODE_INSTANTIATE(double))
}  // namespace revode::kernel
