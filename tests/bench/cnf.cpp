// One training iteration of normalizing flows in the plane, 512 samples: data, -log p, its gradient, Adam.
// tests/peers/bench_cnf.py is their peer. hyper: torchdiffeq's examples/cnf.py. ffjord: 2-64-64-2 tanh that sees time,
// exact trace. By 20 steps of RK4 with their stages kept, or undone exactly: 20 steps of the reversible midpoint method
// of McCallum and Foster, which evaluates as often forwards, and once more on the way back. tolerance: as many steps as
// the points and log p at the end need to be within 1e-5, what the example asks of its adaptive solver.
#include <benchmark/benchmark.h>

#include "cnf_model.hpp"
#include "differences.hpp"
#include "pairs.hpp"

namespace {
using namespace revode;
template <class T>
using Config = typename host::CnfModel<T>::Config;
enum class How { stored, exact };

constexpr int batch = 512, width = 64, steps = 20, few_steps = 12, evaluations = 4 * steps, warm = 20;
constexpr double tolerance = 1e-5;

template <class T>
Config<T> solved(How how, int lanes) {
  Config<T> c;
  c.lanes = lanes, c.base_variance = T(.1), c.steps = c.test_steps = steps;
  c.test_plan.method = runge_kutta(tableau::rk4<T>);
  c.test_plan.way = Way::none, c.test_plan.arithmetic = Arithmetic::real;
  if (how == How::stored) {
    c.plan.method = runge_kutta(tableau::rk4<T>);
    c.plan.way = Way::stored, c.plan.arithmetic = Arithmetic::real;
    c.plan.stored_steps = steps, c.plan.keep_stages = true;
  } else {
    c.plan.method = mccallum_foster(tableau::midpoint<T>);
    c.plan.way = Way::reversed, c.plan.arithmetic = Arithmetic::fixed;
    c.plan.fraction_bits[0] = sizeof(T) == 8 ? 52 : 22;
  }
  return c;
}
template <class T>
Config<T> hyper(How how, int lanes) {
  Config<T> c = solved<T>(how, lanes);
  c.layer = host::CnfModel<T>::Layer::hyper, c.hidden = {width}, c.hyper_hidden = 32, c.end_time = 10;
  return c;
}
template <class T>
Config<T> ffjord(How how, int lanes, const std::vector<int>& hidden = {width, width}, Trace trace = Trace::closed) {
  Config<T> c = solved<T>(how, lanes);
  c.layer = host::CnfModel<T>::Layer::concat, c.hidden = hidden, c.trace = trace;
  return c;
}

double gradient_error(const Config<double>& config) {
  bench::Flow<double> flow(config, config.lanes);
  flow.loss();
  const std::vector<double> gradient(flow.gradient(), flow.gradient() + flow.params());
  const double worst = bench::gradient_error(
      flow.theta, gradient, 1e-5, [&] { return flow.loss(); }, 89);
  return flow.good() ? worst : 1;
}

/// The worst distance of the ends from those of many steps, of points and of what log p gains.
double end_error(const std::vector<float>& theta, Config<double> config) {
  bench::Flow<double> coarse(config, config.lanes);
  config.test_steps = 20 * config.steps;
  bench::Flow<double> fine(config, config.lanes);
  coarse.theta.assign(theta.begin(), theta.end()), fine.theta = coarse.theta;
  const std::vector<double> a = coarse.ends(), b = fine.ends();
  double worst = coarse.good() && fine.good() ? 0.0 : 1.0;
  for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
  return worst;
}

template <class T>
void iterate(benchmark::State& state, const Config<T>& config, const Config<double>& in_double) {
  // Truncation e^2 times a third derivative and rounding 1e-16 / e leave 1e-8; a wrong cotangent is off by its own
  // size.
  if (!(gradient_error(in_double) < 1e-6)) return state.SkipWithError("the gradient differs from central differences");
  bench::Flow<T> flow(config, batch);
  for (int i = 0; i < warm; ++i) flow.iterate();
  const double error = end_error({flow.theta.begin(), flow.theta.end()}, in_double);
  if (!(error < tolerance)) return state.SkipWithError("too few steps for the tolerance");
  state.counters["end_error"] = error;
  const std::vector<T> trained = flow.theta;
  for (auto _ : state) {
    flow.theta = trained;
    benchmark::DoNotOptimize(flow.iterate());
  }
  if (!flow.good()) return state.SkipWithError("the solve failed");
  state.counters["nfe"] = static_cast<double>(flow.accounting().evaluations_forward);
  state.counters["nfe_backward"] = static_cast<double>(flow.accounting().evaluations_backward);
  flow.theta = trained;
  state.counters["loss"] = static_cast<double>(flow.loss());
}
void hyper_iteration(benchmark::State& state, How how, int n) {
  Config<float> single = hyper<float>(how, 64);
  Config<double> twice = hyper<double>(how, 64);
  single.steps = single.test_steps = twice.steps = twice.test_steps = n;
  if (how == How::stored) single.plan.stored_steps = twice.plan.stored_steps = n;
  iterate<float>(state, single, twice);
}
void hyper_stored(benchmark::State& state) {
  hyper_iteration(state, How::stored, steps);
}
void hyper_tolerance(benchmark::State& state) {
  hyper_iteration(state, How::stored, few_steps);
}
void hyper_exact(benchmark::State& state) {
  hyper_iteration(state, How::exact, steps);
}
void ffjord_stored(benchmark::State& state) {
  iterate<float>(state, ffjord<float>(How::stored, 64), ffjord<double>(How::stored, 32));
}
void ffjord_exact(benchmark::State& state) {
  iterate<float>(state, ffjord<float>(How::exact, 64), ffjord<double>(How::exact, 32));
}
BENCHMARK(hyper_stored)->Unit(benchmark::kMillisecond);
BENCHMARK(hyper_tolerance)->Unit(benchmark::kMillisecond);
BENCHMARK(hyper_exact)->Unit(benchmark::kMillisecond);
BENCHMARK(ffjord_stored)->Unit(benchmark::kMillisecond);
BENCHMARK(ffjord_exact)->Unit(benchmark::kMillisecond);

/// Products of width by width that are made for every sample: two an evaluation, W2 h1 and C d1, of which there are
/// as many again on the way back, and four a VJP.
template <class T>
void ffjord_peak(benchmark::State& state) {
  bench::Flow<T> flow(ffjord<T>(How::exact, sizeof(T) == 4 ? 64 : 32), batch);
  for (auto _ : state) benchmark::DoNotOptimize(flow.iterate());
  constexpr double products = (2 + 2 + 4) * evaluations;
  bench::against_peak<T>(state, products * 2 * width * width * batch, [&] { flow.iterate(); });
  if (!flow.good()) state.SkipWithError("the solve failed");
}
BENCHMARK_TEMPLATE(ffjord_peak, float)->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(ffjord_peak, double)->Unit(benchmark::kMillisecond);

/// The exact trace, of one and of two hidden layers, beside Hutchinson's estimate of it.
void exact_trace(benchmark::State& state) {
  const std::vector<int> hidden(static_cast<std::size_t>(state.range(0)), width);
  bench::Flow<float> exact(ffjord<float>(How::exact, 64, hidden), batch);
  bench::Flow<float> estimate(ffjord<float>(How::exact, 64, hidden, Trace::hutchinson), batch);
  for (auto _ : state) benchmark::DoNotOptimize(exact.iterate());
  bench::against(
      state, "hutchinson_ratio", [&] { exact.iterate(); }, [&] { estimate.iterate(); });
  if (!exact.good() || !estimate.good()) state.SkipWithError("the solve failed");
}
BENCHMARK(exact_trace)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond);
}  // namespace
