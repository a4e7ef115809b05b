#include "models/cnf.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "revode/random.hpp"

namespace revode::host {
template <class T>
T CnfModel<T>::end_time(const T* theta, int flow) const {
  return config_.learn_time ? theta[root_at(flow)] * theta[root_at(flow)] : config_.end_time;
}

template <class T>
void CnfModel<T>::place(Arena& arena) {
  const std::size_t tile = rows(train_field_.rows()), test_tile = rows(test_field_.rows());
  state_ = arena.take<T>(tile), bar_ = arena.take<T>(tile), other_bar_ = arena.take<T>(tile);
  entered_ = arena.take<T>((flows() + 1) * tile);
  noise_ = arena.take<T>(noisy() ? flows() * rows(config_.dim) : 0);
  test_state_ = arena.take<T>(test_tile), test_other_ = arena.take<T>(test_tile);
  if (derives()) {
    phi_ = arena.take<T>(flows() * static_cast<std::size_t>(phi_params()));
    gradient_ = arena.take<T>(static_cast<std::size_t>(params()));
  }
  if (tabulated()) table_.place(arena);
  norm_work_ = arena.take<std::byte>(std::max(norm_.shape({config_.lanes, 0}).work, rows(config_.dim) * sizeof(T)));
}

template <class T>
std::size_t CnfModel<T>::bytes() {
  Arena measure;
  place(measure);
  for (std::size_t f = 0; f < flows(); ++f) Solve<T>::place(measure, train_field_, config_.plan, config_.lanes);
  Solve<T>::place(measure, test_field_, config_.test_plan, config_.lanes);
  return measure.bytes();
}

template <class T>
Status CnfModel<T>::init(Arena& arena) {
  place(arena);
  for (Solve<T>& solve : solves_)
    if (const Status s = solve.init(arena, train_field_, config_.plan, config_.lanes); s != Status::ok) return s;
  if (const Status s = test_solve_.init(arena, test_field_, config_.test_plan, config_.lanes); s != Status::ok)
    return s;
  return arena.ok() ? Status::ok : Status::arena_too_small;
}

template <class T>
void CnfModel<T>::set_norm(const T* theta, int norm) {
  std::copy_n(theta + params() + norm * 2 * config_.dim, 2 * config_.dim, moments_.begin());
}
template <class T>
Call<T> CnfModel<T>::call(const T* theta, int norm) {
  set_norm(theta, norm);
  Call<T> c;
  c.extent = {config_.lanes, 0}, c.theta = theta + norm_at(norm), c.work = norm_work_, c.status = &status_;
  return c;
}

/// Through all flows; entered_[i] is what came to normalisation i, the last one the end.
template <class T>
Status CnfModel<T>::forward(const T* theta) {
  const std::size_t tile = rows(train_field_.rows());
  for (int f = 0; f <= config_.flows; ++f) {
    T* at = entered_ + static_cast<std::size_t>(f) * tile;
    std::copy_n(state_, tile, at);
    if (config_.norm) norm_.eval(call(theta, f), at, state_, nullptr);
    if (f == config_.flows) break;
    if (noisy())
      std::copy_n(noise_ + static_cast<std::size_t>(f) * rows(config_.dim), rows(config_.dim),
                  state_ + rows(train_field_.noise_row()));
    Solve<T>& solve = solves_[static_cast<std::size_t>(f)];
    const Grid<T> grid{0, end_time(theta, f), config_.steps};
    if (const Status s = run(*solve, grid, derives() ? phi(f) : theta + f * flow_params(), state_); s != Status::ok)
      return s;
    std::copy_n(solve->y(), tile, state_);
  }
  return status_;
}

template <class T>
Status CnfModel<T>::flow_back(int flow, const ThetaBar<T>& sums, const T* theta) {
  const std::size_t tile = rows(train_field_.rows());
  Trajectory<T>& solve = *solves_[static_cast<std::size_t>(flow)];
  T times_bar[2] = {};
  const Status begun =
      solve.turn(sums.from(flow * flow_sums(), config_.lanes), config_.learn_time ? times_bar : nullptr);
  if (begun != Status::ok) return begun;
  for (std::size_t i = 0; i < tile; ++i) solve.y_bar()[i] += bar_[i];
  while (solve.retreat()) {
  }
  std::fill_n(bar_, tile, T(0));
  if (const Status s = solve.finish(bar_); s != Status::ok) return s;
  if (noisy()) std::fill_n(bar_ + rows(train_field_.noise_row()), rows(config_.dim), T(0));
  // Cotangents of times are sums over the tile, so they go to its first leaf.
  if (config_.learn_time)
    sums.from((flow + 1) * flow_sums() - 1, config_.lanes).at[0] += 2 * theta[root_at(flow)] * times_bar[1];
  const Accounting done = solve.accounting();
  accounting_.evaluations_forward += done.evaluations_forward;
  accounting_.evaluations_backward += done.evaluations_backward;
  accounting_.vjps += done.vjps;
  accounting_.drift = worse(accounting_.drift, done.drift);
  return Status::ok;
}

/// -log p = |z|^2 / 2 v + d log(2 pi v) / 2 + l of each sample, v the base's variance, and its costs.
template <class T>
void CnfModel<T>::statistics_of(int count, const ThetaBar<T>& sums) {
  const auto lanes = static_cast<std::size_t>(config_.lanes), d = static_cast<std::size_t>(config_.dim);
  const auto leaf = static_cast<std::size_t>(sums.leaf), n = static_cast<std::size_t>(count);
  const T norm = T(.5) * static_cast<T>(config_.dim) * std::log(2 * std::numbers::pi_v<T> * config_.base_variance);
  const T half = T(.5) / config_.base_variance;
  const std::size_t tile = rows(train_field_.rows()), behind = static_cast<std::size_t>(summed());
  for (std::size_t l = 0; l < n; ++l) {
    T nll = norm + state_[d * lanes + l];
    for (std::size_t i = 0; i < d; ++i) nll += half * state_[i * lanes + l] * state_[i * lanes + l];
    T loss = nll;
    std::size_t row = d + 1;
    for (const T weight : {config_.kinetic, config_.jacobian, config_.taylor})
      if (weight > 0) loss += weight * state_[row++ * lanes + l];
    T* at = sums.at + l / leaf * sums.stride + behind;
    at[0] += loss, at[1] += nll, at[2] += 1;
    for (int k = 0; k <= config_.flows && config_.norm; ++k)
      for (std::size_t i = 0; i < d; ++i) {
        const T v = entered_[static_cast<std::size_t>(k) * tile + i * lanes + l];
        T* moments = at + statistics + static_cast<std::size_t>(2 * k) * d + i;
        moments[0] += v, moments[d] += v * v;
      }
  }
}

template <class T>
Status CnfModel<T>::backward(int count, const T* theta, const ThetaBar<T>& sums) {
  const auto lanes = static_cast<std::size_t>(config_.lanes), n = static_cast<std::size_t>(count);
  const auto d = static_cast<std::size_t>(config_.dim);
  const std::size_t tile = rows(train_field_.rows());
  std::fill_n(bar_, tile, T(0));
  for (std::size_t l = 0; l < n; ++l) {
    for (std::size_t i = 0; i < d; ++i) bar_[i * lanes + l] = state_[i * lanes + l] / config_.base_variance;
    bar_[d * lanes + l] = 1;
    std::size_t row = d + 1;
    for (const T weight : {config_.kinetic, config_.jacobian, config_.taylor})
      if (weight > 0) bar_[row++ * lanes + l] = weight;
  }
  for (int f = config_.flows; f >= 0; --f) {
    if (f < config_.flows)
      if (const Status s = flow_back(f, sums, theta); s != Status::ok) return s;
    if (!config_.norm) continue;
    std::copy_n(bar_, tile, other_bar_);
    std::fill_n(bar_, tile, T(0));
    const T* x = entered_ + static_cast<std::size_t>(f) * tile;
    norm_.vjp(call(theta, f), x, nullptr, nullptr, other_bar_, bar_,
              {sums.from(summed() - norm_params() + f * 2 * config_.dim, config_.lanes), nullptr});
  }
  return status_;
}

template <class T>
Status CnfModel<T>::loss(const T* x, const T* noise, int count, const T* theta, const ThetaBar<T>& sums) {
  status_ = Status::ok, accounting_ = {};
  std::fill_n(state_, rows(train_field_.rows()), T(0));
  std::copy_n(x, rows(config_.dim), state_);
  if (noisy()) std::copy_n(noise, flows() * rows(config_.dim), noise_);
  if (const Status s = forward(theta); s != Status::ok) return s;
  statistics_of(count, sums);
  return backward(count, theta, sums);
}

/// Part of a flow, from and to in [0, 1].
template <class T>
Status CnfModel<T>::solve_part(int flow, T from, T to, const T* theta) {
  const T end = end_time(theta, flow);
  const T part = from < to ? to - from : from - to;
  if (!(part > 0)) return Status::ok;
  const long steps = std::max(1L, std::lround(static_cast<double>(part) * static_cast<double>(config_.test_steps)));
  if (const Status s = run(*test_solve_, {from * end, to * end, steps}, theta + flow * flow_params(), test_state_);
      s != Status::ok)
    return s;
  std::copy_n(test_solve_->y(), rows(test_field_.rows()), test_state_);
  return Status::ok;
}

template <class T>
Status CnfModel<T>::carry(T a, T b, const T* theta, T* z, T* gain) {
  status_ = Status::ok;
  std::copy_n(z, rows(config_.dim), test_state_);
  std::fill_n(test_state_ + rows(config_.dim), rows(1), T(0));
  const auto normalise = [&](int at, bool back) {
    if (!config_.norm) return;
    if (back)
      test_norm_.invert(call(theta, at), test_state_, test_other_);
    else
      test_norm_.eval(call(theta, at), test_state_, test_other_, nullptr);
    std::swap(test_state_, test_other_);
  };
  const auto last = static_cast<T>(config_.flows);
  if (b < a && a >= last) normalise(config_.flows, true);
  for (int i = 0; i < config_.flows; ++i) {
    const int f = a <= b ? i : config_.flows - 1 - i;
    const T from = std::clamp(a - static_cast<T>(f), T(0), T(1)), to = std::clamp(b - static_cast<T>(f), T(0), T(1));
    if (a <= static_cast<T>(f) && b > static_cast<T>(f)) normalise(f, false);
    if (const Status s = solve_part(f, from, to, theta); s != Status::ok) return s;
    if (b <= static_cast<T>(f) && a > static_cast<T>(f)) normalise(f, true);
  }
  if (b > a && b >= last) normalise(config_.flows, false);
  std::copy_n(test_state_, rows(config_.dim), z);
  std::copy_n(test_state_ + rows(config_.dim), rows(1), gain);
  return status_;
}

template class CnfModel<float>;
template class CnfModel<double>;
}  // namespace revode::host
