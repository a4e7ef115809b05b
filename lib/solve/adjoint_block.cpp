#include "revode/adjoint_block.hpp"
#include "scalars.hpp"

#include <new>

namespace revode {
template <class T>
Shape AdjointBlock<T>::shape(Extent e) const {
  Shape s = field_->shape(e);
  s.tape = padded(sizeof(Kept)) + Backsolve<T>::bytes(*field_, plan_, e.lanes);
  s.work = 0;
  return s;
}

template <class T>
void AdjointBlock<T>::eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const {
  if (refuses_tangents(call, rows(), y)) return;
  const int lanes = call.extent.lanes;
  Kept* kept = new (tape) Kept;
  Backsolve<T>& solve = kept->solve;
  Arena arena(tape + padded(sizeof(Kept)), Backsolve<T>::bytes(*field_, plan_, lanes));
  kept->status = solve.init(arena, *field_, plan_, lanes);
  if (kept->status == Status::ok) kept->status = solve.begin(grid_, call.theta, x);
  const bool begun = kept->status == Status::ok;
  while (begun && solve.advance()) {
  }
  if (begun) kept->status = solve.status();
  fail(call.status, kept->status);
  const std::size_t n = static_cast<std::size_t>(rows()) * static_cast<std::size_t>(lanes);
  const bool good = kept->status == Status::ok;
  for (std::size_t i = 0; i < n; ++i) y[i] = good ? solve.y()[i] : static_cast<T>(__builtin_nanf(""));
  if (!tally_ || !good) return;
  const Accounting done = solve.accounting();
  tally_->steps += done.steps, tally_->evaluations_forward += done.evaluations_forward;
}

template <class T>
void AdjointBlock<T>::vjp(const Call<T>& call, const T*, const T*, std::byte* tape, const T* y_bar, T* x_bar,
                          const Bar<T>& bar) const {
  if (call.extent.tangents || (call.status && *call.status != Status::ok)) return;
  Kept* kept = reinterpret_cast<Kept*>(tape);
  if (kept->status != Status::ok) return;
  Backsolve<T>& solve = kept->solve;
  Status status = solve.turn(bar.theta);
  if (status == Status::ok) {
    for (std::size_t i = 0; i < solve.size(); ++i) solve.y_bar()[i] += y_bar[i];
    while (solve.retreat()) {
    }
    status = solve.finish(x_bar);
  }
  fail(call.status, status);
  if (!tally_) return;
  const Accounting done = solve.accounting();
  tally_->recomputed += done.recomputed, tally_->vjps += done.vjps, tally_->rejected += done.rejected;
  tally_->evaluations_backward += done.evaluations_backward;
  if (!(done.drift <= tally_->drift)) tally_->drift = done.drift;  // a NaN shows
}

template class AdjointBlock<float>;
REVODE_DOUBLE(template class AdjointBlock<double>;)
}  // namespace revode
