// One training gradient of torchdiffeq's ode_demo: y' = W2 tanh(W1 y^3 + b1) + b2 with 50 hidden units, a batch of
// points of the cubic spiral over its next 9 intervals by the 3/8 rule (torchdiffeq's rk4: 36 evaluations), mean
// absolute error. tests/peers/bench_ode_demo.py is its peer.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "bytes.hpp"
#include "differences.hpp"
#include "revode/random.hpp"
#include "revode/sequential.hpp"
#include "revode/solve.hpp"

namespace {
using namespace revode;

constexpr int points = 1000, nodes = 10, dim = 2, hidden = 50;
constexpr double end = 25;

constexpr std::size_t size(int n) {
  return static_cast<std::size_t>(n);
}

/// x -> net(x^3): a map of one's own around one of the library's. Tape: x^3, its cotangent, the net's tape.
template <class T>
class OfCubes final : public Map<T> {
 public:
  constexpr explicit OfCubes(const Map<T>& net) : net_(&net) {}
  constexpr Shape shape(Extent e) const override {
    Shape s = net_->shape(e);
    s.tape += 2 * tile(e);
    return s;
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override {
    if (call.extent.tangents) fail(call.status, Status::unsupported);
    T* const cubes = reinterpret_cast<T*>(tape);
    for (int i = 0; i < dim * call.extent.lanes; ++i) cubes[i] = x[i] * x[i] * x[i];
    net_->eval(call, cubes, y, tape + 2 * tile(call.extent));
  }
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override {
    const int n = dim * call.extent.lanes;
    const T* const cubes = reinterpret_cast<const T*>(tape);
    T* const cubes_bar = reinterpret_cast<T*>(tape + tile(call.extent));
    std::fill_n(cubes_bar, n, T(0));
    net_->vjp(call, cubes, y, tape + 2 * tile(call.extent), y_bar, cubes_bar, bar);
    for (int i = 0; x_bar && i < n; ++i) x_bar[i] += 3 * x[i] * x[i] * cubes_bar[i];
  }

 private:
  /// Bytes, in whole lines.
  static constexpr std::size_t tile(Extent e) {
    return (size(dim * e.lanes) * sizeof(T) + REVODE_ALIGN - 1) / REVODE_ALIGN * REVODE_ALIGN;
  }
  const Map<T>* net_;
};

template <class T>
Plan<T> plan(long steps, bool keep) {
  Plan<T> p;
  p.method = runge_kutta(tableau::three_eighths<T>);
  p.way = Way::stored;
  p.arithmetic = Arithmetic::real;
  p.stored_steps = steps;
  p.keep_stages = keep;
  return p;
}

/// The spiral y' = y^3 A from (2, 0), at `points` equal times: [points][dim].
std::vector<double> spiral() {
  constexpr int fine = 8;
  const Dense<double> linear(dim, dim);
  const OfCubes<double> field(linear);
  const double theta[] = {-.1, -2, 2, -.1, 0, 0}, start[] = {2, 0};
  const Plan<double> keep = plan<double>(fine * (points - 1), false);
  bench::Bytes bytes(Solve<double>::bytes(field, keep, 1));
  Arena arena = bytes.arena();
  Solve<double> solve;
  std::vector<double> all;
  if (solve.init(arena, field, keep, 1) != Status::ok) return all;
  if (solve->begin({0, end, fine * (points - 1)}, theta, start) != Status::ok) return all;
  do
    if (solve->n() % fine == 0) all.insert(all.end(), solve->y(), solve->y() + dim);
  while (solve->advance());
  return all;
}

template <class T>
class Demo {
  Mlp<T> net_{{dim, hidden, dim}, Activation::tanh};
  OfCubes<T> field_{net_};

 public:
  Demo(int batch, int lanes)
      : theta(size(field_.shape({}).params)), lanes_(lanes), tiles_((batch + lanes - 1) / lanes) {
    const Plan<T> keep = plan<T>(nodes - 1, true);
    const std::size_t rows = (stride() + size(tiles_ * nodes * dim)) * size(lanes_) * sizeof(T);
    bytes_ = bench::Bytes(Solve<T>::bytes(field_, keep, lanes_) + rows + 2 * REVODE_ALIGN);
    Arena arena = bytes_.arena();
    good_ = solve_.init(arena, field_, keep, lanes_) == Status::ok;
    theta_bar_ = arena.take<T>(stride() * size(lanes_));
    wanted_ = arena.take<T>(size(tiles_ * nodes * dim * lanes_));
    for (int n = 0; n < nodes; ++n) times_[n] = static_cast<T>(n * end / (points - 1));
    Random random(1, 0);
    for (std::size_t i = 0; i < theta.size(); ++i) theta[i] = weight(i) ? T(.1) * static_cast<T>(random.normal()) : 0;
    gradient.resize(stride());
    draw(batch);
  }

