// Elementary functions from L1 beside scalar libm. Arguments between -2 and 2, where hidden layers work.
#include <cmath>

#include "pairs.hpp"
#include "revode/kernels.hpp"

namespace {
namespace kernel = revode::kernel;
using revode::Activation;
constexpr int n = 4096;

template <class T, class F, class G>
void report(benchmark::State& state, const F& kernel, const G& libm, T shift = T(0)) {
  bench::Numbers<T> x(n, T(2)), y(n), z(n);
  for (int i = 0; i < n; ++i) x.data()[i] += shift;
  const auto ours = [&] { kernel(x.data(), y.data()); };
  bench::against(state, "libm_ratio", ours, [&] {
    const T* from = x.data();
    T* to = z.data();
    for (int i = 0; i < n; ++i) to[i] = libm(from[i]);
  });
  for (auto _ : state) {
    ours();
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * n);
}
template <class T, Activation a, class G>
void activation(benchmark::State& state, const G& libm) {
  report<T>(
      state, [](const T* x, T* y) { kernel::activate(a, n, x, y); }, libm);
}
template <class T, kernel::Function f, class G>
void function(benchmark::State& state, const G& libm, T shift = T(0)) {
  report<T>(
      state, [](const T* x, T* y) { kernel::evaluate(f, n, x, y); }, libm, shift);
}

template <class T>
void tanh(benchmark::State& state) {
  activation<T, Activation::tanh>(state, [](T v) { return std::tanh(v); });
}
template <class T>
void sigmoid(benchmark::State& state) {
  activation<T, Activation::sigmoid>(state, [](T v) { return 1 / (1 + std::exp(-v)); });
}
template <class T>
void softplus(benchmark::State& state) {
  activation<T, Activation::softplus>(state, [](T v) { return std::log1p(std::exp(v)); });
}
template <class T>
void elu(benchmark::State& state) {
  activation<T, Activation::elu>(state, [](T v) { return v > 0 ? v : std::expm1(v); });
}
template <class T>
void exp(benchmark::State& state) {
  function<T, kernel::Function::exp>(state, [](T v) { return std::exp(v); });
}
template <class T>
void log(benchmark::State& state) {
  function<T, kernel::Function::log>(
      state, [](T v) { return std::log(v); }, T(2.001));
}
template <class T>
void sin(benchmark::State& state) {
  function<T, kernel::Function::sin>(state, [](T v) { return std::sin(v); });
}
BENCHMARK_TEMPLATE(tanh, float);
BENCHMARK_TEMPLATE(tanh, double);
BENCHMARK_TEMPLATE(sigmoid, float);
BENCHMARK_TEMPLATE(sigmoid, double);
BENCHMARK_TEMPLATE(softplus, float);
BENCHMARK_TEMPLATE(softplus, double);
BENCHMARK_TEMPLATE(elu, float);
BENCHMARK_TEMPLATE(elu, double);
BENCHMARK_TEMPLATE(exp, float);
BENCHMARK_TEMPLATE(exp, double);
BENCHMARK_TEMPLATE(log, float);
BENCHMARK_TEMPLATE(log, double);
BENCHMARK_TEMPLATE(sin, float);
BENCHMARK_TEMPLATE(sin, double);
}  // namespace
