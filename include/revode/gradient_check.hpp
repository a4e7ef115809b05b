/// Gradient checker: compares a map's VJP with central differences, for the maps of this library and for a user's own.
/// L = sum(c y) with random c; each cotangent is compared with (L(v + e) - L(v - e)) / 2e. In double with e = 1e-6 a
/// right VJP agrees to about 1e-9 (truncation e^2, rounding 1e-16 / e); a wrong one is off by order 1.
#pragma once
#include "revode/map.hpp"
#include "revode/random.hpp"

namespace revode {
template <class T>
class GradientCheck {
 public:
  constexpr void place(Arena& arena, const Map<T>& map, Extent extent) {
    map_ = &map, extent_ = extent, shape_ = map.shape(extent);
    const auto jet = static_cast<std::size_t>(1 + extent.tangents) * static_cast<std::size_t>(extent.lanes);
    in_ = static_cast<std::size_t>(shape_.in) * jet, out_ = static_cast<std::size_t>(shape_.out) * jet;
    params_ = static_cast<std::size_t>(shape_.params);
    x_ = arena.take<T>(in_), x_bar_ = arena.take<T>(in_), y_ = arena.take<T>(out_), y_bar_ = arena.take<T>(out_);
    theta_ = arena.take<T>(params_), theta_bar_ = arena.take<T>(params_ * static_cast<std::size_t>(extent.lanes));
    tape_ = arena.take<std::byte>(shape_.tape), work_ = arena.take<std::byte>(shape_.work);
  }
  /// The worst |difference| / (1 + |cotangent|) over x, theta and t. `t_dot` is [tangents] or null.
  T worst(T t, const T* theta, const T* x, T e, const T* t_dot = nullptr) {
    if (in_ > 0)
      __builtin_memcpy(x_, x, in_ * sizeof(T));  // a map may have no input, or no parameters, and none be null
    if (params_ > 0) __builtin_memcpy(theta_, theta, params_ * sizeof(T));
    __builtin_memset(x_bar_, 0, in_ * sizeof(T));
    __builtin_memset(theta_bar_, 0, params_ * static_cast<std::size_t>(extent_.lanes) * sizeof(T));
    Random random(7, 0);
    for (std::size_t i = 0; i < out_; ++i) y_bar_[i] = static_cast<T>(2 * random.uniform() - 1);
    T t_bar = 0, worst = 0;
    call_ = {};
    call_.extent = extent_, call_.t = t, call_.theta = theta_, call_.work = work_, call_.t_dot = t_dot;
    call_.status = &status;
    status = Status::ok;
    map_->eval(call_, x_, y_, tape_);
    map_->vjp(call_, x_, y_, tape_, y_bar_, x_bar_, {{theta_bar_, 1, 0}, &t_bar});
    for (std::size_t i = 0; i < in_; ++i) compare(x_[i], e, x_bar_[i], worst);
    for (std::size_t i = 0; i < params_; ++i) {
      T sum = 0;
      for (int l = 0; l < extent_.lanes; ++l)
        sum += theta_bar_[i * static_cast<std::size_t>(extent_.lanes) + static_cast<std::size_t>(l)];
      compare(theta_[i], e, sum, worst);
    }
    compare(call_.t, e, t_bar, worst);
    return worst;
  }
  Status status = Status::ok;  ///< the map's own failures

 private:
  T loss() {
    map_->eval(call_, x_, y_, tape_);
    T sum = 0;
    for (std::size_t i = 0; i < out_; ++i) sum += y_bar_[i] * y_[i];
    return sum;
  }
  void compare(T& v, T e, T bar, T& worst) {
    const T keep = v;
    v = keep + e;
    const T plus = loss();
    v = keep - e;
    const T minus = loss();
    v = keep;
    const T difference = (plus - minus) / (2 * e) - bar, size = bar < 0 ? -bar : bar;
    const T relative = (difference < 0 ? -difference : difference) / (1 + size);
    if (!(relative <= worst)) worst = relative;  // a NaN shows
  }
  const Map<T>* map_ = nullptr;
  Extent extent_;
  Shape shape_;
  std::size_t in_ = 0, out_ = 0, params_ = 0;
  T *x_ = nullptr, *x_bar_ = nullptr, *y_ = nullptr, *y_bar_ = nullptr, *theta_ = nullptr, *theta_bar_ = nullptr;
  std::byte *tape_ = nullptr, *work_ = nullptr;
  Call<T> call_;
};
}  // namespace revode
