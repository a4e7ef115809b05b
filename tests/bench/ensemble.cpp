// An ensemble of 1,024 Lorenz systems, 1,000 equal steps of the classical Runge-Kutta method each: tiles of lanes
// beside Boost.odeint, one system after the other.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "bytes.hpp"
#include "pairs.hpp"
#include "plain_peers.hpp"
#include "revode/inlined.hpp"

namespace {
using namespace revode;
using bench::Lorenz;

constexpr int systems = 1024, tile = 256, at_a_time = 8;
constexpr long steps = 1000;
constexpr double h = .005;
constexpr Automatic<double, Lorenz> field;

double start(int system, int row) {
  return 1 + 1e-3 * system * (row + 1);
}

class Tiles {
 public:
  using Walk = Inlined<double, Lorenz, tableau::rk4<double>, at_a_time>;
  Tiles() : bytes_(Walk::bytes(field, plan(), tile)), y0_(3 * systems), y1_(3 * systems) {
    Arena arena = bytes_.arena();
    status_ = walk_.init(arena, field, plan(), tile);
    for (int i = 0; i < systems; ++i)
      for (int row = 0; row < 3; ++row) y0_[at(i, row)] = start(i, row);
  }
  void run() {
    for (std::size_t from = 0; from < y0_.size(); from += 3 * tile) {
      if (status_ == Status::ok) status_ = revode::run(walk_, {0, steps * h, steps}, Lorenz::theta, &y0_[from]);
      std::copy_n(walk_.y(), 3 * tile, &y1_[from]);
    }
  }
  bool good() const { return status_ == Status::ok; }
  double y(int system, int row) const { return y1_[at(system, row)]; }

 private:
  static Plan<double> plan() { return inference(runge_kutta(tableau::rk4<double>)); }
  static std::size_t at(int system, int row) {
    return static_cast<std::size_t>(system / tile * 3 * tile + row * tile + system % tile);
  }
  bench::Bytes bytes_;
  Walk walk_;
  Status status_ = Status::ok;
  std::vector<double> y0_, y1_;
};

class Singly {
 public:
  void run() {
    using namespace boost::numeric::odeint;
    for (int i = 0; i < systems; ++i) {
      State& y = y_[static_cast<std::size_t>(i)];
      for (int row = 0; row < 3; ++row) y[static_cast<std::size_t>(row)] = start(i, row);
      integrate_n_steps(runge_kutta4<State>(), bench::Rates<Lorenz>(), y, 0., h, static_cast<std::size_t>(steps));
    }
  }
  double y(int system, int row) const { return y_[static_cast<std::size_t>(system)][static_cast<std::size_t>(row)]; }

 private:
  using State = bench::State<Lorenz>;
  std::array<State, systems> y_;
};

void ensemble_lorenz(benchmark::State& state) {
  Tiles ours;
  Singly theirs;
  ours.run(), theirs.run();
  double worst = 0;
  for (int i = 0; i < systems; ++i)
    for (int row = 0; row < 3; ++row) worst = std::max(worst, std::abs(ours.y(i, row) - theirs.y(i, row)));
  // The same method: only roundings differ, which the flow stretches by some e^(0.9 * 5).
  if (!ours.good() || !(worst < 1e-9)) return state.SkipWithError("the two do not solve the same systems");
  std::vector<double> ratios;
  for (int turn = 0; turn < 9; ++turn) {
    const double mine = bench::seconds(4, [&] { ours.run(); });
    ratios.push_back(bench::seconds(1, [&] { theirs.run(); }) / mine);
  }
  state.counters["odeint_ratio"] = bench::median(ratios);
  for (auto _ : state) ours.run();
  state.counters["steps_a_second"] =
      benchmark::Counter(double(systems) * double(steps), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(ensemble_lorenz)->Unit(benchmark::kMicrosecond);
}  // namespace
