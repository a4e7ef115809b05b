#include "revode/readout.hpp"

#include <string.h>

#include "kernels/sweep.hpp"
#include "revode/impl/flow_impl.hpp"
#include "revode/impl/pack.hpp"
#include "scalars.hpp"
#include "solve/within.hpp"

namespace revode {
using kernel::On;

template <class T>
Status Readout<T>::begin(int count, const T* times, T* at, T* rate) {
  if (count < 0 || count > capacity_) return Status::capacity;
  count_ = count, times_ = times, at_ = at, rate_ = rate;
  first_ = 0, last_ = count, ready_[0] = ready_[1] = false;
  const std::size_t bytes = static_cast<std::size_t>(count) * size() * sizeof(T);
  if (count > 0) memset(at, 0, bytes);
  if (count > 0 && rate) memset(rate, 0, bytes);
  return Status::ok;
}

template <class T>
Call<T> Readout<T>::call(Trajectory<T>& solve, long node) const {
  Call<T> c;
  c.extent = {static_cast<int>(lanes_), 0};
  c.t = solve.t(node);
  c.theta = solve.theta();
  c.work = work_;
  c.status = solve.sticky();
  return c;
}

template <class T>
void Readout<T>::evaluate(Trajectory<T>& solve) {
  for (int side = 0; side < 2; ++side) {
    if (!ready_[side]) field_->eval(call(solve, solve.n() - 1 + side), y_[side], f_[side], tape_);
    ready_[side] = true;
  }
}

template <class T>
bool Readout<T>::weigh(const Step<T>& s, const T* times) {
  bool any = false;
  for (std::size_t l = 0; l < lanes_; ++l) {
    const auto [inside, x] = within(s, times[l]);
    any |= inside;
    const T x2 = x * x, rest = 1 - x, h = inside ? s.h : T(0);
    const T end = x2 * (3 - 2 * x);
    weight_[l] = inside ? 1 - end : T(0);
    weight_[lanes_ + l] = end;
    weight_[2 * lanes_ + l] = h * x * rest * rest;
    weight_[3 * lanes_ + l] = -h * x2 * rest;
  }
  return any;
}

template <class T>
void Readout<T>::weigh_rate(const Step<T>& s, const T* times) {
  for (std::size_t l = 0; l < lanes_; ++l) {
    const auto [inside, x] = within(s, times[l]);
    const T side = inside ? 6 * x * (1 - x) / (s.t1 - s.t0) : T(0);
    weight_[l] = -side;
    weight_[lanes_ + l] = side;
    weight_[2 * lanes_ + l] = inside ? (1 - x) * (1 - 3 * x) : T(0);
    weight_[3 * lanes_ + l] = inside ? x * (3 * x - 2) : T(0);
  }
}

/// out[dim][lanes] += what weight_ makes of both ends.
template <class T>
void Readout<T>::add_row(T* out_row) const {
  for (int d = 0; d < dim_; ++d) {
    const std::size_t at = static_cast<std::size_t>(d) * lanes_;
    T* out = out_row + at;
    kernel::sweep<T>(lanes_, [&]<int W>(std::size_t l) {
      using O = On<T, W>;
      auto v = O::fma(O::load(weight_ + l), O::load(y_[0] + at + l), O::load(out + l));
      v = O::fma(O::load(weight_ + lanes_ + l), O::load(y_[1] + at + l), v);
      v = O::fma(O::load(weight_ + 2 * lanes_ + l), O::load(f_[0] + at + l), v);
      O::store(out + l, O::fma(O::load(weight_ + 3 * lanes_ + l), O::load(f_[1] + at + l), v));
    });
  }
}

template <class T>
void Readout<T>::rise(Trajectory<T>& solve, const Step<T>& s, const T* y) {
  const int bits[2] = {0, 0};
  flow_.init(solve.theta(), bits);
  memcpy(flow_.state, y, size() * sizeof(T));
  memset(flow_.state + size(), 0, size() * sizeof(T));
  flow_.step(s, nullptr);
  fail(solve.sticky(), flow_.status);
  risen_ = true;
}

template <class T>
void Readout<T>::factors(const Step<T>& s, const T* times, bool derivative) {
  for (std::size_t l = 0; l < lanes_; ++l) {
    const T x = within(s, times[l]).x, rest = 1 - x;
    factor_[l] = derivative ? 2 * x * rest * (rest - x) / (s.t1 - s.t0) : x * x * rest * rest;
  }
}

template <class T>
void Readout<T>::add_bulge(T* out) const {
  for (std::size_t d = 0; d < static_cast<std::size_t>(dim_); ++d)
    kernel::multiply(lanes_, factor_, flow_.state + size() + d * lanes_, out + d * lanes_, true);
}

template <class T>
void Readout<T>::read(Trajectory<T>& solve, const Step<T>& s, const T* times, T* at, T* rate) {
  if (!weigh(s, times)) return;
  evaluate(solve);
  if (bulges_ && !risen_) rise(solve, s, y_[0]);
  add_row(at);
  if (bulges_) factors(s, times, false), add_bulge(at);
  if (!rate) return;
  weigh_rate(s, times);
  add_row(rate);
  if (bulges_) factors(s, times, true), add_bulge(rate);
}

/// Moves first_ past rows that are read to the end in every lane; true when a row may be read in this step.
template <class T>
bool Readout<T>::reads(const Step<T>& s) {
  while (first_ < count_ && all(before<T>, s, lanes_, row(first_))) ++first_;
  return first_ < count_;
}

template <class T>
void Readout<T>::look(Trajectory<T>& solve) {
  const long node = solve.n();
  if (node > 0) {
    T* swap = y_[0];
    y_[0] = y_[1], y_[1] = swap;
    swap = f_[0], f_[0] = f_[1], f_[1] = swap;
    ready_[0] = ready_[1];
  }
  memcpy(y_[1], solve.y(), size() * sizeof(T));
  ready_[1] = risen_ = false;
  if (node == 0) return;
  const Step<T> s = solve.step(node - 1);
  if (!reads(s)) return;
  for (int o = first_; o < count_ && !all(beyond<T>, s, lanes_, row(o)); ++o) {
    const std::size_t at = static_cast<std::size_t>(o) * size();
    read(solve, s, row(o), at_ + at, rate_ ? rate_ + at : nullptr);
  }
}

template <class T>
void Readout<T>::interpolate(Trajectory<T>& solve, const T* times, T* at, T* rate) {
  memset(at, 0, size() * sizeof(T));
  memset(rate, 0, size() * sizeof(T));
  read(solve, solve.step(solve.n() - 1), times, at, rate);
}

template class Readout<float>;
REVODE_DOUBLE(template class Readout<double>;)
}  // namespace revode
