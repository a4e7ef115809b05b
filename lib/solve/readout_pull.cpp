/// The way back of Readout.
#include <string.h>

#include "revode/impl/flow_impl.hpp"
#include "revode/readout.hpp"
#include "scalars.hpp"
#include "solve/within.hpp"

namespace revode {
template <class T>
bool Readout<T>::add_step(const Step<T>& s, int side, const T* at_bar, T* y_bar, T* f_bar) {
  bool any = false;
  for (int o = last_ - 1; o >= 0 && !all(before<T>, s, lanes_, row(o)); --o) {
    if (!weigh(s, row(o))) continue;
    any = true;
    const T *wy = weight_ + static_cast<std::size_t>(side) * lanes_, *wf = wy + 2 * lanes_;
    for (int d = 0; d < dim_; ++d) {
      const std::size_t at = static_cast<std::size_t>(d) * lanes_;
      const T* g = bar_row(at_bar, o) + at;
      kernel::multiply(lanes_, wy, g, y_bar + at, true);
      kernel::multiply(lanes_, wf, g, f_bar + at, true);
    }
  }
  return any;
}

/// With x = (t - t0) / h: dy/dt0 = -rate and dy/dh = -x rate + (what f has in y) / h, at fixed y and f of the ends.
template <class T>
void Readout<T>::pull_times(Trajectory<T>& solve, const Step<T>& s, int side, const T* at_bar) {
  const T *y = solve.y(), *f = f_[1];
  const T *wy = weight_ + static_cast<std::size_t>(side) * lanes_, *wf = wy + 2 * lanes_;
  T t_bar = 0, h_bar = 0;
  for (int o = last_ - 1; o >= 0 && !all(before<T>, s, lanes_, row(o)); --o) {
    if (!weigh(s, row(o))) continue;
    const T* g = bar_row(at_bar, o);
    for (std::size_t i = 0; i < size(); ++i) h_bar += wf[i % lanes_] / s.h * f[i] * g[i];
    weigh_rate(s, row(o));
    for (std::size_t i = 0; i < size(); ++i) {
      const std::size_t l = i % lanes_;
      const T part = (wy[l] * y[i] + wf[l] * f[i]) * g[i];
      t_bar -= part, h_bar -= within(s, row(o)[l]).x * part;
    }
  }
  solve.add_times(s, t_bar, h_bar);
}

template <class T>
void Readout<T>::pull_bulge(Trajectory<T>& solve, const Step<T>& s, const T* at_bar) {
  if (solve.wants_times()) pull_bulge_times(solve, s, at_bar);
  const int bits[2] = {0, 0};
  flow_.init(solve.theta(), bits);
  memset(flow_.bar, 0, flow_.words() * sizeof(T));
  for (int o = last_ - 1; o >= 0 && !all(before<T>, s, lanes_, row(o)); --o) {
    factors(s, row(o), false);
    for (std::size_t d = 0; d < static_cast<std::size_t>(dim_); ++d)
      kernel::multiply(lanes_, factor_, bar_row(at_bar, o) + d * lanes_, flow_.bar + size() + d * lanes_, true);
  }
  memcpy(flow_.state, solve.y(), size() * sizeof(T));
  flow_.bar_out = {solve.theta_bar(), nullptr};
  flow_.times = solve.wants_times(), flow_.t_bar = flow_.h_bar = 0;
  flow_.pull(s);
  fail(solve.sticky(), flow_.status);
  if (solve.wants_times()) solve.add_times(s, flow_.t_bar, flow_.h_bar);
  for (std::size_t i = 0; i < size(); ++i) solve.y_bar()[i] += flow_.bar[i];
}

/// Through x alone: the step goes forwards once more for its bulge.
template <class T>
void Readout<T>::pull_bulge_times(Trajectory<T>& solve, const Step<T>& s, const T* at_bar) {
  rise(solve, s, solve.y());
  const T* risen = flow_.state + size();
  T t_bar = 0, h_bar = 0;
  for (int o = last_ - 1; o >= 0 && !all(before<T>, s, lanes_, row(o)); --o) {
    factors(s, row(o), true);
    for (std::size_t i = 0; i < size(); ++i) {
      const std::size_t l = i % lanes_;
      const T part = factor_[l] * risen[i] * bar_row(at_bar, o)[i];
      t_bar -= part, h_bar -= within(s, row(o)[l]).x * part;
    }
  }
  solve.add_times(s, t_bar, h_bar);
}

template <class T>
void Readout<T>::pull(Trajectory<T>& solve, const T* at_bar) {
  const long node = solve.n();
  const Call<T> c = call(solve, node);
  T* f_bar = f_[0];
  bool known = false;  // f_[1] is the slope here
  memset(f_bar, 0, size() * sizeof(T));
  const auto pull_side = [&](const Step<T>& s, int side) {
    if (!add_step(s, side, at_bar, solve.y_bar(), f_bar)) return;
    if (side == 0 && bulges_) pull_bulge(solve, s, at_bar);
    if (!solve.wants_times()) return;
    if (!known) field_->eval(c, solve.y(), f_[1], tape_), known = true;
    pull_times(solve, s, side, at_bar);
  };
  if (node < solve.steps()) pull_side(solve.step(node), 0);
  if (node > 0) {
    const Step<T> s = solve.step(node - 1);
    while (last_ > 0 && all(beyond<T>, s, lanes_, row(last_ - 1))) --last_;  // done with in every lane
    pull_side(s, 1);
  }
  bool any = false;
  for (std::size_t i = 0; i < size(); ++i) any |= f_bar[i] < 0 || f_bar[i] > 0;
  if (!any) return;
  T part = 0;
  if (!known) field_->eval(c, solve.y(), f_[1], tape_);
  field_->vjp(c, solve.y(), f_[1], tape_, f_bar, solve.y_bar(),
              {solve.theta_bar(), solve.wants_times() ? &part : nullptr});
  if (!solve.wants_times()) return;
  if (node < solve.steps()) return solve.add_times(solve.step(node), part, 0);
  solve.add_times(solve.step(node - 1), part, part);
}

#define REVODE_INSTANTIATE(T)                                                           \
  template bool Readout<T>::add_step(const Step<T>&, int, const T*, T*, T*);            \
  template void Readout<T>::pull_times(Trajectory<T>&, const Step<T>&, int, const T*);  \
  template void Readout<T>::pull_bulge(Trajectory<T>&, const Step<T>&, const T*);       \
  template void Readout<T>::pull_bulge_times(Trajectory<T>&, const Step<T>&, const T*); \
  template void Readout<T>::pull(Trajectory<T>&, const T*);
REVODE_INSTANTIATE(float)
REVODE_DOUBLE(REVODE_INSTANTIATE(double))
}  // namespace revode
