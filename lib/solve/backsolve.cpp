#include "revode/backsolve.hpp"

#include <string.h>

#include <new>

#include "revode/impl/solve_impl.hpp"
#include "revode/scalar.hpp"
#include "scalars.hpp"

namespace revode {
template <class T>
void AdjointField<T>::eval(const Call<T>& call, const T* x, T* y, std::byte*) const {
  const Shape f = field_->shape(call.extent);
  const auto lanes = static_cast<std::size_t>(call.extent.lanes), d = static_cast<std::size_t>(f.out) * lanes;
  const std::size_t rest = d + (with_theta_ ? static_cast<std::size_t>(f.params) * lanes : 0);
  std::byte* tape = call.work;
  Call<T> inner = call;
  inner.work += padded(f.tape);
  field_->eval(inner, x, y, tape);
  memset(y + d, 0, rest * sizeof(T));
  field_->vjp(inner, x, y, tape, x + d, y + d, {{with_theta_ ? y + 2 * d : nullptr, 1, 0}, nullptr});
  for (std::size_t i = d; i < d + rest; ++i) y[i] = -y[i];
}

template <class T>
void AdjointField<T>::vjp(const Call<T>& call, const T*, const T*, std::byte*, const T*, T*, const Bar<T>&) const {
  fail(call.status, Status::unsupported);
}

namespace {
template <class T>
Status check(const Map<T>& field, const BacksolvePlan<T>& p, int lanes) {
  const Shape s = field.shape({lanes, 0});
  if (lanes < 1 || s.in != s.out || s.in < 1 || p.kept_times < 0 || !(p.drift_bound >= 0)) return Status::bad_argument;
  const bool ordinary = p.method_back.registers == 1 && p.method_back.multistep == 0;
  if (p.method.read != 1 || !ordinary) return Status::unsupported;
  const Status forward = fits(inference(p.method, p.control));
  return forward == Status::ok ? fits(inference(p.method_back, p.control_back)) : forward;
}
}  // namespace

template <class T>
void Backsolve<T>::place(Arena& arena, const Map<T>& field, const BacksolvePlan<T>& plan, int lanes) {
  const Shape s = field.shape({lanes, 0});
  const auto width = static_cast<std::size_t>(lanes);
  plan_ = plan, field_ = &field;
  d_ = static_cast<std::size_t>(s.out) * width, params_ = s.params;
  forward_ = Solve<T>::place(arena, field, inference(plan.method, plan.control), lanes);
  auto* adjoint = arena.take<AdjointField<T>>(1);
  const AdjointField<T> measured(field, !plan.seminorm);
  if (adjoint) adjoint = new (adjoint) AdjointField<T>(measured);
  back_ = arena.take<Back>(1);
  Back measured_walk;
  if (back_) back_ = new (back_) Back;
  (back_ ? *back_ : measured_walk)
      .place(arena, adjoint ? *adjoint : measured, inference(plan.method_back, plan.control_back), lanes);
  z_ = arena.take<T>(2 * d_ + (plan.seminorm ? 0 : static_cast<std::size_t>(params_) * width));
  kept_ = arena.take<T>(static_cast<std::size_t>(1 + plan.kept_times) * d_);
  slope_ = arena.take<T>(d_), weighted_ = arena.take<T>(d_);
  tape_ = arena.take<std::byte>(s.tape);
  call_ = {};
  call_.extent = {lanes, 0};
  call_.work = arena.take<std::byte>(s.work);
}

template <class T>
Status Backsolve<T>::init(Arena& arena, const Map<T>& field, const BacksolvePlan<T>& plan, int lanes) {
  if (Status s = check(field, plan, lanes); s != Status::ok) return s;
  place(arena, field, plan, lanes);
  return arena.ok() ? Status::ok : Status::arena_too_small;
}

template <class T>
std::size_t Backsolve<T>::bytes(const Map<T>& field, const BacksolvePlan<T>& plan, int lanes) {
  if (check(field, plan, lanes) != Status::ok) return 0;
  Arena measure;
  Backsolve<T>().place(measure, field, plan, lanes);
  return measure.bytes();
}

template <class T>
Status Backsolve<T>::begin(const Grid<T>& grid, const T* theta, const T* y0) {
  grid_ = grid, at_ = 0, done_ = {}, status_ = Status::ok;
  call_.theta = theta, call_.status = &status_;
  if (Status s = forward_->begin(grid, theta, y0); s != Status::ok) return failed(s), status_;
  if (plan_.kept_times > 0 && grid.intervals() - 1 > plan_.kept_times) return failed(Status::capacity), status_;
  keep();
  return status_;
}

template <class T>
void Backsolve<T>::keep() {
  memcpy(z_, forward_->y(), d_ * sizeof(T));
  const bool last = at_ == grid_.intervals();
  if (at_ == 0 || (plan_.kept_times > 0 && !last))
    memcpy(kept_ + static_cast<std::size_t>(at_) * d_, z_, d_ * sizeof(T));
}

template <class T>
bool Backsolve<T>::advance() {
  if (status_ != Status::ok || at_ == grid_.intervals()) return false;
  const T from = grid_.end(at_), to = grid_.end(at_ + 1);
  for (bool there = false; !there;) {
    if (!forward_->advance()) return failed(forward_->status());
    const T t = forward_->t(forward_->n());
    there = from < to ? t >= to : t <= to;
  }
  ++at_;
  keep();
  return true;
}

template <class T>
Status Backsolve<T>::turn(const ThetaBar<T>& theta_bar, T* times_bar) {
  theta_bar_ = theta_bar, times_bar_ = times_bar;
  memset(y_bar(), 0, d_ * sizeof(T));
  return status_;
}

template <class T>
bool Backsolve<T>::retreat() {
  if (status_ != Status::ok || at_ == 0) return false;
  if (times_bar_) times_bar_[at_] += rate();
  if (!solve_back()) return false;
  --at_;
  memcpy(z_, back_->y(), 2 * d_ * sizeof(T));
  if (at_ == 0 || plan_.kept_times > 0) mend();
  if (times_bar_) times_bar_[at_] -= rate();
  if (plan_.drift_bound > 0 && !(done_.drift <= static_cast<float>(plan_.drift_bound))) return failed(Status::drift);
  return status_ == Status::ok;
}

/// The interval that ends where the cursor stands.
template <class T>
bool Backsolve<T>::solve_back() {
  const auto theirs = static_cast<std::size_t>(params_) * static_cast<std::size_t>(call_.extent.lanes);
  if (!plan_.seminorm) memset(z_ + 2 * d_, 0, theirs * sizeof(T));
  Status status = back_->begin({grid_.end(at_), grid_.end(at_ - 1), grid_.steps}, call_.theta, z_);
  while (status == Status::ok && back_->advance())
    if (plan_.seminorm && theta_bar_.at) add_theta(back_->step(back_->n() - 1));
  if (status == Status::ok) status = back_->status();
  const Accounting a = back_->accounting();
  done_.recomputed += a.steps, done_.rejected += a.rejected;
  done_.evaluations_backward += a.evaluations_forward, done_.vjps += a.evaluations_forward;
  if (status != Status::ok) return failed(status);
  if (!plan_.seminorm) add_rows(theta_bar_, 0, params_, call_.extent.lanes, back_->y() + 2 * d_);
  return true;
}

/// theta_bar of a step back, h sum_i b_i (-a_i' df/dtheta), from the arguments of its stages.
template <class T>
void Backsolve<T>::add_theta(const Step<T>& s) {
  const Tableau<T>& m = plan_.method_back.base;
  for (int i = 0; i < m.advancing(); ++i) {
    if (!(m.b[i] < 0) && !(m.b[i] > 0)) continue;
    const T* x = back_->flow().stage(i);
    const T *a = x + d_, weight = -s.h * m.b[i];
    call_.t = s.t0 + m.c(i) * s.h;
    field_->eval(call_, x, slope_, tape_);
    kernel::combine(d_, weighted_, static_cast<const T*>(nullptr), 1, &weight, &a);
    field_->vjp(call_, x, slope_, tape_, weighted_, nullptr, {theta_bar_, nullptr});
    ++done_.evaluations_backward, ++done_.vjps;
  }
}

/// a . f where the cursor stands.
template <class T>
T Backsolve<T>::rate() {
  call_.t = grid_.end(at_);
  field_->eval(call_, z_, slope_, tape_);
  ++done_.evaluations_backward;
  T sum = 0;
  for (std::size_t i = 0; i < d_; ++i) sum += z_[d_ + i] * slope_[i];
  return sum;
}

/// By how much y was missed, and y as it was.
template <class T>
void Backsolve<T>::mend() {
  const T* kept = kept_ + static_cast<std::size_t>(at_) * d_;
  const auto miss = static_cast<float>(drift(d_, z_, kept, T(0)));
  if (miss > done_.drift) done_.drift = miss;  // what is not finite was refused before
  memcpy(z_, kept, d_ * sizeof(T));
}

template <class T>
Status Backsolve<T>::finish(T* y0_bar) {
  if (at_ != 0) failed(Status::bad_argument);
  if (status_ != Status::ok) return status_;
  for (std::size_t i = 0; y0_bar && i < d_; ++i) y0_bar[i] += y_bar()[i];
  if (!kernel::finite(d_, y_bar()) || !finite(theta_bar_, params_, call_.extent.lanes)) failed(Status::not_finite);
  return status_;
}

template <class T>
Accounting Backsolve<T>::accounting() const {
  Accounting a = forward_->accounting();
  a.recomputed = done_.recomputed, a.rejected += done_.rejected, a.drift = done_.drift;
  a.evaluations_backward = done_.evaluations_backward, a.vjps = done_.vjps;
  return a;
}

template class AdjointField<float>;
REVODE_DOUBLE(template class AdjointField<double>;)
template class Backsolve<float>;
REVODE_DOUBLE(template class Backsolve<double>;)
}  // namespace revode
