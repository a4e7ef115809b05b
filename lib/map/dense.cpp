#include "revode/dense.hpp"
#include "scalars.hpp"

namespace revode {
/// b + w_t t of the value (j = 0), w_t t_dot of tangent j; null: zero. In the last tile of work.
template <class T>
const T* Dense<T>::bias(const Call<T>& call, int j) const {
  const T* b = j == 0 ? call.theta + p_bias() : nullptr;
  const T t = j == 0 ? call.t : call.t_dot ? call.t_dot[j - 1] : T(0);
  if (!time_ || (j > 0 && !call.t_dot)) return b;
  T* sum = row(call.work, call, act_ == Activation::identity ? 0 : 1 + call.extent.tangents);
  const T* w = call.theta + p_time();
  kernel::combine(static_cast<std::size_t>(out_), sum, b, 1, &t, &w);
  return sum;
}

template <class T>
void Dense<T>::eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const {
  const int lanes = call.extent.lanes;
  const std::size_t n = static_cast<std::size_t>(out_) * static_cast<std::size_t>(lanes);
  const std::size_t m = static_cast<std::size_t>(in_) * static_cast<std::size_t>(lanes);
  const int keeps = act_ == Activation::silu ? 1 : 0;
  T* a = keeps ? row(tape, call, 0) : y;
  kernel::dense(out_, in_, lanes, call.theta, bias(call, 0), x, a);
  if (act_ != Activation::identity) kernel::activate(act_, n, a, y);
  for (int j = 1; j <= call.extent.tangents; ++j) {
    const auto offset = static_cast<std::size_t>(j);
    T* p = act_ == Activation::identity ? y + offset * n : row(tape, call, keeps + j - 1);
    kernel::dense(out_, in_, lanes, call.theta, bias(call, j), x + offset * m, p);
    if (act_ != Activation::identity) kernel::activate_vjp(act_, n, a, y, p, y + offset * n);
  }
}

template <class T>
void Dense<T>::vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
                   const Bar<T>& bar) const {
  const int lanes = call.extent.lanes, k = call.extent.tangents;
  const std::size_t n = static_cast<std::size_t>(out_) * static_cast<std::size_t>(lanes);
  const std::size_t m = static_cast<std::size_t>(in_) * static_cast<std::size_t>(lanes);
  const bool linear = act_ == Activation::identity;
  const int keeps = act_ == Activation::silu ? 1 : 0;
  const T* a = keeps ? row(tape, call, 0) : y;
  if (!linear) kernel::activate_vjp(act_, n, a, y, y_bar, row(call.work, call, 0));
  for (int j = 1; j <= k && !linear; ++j) {
    const T* y_dot_bar = y_bar + static_cast<std::size_t>(j) * n;
    kernel::activate_curve(act_, n, a, y, row(tape, call, keeps + j - 1), y_dot_bar, row(call.work, call, 0));
    kernel::activate_vjp(act_, n, a, y, y_dot_bar, row(call.work, call, j));
  }
  for (int j = 0; j <= k; ++j) {
    const auto offset = static_cast<std::size_t>(j);
    const T* a_bar = linear ? y_bar + offset * n : row(call.work, call, j);
    add_theta(call, j, x + offset * m, a_bar, bar);
    if (x_bar) kernel::dense_vjp_input(out_, in_, lanes, call.theta, a_bar, x_bar + offset * m, !bar.writes);
  }
}

template <class T>
void Dense<T>::add_theta(const Call<T>& call, int j, const T* x, const T* a_bar, const Bar<T>& bar) const {
  const int lanes = call.extent.lanes;
  add_outer(bar.theta, 0, j == 0 ? p_bias() : -1, out_, in_, lanes, a_bar, x);
  if (!time_) return;
  const std::size_t n = static_cast<std::size_t>(out_) * static_cast<std::size_t>(lanes);
  const int first = act_ == Activation::identity ? 0 : 1 + call.extent.tangents;
  T* scratch = row(call.work, call, first);
  const T t = j == 0 ? call.t : call.t_dot ? call.t_dot[j - 1] : T(0);
  if (bar.theta.at && (j == 0 || call.t_dot)) {
    kernel::combine(n, scratch, static_cast<const T*>(nullptr), 1, &t, &a_bar);
    add_rows(bar.theta, p_time(), out_, lanes, scratch);
  }
  if (bar.t && j == 0) {
    T* per_lane = row(call.work, call, first + 1);
    T sum;
    kernel::dense_vjp_input(out_, 1, lanes, call.theta + p_time(), a_bar, per_lane);
    kernel::tree_lanes(1, lanes, per_lane, &sum);
    *bar.t += sum;
  }
}

template class Dense<float>;
REVODE_DOUBLE(template class Dense<double>;)
}  // namespace revode
