// One training iteration of the white dwarf of McCallum and Foster (arXiv 2410.11648), but for the optimiser: a network
// 3-10-2 of (t, y) in double over 1,000 Euler steps, mean squared error of all of them, and its gradient. One sample:
// what counts is how long one evaluation waits for another. Solved by walks of static types;
// tests/peers/bench_white_dwarf.py is its peer.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "bytes.hpp"
#include "differences.hpp"
#include "revode/fixed_mlp.hpp"
#include "revode/random.hpp"
#include "revode/static_solve.hpp"

namespace {
using namespace revode;

constexpr long steps = 1000;
constexpr Grid<double> grid{0, 5, steps};
constexpr double start[] = {1, 0};

/// A network of (t, y), t first, as a field of static sizes. Tape: (t, y) and the network's.
template <class T, int d, int hidden>
class OfTime {
  using Net = FixedMlp<T, Activation::tanh, 1 + d, hidden, d>;
  static constexpr std::size_t row = padded((1 + d) * sizeof(T));

 public:
  using Scalar = T;
  static constexpr Shape shape(Extent e) {
    const Shape s = Net::shape(e);
    return {d, d, s.params, row + s.tape, s.work};
  }
  static REVODE_INLINE void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) {
    T* const in = reinterpret_cast<T*>(tape);
    in[0] = call.t;
    for (int i = 0; i < d; ++i) in[1 + i] = x[i];
    Net::eval(call, in, y, tape + row);
  }
  static REVODE_INLINE void vjp(const Call<T>& call, const T*, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
                                const Bar<T>& bar) {
    T in_bar[1 + d] = {};
    Net::vjp(call, reinterpret_cast<const T*>(tape), y, tape + row, y_bar, in_bar, bar);
    for (int i = 0; x_bar && i < d; ++i) x_bar[i] += in_bar[1 + i];
    if (bar.t) *bar.t += in_bar[0];
  }
};
using Field = OfTime<double, 2, 10>;

// One evaluation a step each way, and the second one for its tape; kept stages do without that.
constexpr Plan<double> stored{.method = runge_kutta(tableau::euler<double>),
                              .way = Way::stored,
                              .arithmetic = Arithmetic::real,
                              .stored_steps = steps};
constexpr Plan<double> stages{.method = runge_kutta(tableau::euler<double>),
                              .way = Way::stored,
                              .arithmetic = Arithmetic::real,
                              .stored_steps = steps,
                              .keep_stages = true};
// 2,000 evaluations forwards and 2,000 back, each with its VJP: undone exactly, and in floats.
constexpr Plan<double> coupled{.method = mccallum_foster(tableau::euler<double>)};
constexpr Plan<double> floats{.method = mccallum_foster(tableau::euler<double>), .arithmetic = Arithmetic::real};

template <const auto& plan>
class Iteration {
 public:
  Iteration() : theta(Field::shape({}).params), theta_bar(theta.size()), bytes_(decltype(walk_)::bytes()) {
    Arena arena = bytes_.arena();
    walk_.place(arena, field_);
    Random random(3, 1);
    for (double& v : theta) v = static_cast<double>(random.normal()) / 2;
  }
  double operator()() {
    std::memset(theta_bar.data(), 0, theta_bar.size() * sizeof(double));
    double loss = 0;
    good = run(walk_, grid, theta.data(), start) == Status::ok && walk_.turn({theta_bar.data()}) == Status::ok;
    do {
      for (std::size_t i = 0; i < 2; ++i) {
        const double off = walk_.y()[i] - (i == 0 ? .6 : -.1);
        loss += off * off / (2 * steps);
        walk_.y_bar()[i] += off / steps;
      }
    } while (walk_.retreat());
    good &= walk_.finish(nullptr) == Status::ok;
    return loss;
  }
  Accounting accounting() const { return walk_.accounting(); }
  std::vector<double> theta, theta_bar;
  bool good = true;

 private:
  Field field_;
  StaticSolve<Field, plan> walk_;
  bench::Bytes bytes_;
};

template <class Any>
double gradient_error(Any& iteration) {
  iteration();
  const std::vector<double> gradient = iteration.theta_bar;
  const double worst = bench::gradient_error(iteration.theta, gradient, 1e-4, iteration);
  return iteration.good ? worst : 1;
}

template <const auto& plan>
void dwarf(benchmark::State& state) {
  Iteration<plan> iteration;
  // Truncation e^2, and of a thousand fixed-point units of 2^-44 over e less; a wrong cotangent is off by its own size.
  if (!(gradient_error(iteration) < 1e-6)) return state.SkipWithError("the gradient differs from central differences");
  for (auto _ : state) benchmark::DoNotOptimize(iteration());
  if (!iteration.good) return state.SkipWithError("the solve failed");
  const Accounting a = iteration.accounting();
  state.counters["nfe"] = static_cast<double>(a.evaluations_forward);
  state.counters["nfe_backward"] = static_cast<double>(a.evaluations_backward);
  state.counters["vjps"] = static_cast<double>(a.vjps);
}
BENCHMARK_TEMPLATE(dwarf, stored)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(dwarf, stages)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(dwarf, coupled)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(dwarf, floats)->Unit(benchmark::kMicrosecond);
}  // namespace
