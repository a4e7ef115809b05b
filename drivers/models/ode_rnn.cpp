#include <algorithm>
#include <cstring>

#include "models/latent_ode.hpp"

namespace revode::host {
template <class T>
Shape OdeRnnCell<T>::shape(Extent e) const {
  const Shape b = block_->shape(e), g = gru_->shape(e);
  Shape s{g.in, g.out, b.params + g.params, 0, 0};
  s.tape = padded(b.tape) + tile_bytes<T>(b.out, e) + tile_bytes<T>(g.in, e) + g.tape;
  s.work = padded(std::max(b.work, g.work)) + tile_bytes<T>(g.in, e) + tile_bytes<T>(b.out, e);
  return s;
}

template <class T>
void OdeRnnCell<T>::eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const {
  const Extent e = call.extent;
  const Shape b = block_->shape(e), g = gru_->shape(e);
  const std::size_t lanes = static_cast<std::size_t>(e.lanes), h = static_cast<std::size_t>(g.out) * lanes;
  T* carried = reinterpret_cast<T*>(tape + padded(b.tape));
  T* gru_in = reinterpret_cast<T*>(tape + padded(b.tape) + tile_bytes<T>(b.out, e));
  block_->eval(call, x, carried, tape);
  std::memcpy(gru_in, carried, h * sizeof(T));
  std::memcpy(gru_in + h, x + h, (static_cast<std::size_t>(g.in) * lanes - h) * sizeof(T));
  Call<T> inner = call;
  inner.theta += b.params;
  gru_->eval(inner, gru_in, y, tape + padded(b.tape) + tile_bytes<T>(b.out, e) + tile_bytes<T>(g.in, e));
}

template <class T>
void OdeRnnCell<T>::vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
                        const Bar<T>& bar) const {
  const Extent e = call.extent;
  const Shape b = block_->shape(e), g = gru_->shape(e);
  const std::size_t lanes = static_cast<std::size_t>(e.lanes), h = static_cast<std::size_t>(g.out) * lanes;
  const T* carried = reinterpret_cast<const T*>(tape + padded(b.tape));
  const T* gru_in = reinterpret_cast<const T*>(tape + padded(b.tape) + tile_bytes<T>(b.out, e));
  T* gru_bar = reinterpret_cast<T*>(call.work + padded(std::max(b.work, g.work)));
  T* carried_bar = reinterpret_cast<T*>(reinterpret_cast<std::byte*>(gru_bar) + tile_bytes<T>(g.in, e));
  const std::size_t n = static_cast<std::size_t>(g.in) * lanes;
  std::memset(gru_bar, 0, n * sizeof(T));
  Call<T> inner = call;
  inner.theta += b.params;
  gru_->vjp(inner, gru_in, y, tape + padded(b.tape) + tile_bytes<T>(b.out, e) + tile_bytes<T>(g.in, e), y_bar, gru_bar,
            {bar.theta.from(b.params, e.lanes), bar.t});
  std::memcpy(carried_bar, gru_bar, h * sizeof(T));
  std::memset(carried_bar + h, 0, lanes * sizeof(T));  // of the pace that left the block: nobody reads it
  block_->vjp(call, x, carried, tape, carried_bar, x_bar, bar);
  if (!x_bar) return;
  for (std::size_t i = h; i < n; ++i) x_bar[i] += gru_bar[i];
}

template class OdeRnnCell<float>;
template class OdeRnnCell<double>;
}  // namespace revode::host
