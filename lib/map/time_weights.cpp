#include "revode/time_weights.hpp"
#include "map/size.hpp"
#include "scalars.hpp"

#include <string.h>

namespace revode {
namespace {
template <class T>
T tangent(const Call<T>& call, int j) {
  return call.t_dot ? call.t_dot[j] : T(0);
}
/// sum a[i] b[i] in 16 chains that stand side by side, then a tree: a fixed order that fills wide registers.
template <class T>
T dot(std::size_t n, const T* a, const T* b) {
  T part[16] = {};
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16)
    for (std::size_t k = 0; k < 16; ++k) part[k] += a[i + k] * b[i + k];
  for (std::size_t k = 0; i < n; ++i, ++k) part[k] += a[i] * b[i];
  for (std::size_t half = 8; half > 0; half /= 2)
    for (std::size_t k = 0; k < half; ++k) part[k] += part[k + half];
  return part[0];
}
/// Weights of one lane have nothing else to be asked for.
template <class T>
bool refuses_lanes(const Call<T>& call, int rows, T* y) {
  if (call.extent.lanes == 1) return false;
  fail(call.status, Status::unsupported);
  const std::size_t n = size(1 + call.extent.tangents) * size(rows) * size(call.extent.lanes);
  for (std::size_t i = 0; i < n; ++i) y[i] = static_cast<T>(__builtin_nanf(""));
  return true;
}
}  // namespace

template <class T>
void LayerWeights<T>::concat(const Call<T>& call, int l, const T* theta, T* y, std::size_t all) const {
  const std::size_t weights = size(in(l)) * size(out(l)), rows = size(out(l));
  const T *w_t = theta + weights, *b = w_t + rows;
  memcpy(y, theta, weights * sizeof(T));
  kernel::combine(rows, y + weights, b, 1, &call.t, &w_t);
  for (int j = 0; j < call.extent.tangents; ++j) {
    T* rate = y + size(1 + j) * all;
    const T by = tangent(call, j);
    memset(rate, 0, weights * sizeof(T));
    kernel::combine(rows, rate + weights, static_cast<const T*>(nullptr), 1, &by, &w_t);
  }
}

template <class T>
void LayerWeights<T>::concat_vjp(const Call<T>& call, int l, const T* theta, const T* y_bar, std::size_t all,
                                 T* theta_bar, T* t_bar) const {
  const std::size_t weights = size(in(l)) * size(out(l)), rows = size(out(l));
  if (t_bar) *t_bar += dot(rows, y_bar + weights, theta + weights);
  if (!theta_bar) return;
  const T one = 1;
  T *w_t_bar = theta_bar + weights, *b_bar = w_t_bar + rows;
  kernel::combine(weights, theta_bar, theta_bar, 1, &one, &y_bar);
  const T* b_y_bar = y_bar + weights;
  kernel::combine(rows, w_t_bar, w_t_bar, 1, &call.t, &b_y_bar);
  kernel::combine(rows, b_bar, b_bar, 1, &one, &b_y_bar);
  for (int j = 0; j < call.extent.tangents; ++j) {
    const T* rate_bar = y_bar + size(1 + j) * all + weights;
    const T by = tangent(call, j);
    kernel::combine(rows, w_t_bar, w_t_bar, 1, &by, &rate_bar);
  }
}

/// g = sigmoid(w_g t + b_g) and its slope g (1 - g), [out] each.
template <class T>
void LayerWeights<T>::gate(const Call<T>& call, int l, const T* theta, T* g, T* slope) const {
  const std::size_t rows = size(out(l));
  const T *w_g = theta + rows * size(in(l) + 1), *b_g = w_g + rows;
  kernel::combine(rows, g, b_g, 1, &call.t, &w_g);
  kernel::activate(Activation::sigmoid, rows, g, g);
  for (std::size_t o = 0; o < rows; ++o) slope[o] = g[o] * (1 - g[o]);
}

