// Weight gradient of one leaf as a product of matrices: outputs lie in packs, inputs times taps are rows, and what is
// summed over are pixels and their samples. y_bar is turned for it, a piece of the image at a time.
#pragma once
#include <string.h>

#include "conv_product.hpp"
#include "transpose.hpp"

namespace revode::kernel::leaf {
/// What a leaf's gradient is of.
template <class T>
struct Task {
  Convolution c;
  Index lanes;
  int samples;
  T t;
  const T *y_bar, *x;  ///< x may be null, as W_bar and b_bar
  T *W_bar, *b_bar;
  Index area() const { return static_cast<Index>(c.kernel) * c.kernel; }
  Index row() const { return (c.in + (c.time ? 1 : 0)) * area(); }  ///< weights of an output
  Index plane_y() const { return static_cast<Index>(c.out_height()) * c.out_width() * lanes; }
  Index plane_x() const { return static_cast<Index>(c.height) * c.width * lanes; }
};

/// P packs of outputs.
template <class T, int W, int P>
class Outputs {
 public:
  Outputs(const Task<T>& task, int first)
      : task_(task), cuts_(task.c, task.samples), first_(first), y_(task.y_bar + first * task.plane_y()) {
    count_ = task.c.out - first < rows ? task.c.out - first : rows;
  }
  void add() {
    if (W > 1 && count_ < rows) memset(turned_, 0, sizeof turned_);  // outputs that are not there
    T* const W_bar = task_.W_bar ? task_.W_bar + first_ * task_.row() : nullptr;
    for (int n = 0; n < cuts_.pieces; ++n) {
      piece_ = cuts_.piece(n), pixel_ = cuts_.pixel(piece_.first);
      turn_piece();
      if (task_.b_bar) flush(task_.b_bar + first_, 1, 1, []<int>(auto b, auto sum) REVODE_INLINED { return b + sum; });
      if (W_bar && task_.c.time) each_part([&](Index k, Index count) { add_times(k, count, W_bar + k); });
      if (W_bar && task_.x) add_inputs(W_bar + (task_.c.time ? task_.area() : 0));
    }
  }

 private:
  using O = On<T, W>;
  static constexpr int rows = P * W, columns = most_columns<W>;

  /// t[pixel][sample][rows] of the piece; where packs are scalars, y_bar itself. What it adds up to, at the head of
  /// sums_, where biases are wanted.
  void turn_piece() {
    memset(sums_, 0, rows * sizeof(T));
    for (int n = piece_.first; n < piece_.end; ++n) {
      if constexpr (W > 1) turn_run(n);
      if (!task_.b_bar) continue;
      Pack<T, W> s[run_pixels][P];
      sum_samples(n, s);
      sum_pixels(s, 0, cuts_.columns(n).end - cuts_.columns(n).first, sums_);
    }
  }
  void turn_run(int n) {
    const Index first = cuts_.pixel(n), pixels = cuts_.pixel(n + 1) - first, lanes = task_.lanes;
    const Index samples = task_.samples;
    const T* const from = y_ + first * lanes;
    T* const to = turned_ + (first - pixel_) * samples * rows;
    if (lanes == samples) return turn<T, W>(count_, task_.plane_y(), pixels * samples, from, to, rows);
    for (Index i = 0; i < pixels; ++i)
      turn<T, W>(count_, task_.plane_y(), samples, from + i * lanes, to + i * samples * rows, rows);
  }
  const T* t(Index pixel) const {
    return W > 1 ? turned_ + (pixel - pixel_) * task_.samples * rows : y_ + pixel * task_.lanes;
  }
  /// f(first tap, taps) for as many as there are sums.
  template <class F>
  void each_part(const F& f) const {
    for (Index k = 0; k < task_.area(); k += columns) f(k, task_.area() - k < columns ? task_.area() - k : columns);
  }
  Span down(Index k) const {
    return span(static_cast<int>(k) / task_.c.kernel, task_.c, task_.c.height, task_.c.out_height());
  }
  Span right(Index k) const {
    return span(static_cast<int>(k) % task_.c.kernel, task_.c, task_.c.width, task_.c.out_width());
  }

