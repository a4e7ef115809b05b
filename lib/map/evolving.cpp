#include "revode/evolving.hpp"
#include "scalars.hpp"

#include <string.h>

namespace revode {
/// The weights at all steps, and what else lives in work behind m's own.
template <class T>
struct Evolving<T>::History {
  T* w;              ///< [1 + steps][params]
  T* slope;          ///< [steps][params]
  T *a, *g;          ///< [params], two of scratch
  T* leaves;         ///< cotangents of w(t)
  T* t_bar;          ///< [lanes]
  std::size_t next;  ///< scalars from one array to the next
  T low, middle, high, h;
  const T* last(int steps) const { return w + static_cast<std::size_t>(steps) * next; }
};

template <class T>
typename Evolving<T>::History Evolving<T>::evolve(const Call<T>& call, int params) const {
  History e{};
  std::byte* at = call.work + padded(map_->shape(call.extent).work);
  e.next = array(params, 1) / sizeof(T);
  e.w = reinterpret_cast<T*>(at);
  e.slope = e.w + static_cast<std::size_t>(1 + steps_) * e.next;
  e.a = e.slope + static_cast<std::size_t>(steps_) * e.next, e.g = e.a + e.next;
  e.leaves = e.g + e.next;
  e.t_bar = e.leaves + tile_bytes<T>(params, call.extent) / sizeof(T);
  const T d = call.theta[params], v = call.theta[params + 1], r = call.theta[params + 2];
  e.low = d - v / 2, e.middle = r - 2 * d, e.high = d + v / 2, e.h = call.t / static_cast<T>(steps_);
  memcpy(e.w, call.theta, static_cast<std::size_t>(params) * sizeof(T));
  for (int k = 0; k < steps_; ++k) {
    const T* w = e.w + static_cast<std::size_t>(k) * e.next;
    T *slope = e.slope + static_cast<std::size_t>(k) * e.next, *to = e.w + static_cast<std::size_t>(k + 1) * e.next;
    for (int row = 0; row < rows_; ++row)
      for (int i = 0, from = row * line_; i < line_; ++i)
        e.a[from + i] = e.low * w[from + (i ? i - 1 : line_ - 1)] + e.middle * w[from + i] +
                        e.high * w[from + (i + 1 < line_ ? i + 1 : 0)];
    kernel::activate(act_, static_cast<std::size_t>(evolving()), e.a, slope);
    memcpy(to, w, static_cast<std::size_t>(params) * sizeof(T));
    for (int i = 0; i < evolving(); ++i) to[i] += e.h * slope[i];
  }
  return e;
}

template <class T>
void Evolving<T>::eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const {
  const Shape s = map_->shape({});
  if (refuses_tangents(call, s.out, y)) return;
  Call<T> inner = call;
  inner.theta = evolve(call, s.params).last(steps_);
  map_->eval(inner, x, y, tape);
}

/// One cotangent of w(t), in e.g, to that of theta; those of d, v and r into bar[3]. Returns that of t.
template <class T>
T Evolving<T>::pull_back(const History& e, T* bar) const {
  T t_bar = 0, low = 0, middle = 0, high = 0;
  for (int k = steps_ - 1; k >= 0; --k) {
    const T* w = e.w + static_cast<std::size_t>(k) * e.next;
    const T* slope = e.slope + static_cast<std::size_t>(k) * e.next;
    for (int i = 0; i < evolving(); ++i) t_bar += e.g[i] * slope[i];
    kernel::activate_vjp(act_, static_cast<std::size_t>(evolving()), static_cast<const T*>(nullptr), slope, e.g, e.a);
    for (int i = 0; i < evolving(); ++i) e.a[i] *= e.h;
    for (int row = 0; row < rows_; ++row)
      for (int i = 0, from = row * line_; i < line_; ++i) {
        const int before = from + (i ? i - 1 : line_ - 1), behind = from + (i + 1 < line_ ? i + 1 : 0);
        const T a = e.a[from + i];
        low += a * w[before], middle += a * w[from + i], high += a * w[behind];
        e.g[from + i] += e.low * e.a[behind] + e.middle * a + e.high * e.a[before];
      }
  }
  bar[0] = low + high - 2 * middle, bar[1] = (high - low) / 2, bar[2] = middle;
  return t_bar / static_cast<T>(steps_);
}

template <class T>
void Evolving<T>::vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
                      const Bar<T>& bar) const {
  if (call.extent.tangents) return;
  const int params = map_->shape({}).params, lanes = call.extent.lanes;
  const History e = evolve(call, params);
  Call<T> inner = call;
  inner.theta = e.last(steps_);
  if (!bar.theta.at && !bar.t) return map_->vjp(inner, x, y, tape, y_bar, x_bar, bar);
  // Cotangents of w(t), a column each leaf.
  const bool apart = !bar.theta.at || bar.theta.leaf == 1;
  const int leaf = apart ? 1 : bar.theta.leaf, columns = (lanes + leaf - 1) / leaf;
  const auto n = static_cast<std::size_t>(params), step = static_cast<std::size_t>(apart ? lanes : 1);
  memset(e.leaves, 0, n * static_cast<std::size_t>(columns) * sizeof(T));
  map_->vjp(inner, x, y, tape, y_bar, x_bar, {{e.leaves, leaf, n}, bar.t});
  for (int c = 0; c < columns; ++c) {
    const auto column = static_cast<std::size_t>(c);
    const T* from = e.leaves + column * (apart ? 1 : n);
    for (std::size_t i = 0; i < n; ++i) e.g[i] = from[i * step];
    T coefficient_bar[coefficients];
    e.t_bar[c] = pull_back(e, coefficient_bar);
    if (!bar.theta.at) continue;
    T* to = bar.theta.at + column * (apart ? 1 : bar.theta.stride);
    for (std::size_t i = 0; i < n; ++i) to[i * step] += e.g[i];
    for (std::size_t i = 0; i < coefficients; ++i) to[(n + i) * step] += coefficient_bar[i];
  }
  if (!bar.t) return;
  T sum;
  kernel::tree_lanes(1, columns, e.t_bar, &sum);
  *bar.t += sum;
}

template class Evolving<float>;
REVODE_DOUBLE(template class Evolving<double>;)
}  // namespace revode
