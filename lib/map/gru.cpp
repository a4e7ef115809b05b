#include "revode/gru.hpp"

#include <string.h>

#include "kernels/sweep.hpp"
#include "revode/impl/elementary.hpp"
#include "scalars.hpp"

namespace revode {
using kernel::Elementary;
using kernel::On;

namespace {
/// Cotangents fade along a sequence. What has become tiny is set to zero here, before it turns subnormal: many
/// processors compute with those a hundred times slower.
template <class T>
void carry(std::size_t n, const T* from, T* to) {
  constexpr T tiny = sizeof(T) == 4 ? T(0x1p-96f) : T(0x1p-960);
  kernel::sweep<T>(n, [&]<int W>(std::size_t k) {
    using O = On<T, W>;
    const auto v = O::load(from + k);
    O::store(to + k, O::magnitude(v) < tiny ? O::all(T(0)) : v);
  });
}
}  // namespace

template <class T>
void Gru<T>::eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const {
  if (refuses_tangents(call, hidden_, y)) return;
  const int lanes = call.extent.lanes, H = hidden_;
  const std::size_t n = static_cast<std::size_t>(H) * static_cast<std::size_t>(lanes);
  const T *h = x, *input = x + n, *mask = input + static_cast<std::size_t>(input_) * static_cast<std::size_t>(lanes);
  T *gate = reinterpret_cast<T*>(tape), *from_input = reinterpret_cast<T*>(call.work), *from_h = from_input + 3 * n;
  kernel::dense(3 * H, input_, lanes, call.theta, call.theta + p_bias(), input, from_input);
  kernel::dense(3 * H, H, lanes, call.theta + p_hidden(), call.theta + p_bias() + 3 * H, h, from_h);
  kernel::sweep<T>(n, [&]<int W>(std::size_t k) {
    using O = On<T, W>;
    using E = Elementary<T, W>;
    const auto r = E::sigmoid(O::load(from_input + k) + O::load(from_h + k));
    const auto z = E::sigmoid(O::load(from_input + n + k) + O::load(from_h + n + k));
    const auto candidate = O::load(from_h + 2 * n + k);
    O::store(gate + k, r);
    O::store(gate + n + k, z);
    O::store(gate + 2 * n + k, E::tanh(O::fma(r, candidate, O::load(from_input + 2 * n + k))));
    O::store(gate + 3 * n + k, candidate);
  });
  const auto m = static_cast<std::size_t>(lanes);
  for (std::size_t row = 0; row < n; row += m)
    kernel::sweep<T>(m, [&]<int W>(std::size_t l) {
      using O = On<T, W>;
      const auto was = O::load(h + row + l), z = O::load(gate + n + row + l), c = O::load(gate + 2 * n + row + l);
      O::store(y + row + l, O::fma(O::load(mask + l) * (T(1) - z), c - was, was));
    });
}

template <class T>
void Gru<T>::vjp(const Call<T>& call, const T* x, const T*, std::byte* tape, const T* y_bar, T* x_bar,
                 const Bar<T>& bar) const {
  if (call.extent.tangents) return;
  const int lanes = call.extent.lanes, H = hidden_;
  const std::size_t n = static_cast<std::size_t>(H) * static_cast<std::size_t>(lanes),
                    m = static_cast<std::size_t>(lanes);
  const T *h = x, *input = x + n, *mask = input + static_cast<std::size_t>(input_) * m;
  const T* gate = reinterpret_cast<const T*>(tape);
  T *input_bar = reinterpret_cast<T*>(call.work), *h_part_bar = input_bar + 3 * n;  // of W_i x + b_i, of W_h h + b_h
  T* mask_bar = x_bar ? x_bar + (n + static_cast<std::size_t>(input_) * m) : nullptr;
  for (std::size_t row = 0; row < n; row += m)
    kernel::sweep<T>(m, [&]<int W>(std::size_t l) {
      using O = On<T, W>;
      const std::size_t k = row + l;
      const auto r = O::load(gate + k), z = O::load(gate + n + k), c = O::load(gate + 2 * n + k), was = O::load(h + k);
      const auto y_b = O::load(y_bar + k), g = O::load(mask + l) * y_b, keep = T(1) - z;
      const auto z_bar = -g * (c - was) * z * keep;
      const auto c_bar = g * keep * O::fma(-c, c, O::all(T(1)));
      const auto r_bar = c_bar * O::load(gate + 3 * n + k) * r * (T(1) - r);
      O::store(input_bar + k, r_bar);
      O::store(input_bar + n + k, z_bar);
      O::store(input_bar + 2 * n + k, c_bar);
      O::store(h_part_bar + k, r_bar);
      O::store(h_part_bar + n + k, z_bar);
      O::store(h_part_bar + 2 * n + k, c_bar * r);
      if (x_bar) {
        O::store(x_bar + k, O::load(x_bar + k) + O::fma(-g, keep, y_b));
        O::store(mask_bar + l, O::fma(y_b * keep, c - was, O::load(mask_bar + l)));
      }
    });
  add_outer(bar.theta, 0, p_bias(), 3 * H, input_, lanes, input_bar, input);
  add_outer(bar.theta, p_hidden(), p_bias() + 3 * H, 3 * H, H, lanes, h_part_bar, h);
  if (!x_bar) return;
  kernel::dense_vjp_input(3 * H, input_, lanes, call.theta, input_bar, x_bar + n, true);
  kernel::dense_vjp_input(3 * H, H, lanes, call.theta + p_hidden(), h_part_bar, x_bar, true);
}

template <class T>
void Unroll<T>::eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const {
  const Extent e = call.extent;
  const Shape s = cell_->shape(e);
  const std::size_t lanes = static_cast<std::size_t>(e.lanes);
  const std::size_t h = static_cast<std::size_t>(s.out) * lanes, in = static_cast<std::size_t>(s.in - s.out) * lanes;
  if (refuses_tangents(call, s.out, y)) return;
  const T* was = nullptr;
  const auto state = [&](T* to) {  // before the first step, and of none: zero
    if (was)
      memcpy(to, was, h * sizeof(T));
    else
      memset(to, 0, h * sizeof(T));
  };
  for (int i = 0; i < steps_; ++i) {
    T* cell_in = reinterpret_cast<T*>(tape);
    T* cell_out = reinterpret_cast<T*>(tape + tile_bytes<T>(s.in, e));
    std::byte* inner = tape + tile_bytes<T>(s.in, e) + tile_bytes<T>(s.out, e);
    state(cell_in);
    memcpy(cell_in + h, x + static_cast<std::size_t>(i) * in, in * sizeof(T));
    cell_->eval(call, cell_in, cell_out, inner);
    was = cell_out;
    tape = inner + padded(s.tape);
  }
  state(y);
}

template <class T>
void Unroll<T>::vjp(const Call<T>& call, const T*, const T*, std::byte* tape, const T* y_bar, T* x_bar,
                    const Bar<T>& bar) const {
  if (call.extent.tangents) return;
  const Extent e = call.extent;
  const Shape s = cell_->shape(e);
  const std::size_t lanes = static_cast<std::size_t>(e.lanes);
  const std::size_t h = static_cast<std::size_t>(s.out) * lanes, in = static_cast<std::size_t>(s.in - s.out) * lanes;
  const std::size_t stride = tile_bytes<T>(s.in, e) + tile_bytes<T>(s.out, e) + padded(s.tape);
  T* cell_bar = reinterpret_cast<T*>(call.work + padded(s.work));
  T* h_bar = reinterpret_cast<T*>(call.work + padded(s.work) + tile_bytes<T>(s.in, e));
  memcpy(h_bar, y_bar, h * sizeof(T));
  for (int i = steps_; i-- > 0;) {
    std::byte* at = tape + static_cast<std::size_t>(i) * stride;
    const T* cell_in = reinterpret_cast<const T*>(at);
    const T* cell_out = reinterpret_cast<const T*>(at + tile_bytes<T>(s.in, e));
    memset(cell_bar, 0, (h + in) * sizeof(T));
    cell_->vjp(call, cell_in, cell_out, at + tile_bytes<T>(s.in, e) + tile_bytes<T>(s.out, e), h_bar, cell_bar, bar);
    carry(h, cell_bar, h_bar);
    if (!x_bar) continue;
    T* to = x_bar + static_cast<std::size_t>(i) * in;
    for (std::size_t k = 0; k < in; ++k) to[k] += cell_bar[h + k];
  }
}

template class Gru<float>;
REVODE_DOUBLE(template class Gru<double>;)
template class Unroll<float>;
REVODE_DOUBLE(template class Unroll<double>;)
}  // namespace revode