template <class T>
void LayerWeights<T>::squashed(const Call<T>& call, int l, const T* theta, T* y, std::size_t all) const {
  const std::size_t rows = size(out(l)), columns = size(in(l));
  const T *b = theta + rows * columns, *w_g = b + rows, *w_b = w_g + 2 * rows;
  T* g = reinterpret_cast<T*>(call.work);
  T* slope = reinterpret_cast<T*>(call.work + tile_bytes<T>(out(l), {1, 0}));
  gate(call, l, theta, g, slope);
  for (int j = 0; j <= call.extent.tangents; ++j) {
    const T by = j == 0 ? call.t : tangent(call, j - 1);
    T *W_y = y + size(j) * all, *b_y = W_y + rows * columns;
    for (std::size_t o = 0; o < rows; ++o) {
      const T scale = j == 0 ? g[o] : slope[o] * w_g[o] * by;
      for (std::size_t i = 0; i < columns; ++i) W_y[o * columns + i] = scale * theta[o * columns + i];
      b_y[o] = scale * b[o] + w_b[o] * by;
    }
  }
}

template <class T>
void LayerWeights<T>::squashed_vjp(const Call<T>& call, int l, const T* theta, const T* y_bar, std::size_t all,
                                   T* theta_bar, T* t_bar) const {
  const std::size_t rows = size(out(l)), columns = size(in(l)), weights = rows * columns;
  const T *b = theta + weights, *w_g = b + rows, *w_b = w_g + 2 * rows;
  T* g = reinterpret_cast<T*>(call.work);
  T* slope = reinterpret_cast<T*>(call.work + tile_bytes<T>(out(l), {1, 0}));
  gate(call, l, theta, g, slope);
  for (std::size_t o = 0; o < rows; ++o) {
    T s_bar = 0, w_g_bar = 0, w_b_bar = 0, b_bar = 0;
    for (int j = 0; j <= call.extent.tangents; ++j) {
      const T by = j == 0 ? call.t : tangent(call, j - 1), scale = j == 0 ? g[o] : slope[o] * w_g[o] * by;
      const T *W_bar = y_bar + size(j) * all + o * columns, *row_bar = y_bar + size(j) * all + weights + o;
      const T scale_bar = dot(columns, W_bar, theta + o * columns) + *row_bar * b[o];
      if (theta_bar) kernel::combine(columns, theta_bar + o * columns, theta_bar + o * columns, 1, &scale, &W_bar);
      b_bar += scale * *row_bar, w_b_bar += by * *row_bar;
      if (j == 0 && t_bar) *t_bar += *row_bar * w_b[o];
      s_bar += j == 0 ? slope[o] * scale_bar : slope[o] * (1 - 2 * g[o]) * w_g[o] * by * scale_bar;
      if (j > 0) w_g_bar += slope[o] * by * scale_bar;
    }
    if (t_bar) *t_bar += s_bar * w_g[o];
    if (!theta_bar) continue;
    T* at = theta_bar + weights + o;
    at[0] += b_bar, at[rows] += w_g_bar + s_bar * call.t, at[2 * rows] += s_bar, at[3 * rows] += w_b_bar;
  }
}

template <class T>
void LayerWeights<T>::eval(const Call<T>& call, const T*, T* y, std::byte*) const {
  const Shape s = shape(call.extent);
  if (refuses_lanes(call, s.out, y)) return;
  const T* theta = call.theta;
  for (int l = 0; l < layers_; ++l) {
    squash() ? squashed(call, l, theta, y, size(s.out)) : concat(call, l, theta, y, size(s.out));
    theta += out(l) * (in(l) + (squash() ? 4 : 2)), y += out(l) * (in(l) + 1);
  }
}

template <class T>
void LayerWeights<T>::vjp(const Call<T>& call, const T*, const T*, std::byte*, const T* y_bar, T*,
                          const Bar<T>& bar) const {
  if (call.extent.lanes != 1) return;
  const std::size_t all = size(shape(call.extent).out);
  const T* theta = call.theta;
  T* theta_bar = bar.theta.at;
  for (int l = 0; l < layers_; ++l) {
    squash() ? squashed_vjp(call, l, theta, y_bar, all, theta_bar, bar.t)
             : concat_vjp(call, l, theta, y_bar, all, theta_bar, bar.t);
    const int params = out(l) * (in(l) + (squash() ? 4 : 2));
    theta += params, y_bar += out(l) * (in(l) + 1);
    if (theta_bar) theta_bar += params;
  }
}

/// t and its tangents as the net's row.
template <class T>
Call<T> HyperWeights<T>::inside(const Call<T>& call) const {
  Call<T> inner = call;
  inner.work = call.work + jet(1, call.extent) + jet(raw(), call.extent);
  inner.t_dot = nullptr;
  return inner;
}

