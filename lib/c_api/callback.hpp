/// A user's C functions as a map. They see no jets; a failure ends the solve: no function is called again.
#pragma once
#include "revode/map.hpp"

namespace revode {
template <class T, class Field>
class Callback final : public Map<T> {
 public:
  constexpr explicit Callback(const Field& field) : field_(field) {}
  constexpr Shape shape(Extent e) const override {
    return {field_.dim, field_.dim, field_.params, size(field_.tape, e) * sizeof(T), 0};
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override {
    if (call.extent.tangents) return fail_with(call, Status::unsupported, y);
    if (*call.status == Status::callback_failed) return;
    T* scalars = field_.tape ? reinterpret_cast<T*>(tape) : nullptr;
    if (field_.rhs(call.t, x, call.theta, y, scalars, field_.user_data)) fail_with(call, Status::callback_failed, y);
  }
  void vjp(const Call<T>& call, const T* x, const T*, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override {
    if (*call.status == Status::callback_failed) return;
    T* scalars = field_.tape ? reinterpret_cast<T*>(tape) : nullptr;
    if (field_.vjp(call.t, x, call.theta, scalars, y_bar, x_bar, bar.theta.at, field_.user_data))
      fail(call.status, Status::callback_failed);
  }

 private:
  static constexpr std::size_t size(int rows, Extent e) {
    return static_cast<std::size_t>(rows) * static_cast<std::size_t>(e.lanes);
  }
  void fail_with(const Call<T>& call, Status why, T* y) const {
    fail(call.status, why);
    for (std::size_t i = 0; i < size(field_.dim, call.extent); ++i) y[i] = static_cast<T>(__builtin_nanf(""));
  }
  Field field_;
};
}  // namespace revode
