// revode.h over Solve<T>: every function once, as text that two types of numbers expand.
#include "c_api/solver.hpp"
#include "revode/kernels.hpp"
#include "scalars.hpp"

using revode::CSolver;
using revode::Plan;
using revode::Status;

#if !defined(REVODE_FLOAT_ONLY)
struct revode_solver final : CSolver<double, revode_field> {
  using CSolver::CSolver;
};
#endif
struct revodef_solver final : CSolver<float, revodef_field> {
  using CSolver::CSolver;
};

// The enums of the header are the enums of the library.
#define REVODE_SAME_STATUS(NAME, name) static_assert(NAME == static_cast<int>(Status::name));
REVODE_SAME_STATUS(REVODE_OK, ok)
REVODE_SAME_STATUS(REVODE_BAD_ARGUMENT, bad_argument)
REVODE_SAME_STATUS(REVODE_ARENA_TOO_SMALL, arena_too_small)
REVODE_SAME_STATUS(REVODE_NOT_REVERSIBLE, not_reversible)
REVODE_SAME_STATUS(REVODE_UNSUPPORTED, unsupported)
REVODE_SAME_STATUS(REVODE_NOT_FINITE, not_finite)
REVODE_SAME_STATUS(REVODE_RANGE, range)
REVODE_SAME_STATUS(REVODE_CAPACITY, capacity)
REVODE_SAME_STATUS(REVODE_IRREVERSIBLE, irreversible)
REVODE_SAME_STATUS(REVODE_CALLBACK_FAILED, callback_failed)
REVODE_SAME_STATUS(REVODE_DRIFT, drift)
REVODE_SAME_STATUS(REVODE_GRAZING, grazing)
REVODE_SAME_STATUS(REVODE_TOO_MANY_STEPS, too_many_steps)
REVODE_SAME_STATUS(REVODE_STEP_UNDERFLOW, step_underflow)
#define REVODE_COUNT(name, sentence) +1
static_assert(REVODE_STEP_UNDERFLOW + 1 == 0 REVODE_STATUS(REVODE_COUNT));
static_assert(REVODE_STORED == static_cast<int>(revode::Way::stored) &&
              REVODE_CHECKPOINTED == static_cast<int>(revode::Way::checkpointed) &&
              REVODE_REVERSED == static_cast<int>(revode::Way::reversed) &&
              REVODE_TAPED == static_cast<int>(revode::Way::taped) &&
              REVODE_REAL == static_cast<int>(revode::Arithmetic::real) &&
              REVODE_FIXED == static_cast<int>(revode::Arithmetic::fixed));
namespace tableau = revode::tableau;
#define REVODE_SAME_BASE(NAME, name) static_assert(tableau::all<double>[NAME] == &tableau::name<double>);
REVODE_SAME_BASE(REVODE_EULER, euler)
REVODE_SAME_BASE(REVODE_MIDPOINT, midpoint)
REVODE_SAME_BASE(REVODE_HEUN, heun)
REVODE_SAME_BASE(REVODE_RALSTON3, ralston3)
REVODE_SAME_BASE(REVODE_RK4, rk4)
REVODE_SAME_BASE(REVODE_THREE_EIGHTHS, three_eighths)
REVODE_SAME_BASE(REVODE_BOGACKI_SHAMPINE, bogacki_shampine)
REVODE_SAME_BASE(REVODE_DORMAND_PRINCE5, dormand_prince5)
REVODE_SAME_BASE(REVODE_TSITOURAS5, tsitouras5)
REVODE_SAME_BASE(REVODE_EES25, ees25)
REVODE_SAME_BASE(REVODE_EES27, ees27)
REVODE_SAME_BASE(REVODE_FEHLBERG12, fehlberg12)
REVODE_SAME_BASE(REVODE_CASH_KARP, cash_karp)
REVODE_SAME_BASE(REVODE_DORMAND_PRINCE8, dormand_prince8)
static_assert(sizeof tableau::all<double> / sizeof tableau::all<double>[0] > REVODE_DORMAND_PRINCE8);
static_assert(REVODE_ALIGN <= REVODE_MEMORY_ALIGN);

