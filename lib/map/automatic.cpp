#include "revode/automatic.hpp"
#include "scalars.hpp"

#include <string.h>

namespace revode {
using kernel::Function;
using trace::Op;

namespace {
/// Rows of the program's values or cotangents: row(i, j) is operation i of jet component j, [lanes].
template <class T>
struct Rows {
  T* at;
  std::size_t lanes;
  int size;
  T* operator()(int i, int j = 0) const {
    return at + (static_cast<std::size_t>(j) * static_cast<std::size_t>(size) + static_cast<std::size_t>(i)) * lanes;
  }
};

constexpr Function function(Op op) {
  switch (op) {
    case Op::exp:
      return Function::exp;
    case Op::log:
      return Function::log;
    case Op::sin:
      return Function::sin;
    case Op::cos:
      return Function::cos;
    case Op::sqrt:
      return Function::sqrt;
    default:
      return Function::reciprocal;
  }
}

template <class T>
void scale(std::size_t n, T c, const T* x, T* y) {
  kernel::combine(n, y, static_cast<const T*>(nullptr), 1, &c, &x);
}
template <class T>
void add_scaled(std::size_t n, T c, const T* x, T* y) {
  kernel::combine(n, y, y, 1, &c, &x);
}

/// first = g'(x), second = g''(x) of a unary operation with value v = g(x).
template <class T>
void derivatives(Op op, std::size_t n, const T* x, const T* v, T* first, T* second) {
  switch (op) {
    case Op::exp:
      scale(n, T(1), v, first);
      return scale(n, T(1), v, second);
    case Op::log:
      kernel::evaluate(Function::reciprocal, n, x, first);
      kernel::multiply(n, first, first, second);
      return scale(n, T(-1), second, second);
    case Op::sin:
      kernel::evaluate(Function::cos, n, x, first);
      return scale(n, T(-1), v, second);
    case Op::cos:
      kernel::evaluate(Function::sin, n, x, first);
      scale(n, T(-1), first, first);
      return scale(n, T(-1), v, second);
    case Op::tanh:  // 1 - v^2 and -2 v (1 - v^2)
      for (std::size_t i = 0; i < n; ++i) first[i] = 1;
      kernel::multiply(n, v, v, second);
      add_scaled(n, T(-1), second, first);
      kernel::multiply(n, v, first, second);
      return scale(n, T(-2), second, second);
    case Op::sqrt:  // 1 / (2 v) and -1 / (4 v^3)
      kernel::evaluate(Function::reciprocal, n, v, first);
      kernel::multiply(n, first, first, second);
      kernel::multiply(n, first, second, second);
      scale(n, T(-.25), second, second);
      return scale(n, T(.5), first, first);
    default:  // reciprocal: -v^2 and 2 v^3
      kernel::multiply(n, v, v, first);
      kernel::multiply(n, v, first, second);
      scale(n, T(2), second, second);
      return scale(n, T(-1), first, first);
  }
}

template <class T>
void fill(std::size_t n, T value, T* x) {
  for (std::size_t i = 0; i < n; ++i) x[i] = value;
}
}  // namespace

template <class T>
void Traced<T>::eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const {
  const auto n = static_cast<std::size_t>(call.extent.lanes), d = static_cast<std::size_t>(dim_);
  const int k = call.extent.tangents;
  const Rows<T> v{reinterpret_cast<T*>(tape), n, size_};
  T *first = reinterpret_cast<T*>(call.work), *second = first + n;
  for (int i = 0; i < size_; ++i) {
    const auto [op, a, b, value] = program_[i];
    for (int j = 0; j <= k; ++j) {
      switch (op) {
        case Op::input:
          memcpy(v(i, j), x + (static_cast<std::size_t>(j) * d + static_cast<std::size_t>(a)) * n, n * sizeof(T));
          break;
        case Op::parameter:
          fill(n, j ? T(0) : call.theta[a], v(i, j));
          break;
        case Op::time:
          fill(n, j == 0 ? call.t : call.t_dot ? call.t_dot[j - 1] : T(0), v(i, j));
          break;
        case Op::constant:
          fill(n, j ? T(0) : value, v(i, j));
          break;
        case Op::add:
        case Op::subtract: {
          const T one = op == Op::add ? T(1) : T(-1);
          const T* by = v(b, j);
          kernel::combine(n, v(i, j), v(a, j), 1, &one, &by);
          break;
        }
        case Op::multiply:
          kernel::multiply(n, v(a, j), v(b), v(i, j));
          if (j) kernel::multiply(n, v(a), v(b, j), v(i, j), true);
          break;
        default:
          if (j == 0) {
            if (op == Op::tanh)
              kernel::activate(Activation::tanh, n, v(a), v(i));
            else
              kernel::evaluate(function(op), n, v(a), v(i));
            if (k) derivatives(op, n, v(a), v(i), first, second);
          } else {
            kernel::multiply(n, first, v(a, j), v(i, j));
          }
      }
    }
  }
  for (int j = 0; j <= k; ++j)
    for (int i = 0; i < dim_; ++i)
      memcpy(y + (static_cast<std::size_t>(j) * d + static_cast<std::size_t>(i)) * n, v(outputs_[i], j), n * sizeof(T));
}

template <class T>
void Traced<T>::vjp(const Call<T>& call, const T*, const T*, std::byte* tape, const T* y_bar, T* x_bar,
                    const Bar<T>& bar) const {
  const auto n = static_cast<std::size_t>(call.extent.lanes), d = static_cast<std::size_t>(dim_);
  const int k = call.extent.tangents;
  const Rows<T> v{reinterpret_cast<T*>(tape), n, size_};
  T *first = reinterpret_cast<T*>(call.work), *second = first + n;
  const Rows<T> g{second + n, n, size_};
  memset(g.at, 0, static_cast<std::size_t>(1 + k) * static_cast<std::size_t>(size_) * n * sizeof(T));
  for (int j = 0; j <= k; ++j)
    for (int i = 0; i < dim_; ++i)
      add_scaled(n, T(1), y_bar + (static_cast<std::size_t>(j) * d + static_cast<std::size_t>(i)) * n,
                 g(outputs_[i], j));
  for (int i = size_; i-- > 0;) {
    const auto [op, a, b, value] = program_[i];
    if (op == Op::input || op == Op::parameter || op == Op::time || op == Op::constant) continue;
    if (op != Op::add && op != Op::subtract && op != Op::multiply) derivatives(op, n, v(a), v(i), first, second);
    for (int j = 0; j <= k; ++j) {
      if (op == Op::add || op == Op::subtract) {
        add_scaled(n, T(1), g(i, j), g(a, j));
        add_scaled(n, op == Op::add ? T(1) : T(-1), g(i, j), g(b, j));
      } else if (op == Op::multiply) {  // v_j = a_j b + a b_j
        kernel::multiply(n, g(i, j), v(b), g(a, j), true);
        kernel::multiply(n, g(i, j), v(a), g(b, j), true);
        if (j) kernel::multiply(n, g(i, j), v(a, j), g(b), true);
        if (j) kernel::multiply(n, g(i, j), v(b, j), g(a), true);
      } else {  // v_j = g'(a) a_j
        kernel::multiply(n, g(i, j), first, g(a, j), true);
        if (j == 0) continue;
        T* curve = g(i, j);  // its last use
        kernel::multiply(n, curve, v(a, j), curve);
        kernel::multiply(n, curve, second, g(a), true);
      }
    }
  }
  add_rows(bar.theta, 0, params_, call.extent.lanes, g(dim_));
  for (int j = 0; j <= k && x_bar; ++j) add_scaled(d * n, T(1), g(0, j), x_bar + static_cast<std::size_t>(j) * d * n);
  if (!bar.t) return;
  T sum;
  kernel::tree_lanes(1, call.extent.lanes, g(dim_ + params_), &sum);
  *bar.t += sum;
}

template class Traced<float>;
REVODE_DOUBLE(template class Traced<double>;)
}  // namespace revode