  /// The loss; its gradient is gradient[0 .. theta.size()).
  T operator()() {
    std::fill_n(theta_bar_, stride() * size(lanes_), T(0));  // each lane adds up its samples of all tiles
    for (int tile = 0; tile < tiles_; ++tile) {
      const T* at = wanted_ + size(tile) * size(nodes * dim * lanes_);
      good_ &= run(*solve_, {.steps = 1, .times = times_, .nodes = nodes}, theta.data(), at) == Status::ok;
      good_ &= solve_->turn({theta_bar_, 1, 0}) == Status::ok;
      do add_loss(at + size(static_cast<int>(solve_->n()) * dim * lanes_));
      while (solve_->retreat());
      good_ &= solve_->finish(nullptr) == Status::ok;
    }
    kernel::tree_lanes(stride(), lanes_, theta_bar_, gradient.data());
    return gradient[theta.size()];
  }
  bool good() const { return good_; }
  Accounting accounting() const { return solve_->accounting(); }

  std::vector<T> theta, gradient;

 private:
  std::size_t stride() const { return theta.size() + 1; }  // the loss is one more row
  static bool weight(std::size_t i) {
    return i < size(dim * hidden) || (i >= size(dim * hidden + hidden) && i < size(2 * dim * hidden + hidden));
  }

  /// wanted_[tile][node][dim][lane]: neighbours on the spiral from random points on. Lanes without a sample copy one.
  void draw(int batch) {
    const std::vector<double> all = spiral();
    std::vector<std::size_t> start(size(points - nodes));
    std::iota(start.begin(), start.end(), std::size_t{0});
    Random random(42, 1);
    for (std::size_t i = 0; i < size(batch); ++i)
      std::swap(start[i], start[i + random.below(static_cast<std::uint32_t>(start.size() - i))]);
    T* at = wanted_;
    for (int tile = 0; tile < tiles_; ++tile)
      for (std::size_t row = 0; row < size(nodes * dim); ++row)
        for (int l = 0; l < lanes_; ++l)
          *at++ = static_cast<T>(all[start[size(std::min(tile * lanes_ + l, batch - 1))] * dim + row]);
    share_ = T(1) / static_cast<T>(nodes * dim * batch);
  }
  void add_loss(const T* wanted) {
    const T* y = solve_->y();
    T *bar = solve_->y_bar(), *loss = theta_bar_ + theta.size() * size(lanes_);
    for (std::size_t row = 0; row < size(dim * lanes_); row += size(lanes_))
      for (std::size_t l = 0; l < size(lanes_); ++l) {
        const T miss = y[row + l] - wanted[row + l], share = share_;
        loss[l] += share * std::abs(miss);
        bar[row + l] += miss > 0 ? share : miss < 0 ? -share : T(0);
      }
  }

  int lanes_, tiles_;
  bench::Bytes bytes_{0};
  Solve<T> solve_;
  bool good_ = false;
  T times_[nodes];
  T share_ = 0, *wanted_ = nullptr, *theta_bar_ = nullptr;
};

double gradient_error(int batch, int lanes) {
  Demo<double> demo(batch, lanes);
  demo();
  const auto loss_at = demo.gradient.begin() + static_cast<std::ptrdiff_t>(demo.theta.size());
  const double worst = bench::gradient_error(demo.theta, {demo.gradient.begin(), loss_at}, 1e-6, demo);
  return demo.good() ? worst : 1;
}

void demo_gradient(benchmark::State& state) {
  const int batch = static_cast<int>(state.range(0)), lanes = batch == 20 ? 20 : 2 * kernel::width<float>;
  // Truncation e^2 and rounding 1e-16 / e leave 1e-9; a wrong cotangent is off by its own size.
  if (!(gradient_error(20, 8) < 1e-8)) return state.SkipWithError("the gradient differs from central differences");
  Demo<float> demo(batch, lanes);
  for (auto _ : state) benchmark::DoNotOptimize(demo());
  if (!demo.good()) return state.SkipWithError("the solve failed");
  state.counters["nfe"] = static_cast<double>(demo.accounting().evaluations_forward);
  state.counters["nfe_backward"] = static_cast<double>(demo.accounting().evaluations_backward);
  state.counters["loss"] = static_cast<double>(demo());
}
BENCHMARK(demo_gradient)->Arg(20)->Arg(512)->Unit(benchmark::kMicrosecond);
}  // namespace
