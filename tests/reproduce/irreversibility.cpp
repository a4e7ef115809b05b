// There and back on fields that forget: how far each method and each way misses where it began, as CSV.
#include <limits>

#include "experiment.hpp"
#include "revode/automatic.hpp"

namespace {
using namespace experiment;
using T = double;

/// z' = -lambda^2 z.
struct Decay {
  static constexpr int dim = 1, params = 1;
  template <class S>
  constexpr void operator()(S, const S* z, const S* p, S* dz) const {
    dz[0] = S(0.) - p[0] * z[0];
  }
};
/// z' = -max(0, p z).
class Relu final : public Map<T> {
 public:
  constexpr Shape shape(Extent) const override { return {1, 1, 1, 0, 0}; }
  void eval(const Call<T>& call, const T* z, T* dz, std::byte*) const override {
    if (refuses_tangents(call, 1, dz)) return;
    for (int l = 0; l < call.extent.lanes; ++l) dz[l] = z[l] > 0 ? -call.theta[0] * z[l] : 0;
  }
  void vjp(const Call<T>& call, const T* z, const T*, std::byte*, const T* dz_bar, T* z_bar,
           const Bar<T>& bar) const override {
    for (int l = 0; l < call.extent.lanes; ++l) {
      if (!(z[l] > 0)) continue;
      if (z_bar) z_bar[l] -= call.theta[0] * dz_bar[l];
      if (bar.theta.at) bar.theta.at[bar.theta.leaf == 1 ? l : l / bar.theta.leaf] -= z[l] * dz_bar[l];
    }
  }
};
constexpr Automatic<T, Decay> decay;
constexpr Relu relu;

struct Problem {
  const char* name;
  const Map<T>* field;
  T rate;
  long steps;
};
const std::vector<T> start = {1};

void line(const Problem& p, const char* name, const char* kind, T end, double back, Status status) {
  std::printf("%s,%g,%ld,%s,%s,%.14e,%.14e,%.14e,%s\n", p.name, p.rate, p.steps, name, kind, end, std::exp(-p.rate),
              back,
              status == Status::ok      ? "ok"
              : status == Status::range ? "range"
                                        : "failed");
}
/// By the step with -h, or undone, in floats: the miss at the beginning.
void floats(const Problem& p, const char* name, const Method<T>& method, T lambda = 1) {
  const Return<T> r = there_and_back(*p.field, method, lambda, {0, 1, p.steps}, {p.rate}, start);
  line(p, name, "floats", r.end[0], distance(r.beginning, start), Status::ok);
}
/// By a way that promises the very states: the largest miss at any node. One that left its range still comes back.
void states(const Problem& p, const char* name, const Plan<T>& plan) {
  Solver<T> solver(*p.field, plan);
  std::vector<T> there;
  Status status = solver->begin({0, 1, p.steps}, &p.rate, start.data());
  there.push_back(solver->y()[0]);
  for (long n = solver->n(); status == Status::ok; n = solver->n()) {
    solver->advance();
    status = solver->status();
    if (solver->n() == n) break;
    there.push_back(solver->y()[0]);
  }
  const T end = solver->y()[0];
  double back = 0;
  (void)solver->turn({});
  do {
    const double miss = std::abs(solver->y()[0] - there[static_cast<std::size_t>(solver->n())]);
    if (!(miss <= back)) back = miss;
  } while (solver->retreat());
  if (solver->n() != 0) back = std::numeric_limits<double>::quiet_NaN();
  line({p.name, p.field, p.rate, solver->steps()}, name, "states", end, back, status);
}
Plan<T> tape(const Tableau<T>& base, long steps, Predictor predictor = Predictor::runge_kutta) {
  return taped(runge_kutta(base), 1, steps, predictor);
}

void all(const Problem& p) {
  const Method<T> mf_midpoint = mccallum_foster(tableau::midpoint<T>), mf_rk4 = mccallum_foster(tableau::rk4<T>);
  floats(p, "euler", runge_kutta(tableau::euler<T>));
  floats(p, "rk4", runge_kutta(tableau::rk4<T>));
  floats(p, "ees25", runge_kutta(tableau::ees25<T>));
  floats(p, "ees27", runge_kutta(tableau::ees27<T>));
  floats(p, "alf", alf<T>());
  floats(p, "reversible_heun", reversible_heun<T>());
  floats(p, "mf_rk4_.999", mf_rk4, .999);
  floats(p, "mf_midpoint_.5", mf_midpoint, .5);
  states(p, "stored_rk4", stored(runge_kutta(tableau::rk4<T>), p.steps));
  states(p, "checkpointed_rk4", checkpointed(runge_kutta(tableau::rk4<T>), 5));
  states(p, "taped_euler", tape(tableau::euler<T>, p.steps));
  states(p, "taped_rk4", tape(tableau::rk4<T>, p.steps));
  states(p, "taped_rk4_ab", tape(tableau::rk4<T>, p.steps, Predictor::adams_bashforth));
  states(p, "exact_alf", exact(alf<T>(), 1, p.steps));
  states(p, "exact_mf_midpoint", exact(mf_midpoint, 1, p.steps, 1));
  states(p, "exact_mf_rk4", exact(mf_rk4, 1, p.steps, 4));
}
/// Dormand and Prince's pair under step control: backwards by a solve of its own from z(T), as the continuous adjoint
/// does, and by the tape of the steps that were taken.
void adaptive(const char* name, const Map<T>& field, T rate, T tolerance, const char* solved, const char* on_tape) {
  Plan<T> plan = checkpointed(runge_kutta(tableau::dormand_prince5<T>), 1);
  plan.control.rtol = plan.control.atol = tolerance;
  Solver<T> solver(field, plan);
  expect(run(*solver, {0, 1, 1}, &rate, start.data()), solved);
  const std::vector<T> end = state(*solver);
  const long steps = solver->steps();
  const Status status = run(*solver, {1, 0, 1}, &rate, end.data());
  line({name, &field, rate, steps}, solved, "floats", end[0], distance(state(*solver), start), status);
  plan = taped(runge_kutta(tableau::dormand_prince5<T>), 1, plan.control.most_steps);
  plan.control.rtol = plan.control.atol = tolerance;
  states({name, &field, rate, 1}, on_tape, plan);
}
}  // namespace

int main() {
  std::puts("field,rate,steps,method,kind,end,truth,back,status");
  for (const long steps : {100L, 1000L, 10000L}) {
    all({"decay", &decay, 10, steps});
    all({"decay", &decay, 100, steps});
    all({"relu", &relu, 10, steps});
  }
  const struct {
    T tolerance;
    const char *solved, *on_tape;
  } tolerances[] = {{1e-3, "rk45_1e-3", "taped_rk45_1e-3"},
                    {1e-6, "rk45_1e-6", "taped_rk45_1e-6"},
                    {1e-9, "rk45_1e-9", "taped_rk45_1e-9"}};
  for (const auto& [tolerance, solved, on_tape] : tolerances) {
    adaptive("decay", decay, 10, tolerance, solved, on_tape);
    adaptive("decay", decay, 100, tolerance, solved, on_tape);
    adaptive("relu", relu, 10, tolerance, solved, on_tape);
  }
}