  /// to[count_][row] = f(what is there, sums), of `count` columns.
  template <class F>
  void flush(T* to, Index row, Index count, const F& f) const {
    const auto put = [&](T* at, Pack<T, W> sum)
                         REVODE_INLINED { O::store(at, f.template operator()<W>(O::load(at), sum)); };
    Index k = 0;
    for (; W > 1 && count - k >= W; k += W)
      for (Index first = 0; first < count_; first += W) {
        Pack<T, W> m[W];
        load_turned<T, W>(sums_ + k * rows + first, rows, m);
        T* const at = to + first * row + k;
        if (count_ - first >= W)
          REVODE_UNROLL for (int r = 0; r < W; ++r) put(at + r * row, m[r]);
        else
          for (Index r = 0; r < count_ - first; ++r) put(at + r * row, m[r]);
      }
    for (; k < count; ++k)
      for (Index r = 0; r < count_; ++r)
        to[r * row + k] = f.template operator()<1>(to[r * row + k], sums_[k * rows + r]);
  }

  /// s[pixel of a run][P]: its samples' sum.
  void sum_samples(int run, Pack<T, W> (&s)[run_pixels][P]) const {
    const Index pack = W > 1 ? W : task_.plane_y(), step = W > 1 ? rows : 1;
    const Span h = cuts_.columns(run);
    const T* const from = t(cuts_.pixel(run));
    for (int j = 0; j < h.end - h.first; ++j) {
      const T* at = from + j * (W > 1 ? task_.samples * rows : task_.lanes);
      REVODE_UNROLL for (int p = 0; p < P; ++p) s[j][p] = O::all(T(0));
      for (int l = 0; l < task_.samples; ++l, at += step)
        REVODE_UNROLL for (int p = 0; p < P; ++p) s[j][p] = s[j][p] + O::load(at + p * pack);
    }
  }
  /// sums += of pixels first ... end - 1 of a run.
  static REVODE_INLINE void sum_pixels(const Pack<T, W> (&s)[run_pixels][P], int first, int end, T* sums) {
    REVODE_UNROLL for (int p = 0; p < P; ++p) {
      auto sum = O::all(T(0));
      for (int j = first; j < end; ++j) sum = sum + s[j][p];
      O::store(sums + p * W, O::load(sums + p * W) + sum);
    }
  }
  void add_times(Index first, Index count, T* to) {
    Pack<T, W> s[run_pixels][P];
    memset(sums_, 0, static_cast<std::size_t>(count) * rows * sizeof(T));
    for (int n = piece_.first; n < piece_.end; ++n) {
      sum_samples(n, s);
      const int line = cuts_.line(n), begin = cuts_.columns(n).first;
      for (Index k = 0; k < count; ++k) {
        const Span v = down(first + k), h = meet(right(first + k), cuts_.columns(n));
        if (line >= v.first && line < v.end && h.first < h.end)
          sum_pixels(s, h.first - begin, h.end - begin, sums_ + k * rows);
      }
    }
    flush(to, task_.row(), count,
          [&]<int N>(auto w, auto sum) REVODE_INLINED { return On<T, N>::fma(On<T, N>::all(task_.t), sum, w); });
  }

