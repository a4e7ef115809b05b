// Errors at the end of the interval over the number of steps, as CSV: every method on a field with a known solution,
// on one that sees time, and on an acceleration that does.
#include "experiment.hpp"
#include "revode/automatic.hpp"
#include "revode/random.hpp"

namespace {
using namespace experiment;
using T = double;

/// y' = y / 2, the field of McCallum and Foster's figure.
struct Growing {
  static constexpr int dim = 1, params = 0;
  template <class S>
  constexpr void operator()(S, const S* y, const S*, S* dy) const {
    dy[0] = y[0] / 2.;
  }
};
/// Driven and damped, with t inside and outside of what is not linear.
struct Driven {
  static constexpr int dim = 2, params = 0;
  template <class S>
  constexpr void operator()(S t, const S* y, const S*, S* dy) const {
    dy[0] = y[1] * cos(2. * t) + sin(3. * t);
    dy[1] = S(0.) - tanh(y[0] + t * t / 2.) - t * y[1] / 2.;
  }
};
/// A driven pendulum: q'' = -sin q + cos(2 t) / 2.
struct Pendulum {
  static constexpr int dim = 1, params = 0;
  template <class S>
  constexpr void operator()(S t, const S* q, const S*, S* dv) const {
    dv[0] = S(0.) - sin(q[0]) + cos(2. * t) / 2.;
  }
};
/// The same as a field of (q, p), for the reference.
struct Phases {
  static constexpr int dim = 2, params = 0;
  template <class S>
  constexpr void operator()(S t, const S* y, const S*, S* dy) const {
    dy[0] = y[1];
    Pendulum{}(t, y, y, dy + 1);
  }
};
constexpr Automatic<T, Growing> growing;
constexpr Automatic<T, Driven> driven;
constexpr Automatic<T, Pendulum> pendulum;
constexpr Automatic<T, Phases> phases;

struct Problem {
  const char* name;
  const Map<T>* field;
  T t1;
  std::vector<T> y0, truth;  // [rows][lanes]
  int lanes = 1;
};
constexpr int wide = 8;
/// Eight initial values: an error that happens to pass zero in one of them does not show.
std::vector<T> spread() {
  std::vector<T> y0(static_cast<std::size_t>(wide) * 2);
  Random random(1, 0);
  for (T& y : y0) y = 2 * static_cast<T>(random.uniform()) - 1;
  return y0;
}

std::vector<T> end(const Map<T>& field, const Plan<T>& plan, T t1, long steps, const std::vector<T>& y0, int lanes) {
  Solver<T> solver(field, plan, lanes);
  expect(run(*solver, {0, t1, steps}, static_cast<const T*>(nullptr), y0.data()), "convergence");
  return state(*solver);
}
/// Order 5 at steps of 1e-3: its error is below the rounding of so many steps.
std::vector<T> truth(const Map<T>& field, T t1, const std::vector<T>& y0) {
  return end(field, checkpointed(runge_kutta(tableau::tsitouras5<T>), 1), t1, std::lround(1000 * t1), y0, wide);
}

constexpr long first = 5, doublings = 12;

/// A row for each number of steps; the plan is made by plan(steps).
template <class Make>
void sweep(const Problem& p, const char* family, const Method<T>& method, double lambda, int halve_every, Make plan) {
  for (long k = 0; k < doublings; ++k) {
    const long steps = first << k;
    const std::vector<T> y1 = end(*p.field, plan(steps), p.t1, steps, p.y0, p.lanes);
    std::printf("%s,%s,%s,%d,%g,%d,%ld,%.17g,%.6e\n", p.name, family, method.base.name, method.order, lambda,
                halve_every, steps, p.t1 / static_cast<double>(steps), euclidean(y1, p.truth));
  }
}
void floats(const Problem& p, const char* family, const Method<T>& method, double lambda = 1) {
  sweep(p, family, method, lambda, 0, [&](long) {
    Plan<T> plan = checkpointed(method, 1);
    plan.lambda = lambda;
    return plan;
  });
}
void halved(const Problem& p, const Method<T>& method, int halve_every) {
  sweep(p, "mccallum_foster", method, 1, halve_every, [&](long steps) {
    Plan<T> plan = exact(method, static_cast<int>(p.y0.size()), steps, halve_every);
    plan.fraction_bits[0] = 52;  // a range of 2^10
    return plan;
  });
}
/// Each method undamped; McCallum and Foster's also at the authors' and smaller lambda.
void all(const Problem& p) {
  for (const Tableau<T>* base : tableau::all<T>) floats(p, "runge_kutta", runge_kutta(*base));
  for (const double lambda : {1., .999, .99, .9, .5})
    for (const Tableau<T>* base : tableau::all<T>) floats(p, "mccallum_foster", mccallum_foster(*base), lambda);
  for (const Tableau<T>* base : {&tableau::midpoint<T>, &tableau::rk4<T>})
    for (const int every : {4, 64}) halved(p, mccallum_foster(*base), every);
  floats(p, "alf", alf<T>());
  for (const double eta : {.9, .8}) floats(p, "alf", alf<T>(), 2 * eta - 1);
  floats(p, "reversible_heun", reversible_heun<T>());
  floats(p, "leapfrog", leapfrog<T>());
  const char* const names[] = {"adams 1", "adams 2", "adams 3", "adams 4", "adams 5", "adams 6"};
  for (int q = 1; q <= most_multistep; ++q) floats(p, names[q - 1], adams<T>(q));
}
}  // namespace

int main() {
  std::puts("field,family,base,order,lambda,halve_every,steps,h,error");
  all({"growing", &growing, 5, {1}, {std::exp(2.5)}});
  const std::vector<T> y0 = spread();
  all({"driven", &driven, 2, y0, truth(driven, 2, y0), wide});
  all({"driven_longer", &driven, 5, y0, truth(driven, 5, y0), wide});
  const Problem p{"pendulum", &pendulum, 2, y0, truth(phases, 2, y0), wide};
  floats(p, "verlet", verlet<T>());
  floats(p, "symplectic_euler", symplectic_euler<T>());
}
