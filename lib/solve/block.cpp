#include "revode/block.hpp"
#include "scalars.hpp"

#include <new>

namespace revode {
template <class T>
std::size_t Block<T>::bytes(int lanes) const {
  Arena measure;
  measure.take<Kept>(1);
  if (fits(plan_) == Status::ok) Solve<T>::place(measure, *field_, plan_, lanes);
  return measure.bytes();
}

template <class T>
Shape Block<T>::shape(Extent e) const {
  Shape s = field_->shape(e);
  s.in = s.out = rows();
  s.tape = recompute_ ? 0 : bytes(e.lanes);
  s.work = recompute_ ? bytes(e.lanes) : 0;
  return s;
}

template <class T>
typename Block<T>::Kept* Block<T>::forward(const Call<T>& call, const T* x, std::byte* memory) const {
  Arena arena(memory, bytes(call.extent.lanes));
  Kept* kept = new (arena.take<Kept>(1)) Kept;
  kept->status = kept->solve.init(arena, *field_, plan_, call.extent.lanes);
  if (kept->status == Status::ok) kept->status = run(*kept->solve, grid_, call.theta, x);
  fail(call.status, kept->status);
  return kept;
}

template <class T>
void Block<T>::eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const {
  if (refuses_tangents(call, rows(), y)) return;
  const Kept* kept = forward(call, x, recompute_ ? call.work : tape);
  const std::size_t n = static_cast<std::size_t>(rows()) * static_cast<std::size_t>(call.extent.lanes);
  const bool good = kept->status == Status::ok;
  if (tally_ && good) {
    const Accounting done = kept->solve->accounting();
    tally_->steps += done.steps, tally_->rejected += done.rejected;
    tally_->evaluations_forward += done.evaluations_forward;
  }
  for (std::size_t i = 0; i < n; ++i) y[i] = good ? kept->solve->y()[i] : static_cast<T>(__builtin_nanf(""));
}

template <class T>
void Block<T>::vjp(const Call<T>& call, const T* x, const T*, std::byte* tape, const T* y_bar, T* x_bar,
                   const Bar<T>& bar) const {
  if (call.extent.tangents || (call.status && *call.status != Status::ok)) return;
  Kept* kept = recompute_ ? forward(call, x, call.work) : reinterpret_cast<Kept*>(tape);
  if (kept->status != Status::ok) return;
  fail(call.status, run_back(*kept->solve, y_bar, x_bar, bar.theta));
  if (!tally_) return;
  const Accounting done = kept->solve->accounting();
  tally_->recomputed += done.recomputed, tally_->vjps += done.vjps;
  tally_->evaluations_backward += done.evaluations_backward + (recompute_ ? done.evaluations_forward : 0);
  if (!(done.drift <= tally_->drift)) tally_->drift = done.drift;  // a NaN shows
}

template <class T>
void Paced<T>::eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const {
  const int d = field_->shape({}).out;
  if (refuses_tangents(call, d + 1, y)) return;
  const std::size_t lanes = static_cast<std::size_t>(call.extent.lanes), n = static_cast<std::size_t>(d) * lanes;
  T* f = reinterpret_cast<T*>(tape);
  field_->eval(call, x, f, tape + tile_bytes<T>(d, call.extent));
  for (std::size_t row = 0; row < n; row += lanes) kernel::multiply(lanes, f + row, x + n, y + row);
  for (std::size_t l = 0; l < lanes; ++l) y[n + l] = 0;
}

template <class T>
void Paced<T>::vjp(const Call<T>& call, const T* x, const T*, std::byte* tape, const T* y_bar, T* x_bar,
                   const Bar<T>& bar) const {
  if (call.extent.tangents) return;
  const int d = field_->shape({}).out;
  const std::size_t lanes = static_cast<std::size_t>(call.extent.lanes), n = static_cast<std::size_t>(d) * lanes;
  const T* f = reinterpret_cast<const T*>(tape);
  T* f_bar = reinterpret_cast<T*>(call.work + padded(field_->shape(call.extent).work));
  for (std::size_t row = 0; row < n; row += lanes) {
    kernel::multiply(lanes, y_bar + row, x + n, f_bar + row);
    if (x_bar) kernel::multiply(lanes, y_bar + row, f + row, x_bar + n, true);
  }
  field_->vjp(call, x, f, tape + tile_bytes<T>(d, call.extent), f_bar, x_bar, bar);
}

template class Block<float>;
REVODE_DOUBLE(template class Block<double>;)
template class Paced<float>;
REVODE_DOUBLE(template class Paced<double>;)
}  // namespace revode
