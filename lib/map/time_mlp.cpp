#include "revode/time_mlp.hpp"
#include "map/size.hpp"
#include "scalars.hpp"

#include <string.h>

namespace revode {
namespace {
template <class T>
constexpr T one = 1;
}  // namespace

/// One lane, and a tangent in the direction of time where the call has any.
template <class T>
Call<T> TimeMlp<T>::weights_call(const Call<T>& call, const Scratch& s) const {
  Call<T> inner = call;
  inner.extent = {1, call.t_dot && call.extent.tangents ? 1 : 0};
  inner.t_dot = inner.extent.tangents ? &one<T> : nullptr;
  inner.work = s.inner;
  return inner;
}

template <class T>
void TimeMlp<T>::layer(const Call<T>& call, const Kept& kept, const Scratch& s, int l, const T* x, T* y) const {
  const int lanes = call.extent.lanes;
  const std::size_t n = size(out(l)) * size(lanes), m = size(in(l)) * size(lanes), weights = size(out(l)) * size(in(l));
  const T *W = kept.weights + at(l), *rates = W + at(layers_);
  const bool hidden = l + 1 < layers_;
  T* a = hidden && keeps() ? kept.a[l] : y;
  kernel::dense(out(l), in(l), lanes, W, W + weights, x, a);
  if (hidden) kernel::activate(act_, n, a, y);
  const bool moves = call.t_dot && call.extent.tangents;
  if (moves) kernel::dense(out(l), in(l), lanes, rates, rates + weights, x, s.rate);
  for (int j = 1; j <= call.extent.tangents; ++j) {
    T *y_dot = y + size(j) * n, *p = hidden ? kept.p[l] + size(j - 1) * n : y_dot;
    kernel::dense(out(l), in(l), lanes, W, static_cast<const T*>(nullptr), x + size(j) * m, p);
    const T* rate = s.rate;
    if (moves) kernel::combine(n, p, p, 1, call.t_dot + j - 1, &rate);
    if (hidden) kernel::activate_vjp(act_, n, a, y, p, y_dot);
  }
}

template <class T>
void TimeMlp<T>::eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const {
  if (traced_ && refuses_tangents(call, out(layers_ - 1) + 1, y)) return;
  Arena tape_arena(tape, Arena::limit), work_arena(call.work, Arena::limit);
  const Kept kept = keep(tape_arena, call.extent);
  const Scratch s = scratch(work_arena, call.extent);
  weights_->eval(weights_call(call, s), nullptr, kept.weights, kept.weights_tape);
  for (int l = 0; l < layers_; ++l) {
    T* to = l + 1 < layers_ ? kept.y[l] : y;
    layer(call, kept, s, l, x, to);
    x = to;
  }
  if (traced_) trace(call, kept, s, y + size(out(layers_ - 1)) * size(call.extent.lanes));
}

/// From y_bar of layer l to the cotangents before its activation, and on to those of its input.
template <class T>
void TimeMlp<T>::layer_vjp(const Call<T>& call, const Kept& kept, const Scratch& s, int l, const T* y_bar, T* x_bar,
                           bool add) const {
  const int lanes = call.extent.lanes, k = call.extent.tangents;
  const std::size_t n = size(out(l)) * size(lanes), m = size(in(l)) * size(lanes);
  const T *W = kept.weights + at(l), *rates = W + at(layers_), *a_bar = y_bar;
  if (l + 1 < layers_) {
    const T *y = kept.y[l], *a = keeps() ? kept.a[l] : y;
    T* to = s.a_bar[l];
    kernel::activate_vjp(act_, n, a, y, y_bar, to);
    for (int j = 1; j <= k; ++j) {
      const T* y_dot_bar = y_bar + size(j) * n;
      kernel::activate_curve(act_, n, a, y, kept.p[l] + size(j - 1) * n, y_dot_bar, to);
      kernel::activate_vjp(act_, n, a, y, y_dot_bar, to + size(j) * n);
    }
    a_bar = to;
  }
  const bool moves = call.t_dot && k;
  for (int j = 1; j <= k && moves; ++j) {
    const T* p_bar = a_bar + size(j) * n;
    kernel::combine(n, s.q_bar[l], j > 1 ? s.q_bar[l] : nullptr, 1, call.t_dot + j - 1, &p_bar);
  }
  if (traced_ && l + 1 < layers_) trace_vjp(call, kept, s, l, s.e);
  if (!x_bar) return;
  for (int j = 0; j <= k; ++j)
    kernel::dense_vjp_input(out(l), in(l), lanes, W, a_bar + size(j) * n, x_bar + size(j) * m, add);
  if (moves) kernel::dense_vjp_input(out(l), in(l), lanes, rates, s.q_bar[l], x_bar, true);
}

template <class T>
void TimeMlp<T>::vjp(const Call<T>& call, const T* x, const T*, std::byte* tape, const T* y_bar, T* x_bar,
                     const Bar<T>& bar) const {
  if (traced_ && call.extent.tangents) return;
  Arena tape_arena(tape, Arena::limit), work_arena(call.work, Arena::limit);
  const Kept kept = keep(tape_arena, call.extent);
  const Scratch s = scratch(work_arena, call.extent);
  if (!kept.weights || !s.weights_bar) return;  // the caller's bytes are not aligned
  if (traced_) {
    const std::size_t lanes = size(call.extent.lanes);
    memcpy(s.e, y_bar + size(out(layers_ - 1)) * lanes, lanes * sizeof(T));
    for (std::size_t i = 0, n = size(widest()) * lanes; i < n; ++i) s.ones[i] = 1;
  }
  for (int l = layers_ - 1; l >= 0; --l)
    layer_vjp(call, kept, s, l, l + 1 < layers_ ? s.y_bar : y_bar, l > 0 ? s.y_bar : x_bar, l == 0);
  if (bar.theta.at || bar.t) add_theta(call, kept, s, x, y_bar, bar);
}

/// Leaf by leaf: cotangents of the weights, and through them to theta and t.
template <class T>
void TimeMlp<T>::add_theta(const Call<T>& call, const Kept& kept, const Scratch& s, const T* x, const T* y_bar,
                           const Bar<T>& bar) const {
  const int lanes = call.extent.lanes, leaf = bar.theta.leaf;
  const Call<T> inner = weights_call(call, s);
  const std::size_t params = size(weights_->shape({1, 0}).params);
  const bool alone = leaf == 1;  // at[params][lanes]: by way of a row of its own, of the same bits for any lanes
  for (int lane = 0, g = 0; lane < lanes; lane += leaf, ++g) {
    leaf_bar(call, kept, s, x, y_bar, lane, lanes - lane < leaf ? lanes - lane : leaf);
    T* to = bar.theta.at;
    if (to) to = alone ? s.theta_bar : to + size(g) * bar.theta.stride;
    if (to && alone) memset(to, 0, params * sizeof(T));
    weights_->vjp(inner, nullptr, kept.weights, kept.weights_tape, s.weights_bar, nullptr, {{to, 1, 0}, bar.t});
    for (std::size_t i = 0; to && alone && i < params; ++i) bar.theta.at[i * size(lanes) + size(lane)] += to[i];
  }
}

template <class T>
void TimeMlp<T>::leaf_bar(const Call<T>& call, const Kept& kept, const Scratch& s, const T* x, const T* y_bar, int lane,
                          int samples) const {
  const int lanes = call.extent.lanes, k = call.extent.tangents;
  const bool moves = call.t_dot && k;
  memset(s.weights_bar, 0, size(moves ? 2 : 1) * at(layers_) * sizeof(T));
  for (int l = 0; l < layers_; ++l) {
    const std::size_t n = size(out(l)) * size(lanes), m = size(in(l)) * size(lanes);
    const T* from = l > 0 ? kept.y[l - 1] : x;
    const T* a_bar = l + 1 < layers_ ? s.a_bar[l] : y_bar;
    T *W_bar = s.weights_bar + at(l), *rate_bar = W_bar + at(layers_);
    const std::size_t weights = size(out(l)) * size(in(l));
    for (int j = 0; j <= k; ++j)
      kernel::dense_vjp_weight(out(l), in(l), lanes, samples, a_bar + size(j) * n + lane, from + size(j) * m + lane,
                               W_bar, j == 0 ? W_bar + weights : nullptr);
    if (moves)
      kernel::dense_vjp_weight(out(l), in(l), lanes, samples, s.q_bar[l] + lane, from + lane, rate_bar,
                               rate_bar + weights);
  }
  if (traced_) trace_leaf(call, kept, s, y_bar + size(out(layers_ - 1)) * size(lanes), lane, samples);
}

#define REVODE_INSTANTIATE(T)                                                      \
  template Call<T> TimeMlp<T>::weights_call(const Call<T>&, const Scratch&) const; \
  template void TimeMlp<T>::eval(const Call<T>&, const T*, T*, std::byte*) const;  \
  template void TimeMlp<T>::vjp(const Call<T>&, const T*, const T*, std::byte*, const T*, T*, const Bar<T>&) const;
REVODE_INSTANTIATE(float)
REVODE_DOUBLE(REVODE_INSTANTIATE(double))
#undef REVODE_INSTANTIATE
}  // namespace revode
