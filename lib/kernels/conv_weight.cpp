// Weight gradients of a convolution. Leaves of one sample: for each tap, outputs times inputs in blocks, a pack of
// lanes summed over the pixels in registers. A leaf of many: conv_leaf.hpp.
#include "blocks.hpp"
#include "conv_leaf.hpp"
#include "revode/image_kernels.hpp"
#include "scalars.hpp"

namespace revode::kernel {
namespace {
/// Accumulators for two FMA units of four cycles, and registers left for the operands.
inline constexpr int weight_rows = 4;
inline constexpr int weight_columns = register_bytes == 64 ? 4 : register_bytes == 32 ? 3 : 2;

/// What one tap sees: pixels of y_bar and of x that meet in it.
template <class T>
struct Meeting {
  const T* y;  ///< of the first output
  const T* x;  ///< of the first input
  int lines, steps;
  Index channel_y, channel_x, line_y, line_x, step_y, step_x;
  Index lane_x = 1;  ///< 0: a pack of one number, which all lanes see
};
/// Where the sums go: [..][lanes].
template <class T>
struct Sums {
  T* at;
  Index rows, columns;  ///< scalars between outputs and between inputs
  Index lanes;
};

/// Of Y outputs and X inputs the sums over pixels in one pack of lanes.
template <class T, int W, int Y, int X>
REVODE_INLINE void correlate(const Meeting<T>& m, Index lane, Pack<T, W> (&sum)[Y][X]) {
  using O = On<T, W>;
  const T* y = m.y + lane;
  const T* x = m.x + lane * m.lane_x;
  const Index jump_y = m.line_y - m.steps * m.step_y, jump_x = m.line_x - m.steps * m.step_x;
  Index j = m.steps;
  for (Index n = m.lines * j; n > 0; --n) {  // one loop, whose end alone has to be predicted
    typename O::V v[X];
    REVODE_UNROLL for (int q = 0; q < X; ++q) v[q] = O::load(x + q * m.channel_x);
    REVODE_UNROLL for (int r = 0; r < Y; ++r) {
      const auto a = O::load(y + r * m.channel_y);
      REVODE_UNROLL for (int q = 0; q < X; ++q) sum[r][q] = O::fma(a, v[q], sum[r][q]);
    }
    const Index last = line_ends(j, m.steps);
    y += m.step_y + (last & jump_y), x += m.step_x + (last & jump_x);
  }
}

template <class T, int W, int Y, int X>
__attribute__((noinline)) void block(const Meeting<T>& m, const Sums<T>& to, Index lane = 0) {
  using O = On<T, W>;
  for (; lane + W <= to.lanes; lane += W) {
    typename O::V sum[Y][X];
    T* at = to.at + lane;
    REVODE_UNROLL for (int r = 0; r < Y; ++r) REVODE_UNROLL for (int q = 0; q < X; ++q) sum[r][q] =
        O::load(at + r * to.rows + q * to.columns);
    correlate<T, W, Y, X>(m, lane, sum);
    REVODE_UNROLL for (int r = 0; r < Y; ++r) REVODE_UNROLL for (int q = 0; q < X; ++q)
        O::store(at + r * to.rows + q * to.columns, sum[r][q]);
  }
  if constexpr (W > 1)
    if (lane < to.lanes) block<T, 1, Y, X>(m, to, lane);
}

template <class T>
class Gradient {
 public:
  Gradient(const Convolution& c, int lanes, const T* y_bar, const T* x) : c_(c), lanes_(lanes), y_bar_(y_bar), x_(x) {}

  /// All taps of a block of outputs and inputs; at: its first weight, [..] scalars apart.
  template <int W, int Y, int X>
  void taps(int output, int input, Sums<T> to, const T* t) const {
    T* const at = to.at;
    for (int ky = 0; ky < c_.kernel; ++ky)
      for (int kx = 0; kx < c_.kernel; ++kx) {
        const leaf::Span v = leaf::span(ky, c_, c_.height, c_.out_height()),
                         h = leaf::span(kx, c_, c_.width, c_.out_width());
        if (v.first >= v.end || h.first >= h.end) continue;
        to.at = at + (static_cast<Index>(ky) * c_.kernel + kx) * lanes_;
        block<T, W, Y, X>(t ? constant(v, h, output, t) : meeting(v, h, ky, kx, output, input), to);
      }
  }
  bool reads() const { return x_ != nullptr; }
  Meeting<T> constant(const leaf::Span& v, const leaf::Span& h, int output, const T* t) const {
    return {
        y(v, h, output), t, v.end - v.first, h.end - h.first, plane_y(), 0, c_.out_width() * lanes_, 0, lanes_, 0, 0};
  }