  /// Taps in rectangles of whole kernel rows, or of parts of one where it has more than there are sums.
  void add_inputs(T* W_bar) {
    const int K = task_.c.kernel, wide = K < columns ? K : columns, high = columns / wide < K ? columns / wide : K;
    even_blocks<most_inputs<W>>(
        task_.c.in,
        [&]<int X>(int i) REVODE_INLINED {
          for (int ky = 0; ky < K; ky += high)
            for (int kx = 0; kx < K; kx += wide) {
              const Span down{ky, ky + high < K ? ky + high : K}, right{kx, kx + wide < K ? kx + wide : K};
              const bool more = high == K && wide == K && i + X < task_.c.in;
              add_taps<X>(i, down, right, W_bar + i * task_.area() + ky * K + kx, more);
            }
        },
        few_inputs() || columns < task_.area() ? 1 : columns / static_cast<int>(task_.area()));
  }
  /// more: the next call's columns follow; those here that do not fill a pack wait for them.
  template <int X>
  void add_taps(int i, const Span& ky, const Span& kx, T* to, bool more) {
    const Convolution& c = task_.c;
    const int wide = kx.end - kx.first, count = wide * (ky.end - ky.first);
    const Index line_x = c.width * task_.lanes;
    bool met[columns] = {};
    T* const here = sums_ + waiting_ * rows;
    Line<T> m{};
    m.samples = task_.samples, m.pack_t = task_.plane_y(), m.jump_t = W > 1 ? 0 : task_.lanes - m.samples;
    m.channel_x = task_.plane_x(), m.jump_x = c.stride * task_.lanes - m.samples, m.apart = count * rows;
    for (int n = piece_.first; n < piece_.end; ++n) {
      Meeting meeting[columns];
      const int meetings = meet_run(cuts_.columns(n), kx, meeting), top = cuts_.line(n) * c.stride - c.padding;
      const Span inside = meet(ky, {-top, c.height - top});
      m.t = t(cuts_.pixel(n));
      for (int k = inside.first, together = 1; k < inside.end; k += together) {
        m.x = task_.x + i * task_.plane_x() + (static_cast<Index>(top) + k) * line_x;
        const int first = (k - ky.first) * wide;
        T* const sums = here + first * rows;
        if (X > 1 || !few_inputs()) {
          multiply<T, W, P, X>(m, meeting, meetings, sums, met + first);
          continue;
        }
        together = alike(met + first, wide, inside.end - k);
        m.channel_x = line_x, m.apart = wide * rows;
        with_count<most_inputs<W>>(
            together, [&]<int N>() REVODE_INLINED { multiply<T, W, P, N>(m, meeting, meetings, sums, met + first); });
        for (int r = 1; r < together; ++r) memcpy(met + first + r * wide, met + first, static_cast<std::size_t>(wide));
      }
    }
    for (int k = 0; k < count; ++k)
      for (int q = 0; !met[k] && q < X; ++q) memset(here + (q * count + k) * rows, 0, rows * sizeof(T));
    const Index all = waiting_ + X * count, ready = more ? all / W * W : all;
    flush(to - waiting_, task_.row(), ready, []<int>(auto w, auto sum) REVODE_INLINED { return w + sum; });
    waiting_ = all - ready;
    if (ready > 0) memcpy(sums_, sums_ + ready * rows, static_cast<std::size_t>(waiting_ * rows) * sizeof(T));
  }
  /// Rows of the product are then the kernel's rows of one input.
  bool few_inputs() const { return task_.c.in < task_.c.kernel; }
  /// How many of at most `most` rows of flags are as the first.
  static int alike(const bool* met, int wide, int most) {
    const auto as_first = [&](int n) {
      for (int k = 0; k < wide; ++k)
        if (met[k] != met[n * wide + k]) return false;
      return true;
    };
    int n = 1;
    while (n < most && n < most_inputs<W> && as_first(n)) ++n;
    return n;
  }
  /// How many of a kernel row's taps meet a run, and how.
  int meet_run(const Span& run, const Span& kx, Meeting* meeting) const {
    const Convolution& c = task_.c;
    int count = 0;
    for (int k = kx.first; k < kx.end; ++k) {
      const Span h = meet(span(k, c, c.width, cuts_.width), run);
      if (h.first >= h.end) continue;
      meeting[count++] = {(h.first - run.first) * (W > 1 ? task_.samples * rows : task_.lanes),
                          (static_cast<Index>(h.first) * c.stride - c.padding + k) * task_.lanes, h.end - h.first,
                          k - kx.first};
    }
    return count;
  }

  Task<T> task_;
  Cuts cuts_;
  int first_, count_ = 0, pixel_ = 0;
  Span piece_{};
  const T* y_;
  alignas(64) T turned_[W > 1 ? piece_terms* rows : 1];
  Index waiting_ = 0;  ///< columns at the head of sums_, of the inputs before
  alignas(64) T sums_[(columns + W - 1) * rows];
};

template <class T>
void gradient(const Task<T>& task) {
  constexpr int W = width<T>;
  const int packs = (task.c.out + W - 1) / W;
  descending_blocks<most_packs<W>, 1>(packs, [&]<int P>(int pack) { Outputs<T, W, P>(task, pack * W).add(); });
}
}  // namespace revode::kernel::leaf
