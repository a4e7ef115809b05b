// The trace of a field of one or two hidden layers, without a tangent.
#include <string.h>

#include "map/size.hpp"
#include "revode/time_mlp.hpp"
#include "scalars.hpp"

namespace revode {
namespace {
template <class T>
void transpose(std::size_t rows, std::size_t columns, const T* from, T* to) {
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c) to[c * rows + r] = from[r * columns + c];
}
}  // namespace

template <class T>
void TimeMlp<T>::trace(const Call<T>& call, const Kept& kept, const Scratch& s, T* sum) const {
  const int lanes = call.extent.lanes, d = in(0), h1 = out(0);
  for (int l = 0; l + 1 < layers_; ++l) {
    const std::size_t n = size(out(l)) * size(lanes);
    for (std::size_t i = 0; i < n; ++i) s.y_bar[i] = 1;
    kernel::activate_vjp(act_, n, keeps() ? kept.a[l] : kept.y[l], kept.y[l], s.y_bar, kept.slope[l]);
  }
  const T *W1 = kept.weights, *last = kept.weights + at(layers_ - 1);
  transpose(size(h1), size(d), W1, s.transposed);  // [d][h1]
  if (layers_ == 2) {
    memset(kept.C, 0, size(h1) * sizeof(T));
    for (int i = 0; i < d; ++i)
      kernel::multiply(size(h1), last + size(i) * size(h1), s.transposed + size(i) * size(h1), kept.C, true);
    return kernel::dense(1, h1, lanes, kept.C, static_cast<const T*>(nullptr), kept.slope[0], sum);
  }
  const int h2 = out(1);
  kernel::dense_vjp_input(d, h2, h1, last, s.transposed, kept.M);
  kernel::multiply(size(h1) * size(h2), kept.weights + at(1), kept.M, kept.C);
  kernel::dense(h2, h1, lanes, kept.C, static_cast<const T*>(nullptr), kept.slope[0], kept.u);
  memset(sum, 0, size(lanes) * sizeof(T));
  for (std::size_t a = 0; a < size(h2); ++a)
    kernel::multiply(size(lanes), kept.slope[1] + a * size(lanes), kept.u + a * size(lanes), sum, true);
}

/// Adds the trace's part to a_bar of hidden layer l. scratch.e: sum_bar in its first row; then, from layer 2 on, e =
/// sum_bar o d2 stands in its second half.
template <class T>
void TimeMlp<T>::trace_vjp(const Call<T>& call, const Kept& kept, const Scratch& s, int l, const T* sum_bar) const {
  const int lanes = call.extent.lanes, h1 = out(0);
  const std::size_t n = size(out(l)) * size(lanes), row = size(lanes);
  T *slope_bar = s.y_bar, *e = s.e + row;  // what y_bar held has gone into a_bar
  if (layers_ == 2) {
    kernel::dense_vjp_input(1, h1, lanes, kept.C, sum_bar, slope_bar);
  } else if (l == 1) {
    for (std::size_t a = 0; a < n; a += row) {
      kernel::multiply(row, sum_bar, kept.u + a, slope_bar + a);
      kernel::multiply(row, sum_bar, kept.slope[1] + a, e + a);
    }
  } else {
    kernel::dense_vjp_input(out(1), h1, lanes, kept.C, e, slope_bar);
  }
  T* ones = s.ones;
  kernel::activate_curve(act_, n, keeps() ? kept.a[l] : kept.y[l], kept.y[l], ones, slope_bar, s.a_bar[l]);
}

/// Adds the trace's part to the weights' cotangents of a leaf.
template <class T>
void TimeMlp<T>::trace_leaf(const Call<T>& call, const Kept& kept, const Scratch& s, const T* sum_bar, int lane,
                            int samples) const {
  const int lanes = call.extent.lanes, d = in(0), h1 = out(0), h2 = layers_ == 3 ? out(1) : 1;
  const std::size_t n = size(h1) * size(h2);
  const T *W1 = kept.weights, *last = kept.weights + at(layers_ - 1);
  T *W1_bar = s.weights_bar, *last_bar = s.weights_bar + at(layers_ - 1);
  T *W1_t = s.transposed, *W1_t_bar = W1_t + size(h1) * size(d);
  transpose(size(h1), size(d), W1, W1_t);
  memset(s.m_bar, 0, n * sizeof(T));
  const T* left = layers_ == 3 ? s.e + size(lanes) : sum_bar;
  kernel::dense_vjp_weight(h2, h1, lanes, samples, left + lane, kept.slope[0] + lane, s.m_bar,
                           static_cast<T*>(nullptr));
  if (layers_ == 2) {
    for (std::size_t i = 0; i < size(d); ++i) {
      kernel::multiply(n, s.m_bar, W1_t + i * n, last_bar + i * n, true);
      kernel::multiply(n, s.m_bar, last + i * n, W1_t_bar + i * n);
    }
  } else {
    kernel::multiply(n, s.m_bar, kept.M, s.weights_bar + at(1), true);
    kernel::multiply(n, s.m_bar, kept.weights + at(1), s.m_bar);
    for (int b = 0; b < h1; b += 64)
      kernel::dense_vjp_weight(d, h2, h1, h1 - b < 64 ? h1 - b : 64, W1_t + b, s.m_bar + b, last_bar,
                               static_cast<T*>(nullptr));
    kernel::dense(d, h2, h1, last, static_cast<const T*>(nullptr), s.m_bar, W1_t_bar);
  }
  for (std::size_t h = 0; h < size(h1); ++h)
    for (std::size_t i = 0; i < size(d); ++i) W1_bar[h * size(d) + i] += W1_t_bar[i * size(h1) + h];
}

#define REVODE_INSTANTIATE(T)                                                                            \
  template void TimeMlp<T>::trace(const Call<T>&, const Kept&, const Scratch&, T*) const;                \
  template void TimeMlp<T>::trace_vjp(const Call<T>&, const Kept&, const Scratch&, int, const T*) const; \
  template void TimeMlp<T>::trace_leaf(const Call<T>&, const Kept&, const Scratch&, const T*, int, int) const;
REVODE_INSTANTIATE(float)
REVODE_DOUBLE(REVODE_INSTANTIATE(double))
#undef REVODE_INSTANTIATE
}  // namespace revode
