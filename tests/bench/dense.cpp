// Dense kernels on a tile of 32 lanes: fraction of the core's FMA peak, OpenBLAS beside each line. One thread: run with
// OPENBLAS_NUM_THREADS=1 and without OPENBLAS_CORETYPE (tests/bench/run does).
#include "pairs.hpp"
#include "revode/kernels.hpp"
#ifdef REVODE_BENCH_OPENBLAS
#include <cblas.h>
#endif

namespace {
namespace kernel = revode::kernel;
constexpr int lanes = 32, leaf = 16;

#ifdef REVODE_BENCH_OPENBLAS
void gemm(CBLAS_TRANSPOSE a, CBLAS_TRANSPOSE b, int m, int n, int k, const float* A, int lda, const float* B, int ldb,
          float beta, float* C, int ldc) {
  cblas_sgemm(CblasRowMajor, a, b, m, n, k, 1.0f, A, lda, B, ldb, beta, C, ldc);
}
void gemm(CBLAS_TRANSPOSE a, CBLAS_TRANSPOSE b, int m, int n, int k, const double* A, int lda, const double* B, int ldb,
          double beta, double* C, int ldc) {
  cblas_dgemm(CblasRowMajor, a, b, m, n, k, 1.0, A, lda, B, ldb, beta, C, ldc);
}
#endif

template <class T>
struct Layer {  // out x in; y doubles as y_bar, x as x_bar of another layer
  explicit Layer(int o, int i)
      : out(o),
        in(i),
        W(int64_t{o} * i),
        W_bar(int64_t{o} * i),
        b(o),
        b_bar(o),
        x(int64_t{i} * lanes),
        y(int64_t{o} * lanes),
        x_bar(int64_t{i} * lanes),
        y_bar(int64_t{o} * lanes) {}
  double flops(int samples) const { return 2.0 * out * in * samples; }
  int out, in;
  bench::Numbers<T> W, W_bar, b, b_bar, x, y, x_bar, y_bar;
};

template <class T, class F, class G>
void report(benchmark::State& state, double flops, const F& ours, [[maybe_unused]] const G& openblas) {
  bench::against_peak<T>(state, flops, ours);
#ifdef REVODE_BENCH_OPENBLAS
  bench::against(state, "openblas_ratio", ours, openblas);
#endif
  for (auto _ : state) {
    ours();
    benchmark::ClobberMemory();
  }
}

template <class T>
void dense_forward(benchmark::State& state) {
  const int n = static_cast<int>(state.range(0));
  Layer<T> l(n, n);
  const auto ours = [&] { kernel::dense(n, n, lanes, l.W.data(), l.b.data(), l.x.data(), l.y.data()); };
  report<T>(state, l.flops(lanes), ours, [&] {
#ifdef REVODE_BENCH_OPENBLAS
    gemm(CblasNoTrans, CblasNoTrans, n, lanes, n, l.W.data(), n, l.x.data(), lanes, T(0), l.y.data(), lanes);
#endif
  });
}
template <class T>
void dense_backward(benchmark::State& state) {
  const int n = static_cast<int>(state.range(0));
  Layer<T> l(n, n);
  const auto ours = [&] { kernel::dense_vjp_input(n, n, lanes, l.W.data(), l.y_bar.data(), l.x_bar.data()); };
  report<T>(state, l.flops(lanes), ours, [&] {
#ifdef REVODE_BENCH_OPENBLAS
    gemm(CblasTrans, CblasNoTrans, n, lanes, n, l.W.data(), n, l.y_bar.data(), lanes, T(0), l.x_bar.data(), lanes);
#endif
  });
}
/// One leaf of 16 samples, as training adds it, the bias among it.
template <class T>
void dense_weight_gradient(benchmark::State& state) {
  const int n = static_cast<int>(state.range(0));
  Layer<T> l(n, n);
  const auto ours = [&] {
    kernel::dense_vjp_weight(n, n, lanes, leaf, l.y_bar.data(), l.x.data(), l.W_bar.data(), l.b_bar.data());
  };
  report<T>(state, l.flops(leaf), ours, [&] {
#ifdef REVODE_BENCH_OPENBLAS
    gemm(CblasNoTrans, CblasTrans, n, n, leaf, l.y_bar.data(), lanes, l.x.data(), lanes, T(1), l.W_bar.data(), n);
#endif
  });
}
/// Narrow layers, out x in: leaves of one sample, beside one leaf of all lanes (leaf_ratio: its time over ours).
template <class T>
void narrow_weight_gradient(benchmark::State& state) {
  const int out = static_cast<int>(state.range(0)), in = static_cast<int>(state.range(1));
  Layer<T> l(out, in);
  bench::Numbers<T> rows(int64_t{out} * in * lanes), bias(int64_t{out} * lanes);
  const auto ours = [&] {
    kernel::dense_vjp_weight_lanes(out, in, lanes, l.y_bar.data(), l.x.data(), rows.data(), bias.data());
  };
  bench::against(state, "leaf_ratio", ours, [&] {
    for (int first = 0; first < lanes; first += leaf)
      kernel::dense_vjp_weight(out, in, lanes, leaf, l.y_bar.data() + first, l.x.data() + first, l.W_bar.data(),
                               l.b_bar.data());
  });
  for (auto _ : state) {
    ours();
    benchmark::ClobberMemory();
  }
}

void widths(benchmark::internal::Benchmark* b) {
  for (const int n : {20, 32, 50, 64, 100, 128, 200, 256, 2048, 4096}) b->Arg(n);
}
void shapes(benchmark::internal::Benchmark* b) {
  b->Args({50, 2})->Args({2, 50})->Args({16, 2})->Args({20, 20});
}
BENCHMARK_TEMPLATE(dense_forward, float)->Apply(widths);
BENCHMARK_TEMPLATE(dense_forward, double)->Apply(widths);
BENCHMARK_TEMPLATE(dense_backward, float)->Apply(widths);
BENCHMARK_TEMPLATE(dense_backward, double)->Apply(widths);
BENCHMARK_TEMPLATE(dense_weight_gradient, float)->Apply(widths);
BENCHMARK_TEMPLATE(dense_weight_gradient, double)->Apply(widths);
BENCHMARK_TEMPLATE(narrow_weight_gradient, float)->Apply(shapes);
BENCHMARK_TEMPLATE(narrow_weight_gradient, double)->Apply(shapes);
}  // namespace