 private:
  Index plane_y() const { return static_cast<Index>(c_.out_height()) * c_.out_width() * lanes_; }
  const T* y(const leaf::Span& v, const leaf::Span& h, int output) const {
    return y_bar_ + output * plane_y() + (static_cast<Index>(v.first) * c_.out_width() + h.first) * lanes_;
  }
  Meeting<T> meeting(const leaf::Span& v, const leaf::Span& h, int ky, int kx, int output, int input) const {
    const Index plane_x = static_cast<Index>(c_.height) * c_.width * lanes_, s = c_.stride;
    const Index line = v.first * s - c_.padding + ky, step = h.first * s - c_.padding + kx;
    return {y(v, h, output),
            x_ + input * plane_x + (line * c_.width + step) * lanes_,
            v.end - v.first,
            h.end - h.first,
            plane_y(),
            plane_x,
            c_.out_width() * lanes_,
            s * c_.width * lanes_,
            lanes_,
            s * lanes_};
  }
  Convolution c_;
  Index lanes_;
  const T* y_bar_;
  const T* x_;
};

/// W_bar may be null, as b_bar.
template <class T, int W, int most_y, int most_x>
void gradient(const Convolution& c, const Gradient<T>& g, T t, T* W_bar, T* b_bar, Sums<T> to) {
  const Index area = c.kernel * c.kernel * to.lanes, time = c.time ? 1 : 0;
  T times[W], ones[W];
  for (int l = 0; l < W; ++l) times[l] = t, ones[l] = 1;
  to.columns = area;
  descending_blocks<most_y, 1>(c.out, [&]<int Y>(int o) REVODE_INLINED {
    Sums<T> here = to;
    if (W_bar) {
      here.rows = (c.in + time) * area;
      T* const first = W_bar + o * here.rows;
      descending_blocks<most_x, 1>(g.reads() ? c.in : 0, [&]<int X>(int i) REVODE_INLINED {
        here.at = first + (i + time) * area;
        g.template taps<W, Y, X>(o, i, here, nullptr);
      });
      here.at = first;
      if (c.time) g.template taps<W, Y, 1>(o, 0, here, times);
    }
    if (!b_bar) return;
    here.at = b_bar + o * to.lanes, here.rows = to.lanes;
    block<T, W, Y, 1>(g.constant({0, c.out_height()}, {0, c.out_width()}, o, ones), here);
  });
}
/// The widest pack that the lanes fill.
template <class T, int W>
void by_width(const Convolution& c, const Gradient<T>& g, T t, T* W_bar, T* b_bar, const Sums<T>& to) {
  if constexpr (W > 1)
    if (to.lanes < W) return by_width<T, narrower<T, W>>(c, g, t, W_bar, b_bar, to);
  constexpr int most_y = W == width<T> ? weight_rows : 2, most_x = W == width<T> ? weight_columns : 2;
  gradient<T, W, most_y, most_x>(c, g, t, W_bar, b_bar, to);
}
}  // namespace

template <class T>
void convolve_vjp_weight(const Convolution& c, int lanes, int samples, T t, const T* y_bar, const T* x, T* W_bar,
                         T* b_bar) {
  leaf::gradient<T>({c, lanes, samples, t, y_bar, x, W_bar, b_bar});
}
template <class T>
void convolve_vjp_weight_lanes(const Convolution& c, int lanes, T t, const T* y_bar, const T* x, T* W_bar, T* b_bar) {
  by_width<T, width<T>>(c, {c, lanes, y_bar, x}, t, W_bar, b_bar, {nullptr, 0, 0, lanes});
}

#define REVODE_INSTANTIATE(T)                                                                        \
  template void convolve_vjp_weight<T>(const Convolution&, int, int, T, const T*, const T*, T*, T*); \
  template void convolve_vjp_weight_lanes<T>(const Convolution&, int, T, const T*, const T*, T*, T*);
REVODE_INSTANTIATE(float)
REVODE_DOUBLE(REVODE_INSTANTIATE(double))
}  // namespace revode::kernel
