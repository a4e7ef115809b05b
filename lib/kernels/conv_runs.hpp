// How the taps of a convolution meet an image: runs of neighbouring pixels that see the same taps, forward over y's
// places or back over x's.
#pragma once
#include "revode/image_kernels.hpp"
#include "revode/impl/pack.hpp"

namespace revode::kernel::runs {
/// The terms of a run of neighbouring pixels: A(row; term) x[term][pixel][lanes]. A pixel at an end of the run may lack
/// one of the steps that the others have.
template <class T>
struct Patch {
  const T* A;    ///< of the first row
  const T* x;    ///< of the first pixel
  Index corner;  ///< from the first tap of the kernel to the first one here
  int channels, lines, steps;
  Index channel_A, channel_x, line_A, line_x, step_A, step_x;
  Index apart_x, apart_y;       ///< from pixel to pixel
  int first_lacks, last_lacks;  ///< steps, -1: none
};
/// How taps along one axis meet an image: first tap, taps, and the place that the first one meets.
struct Reach {
  int first, count, at;
};
inline Reach forward_reach(int place, const Convolution& c, int size) {
  const int origin = place * c.stride - c.padding, first = origin < 0 ? -origin : 0;
  const int last = size - origin < c.kernel ? size - origin : c.kernel;
  return {first, last > first ? last - first : 0, origin + first};
}
/// Taps of an input's place: every stride-th one, the output's places descending.
inline Reach input_reach(int place, const Convolution& c, int out_size) {
  const int end = place + c.padding, least = end - c.stride * (out_size - 1);
  int first = end % c.stride;
  while (first < least) first += c.stride;
  const int last = end < c.kernel - 1 ? end : c.kernel - 1;
  if (first > last) return {0, 0, 0};
  return {first, (last - first) / c.stride + 1, (end - first) / c.stride};
}

/// The terms of every place of an image: forward over y's places, or back over x's.
template <class T>
struct Walk {
  Convolution c;
  const T* A;  ///< W without the taps of t
  const T* x;  ///< what is read: x, or y_bar
  Index lanes;
  bool back;
  int height() const { return back ? c.height : c.out_height(); }
  int width() const { return back ? c.width : c.out_width(); }
  int apart() const { return back ? c.stride : 1; }  ///< places that see the same taps
  Index area() const { return static_cast<Index>(c.kernel) * c.kernel; }
  Index row() const { return area() * (c.in + (c.time ? 1 : 0)); }  ///< weights of one output
  Reach down(int i) const { return back ? input_reach(i, c, c.out_height()) : forward_reach(i, c, c.height); }
  Reach right(int j) const { return back ? input_reach(j, c, c.out_width()) : forward_reach(j, c, c.width); }

  /// How a run of pixels from place j on meets the image: the steps that any of them has.
  struct Run {
    Reach reach;  ///< `at` is of the first pixel
    int first_lacks = -1, last_lacks = -1;
    bool both_lack() const { return first_lacks >= 0 && last_lacks >= 0; }
  };
  /// False where a pixel lacks more than a run can leave out.
  bool run(int j, int pixels, Run& r) const {
    const int step = back ? c.stride : 1, turn = back ? -1 : 1;  // of taps, of what they meet
    const Reach first = right(j);
    r = {first};
    if (pixels == 1) return true;
    const Reach last = right(j + (pixels - 1) * apart());
    if (first.count == 0 || last.count == 0) return false;
    const auto end = [&](const Reach& a) { return a.first + a.count * step; };
    const int begin = first.first < last.first ? first.first : last.first;
    r.reach.count = ((end(first) > end(last) ? end(first) : end(last)) - begin) / step;
    r.reach.first = begin, r.reach.at -= turn * (first.first - begin) / step;
    for (int q = 1; q + 1 < pixels; ++q)
      if (const Reach a = right(j + q * apart()); a.first != begin || a.count != r.reach.count) return false;
    const auto lacks = [&](const Reach& a) {
      return a.count == r.reach.count ? -1 : a.first > begin ? 0 : r.reach.count - 1;
    };
    r.first_lacks = lacks(first), r.last_lacks = lacks(last);
    return first.count + 1 >= r.reach.count && last.count + 1 >= r.reach.count;
  }
  Patch<T> patch(int i, const Run& r) const {
    const Index k = c.kernel, s = c.stride;
    const Reach v = down(i), h = r.reach;
    const Index corner = v.first * k + h.first, line = (back ? c.out_width() : c.width) * lanes;
    const T* const at = x + v.at * line + h.at * lanes;
    if (back)
      return {A + corner, at,    corner, c.out,  v.count, h.count,   row(),         c.out_height() * line,
              s * k,      -line, s,      -lanes, lanes,   s * lanes, r.first_lacks, r.last_lacks};
    return {A + corner, at,   corner, c.in,  v.count,   h.count, area(),        c.height * line,
            k,          line, 1,      lanes, s * lanes, lanes,   r.first_lacks, r.last_lacks};
  }
};

}  // namespace revode::kernel::runs
