// Gradients through reversal against gradients through stored states of the same discretisation, as CSV:
//   drift float | double
#include <cstring>

#include "experiment.hpp"
#include "numerics/fields.hpp"
#include "revode/random.hpp"

namespace {
using namespace experiment;

constexpr int widths[] = {8, 32, 8};
template <class T>
constexpr Mlp<T> network{widths, Activation::tanh, false};

template <class T>
struct Problem {
  const char* name;
  const Map<T>* field;
  T duration;
  std::vector<T> theta, y0;
  int spare_bits = 0;  ///< of the fixed-point fraction, given up for range
};
template <class T>
std::vector<T> uniform(std::uint32_t stream, int n, double size) {
  Random random(1, stream);
  std::vector<T> values(static_cast<std::size_t>(n));
  for (T& v : values) v = static_cast<T>(size * (2 * static_cast<double>(random.uniform()) - 1));
  return values;
}
template <class T>
std::vector<Problem<T>> problems() {
  return {{"relaxing", &fields::relaxing<T>, 1, {10, T(.75), T(-1.25)}, {2, 1}},
          {"oscillator", &fields::oscillator<T>, 10, {T(1.1), T(.9)}, {1, T(.5)}},
          {"van_der_pol", &fields::van_der_pol<T>, 10, {2}, {2, 0}},
          {"lorenz", &fields::lorenz<T>, 5, {10, 28, T(8) / 3}, {1, 1, 1}, 2},
          {"network", &network<T>, 10, uniform<T>(1, network<T>.shape({}).params, .35), uniform<T>(2, 8, 1)}};
}

template <class T>
struct Gradient {
  Status forward = Status::ok, back = Status::ok;
  std::vector<T> theta, y0;
  std::vector<std::uint64_t> states;  // a hash at each node, there and, where it differs, not back again
  long strayed = 0;
  Accounting accounting;
};
/// Of the loss (1/N) sum_n |y_n|^2 / 2.
template <class T>
Gradient<T> gradient(const Problem<T>& p, const Plan<T>& plan, long steps) {
  Gradient<T> g;
  Solver<T> walk(*p.field, plan);
  g.forward = walk->begin({0, p.duration, steps}, p.theta.data(), p.y0.data());
  g.states.push_back(tests::hash(walk->y(), walk->size()));
  while (g.forward == Status::ok && walk->n() < steps) {
    const long n = walk->n();
    walk->advance();
    g.forward = walk->status();
    if (walk->n() == n) break;
    g.states.push_back(tests::hash(walk->y(), walk->size()));
  }
  g.theta.assign(p.theta.size(), 0), g.y0.assign(p.y0.size(), 0);
  (void)walk->turn({g.theta.data(), 1, p.theta.size()});
  const T weight = 1 / static_cast<T>(steps);
  do {
    if (tests::hash(walk->y(), walk->size()) != g.states[static_cast<std::size_t>(walk->n())]) ++g.strayed;
    for (std::size_t i = 0; i < walk->size(); ++i) walk->y_bar()[i] += weight * walk->y()[i];
  } while (walk->retreat());
  g.back = walk->finish(g.y0.data());
  g.accounting = walk->accounting();
  return g;
}
template <class T>
double relative(const std::vector<T>& a, const std::vector<T>& truth) {
  const std::vector<T> zero(truth.size(), 0);
  return euclidean(a, truth) / euclidean(truth, zero);
}

/// Compares one way back with stored states; oracle and plan share the method and the arithmetic.
template <class T>
void compare(const Problem<T>& p, const char* name, double lambda, Plan<T> plan, Plan<T> oracle, long steps) {
  oracle.way = Way::stored, oracle.stored_steps = steps, oracle.log_bits = 0;
  const Gradient<T> a = gradient(p, oracle, steps), b = gradient(p, plan, steps);
  const double every = static_cast<double>(steps) * static_cast<double>(p.y0.size());
  const double bits = plan.way == Way::taped ? static_cast<double>(b.accounting.tape_bits) / every
                      : plan.halve_every
                          ? static_cast<double>(plan.log_bits_for(steps, 1, 1)) / static_cast<double>(steps)
                          : 0;
  const char* status = b.forward == Status::ok ? "ok" : b.forward == Status::range ? "range" : "failed";
  const bool same = a.theta == b.theta && a.y0 == b.y0;
  std::printf("%s,%s,%s,%g,%ld,%.3e,%.3e,%.3e,%ld,%d,%.4f,%s\n", sizeof(T) == 4 ? "float" : "double", p.name, name,
              lambda, steps, static_cast<double>(b.accounting.drift), relative(b.theta, a.theta), relative(b.y0, a.y0),
              b.strayed, same ? 1 : 0, bits, status);
}
template <class T>
void floats(const Problem<T>& p, const char* name, const Method<T>& method, long steps, T lambda = 1) {
  compare(p, name, static_cast<double>(lambda), retraced(method, lambda), stored(method, steps, lambda), steps);
}
template <class T>
void integers(const Problem<T>& p, const char* name, const Method<T>& method, long steps, int halve_every) {
  Plan<T> plan = exact(method, static_cast<int>(p.y0.size()), steps, halve_every);
  plan.fraction_bits[0] = plan.fraction(0) - p.spare_bits;
  if (!shares_scale(method)) plan.fraction_bits[1] = plan.fraction_bits[0] - 4;  // slopes are larger than states
  compare(p, name, 1, plan, plan, steps);
}
template <class T>
void tape(const Problem<T>& p, const char* name, const Method<T>& method, long steps, Predictor predictor) {
  Plan<T> oracle = stored(method, steps);
  compare(p, name, 1, taped(method, static_cast<int>(p.y0.size()), steps, predictor), oracle, steps);
}

template <class T>
void all() {
  const Method<T> rk4 = runge_kutta(tableau::rk4<T>), mf_rk4 = mccallum_foster(tableau::rk4<T>);
  for (const Problem<T>& p : problems<T>())
    for (const long steps : {100L, 1000L, 10000L, 100000L}) {
      floats(p, "alf", alf<T>(), steps);
      floats(p, "reversible_heun", reversible_heun<T>(), steps);
      floats(p, "leapfrog", leapfrog<T>(), steps);
      floats(p, "ees25", runge_kutta(tableau::ees25<T>), steps);
      floats(p, "ees27", runge_kutta(tableau::ees27<T>), steps);
      floats(p, "rk4", rk4, steps);
      for (const T lambda : {T(.5), T(.9), T(.99), T(.999), T(1)})
        for (const Tableau<T>* base : {&tableau::euler<T>, &tableau::midpoint<T>, &tableau::rk4<T>})
          floats(p,
                 base == &tableau::rk4<T>     ? "mf_rk4"
                 : base == &tableau::euler<T> ? "mf_euler"
                                              : "mf_midpoint",
                 mccallum_foster(*base), steps, lambda);
      integers(p, "exact_alf", alf<T>(), steps, 0);
      integers(p, "exact_mf_rk4_0", mf_rk4, steps, 0);
      integers(p, "exact_mf_rk4_4", mf_rk4, steps, 4);
      integers(p, "exact_mf_rk4_1", mf_rk4, steps, 1);
      tape(p, "tape_rk4", rk4, steps, Predictor::runge_kutta);
      tape(p, "tape_rk4_ab", rk4, steps, Predictor::adams_bashforth);
    }
}
}  // namespace

int main(int argc, char** argv) {
  std::puts("number,field,method,lambda,steps,y0,theta_bar,y0_bar,strayed,same,bits,status");
  argc > 1 && std::strcmp(argv[1], "float") == 0 ? all<float>() : all<double>();
}
