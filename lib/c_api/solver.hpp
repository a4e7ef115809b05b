/// The solver behind the C interface: a callback field, its solve, and where on its way it is, so that functions called
/// out of order are refused. Field is revode_field or revodef_field, T its scalar.
#pragma once
#include <iterator>
#include <new>

#include "c_api/callback.hpp"
#include "revode.h"
#include "revode/solve.hpp"

namespace revode {
/// The plan in C++'s words; false where a number is none of its enum.
template <class T>
bool read(const revode_plan& c, Plan<T>& plan) {
  if (c.method < REVODE_RUNGE_KUTTA || c.method > REVODE_LOW_STORAGE || c.way < REVODE_STORED || c.way > REVODE_TAPED ||
      c.arithmetic < REVODE_REAL || c.arithmetic > REVODE_FIXED)
    return false;
  const bool based =
      c.method == REVODE_RUNGE_KUTTA || c.method == REVODE_MCCALLUM_FOSTER || c.method == REVODE_LOW_STORAGE;
  constexpr int bases = static_cast<int>(std::size(tableau::all<T>));
  if (based && (c.base < 0 || c.base >= bases)) return false;
  const Tableau<T>& base = based ? *tableau::all<T>[c.base] : tableau::euler<T>;
  const Method<T> methods[] = {runge_kutta(base),     mccallum_foster(base), alf<T>(),
                               reversible_heun<T>(),  leapfrog<T>(),         verlet<T>(),
                               symplectic_euler<T>(), low_storage(base)};
  plan.method = methods[c.method];
  plan.way = static_cast<Way>(c.way);
  plan.arithmetic = static_cast<Arithmetic>(c.arithmetic);
  plan.stored_steps = c.stored_steps, plan.keep_stages = c.keep_stages != 0, plan.slots = c.slots,
  plan.halve_every = c.halve_every;
  plan.log_bits = c.log_bits;
  for (int r = 0; r < 2; ++r) plan.fraction_bits[r] = c.fraction_bits[r];
  plan.halve_above = static_cast<T>(c.halve_above);
  if (c.lambda < 0 || c.lambda > 0) plan.lambda = static_cast<T>(c.lambda);
  plan.restore_every = c.restore_every, plan.drift_bound = static_cast<T>(c.drift_bound);
  plan.control.rtol = static_cast<T>(c.rtol), plan.control.atol = static_cast<T>(c.atol);
  if (c.most_steps != 0) plan.control.most_steps = c.most_steps;
  return true;
}

/// True when no product of sizes that a solve forms can exceed size_t: a step keeps less than 128 times the scalars of
/// state, tape and a cache line (three letters of 13 stages: 83 and 39 times).
template <class T, class Field>
bool countable(const Field& field, const revode_plan& plan) {
  constexpr std::size_t most = ~std::size_t{0} / (256 * sizeof(T));
  const auto lanes = static_cast<std::size_t>(field.lanes), rows = static_cast<std::size_t>(field.dim);
  const auto tape = static_cast<std::size_t>(field.tape);
  const auto fits = [](std::size_t a, std::size_t b) { return a <= most / b; };
  if (plan.most_steps < 0 || !fits(static_cast<std::size_t>(plan.most_steps), 64)) return false;
  if (!fits(rows, 2 * lanes) || !fits(tape, 2 * lanes) || plan.stored_steps < 0 || plan.slots < 0) return false;
  const std::size_t kept = (rows + tape) * lanes + 64;
  return fits(static_cast<std::size_t>(plan.stored_steps), kept) && fits(static_cast<std::size_t>(plan.slots), kept) &&
         plan.log_bits <= ~std::size_t{0} - 64;
}

template <class T, class Field>
class CSolver {
 public:
  explicit CSolver(const Field& field) : field_(field) {}

  static Status check(const Field* field, const revode_plan* c, Plan<T>& plan) {
    if (!field || field->size != sizeof(Field) || !c || c->size != sizeof *c) return Status::bad_argument;
    if (field->dim < 1 || field->params < 0 || field->lanes < 1 || field->tape < 0) return Status::bad_argument;
    if (!field->rhs || !field->vjp || !countable<T>(*field, *c) || !read(*c, plan)) return Status::bad_argument;
    if (Status s = fits(plan); s != Status::ok) return s;
    const bool logs = plan.way == Way::reversed && plan.halves();
    const auto rows = static_cast<std::size_t>(field->dim) * static_cast<std::size_t>(field->lanes);
    const bool room = !logs || plan.log_bits >= plan.event_bits(rows);
    return room ? Status::ok : Status::capacity;
  }
  /// `Derived` is the opaque type of the interface, which adds nothing.
  template <class Derived>
  static Derived* place(Arena& arena, const Field& field, const Plan<T>& plan, Status& status) {
    void* at = arena.take<Derived>(1);
    if (arena.measuring()) {
      Solve<T>::place(arena, Callback<T, Field>(field), plan, field.lanes);
      return nullptr;
    }
    Derived* solver = at ? new (at) Derived(field) : nullptr;
    status = solver ? solver->solve_.init(arena, solver->field_, plan, field.lanes) : Status::arena_too_small;
    return status == Status::ok ? solver : nullptr;
  }

  Status begin(const Grid<T>& grid, const T* theta, const T* y0) {
    if (!y0) return Status::bad_argument;
    phase_ = Phase::forward;
    return solve_->begin(grid, theta, y0);
  }
  Status advance(bool& moved) {
    if (phase_ != Phase::forward) return Status::bad_argument;
    moved = solve_->advance();
    return solve_->status();
  }
  Status turn(T* theta_bar) {
    if (phase_ != Phase::forward) return Status::bad_argument;
    phase_ = Phase::backward;
    return solve_->turn({theta_bar, 1, 0});
  }
  Status retreat(bool& moved) {
    if (phase_ != Phase::backward) return Status::bad_argument;
    moved = solve_->retreat();
    return solve_->status();
  }
  Status finish(T* y0_bar) {
    if (phase_ != Phase::backward || solve_->n() != 0) return Status::bad_argument;
    phase_ = Phase::idle;
    return solve_->finish(y0_bar);
  }
  Status forward(const Grid<T>& grid, const T* theta, const T* y0, T* y1) {
    Status status = begin(grid, theta, y0);
    for (bool moved = status == Status::ok; moved;) status = advance(moved);
    for (std::size_t i = 0; status == Status::ok && y1 && i < solve_->size(); ++i) y1[i] = solve_->y()[i];
    return status;
  }
  Status backward(const T* y1_bar, T* y0_bar, T* theta_bar) {
    if (!y1_bar || phase_ != Phase::forward) return Status::bad_argument;
    if (solve_->status() == Status::ok && !solve_->finished()) return Status::bad_argument;
    Status status = turn(theta_bar);
    for (std::size_t i = 0; status == Status::ok && i < solve_->size(); ++i) solve_->y_bar()[i] += y1_bar[i];
    for (bool moved = true; status == Status::ok && moved;) status = retreat(moved);
    return status == Status::ok ? finish(y0_bar) : status;
  }
  const Trajectory<T>* trajectory() const { return begun() ? &*solve_ : nullptr; }
  Accounting accounting() const { return begun() ? solve_->accounting() : Accounting{}; }

 private:
  enum class Phase : unsigned char { fresh, forward, backward, idle };
  bool begun() const { return phase_ != Phase::fresh; }
  Callback<T, Field> field_;
  Solve<T> solve_;
  Phase phase_ = Phase::fresh;
};
}  // namespace revode
