#include "revode/layers.hpp"
#include "scalars.hpp"

#include <string.h>

namespace revode {
namespace {
std::size_t numbers(int rows, Extent e) {
  return static_cast<std::size_t>(rows) * static_cast<std::size_t>(e.lanes);
}
template <class T>
void add(std::size_t n, const T* v, T* to) {
  const T one = 1;
  kernel::combine(n, to, to, 1, &one, &v);
}
}  // namespace

template <class T>
void Activate<T>::eval(const Call<T>& call, const T* x, T* y, std::byte*) const {
  if (refuses_tangents(call, rows_, y)) return;
  kernel::activate(act_, numbers(rows_, call.extent), x, y);
}
template <class T>
void Activate<T>::vjp(const Call<T>& call, const T* x, const T* y, std::byte*, const T* y_bar, T* x_bar,
                      const Bar<T>&) const {
  if (call.extent.tangents || !x_bar) return;
  T* through = reinterpret_cast<T*>(call.work);
  kernel::activate_vjp(act_, numbers(rows_, call.extent), x, y, y_bar, through);
  add(numbers(rows_, call.extent), through, x_bar);
}

template <class T>
void Augment<T>::eval(const Call<T>& call, const T* x, T* y, std::byte*) const {
  const std::size_t n = numbers(rows_, call.extent), more = numbers(extra_, call.extent);
  for (int j = 0; j <= call.extent.tangents; ++j, x += n, y += n + more) {
    memcpy(y, x, n * sizeof(T));
    memset(y + n, 0, more * sizeof(T));
  }
}
template <class T>
void Augment<T>::vjp(const Call<T>& call, const T*, const T*, std::byte*, const T* y_bar, T* x_bar,
                     const Bar<T>&) const {
  const std::size_t n = numbers(rows_, call.extent), more = numbers(extra_, call.extent);
  for (int j = 0; j <= call.extent.tangents && x_bar; ++j, x_bar += n, y_bar += n + more) add(n, y_bar, x_bar);
}

template <class T>
void Residual<T>::eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const {
  const int rows = map_->shape({}).out;
  T* inner = reinterpret_cast<T*>(tape);
  map_->eval(call, x, inner, tape + jet(rows, call.extent));
  const T ones[] = {1, 1};
  const T* const both[] = {x, inner};
  kernel::combine(numbers((1 + call.extent.tangents) * rows, call.extent), y, static_cast<const T*>(nullptr), 2, ones,
                  both);
}
template <class T>
void Residual<T>::vjp(const Call<T>& call, const T* x, const T*, std::byte* tape, const T* y_bar, T* x_bar,
                      const Bar<T>& bar) const {
  const int rows = map_->shape({}).out;
  map_->vjp(call, x, reinterpret_cast<const T*>(tape), tape + jet(rows, call.extent), y_bar, x_bar, bar);
  if (x_bar) add(numbers((1 + call.extent.tangents) * rows, call.extent), y_bar, x_bar);
}

template class Activate<float>;
REVODE_DOUBLE(template class Activate<double>;)
template class Augment<float>;
REVODE_DOUBLE(template class Augment<double>;)
template class Residual<float>;
REVODE_DOUBLE(template class Residual<double>;)
}  // namespace revode