namespace {
constexpr int bad = REVODE_BAD_ARGUMENT;
int number(Status status) {
  return static_cast<int>(status);
}

template <class Solver, class T, class Field>
int bytes_of(const Field* field, const revode_plan* c, std::size_t* bytes) {
  Plan<T> plan;
  if (!bytes) return bad;
  *bytes = 0;
  if (Status s = Solver::check(field, c, plan); s != Status::ok) return number(s);
  revode::Arena measure;
  Status status = Status::ok;
  Solver::template place<Solver>(measure, *field, plan, status);
  *bytes = measure.bytes();
  return REVODE_OK;
}
template <class Solver, class T, class Field>
int init(void* memory, std::size_t bytes, const Field* field, const revode_plan* c, Solver** solver) {
  Plan<T> plan;
  if (!solver) return bad;
  *solver = nullptr;
  if (!memory) return bad;
  if (Status s = Solver::check(field, c, plan); s != Status::ok) return number(s);
  revode::Arena arena(memory, bytes);
  Status status = Status::ok;
  *solver = Solver::template place<Solver>(arena, *field, plan, status);
  return number(status);
}
/// `go` is one of the cursor's two moves.
template <class Solver, class Base>
int move(Solver* solver, Status (Base::*go)(bool&), int* moved) {
  bool did = false;
  const int status = solver ? number((solver->*go)(did)) : bad;
  if (moved) *moved = did;
  return status;
}
template <class Solver>
int count(const Solver* solver, revode_counts* counts) {
  if (!solver || !counts || counts->size != sizeof *counts) return bad;
  const revode::Accounting a = solver->accounting();
  *counts = {sizeof *counts, a.steps,    a.recomputed, a.evaluations_forward,        a.evaluations_backward,
             a.vjps,         a.rejected, a.tape_bits,  static_cast<double>(a.drift), static_cast<double>(a.separation)};
  return REVODE_OK;
}
template <class T>
int sum_lanes(int count, int lanes, const T* rows, T* sum) {
  if (count < 0 || lanes < 1 || (count > 0 && (!rows || !sum))) return bad;
  revode::kernel::tree_lanes(static_cast<std::size_t>(count), lanes, rows, sum);
  return REVODE_OK;
}
}  // namespace

extern "C" {
const char* revode_sentence(int status) {
  return revode::sentence(static_cast<Status>(status));
}
int revode_version(void) {
  return REVODE_VERSION;
}

#define REVODE_DEFINE(revode, T)                                                                                  \
  int revode##_solver_bytes(const revode##_field* field, const revode_plan* plan, std::size_t* bytes) {           \
    return bytes_of<revode##_solver, T>(field, plan, bytes);                                                      \
  }                                                                                                               \
  int revode##_solver_init(void* memory, std::size_t bytes, const revode##_field* field, const revode_plan* plan, \
                           revode##_solver** solver) {                                                            \
    return init<revode##_solver, T>(memory, bytes, field, plan, solver);                                          \
  }                                                                                                               \
  int revode##_forward(revode##_solver* s, const T* theta, T t0, T t1, long steps, const T* y0, T* y1) {          \
    return s ? number(s->forward({t0, t1, steps, nullptr, 0}, theta, y0, y1)) : bad;                              \
  }                                                                                                               \
  int revode##_backward(revode##_solver* s, const T* y1_bar, T* y0_bar, T* theta_bar) {                           \
    return s ? number(s->backward(y1_bar, y0_bar, theta_bar)) : bad;                                              \
  }                                                                                                               \
  int revode##_begin(revode##_solver* s, const T* theta, T t0, T t1, long steps, const T* y0) {                   \
    return s ? number(s->begin({t0, t1, steps, nullptr, 0}, theta, y0)) : bad;                                    \
  }                                                                                                               \
  int revode##_advance(revode##_solver* s, int* moved) {                                                          \
    return move(s, &revode##_solver::advance, moved);                                                             \
  }                                                                                                               \
  int revode##_turn(revode##_solver* s, T* theta_bar) {                                                           \
    return s ? number(s->turn(theta_bar)) : bad;                                                                  \
  }                                                                                                               \
  int revode##_retreat(revode##_solver* s, int* moved) {                                                          \
    return move(s, &revode##_solver::retreat, moved);                                                             \
  }                                                                                                               \
  int revode##_finish(revode##_solver* s, T* y0_bar) {                                                            \
    return s ? number(s->finish(y0_bar)) : bad;                                                                   \
  }                                                                                                               \
  long revode##_n(const revode##_solver* s) {                                                                     \
    return s && s->trajectory() ? s->trajectory()->n() : -1;                                                      \
  }                                                                                                               \
  const T* revode##_y(const revode##_solver* s) {                                                                 \
    return s && s->trajectory() ? s->trajectory()->y() : nullptr;                                                 \
  }                                                                                                               \
  T* revode##_y_bar(revode##_solver* s) {                                                                         \
    return s && s->trajectory() ? s->trajectory()->y_bar() : nullptr;                                             \
  }                                                                                                               \
  int revode##_accounting(const revode##_solver* s, revode_counts* counts) {                                      \
    return count(s, counts);                                                                                      \
  }                                                                                                               \
  int revode##_sum_lanes(int count, int lanes, const T* rows, T* sum) {                                           \
    return sum_lanes(count, lanes, rows, sum);                                                                    \
  }

REVODE_DOUBLE(REVODE_DEFINE(revode, double))
REVODE_DEFINE(revodef, float)
}
