#include "revode/cnf.hpp"
#include "map/size.hpp"
#include "scalars.hpp"

#include <string.h>

namespace revode {
namespace {
/// sum[l] (+)= by sum over rows of a[i][l] b[i][l]
template <class T>
void dot_rows(int rows, int lanes, T by, const T* a, const T* b, T* sum) {
  for (std::size_t i = 0; i < size(rows) * size(lanes); i += size(lanes))
    for (std::size_t l = 0; l < size(lanes); ++l) sum[l] += by * a[i + l] * b[i + l];
}
/// to[i][l] += by row[l] v[i][l]
template <class T>
void add_scaled(int rows, int lanes, T by, const T* row, const T* v, T* to) {
  for (std::size_t i = 0; i < size(rows) * size(lanes); i += size(lanes))
    for (std::size_t l = 0; l < size(lanes); ++l) to[i + l] += by * row[l] * v[i + l];
}
}  // namespace

template <class T>
Call<T> Cnf<T>::inside(const Call<T>& call, const Scratch& s, int k) const {
  Call<T> inner = call;
  inner.extent = {call.extent.lanes, k}, inner.work = s.inner;
  inner.t_dot = k > 0 && costs_.taylor ? s.t_dot : nullptr;
  return inner;
}

/// The jet at x: unit vectors or the noise, and for taylor (f, 1).
template <class T>
void Cnf<T>::fill(const Call<T>& call, const Kept& kept, const Scratch& s, const T* x) const {
  const std::size_t d = size(dim()), lanes = size(call.extent.lanes), n = d * lanes;
  memcpy(s.x, x, n * sizeof(T));
  if (trace_ == Trace::exact) {
    memset(s.x + n, 0, d * n * sizeof(T));
    for (std::size_t i = 0; i < d; ++i)
      for (std::size_t l = 0; l < lanes; ++l) s.x[((1 + i) * d + i) * lanes + l] = 1;
  } else if (noisy()) {
    memcpy(s.x + n, x + size(noise_row()) * lanes, n * sizeof(T));
  }
  for (int j = 0; j < tangents(); ++j) s.t_dot[j] = 0;
  if (!costs_.taylor) return;
  s.t_dot[directions()] = 1;
  memcpy(s.x + size(tangents()) * n, kept.f, n * sizeof(T));
}

template <class T>
void Cnf<T>::eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const {
  if (refuses_tangents(call, rows(), y)) return;
  Arena tape_arena(tape, Arena::limit), work_arena(call.work, Arena::limit);
  const int d = dim(), lanes = call.extent.lanes, k = tangents();
  const Kept kept = keep(tape_arena, lanes);
  const Scratch s = scratch(work_arena, lanes);
  const T* f = trace_ == Trace::closed ? kept.traced : kept.y;
  if (!f || !s.x) return;  // the caller's bytes are not aligned
  const std::size_t n = size(d) * size(lanes), row = size(lanes);
  if (costs_.taylor) field_->eval(inside(call, s, 0), x, kept.f, kept.f_tape);
  if (jet()) {
    fill(call, kept, s, x);
    field_->eval(inside(call, s, k), s.x, kept.y, kept.y_tape);
  }
  if (trace_ == Trace::closed) traced_->eval(inside(call, s, 0), x, kept.traced, kept.traced_tape);
  const T* J = jet() ? kept.y + n : nullptr;
  memcpy(y, f, n * sizeof(T));
  memset(y + n, 0, (size(rows()) * row - n) * sizeof(T));
  T *l_dot = y + n, *cost = l_dot + row;
  if (trace_ == Trace::exact)
    for (std::size_t i = 0; i < size(d); ++i)
      for (std::size_t l = 0; l < row; ++l) l_dot[l] -= J[(i * size(d) + i) * row + l];
  if (trace_ == Trace::hutchinson) dot_rows(d, lanes, T(-1), J, s.x + n, l_dot);
  for (std::size_t l = 0; l < row && trace_ == Trace::closed; ++l) l_dot[l] = -f[n + l];
  if (costs_.kinetic) dot_rows(d, lanes, T(1), f, f, cost), cost += row;
  if (costs_.jacobian) dot_rows(d * directions(), lanes, T(1), J, J, cost), cost += row;
  if (costs_.taylor) dot_rows(d, lanes, T(1), kept.y + size(k) * n, kept.y + size(k) * n, cost);
}

/// Of the jet's outputs, and of the traced map's.
template <class T>
void Cnf<T>::cotangents(const Call<T>& call, const Kept& kept, const Scratch& s, const T* x, const T* y_bar) const {
  const int d = dim(), lanes = call.extent.lanes, k = tangents();
  const std::size_t n = size(d) * size(lanes), row = size(lanes);
  const T *l_bar = y_bar + n, *cost_bar = l_bar + row;
  T* f_bar = trace_ == Trace::closed ? s.traced_bar : s.y_bar;
  if (jet()) memset(s.y_bar, 0, size(1 + k) * n * sizeof(T));
  memcpy(f_bar, y_bar, n * sizeof(T));
  if (trace_ == Trace::exact)
    for (std::size_t i = 0; i < size(d); ++i)
      for (std::size_t l = 0; l < row; ++l) s.y_bar[n + (i * size(d) + i) * row + l] = -l_bar[l];
  if (trace_ == Trace::hutchinson) add_scaled(d, lanes, T(-1), l_bar, x + size(noise_row()) * row, s.y_bar + n);
  for (std::size_t l = 0; l < row && trace_ == Trace::closed; ++l) f_bar[n + l] = -l_bar[l];
  const T* f = trace_ == Trace::closed ? kept.traced : kept.y;
  if (costs_.kinetic) add_scaled(d, lanes, T(2), cost_bar, f, f_bar), cost_bar += row;
  if (costs_.jacobian) add_scaled(d * directions(), lanes, T(2), cost_bar, kept.y + n, s.y_bar + n), cost_bar += row;
  if (costs_.taylor) add_scaled(d, lanes, T(2), cost_bar, kept.y + size(k) * n, s.y_bar + size(k) * n);
}

/// The jet's cotangents to those of the state: of its value and of the noise.
template <class T>
void Cnf<T>::add_x(const Call<T>& call, const Kept& kept, const Scratch& s, const T* y_bar, T* x_bar) const {
  const int d = dim(), lanes = call.extent.lanes;
  const std::size_t n = size(d) * size(lanes);
  for (std::size_t i = 0; i < n; ++i) x_bar[i] += s.x_bar[i];
  if (!noisy()) return;
  T* noise_bar = x_bar + size(noise_row()) * size(lanes);
  for (std::size_t i = 0; i < n; ++i) noise_bar[i] += s.x_bar[n + i];
  if (trace_ == Trace::hutchinson) add_scaled(d, lanes, T(-1), y_bar + n, kept.y + n, noise_bar);
}

template <class T>
void Cnf<T>::vjp(const Call<T>& call, const T* x, const T*, std::byte* tape, const T* y_bar, T* x_bar,
                 const Bar<T>& bar) const {
  if (call.extent.tangents) return;
  Arena tape_arena(tape, Arena::limit), work_arena(call.work, Arena::limit);
  const int lanes = call.extent.lanes, k = tangents();
  const Kept kept = keep(tape_arena, lanes);
  const Scratch s = scratch(work_arena, lanes);
  const T* f = trace_ == Trace::closed ? kept.traced : kept.y;
  if (!f || !s.x || !s.y_bar || !s.x_bar || !s.traced_bar) return;  // the caller's bytes are not aligned
  const std::size_t n = size(dim()) * size(lanes);
  cotangents(call, kept, s, x, y_bar);
  if (jet()) {
    fill(call, kept, s, x);
    const bool wanted = x_bar || costs_.taylor;
    if (wanted) memset(s.x_bar, 0, size(1 + k) * n * sizeof(T));
    field_->vjp(inside(call, s, k), s.x, kept.y, kept.y_tape, s.y_bar, wanted ? s.x_bar : nullptr, bar);
    if (x_bar) add_x(call, kept, s, y_bar, x_bar);
  }
  if (trace_ == Trace::closed)
    traced_->vjp(inside(call, s, 0), x, kept.traced, kept.traced_tape, s.traced_bar, x_bar, bar);
  if (costs_.taylor) field_->vjp(inside(call, s, 0), x, kept.f, kept.f_tape, s.x_bar + size(k) * n, x_bar, bar);
}

template class Cnf<float>;
REVODE_DOUBLE(template class Cnf<double>;)
}  // namespace revode
