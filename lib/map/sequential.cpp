#include "revode/sequential.hpp"

#include <string.h>

#include "kernels/shallow.hpp"
#include "scalars.hpp"

namespace revode {
template <class T, class Layers>
void Chain<T, Layers>::eval(const Layers& layers, const Call<T>& call, const T* x, T* y, std::byte* tape) {
  Call<T> inner = call;
  for (int i = 0; i < layers.size(); ++i) {
    const Shape s = layers[i].shape(call.extent);
    T* to = y;
    std::byte* own = tape;
    tape += padded(s.tape);
    if (i + 1 < layers.size()) {
      to = reinterpret_cast<T*>(tape);
      tape += jet(s.out, call.extent);
    }
    layers[i].eval(inner, x, to, own);
    inner.theta += s.params;
    x = to;
  }
}

template <class T, class Layers>
void Chain<T, Layers>::vjp(const Layers& layers, const Call<T>& call, const T* x, const T* y, std::byte* tape,
                           const T* y_bar, T* x_bar, const Bar<T>& bar) {
  const int last = layers.size() - 1;
  std::size_t widest = 0, inner_work = 0;
  int p = 0;
  for (int i = 0; i <= last; ++i) {
    const Shape s = layers[i].shape(call.extent);
    const std::size_t between = i > 0 ? jet(s.in, call.extent) : 0;
    if (between > widest) widest = between;
    if (s.work > inner_work) inner_work = s.work;
    p += s.params, tape += between + padded(s.tape);
  }
  T* turn[2];
  for (int i = 0; i < 2; ++i)
    turn[i] = reinterpret_cast<T*>(call.work + padded(inner_work) + static_cast<std::size_t>(i) * widest);
  Call<T> inner = call;
  for (int i = last; i >= 0; --i) {
    const Shape s = layers[i].shape(call.extent);
    tape -= padded(s.tape);
    std::byte* own = tape;
    if (i > 0) tape -= jet(s.in, call.extent);
    const T* from = i > 0 ? reinterpret_cast<const T*>(tape) : x;
    T* to = i > 0 ? turn[i & 1] : x_bar;
    const bool writes = i > 0 && layers[i].writes();
    if (i > 0 && !writes) memset(to, 0, jet(s.in, call.extent));
    p -= s.params;
    inner.theta = call.theta + p;
    layers[i].vjp(inner, from, y, own, y_bar, to, {bar.theta.from(p, call.extent.lanes), bar.t, writes});
    y = from, y_bar = to;
  }
}

template <class T>
void Sequential<T>::eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const {
  Chain<T, Layers>::eval(layers_, call, x, y, tape);
}
template <class T>
void Sequential<T>::vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
                        const Bar<T>& bar) const {
  Chain<T, Layers>::vjp(layers_, call, x, y, tape, y_bar, x_bar, bar);
}
/// One hidden layer of tanh between few rows: a kernel does both layers at once. Its tape is the hidden rows.
template <class T>
bool Mlp<T>::shallow(const Call<T>& call) const {
  const Dense<T>& first = layers_[0];
  return kernel::register_bytes > 0 && call.extent.tangents == 0 && size() == 2 && !first.time() &&
         first.activation() == Activation::tanh && first.in() == layers_[1].out() &&
         first.in() <= kernel::most_shallow_rows;
}
template <class T>
void Mlp<T>::eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const {
  if (shallow(call))
    return kernel::shallow<T>({layers_[0].in(), layers_[0].out(), call.extent.lanes, call.theta}, x,
                              reinterpret_cast<T*>(tape), y);
  Chain<T, Layers>::eval(layers_, call, x, y, tape);
}
template <class T>
void Mlp<T>::vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
                 const Bar<T>& bar) const {
  if (shallow(call) && x_bar && bar.theta.at && bar.theta.leaf == 1)
    return kernel::shallow_vjp<T>({layers_[0].in(), layers_[0].out(), call.extent.lanes, call.theta}, x,
                                  reinterpret_cast<const T*>(tape), y_bar, x_bar, bar.theta.at);
  Chain<T, Layers>::vjp(layers_, call, x, y, tape, y_bar, x_bar, bar);
}

template class Sequential<float>;
REVODE_DOUBLE(template class Sequential<double>;)
template class Mlp<float>;
REVODE_DOUBLE(template class Mlp<double>;)
}  // namespace revode
