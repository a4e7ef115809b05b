// Direct convolution, forward and input cotangent: blocks of rows times a run of neighbouring pixels whose sums stay in
// registers while channels, kernel rows and kernel columns pass; W is broadcast from where it lies.
#include "blocks.hpp"
#include "conv_block.hpp"
#include "revode/image_kernels.hpp"
#include "scalars.hpp"

#define REVODE_APART __attribute__((noinline))  // one body: a call is nothing beside a block, and there are many blocks

namespace revode::kernel {
namespace {
using runs::Block;
using runs::few_registers;
using runs::Output;
using runs::Patch;
using runs::Reach;
using runs::Walk;

/// R rows of y at Q neighbouring places, W lanes from `lane` on.
template <class T, int W, int R, int Q>
REVODE_APART void block(const Patch<T>& p, const Output<T>& out, Index row, Index lane) {
  using O = On<T, W>;
  Block<T, W, R, Q> b;
  T* y = out.y + row * out.rows_y + lane;
  REVODE_UNROLL for (int r = 0; r < R; ++r) REVODE_UNROLL for (int q = 0; q < Q; ++q) b.sum[r][q] =
      out.add ? O::load(y + r * out.rows_y + q * p.apart_y) : O::all(out.b ? out.b[row + r] : T(0));
  if (out.time) b.time(p, out, row);
  b.channels(p, out.rows_A, row, lane);
  REVODE_UNROLL for (int r = 0; r < R; ++r) REVODE_UNROLL for (int q = 0; q < Q; ++q)
      O::store(y + r * out.rows_y + q * p.apart_y, b.sum[r][q]);
}

/// Pixels of a run, and rows that fit into registers beside them, their weights and one pixel of x; of few registers,
/// beside the fewer of the two and one of the other.
template <class T, int W>
inline constexpr int most_pixels = W != width<T> || W == 1 ? 1
                                   : register_bytes == 64  ? 7
                                   : few_registers         ? 3
                                                           : 4;
template <class T, int W, int Q>
inline constexpr int most_rows = most_pixels<T, W> == 1 ? 4
                                 : few_registers        ? 12 / Q
                                                        : (register_bytes == 64 ? 30 : 14) / (Q + 1);
/// The same where a step's pixels stay in registers for the next one's: with more rows, sums would not.
template <class T, int W, int Q>
inline constexpr int sharing_rows = register_bytes == 64 && most_pixels<T, W> > 1 ? (31 - Q) / (Q + 1)
                                                                                  : most_rows<T, W, Q>;

/// R rows of y, each in a page of its own, that the next block waits for.
template <class T, int R, int Q>
REVODE_INLINE void fetch_next(const Patch<T>& p, const Output<T>& out, Index row, Index lane) {
  const T* const y = out.y + row * out.rows_y + lane;
  REVODE_UNROLL for (int r = 0; r < R; ++r) REVODE_UNROLL for (int q = 0; q < Q; ++q)
      __builtin_prefetch(y + r * out.rows_y + q * p.apart_y, 1);
}
/// All rows of y, lanes from ... to - 1.
template <class T, int W, int Q>
void rows_of(const Patch<T>& p, const Output<T>& out, Index from, Index to) {
  const auto blocks = [&]<int most>() REVODE_INLINED {
    constexpr int rest = few_registers ? 2 * most / 3 : (most + 2) / 3;
    descending_blocks<most, rest, 1>(out.rows, [&]<int R>(int row) REVODE_INLINED {
      if constexpr (few_registers)
        if (p.channels > 1 && row + R < out.rows) fetch_next<T, R, Q>(p, out, row + R, from);
      for (Index lane = from; lane < to; lane += W) block<T, W, R, Q>(p, out, row, lane);
    });
  };
  constexpr int most = most_rows<T, W, Q>, sharing = sharing_rows<T, W, Q>;
  if constexpr (sharing < most)
    if (runs::shares_pixels(p)) return blocks.template operator()<sharing>();
  blocks.template operator()<most>();
}
/// The same for blocks so small that the second cache cannot keep up: a cache line of lanes at a time, and of x as many
/// channels as half of the first cache holds. Sums wait in y for the next ones, their chains are the same.
template <class T, int W, int Q>
void near_rows_of(const Patch<T>& p, Output<T> out, Index from, Index to, Index lanes) {
  constexpr Index half = 16384, line = 64, step = line / static_cast<Index>(sizeof(T));
  const Index taps = p.step_x < 0 ? -p.step_x : p.step_x;
  const Index wide = ((Q - 1) * p.apart_x + (p.steps - 1) * taps) / lanes + 1;
  const int most = static_cast<int>(half / (line * (p.lines * wide + 1))) + 1, parts = (p.channels + most - 1) / most;
  const int even = parts > 1 ? (p.channels + parts - 1) / parts : p.channels;
  Patch<T> part = p;
  for (int c = 0; c == 0 || c < p.channels; c += part.channels) {
    part.channels = p.channels - c < even ? p.channels - c : even;
    for (Index lane = from; lane < to; lane += step)
      rows_of<T, W, Q>(part, out, lane, lane + step < to ? lane + step : to);
    part.A += part.channels * p.channel_A, part.x += part.channels * p.channel_x;
    out.add = true, out.time = nullptr;
  }
}
/// All rows of y for a run of Q pixels, lanes from ... to - 1, a multiple of W.
template <class T, int W, int Q>
void run_of(int pixels, const Walk<T>& walk, const typename Walk<T>::Run& run, Output<T> out, Index from, Index to) {
  if constexpr (Q > 1)
    if (pixels < Q) return run_of<T, W, Q - 1>(pixels, walk, run, out, from, to);
  T* const y = out.y;
  for (int i = 0, height = walk.height(); i < height; ++i) {
    const Patch<T> p = walk.patch(i, run);
    out.y = y + static_cast<Index>(i) * walk.width() * walk.lanes;
    if constexpr (few_registers && W > 1)
      near_rows_of<T, W, Q>(p, out, from, to, walk.lanes);
    else
      rows_of<T, W, Q>(p, out, from, to);
  }
}
/// All rows and places of an image, cut into runs.
template <class T, int W>
void image(const Walk<T>& walk, Output<T> out, Index from, Index to) {
  constexpr int most = most_pixels<T, W>;
  T* const y = out.y;
  const int columns = walk.width(), apart = walk.apart();
  for (int phase = 0; phase < apart; ++phase)
    for (int j = phase; j < columns;) {
      const int left = (columns - j + apart - 1) / apart, runs = (left + most - 1) / most;
      int pixels = (left + runs - 1) / runs;
      typename Walk<T>::Run run;
      while (!walk.run(j, pixels, run) || (few_registers && run.both_lack())) --pixels;
      out.y = y + j * walk.lanes;
      run_of<T, W, most>(pixels, walk, run, out, from, to);
      j += pixels * apart;
    }
}
template <class T, int W>
void images(const Walk<T>& walk, const Output<T>& out, Index from) {
  const Index to = from + (walk.lanes - from) / W * W;
  if (to > from) image<T, W>(walk, out, from, to);
  if constexpr (W > 1)
    if (to < walk.lanes) images<T, narrower<T, W>>(walk, out, to);
}
}  // namespace

template <class T>
void convolve(const Convolution& c, int lanes, const T* W, const T* b, T t, const T* x, T* y, bool add) {
  Walk<T> walk{c, W, x, lanes, false};
  walk.A += c.time ? walk.area() : 0;
  const Index plane = static_cast<Index>(c.out_height()) * c.out_width() * lanes;
  images<T, width<T>>(walk, {walk.row(), plane, c.out, b, c.time ? W : nullptr, t, y, add}, 0);
}

template <class T>
void convolve_vjp_input(const Convolution& c, int lanes, const T* W, const T* y_bar, T* x_bar, bool add) {
  Walk<T> walk{c, W, y_bar, lanes, true};
  walk.A += c.time ? walk.area() : 0;
  const Index plane = static_cast<Index>(c.height) * c.width * lanes;
  images<T, width<T>>(walk, {walk.area(), plane, c.in, nullptr, nullptr, 0, x_bar, add}, 0);
}

template <class T>
void convolve_time(const Convolution& c, const T* W, T* s) {
  const int k = c.kernel, height = c.out_height(), width_ = c.out_width();
  for (int o = 0; o < c.out; ++o, W += (c.in + 1) * k * k)
    for (int i = 0; i < height; ++i)
      for (int j = 0; j < width_; ++j, ++s) {
        const Reach v = runs::forward_reach(i, c, c.height), h = runs::forward_reach(j, c, c.width);
        T sum = 0;
        for (int y = v.first; y < v.first + v.count; ++y)
          for (int x = h.first; x < h.first + h.count; ++x) sum += W[y * k + x];
        *s = sum;
      }
}

#define REVODE_INSTANTIATE(T)                                                                    \
  template void convolve<T>(const Convolution&, int, const T*, const T*, T, const T*, T*, bool); \
  template void convolve_vjp_input<T>(const Convolution&, int, const T*, const T*, T*, bool);    \
  template void convolve_time<T>(const Convolution&, const T*, T*);
REVODE_INSTANTIATE(float)
REVODE_DOUBLE(REVODE_INSTANTIATE(double))
}  // namespace revode::kernel
