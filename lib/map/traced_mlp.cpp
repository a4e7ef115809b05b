#include "revode/traced_mlp.hpp"

#include <string.h>

#include "kernels/shallow_traced.hpp"
#include "kernels/traced.hpp"
#include "map/size.hpp"
#include "scalars.hpp"

namespace revode {
static_assert(TracedMlp<float>::most_shallow == kernel::most_shallow_rows);

/// b + w_t t of a layer.
template <class T>
const T* TracedMlp<T>::bias(const Call<T>& call, const T* phi, const Scratch& s, int l) const {
  const T *b = phi + bias_at(l), *w_t = phi + time_at(l);
  if (times_) return b;
  kernel::combine(size(out(l)), s.bias, b, 1, &call.t, &w_t);
  return s.bias;
}

template <class T>
void TracedMlp<T>::layer(const Call<T>& call, const T* phi, const Scratch& s, int l, const T* x, T* y) const {
  kernel::dense(out(l), in(l), call.extent.lanes, phi + at(l), bias(call, phi, s, l), x, y);
}

/// One hidden layer of tanh between few rows: a kernel does all of it at once, and keeps no slopes.
template <class T>
kernel::ShallowTraced<T> TracedMlp<T>::net(const Call<T>& call, const T* phi, const Scratch& s) const {
  const T* b[2];
  for (int l = 0, behind = 0; l < 2; ++l, behind += out(0)) {
    b[l] = phi + bias_at(l);
    const T* w_t = phi + time_at(l);
    if (!times_) kernel::combine(size(out(l)), s.bias + behind, b[l], 1, &call.t, &w_t), b[l] = s.bias + behind;
  }
  return {in(0), out(0), call.extent.lanes, phi, b[0], phi + at(1), b[1], phi + at(2)};
}

template <class T>
void TracedMlp<T>::shallow_vjp(const Call<T>& call, const Kept& kept, const Scratch& s, const T* phi, const T* x,
                               const T* y_bar, T* x_bar, const ThetaBar<T>& phi_bar) const {
  const int lanes = call.extent.lanes, leaf = phi_bar.leaf;
  const kernel::ShallowTraced<T> net = this->net(call, phi, s);
  if (x_bar) kernel::shallow_traced_vjp(net, kept.y[0], y_bar, x_bar);
  if (!phi_bar.at) return;
  T *to = phi_bar.at, *b1_bar = s.bias, *b2_bar = s.bias + size(out(0));
  for (int lane = 0; lane < lanes; lane += leaf, to += phi_bar.stride) {
    const int samples = lanes - lane < leaf ? lanes - lane : leaf;
    memset(b1_bar, 0, size(out(0) + out(1)) * sizeof(T));
    kernel::shallow_traced_leaf(net, samples, x + lane, kept.y[0] + lane, y_bar + lane,
                                {to, b1_bar, to + at(1), to + at(2)});
    kernel::sum_rows(out(1), lanes, samples, y_bar + lane, b2_bar);
    add_biases(call, size(out(0)), b1_bar, to + bias_at(0), to + time_at(0));
    add_biases(call, size(out(1)), b2_bar, to + bias_at(1), to + time_at(1));
  }
}

/// Cotangents of b + w_t t, from their sum.
template <class T>
void TracedMlp<T>::add_biases(const Call<T>& call, std::size_t n, const T* sum, T* b, T* w_t) const {
  const T one = 1;
  kernel::combine(n, b, b, 1, &one, &sum);
  if (!times_) kernel::combine(n, w_t, w_t, 1, &call.t, &sum);
}

template <class T>
void TracedMlp<T>::eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const {
  const int lanes = call.extent.lanes, d = in(0), last = layers_ - 1;
  if (refuses_tangents(call, d + 1, y)) return;
  const int k = number(call);
  if (k < 0) {
    fail(call.status, Status::bad_argument);
    for (std::size_t i = 0; i < tile(d + 1, lanes); ++i) y[i] = static_cast<T>(__builtin_nanf(""));
    return;
  }
  Arena tape_arena(tape, Arena::limit), work_arena(call.work, Arena::limit);
  const Kept kept = keep(tape_arena, lanes);
  const Scratch s = scratch(work_arena, lanes);
  const T* phi = call.theta + size(k) * size(row());
  if (shallow()) return kernel::shallow_traced(net(call, phi, s), x, kept.y[0], y);
  const auto before = [&](int l) { return act_ == Activation::silu ? kept.a[l] : kept.y[l]; };
  const T *C = phi + at(layers_), *no_bias = nullptr;
  T* trace = y + tile(d, lanes);
  kernel::dense_and_slope(act_, out(0), d, lanes, phi, bias(call, phi, s, 0), x, before(0), kept.y[0], kept.slope);
  kernel::dense(last == 2 ? out(1) : 1, out(0), lanes, C, no_bias, kept.slope, last == 2 ? kept.u : trace);
  if (last == 2) {
    layer(call, phi, s, 1, kept.y[0], before(1));
    kernel::activate_and_dot(act_, out(1), lanes, before(1), kept.y[1], kept.u, trace);
  }
  layer(call, phi, s, last, kept.y[last - 1], y);
}

template <class T>
void TracedMlp<T>::vjp(const Call<T>& call, const T* x, const T*, std::byte* tape, const T* y_bar, T* x_bar,
                       const Bar<T>& bar) const {
  const int lanes = call.extent.lanes, d = in(0), last = layers_ - 1, k = number(call);
  if (call.extent.tangents || k < 0) return;
  if (times_ && bar.t) return fail(call.status, Status::unsupported);
  Arena tape_arena(tape, Arena::limit), work_arena(call.work, Arena::limit);
  Kept kept = keep(tape_arena, lanes);
  const Scratch s = scratch(work_arena, lanes);
  if (shallow()) kept.slope = s.slope;
  const T *phi = call.theta + size(k) * size(row()), *C = phi + at(layers_), *trace_bar = y_bar + tile(d, lanes);
  const ThetaBar<T> phi_bar = bar.theta.from(k * row(), lanes);
  if (shallow()) {
    if (phi_bar.leaf != 1 && !bar.t) return shallow_vjp(call, kept, s, phi, x, y_bar, x_bar, phi_bar);
    for (std::size_t i = 0; i < tile(out(0), lanes); ++i) s.e[i] = 1;
    kernel::activate_vjp(act_, tile(out(0), lanes), kept.y[0], kept.y[0], s.e, s.slope);
  }
  add_weights(call, s, last, kept.y[last - 1], y_bar, phi, phi_bar, bar.t);
  if (last == 2) {
    kernel::dense_and_slope_vjp(act_, out(1), d, lanes, kept.a[1], kept.y[1], phi + at(2), y_bar, trace_bar, kept.u,
                                s.g, s.e);
    add_outer(phi_bar, at(layers_), -1, out(1), out(0), lanes, s.e, kept.slope);
    kernel::dense_vjp_input(out(1), out(0), lanes, C, s.e, s.slope_bar);
    add_weights(call, s, 1, kept.y[0], s.g, phi, phi_bar, bar.t);
    kernel::dense_vjp_input(out(1), in(1), lanes, phi + at(1), s.g, s.e);
  } else {
    kernel::dense_vjp_input(d, out(0), lanes, phi + at(1), y_bar, s.g);
    add_outer(phi_bar, at(layers_), -1, 1, out(0), lanes, trace_bar, kept.slope);
    kernel::dense_vjp_input(1, out(0), lanes, C, trace_bar, s.slope_bar);
  }
  T* g = last == 2 ? s.e : s.g;
  kernel::activate_and_slope_vjp(act_, tile(out(0), lanes), kept.a[0], kept.y[0], g, s.slope_bar, g);
  add_weights(call, s, 0, x, g, phi, phi_bar, bar.t);
  if (x_bar) kernel::dense_vjp_input(out(0), d, lanes, phi, g, x_bar, true);
}

/// Of a layer, from the cotangent before its activation. Of b + w_t t the sum over a leaf's samples serves both.
template <class T>
void TracedMlp<T>::add_weights(const Call<T>& call, const Scratch& s, int l, const T* x, const T* a_bar, const T* phi,
                               const ThetaBar<T>& phi_bar, T* t_bar) const {
  const int lanes = call.extent.lanes, leaf = phi_bar.leaf;
  if (times_ || !phi_bar.at) {
    add_outer(phi_bar, at(l), bias_at(l), out(l), in(l), lanes, a_bar, x);
  } else if (leaf == 1) {
    add_outer(phi_bar, at(l), -1, out(l), in(l), lanes, a_bar, x);
    add_biases(call, tile(out(l), lanes), a_bar, phi_bar.from(bias_at(l), lanes).at,
               phi_bar.from(time_at(l), lanes).at);
  } else {
    T* to = phi_bar.at;
    for (int lane = 0; lane < lanes; lane += leaf, to += phi_bar.stride) {
      // scratch() has placed it: NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker)
      memset(s.bias, 0, size(out(l)) * sizeof(T));
      kernel::dense_vjp_weight(out(l), in(l), lanes, lanes - lane < leaf ? lanes - lane : leaf, a_bar + lane, x + lane,
                               to + at(l), s.bias);
      add_biases(call, size(out(l)), s.bias, to + bias_at(l), to + time_at(l));
    }
  }
  if (!t_bar) return;
  T sum;
  kernel::dense_vjp_input(out(l), 1, lanes, phi + time_at(l), a_bar, s.lane);
  kernel::tree_lanes(1, lanes, s.lane, &sum);
  *t_bar += sum;
}

template <class T>
void TracedMlp<T>::complete(T* row) const {
  const std::size_t d = size(in(0)), h1 = size(out(0)), h2 = layers_ == 3 ? size(out(1)) : 1;
  const T *W1 = row, *W2 = row + at(1), *last = row + at(layers_ - 1);
  T* C = row + at(layers_);
  for (std::size_t a = 0; a < h2; ++a)
    for (std::size_t b = 0; b < h1; ++b) {
      T m = 0;
      for (std::size_t i = 0; i < d; ++i) m += last[layers_ == 3 ? i * h2 + a : i * h1 + b] * W1[b * d + i];
      C[a * h1 + b] = layers_ == 3 ? W2[a * h1 + b] * m : m;
    }
}

template <class T>
void TracedMlp<T>::fold(const T* row, const T* row_bar, T* weights_bar) const {
  const std::size_t d = size(in(0)), h1 = size(out(0)), h2 = layers_ == 3 ? size(out(1)) : 1;
  const T *W1 = row, *W2 = row + at(1), *last = row + at(layers_ - 1), *C_bar = row_bar + at(layers_);
  T *W1_bar = weights_bar, *W2_bar = weights_bar + at(1), *last_bar = weights_bar + at(layers_ - 1);
  for (std::size_t a = 0; a < h2; ++a)
    for (std::size_t b = 0; b < h1; ++b) {
      const std::size_t ab = a * h1 + b;
      T m = 0, m_bar = C_bar[ab];
      const auto end = [&](std::size_t i) { return layers_ == 3 ? i * h2 + a : i * h1 + b; };
      for (std::size_t i = 0; i < d; ++i) m += last[end(i)] * W1[b * d + i];
      if (layers_ == 3) W2_bar[ab] += m_bar * m, m_bar *= W2[ab];
      for (std::size_t i = 0; i < d; ++i) {
        last_bar[end(i)] += m_bar * W1[b * d + i];
        W1_bar[b * d + i] += m_bar * last[end(i)];
      }
    }
}

template class TracedMlp<float>;
REVODE_DOUBLE(template class TracedMlp<double>;)
}  // namespace revode