template <class T>
void HyperWeights<T>::eval(const Call<T>& call, const T*, T* y, std::byte* tape) const {
  const int all = shape({}).out;
  if (refuses_lanes(call, all, y)) return;
  const std::size_t n = size(block()), width = size(width_), d = size(dim_);
  T* time = reinterpret_cast<T*>(tape);
  T* out = reinterpret_cast<T*>(tape + jet(1, call.extent));
  T* gates = out + size(1 + call.extent.tangents) * size(raw());  // sigmoid(G) and its tangents
  time[0] = call.t;
  for (int j = 0; j < call.extent.tangents; ++j) time[1 + j] = tangent(call, j);
  net_->eval(inside(call), time, out, tape + jet(1, call.extent) + jet(raw() + block(), call.extent));
  kernel::activate(Activation::sigmoid, n, out + 2 * n, gates);
  const T mean = 1 / static_cast<T>(width_);
  for (int j = 0; j <= call.extent.tangents; ++j) {
    const T *raws = out + size(j) * size(raw()), *U = out + n, *U_dot = raws + n;
    T *gate = gates + size(j) * n, *to = y + size(j) * size(all), *V = to + n + width;
    if (j > 0) kernel::activate_vjp(Activation::sigmoid, n, out + 2 * n, gates, raws + 2 * n, gate);
    memcpy(to, raws, n * sizeof(T));
    memcpy(to + n, raws + 3 * n, width * sizeof(T));
    for (std::size_t i = 0; i < d; ++i) {
      for (std::size_t m = 0; m < width; ++m) {
        const std::size_t at = m * d + i;
        const T product = j == 0 ? U[at] * gate[at] : U_dot[at] * gates[at] + U[at] * gate[at];
        V[i * width + m] = mean * product;
      }
      V[d * width + i] = 0;
    }
  }
}

template <class T>
void HyperWeights<T>::vjp(const Call<T>& call, const T*, const T*, std::byte* tape, const T* y_bar, T*,
                          const Bar<T>& bar) const {
  if (call.extent.lanes != 1) return;
  const std::size_t n = size(block()), width = size(width_), d = size(dim_), all = size(shape({}).out);
  const T* time = reinterpret_cast<const T*>(tape);
  const T* out = reinterpret_cast<const T*>(tape + jet(1, call.extent));
  const T* gates = out + size(1 + call.extent.tangents) * size(raw());
  T* time_bar = reinterpret_cast<T*>(call.work);
  T* out_bar = reinterpret_cast<T*>(call.work + jet(1, call.extent));
  memset(out_bar, 0, size(1 + call.extent.tangents) * size(raw()) * sizeof(T));
  const T mean = 1 / static_cast<T>(width_);
  for (int j = 0; j <= call.extent.tangents; ++j) {
    const T *from = y_bar + size(j) * all, *V_bar = from + n + width, *U_dot = out + size(j) * size(raw()) + n;
    const T *gate = gates + size(j) * n, *U = out + n;
    T *to = out_bar + size(j) * size(raw()), *U_bar = out_bar + n, *G_bar = out_bar + 2 * n;
    memcpy(to, from, n * sizeof(T));
    memcpy(to + 3 * n, from + n, width * sizeof(T));
    for (std::size_t i = 0; i < d; ++i)
      for (std::size_t m = 0; m < width; ++m) {
        const std::size_t at = m * d + i;
        const T v = mean * V_bar[i * width + m], g = gates[at], slope = g * (1 - g);
        U_bar[at] += v * gate[at];
        G_bar[at] += v * (j == 0 ? U[at] : U_dot[at]) * slope;
        if (j == 0) continue;
        to[n + at] += v * g;
        to[2 * n + at] += v * U[at] * slope;
        G_bar[at] += v * U[at] * (1 - 2 * g) * gate[at];
      }
  }
  memset(time_bar, 0, size(1 + call.extent.tangents) * sizeof(T));
  net_->vjp(inside(call), time, out, tape + jet(1, call.extent) + jet(raw() + block(), call.extent), out_bar, time_bar,
            bar);
  if (bar.t) *bar.t += time_bar[0];
}

template class LayerWeights<float>;
REVODE_DOUBLE(template class LayerWeights<double>;)
template class HyperWeights<float>;
REVODE_DOUBLE(template class HyperWeights<double>;)
}  // namespace revode
