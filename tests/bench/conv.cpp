// The ODENet of Chen et al. 2018: its 3x3 convolutions of 64 channels and the strided ones of its stem beside the
// core's peak, counting taps that meet the image alone; its ODE function, and a whole training iteration on 128 images,
// whose peer is tests/peers/bench_odenet.py.
#include <algorithm>

#include "bytes.hpp"
#include "models/odenet.hpp"
#include "pairs.hpp"
#include "revode/optimizer.hpp"
#include "revode/tableau.hpp"
#include "revode/winograd.hpp"

namespace {
namespace kernel = revode::kernel;
using kernel::Convolution;
constexpr int lanes = 16, tiles = 8, filters = 64, side = 6, classes = 10;
constexpr long steps = 5;

/// Multiplications and additions of one call.
double operations(const Convolution& c) {
  const auto meetings = [&](int size, int out) {
    int n = 0;
    for (int place = 0; place < out; ++place)
      for (int k = 0; k < c.kernel; ++k) {
        const int at = place * c.stride - c.padding + k;
        n += at >= 0 && at < size;
      }
    return static_cast<double>(n);
  };
  return 2 * meetings(c.height, c.out_height()) * meetings(c.width, c.out_width()) * c.in * c.out * lanes;
}
/// The map of the ODE block and its neighbour, the stem's two strided layers.
Convolution shape(const benchmark::State& state) {
  const int n = static_cast<int>(state.range(0));
  return n < 10 ? Convolution{filters, filters, n, n, 3, 1, 1} : Convolution{filters, filters, n, n, 4, 2, 1};
}
struct Layer {
  explicit Layer(const Convolution& sizes)
      : c(sizes),
        W(c.weights()),
        W_bar(c.weights()),
        b(c.out),
        b_bar(c.out),
        x(std::int64_t{c.rows_in()} * lanes),
        y(std::int64_t{c.rows_out()} * lanes),
        x_bar(std::int64_t{c.rows_in()} * lanes) {}
  Convolution c;
  bench::Numbers<float> W, W_bar, b, b_bar, x, y, x_bar;
};
template <class F>
void report(benchmark::State& state, const Layer& layer, const F& ours) {
  bench::against_peak<float>(state, operations(layer.c), ours);
  for (auto _ : state) {
    ours();
    benchmark::ClobberMemory();
  }
}
void conv_forward(benchmark::State& state) {
  Layer l(shape(state));
  report(state, l, [&] { kernel::convolve(l.c, lanes, l.W.data(), l.b.data(), 0.0f, l.x.data(), l.y.data()); });
}
void conv_input(benchmark::State& state) {
  Layer l(shape(state));
  report(state, l, [&] { kernel::convolve_vjp_input(l.c, lanes, l.W.data(), l.y.data(), l.x_bar.data()); });
}
void conv_weight(benchmark::State& state) {
  Layer l(shape(state));
  report(state, l, [&] {
    kernel::convolve_vjp_weight(l.c, lanes, lanes, 0.0f, l.y.data(), l.x.data(), l.W_bar.data(), l.b_bar.data());
  });
}

/// The same by Winograd, dense_gflops as if no tap were spared; direct_ratio: the direct one's time over its.
template <class F, class G>
void beside_direct(benchmark::State& state, const Layer& layer, const F& ours, const G& direct) {
  bench::against(state, "direct_ratio", ours, direct);
  bench::against_peak<float>(state, operations(layer.c), ours);
  const Convolution& c = layer.c;
  const double dense = 2.0 * c.kernel * c.kernel * c.in * c.out * c.out_height() * c.out_width() * lanes;
  state.counters["dense_gflops"] = state.counters["gflops"] * dense / operations(c);
  for (auto _ : state) {
    ours();
    benchmark::ClobberMemory();
  }
}
struct WinogradLayer : Layer {
  explicit WinogradLayer(const Convolution& sizes)
      : Layer(sizes), work(static_cast<std::int64_t>(kernel::WinogradSizes(sizes, lanes).scalars())) {}
  bench::Numbers<float> work;
};
void winograd_forward(benchmark::State& state) {
  WinogradLayer l(shape(state));
  beside_direct(
      state, l,
      [&] { kernel::winograd(l.c, lanes, l.W.data(), l.b.data(), 0.0f, l.x.data(), l.y.data(), false, l.work.data()); },
      [&] { kernel::convolve(l.c, lanes, l.W.data(), l.b.data(), 0.0f, l.x.data(), l.y.data()); });
}
void winograd_input(benchmark::State& state) {
  WinogradLayer l(shape(state));
  beside_direct(
      state, l,
      [&] { kernel::winograd_vjp_input(l.c, lanes, l.W.data(), l.y.data(), l.x_bar.data(), false, l.work.data()); },
      [&] { kernel::convolve_vjp_input(l.c, lanes, l.W.data(), l.y.data(), l.x_bar.data()); });
}
void winograd_weight(benchmark::State& state) {
  WinogradLayer l(shape(state));
  float *W_bar = l.W_bar.data(), *b_bar = l.b_bar.data();
  beside_direct(
      state, l,
      [&] {
        kernel::winograd_vjp_weight(l.c, lanes, lanes, 0.0f, l.y.data(), l.x.data(), W_bar, b_bar, l.work.data());
      },
      [&] { kernel::convolve_vjp_weight(l.c, lanes, lanes, 0.0f, l.y.data(), l.x.data(), W_bar, b_bar); });
}

/// The ODE function once forward and backward, all cotangents wanted.
void odenet_function(benchmark::State& state) {
  const revode::GroupNorm<float>::Sizes norm{filters, 32, side * side};
  const revode::GroupNorm<float> relu(norm, true), plain(norm);
  const revode::WinogradConv<float> conv({filters, filters, side, side, 3, 1, 1, true});
  const revode::Map<float>* const layers[] = {&relu, &conv, &relu, &conv, &plain};
  const revode::Sequential<float> field(layers);
  const revode::Shape s = field.shape({lanes, 0});
  const std::size_t params = static_cast<std::size_t>(s.params);
  const std::int64_t n = std::int64_t{s.in} * lanes;
  bench::Numbers<float> theta(s.params), x(n * tiles), y(n), y_bar(n), x_bar(n * tiles);
  std::vector<float> leaves(params * tiles);
  bench::Bytes tape(s.tape), work(s.work);
  revode::Call<float> call;
  call.extent = {lanes, 0}, call.t = 0.3f, call.theta = theta.data(), call.work = work.arena().take<std::byte>(s.work);
  std::byte* const kept = tape.arena().take<std::byte>(s.tape);
  for (auto _ : state) {
    std::fill(leaves.begin(), leaves.end(), 0.0f);
    for (int tile = 0; tile < tiles; ++tile) {
      float* const from = x.data() + n * tile;
      field.eval(call, from, y.data(), kept);
      field.vjp(call, from, y.data(), kept, y_bar.data(), x_bar.data() + n * tile,
                {{leaves.data() + params * static_cast<std::size_t>(tile), lanes, params}, nullptr});
    }
    kernel::tree_slices(params, tiles, params, leaves.data());
    benchmark::ClobberMemory();
  }
}

/// Stem, solve, head, loss, the way back through the stored stages, SGD with momentum.
void odenet_iteration(benchmark::State& state, const revode::Method<float>& method,
                      const revode::Control<float>& control) {
  revode::host::OdeNet::Config config;
  config.plan.method = method, config.plan.control = control;
  config.plan.way = revode::Way::stored, config.plan.arithmetic = revode::Arithmetic::real;
  config.plan.keep_stages = true, config.plan.stored_steps = 2 * steps, config.steps = steps;
  revode::host::OdeNet network(config);
  const auto params = static_cast<std::size_t>(network.params()), stride = params + 3;
  std::vector<float> theta(params), leaves(stride * tiles);
  network.initialise(1, theta.data());
  bench::Bytes bytes(network.bytes()), moments(params * sizeof(float) + 64);
  revode::Arena arena = bytes.arena(), more = moments.arena();
  revode::Sgd<float> sgd;
  sgd.momentum = 0.9f, sgd.place(more, params), sgd.reset();
  if (network.init(arena) != revode::Status::ok) return state.SkipWithError("the network's memory does not fit");
  const std::int64_t n = std::int64_t{network.rows_in()} * lanes;
  bench::Numbers<float> images(n * tiles, 1.0f);
  int label[lanes];
  for (int l = 0; l < lanes; ++l) label[l] = l % classes;
  float loss = 0;
  for (auto _ : state) {
    std::fill(leaves.begin(), leaves.end(), 0.0f);
    for (int tile = 0; tile < tiles; ++tile)
      if (network.loss(theta.data(), images.data() + n * tile, label,
                       {leaves.data() + stride * static_cast<std::size_t>(tile), lanes, stride}) != revode::Status::ok)
        return state.SkipWithError("the solve failed");
    kernel::tree_slices(stride, tiles, stride, leaves.data());
    for (std::size_t i = 0; i < params; ++i) leaves[i] /= lanes * tiles;
    sgd.update(1e-3f, leaves.data(), theta.data());
    loss = leaves[params] / (lanes * tiles);
  }
  state.counters["nfe"] = static_cast<double>(network.accounting().evaluations_forward);
  state.counters["nfe_backward"] = static_cast<double>(network.accounting().evaluations_backward);
  state.counters["loss"] = static_cast<double>(loss);
}

void maps(benchmark::internal::Benchmark* b) {
  for (const int n : {6, 7, 13, 26}) b->Arg(n);
}
BENCHMARK(conv_forward)->Apply(maps);
BENCHMARK(conv_input)->Apply(maps);
BENCHMARK(conv_weight)->Apply(maps);
void winograd_maps(benchmark::internal::Benchmark* b) {
  for (const int n : {side, 13, 26}) b->Arg(n);
}
BENCHMARK(winograd_forward)->Apply(winograd_maps);
BENCHMARK(winograd_input)->Apply(winograd_maps);
BENCHMARK(winograd_weight)->Apply(winograd_maps);
BENCHMARK(odenet_function)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(odenet_iteration, rk4, revode::runge_kutta(revode::tableau::rk4<float>), {})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(odenet_iteration, dopri5, revode::runge_kutta(revode::tableau::dormand_prince5<float>),
                  {.rtol = 1e-3f, .atol = 1e-3f})
    ->Unit(benchmark::kMillisecond);
}  // namespace
