// An ensemble of 1,024 Lorenz systems, 1,000 equal steps of the classical Runge-Kutta method each: a tile of lanes
// beside Boost.odeint, one system after the other. Operations a second are also set beside the most that the core can
// start, of which an fma is one as well as a sum: what it could do if no operation ever waited for another.
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

constexpr int systems = 1024;
constexpr long steps = 1000;
template <class T>
constexpr T h = T(.005);
/// Of a step of one system: 8 in each of four evaluations, an fma for each argument but the first, a product, three fma
/// and a sum for each row of the result.
constexpr double operations = 4 * 8 + 3 * 3 + 3 * 5;
template <class T>
constexpr Automatic<T, Lorenz> field;

template <class T>
T start(int system, int row) {
  return static_cast<T>(1 + 1e-3 * system * (row + 1));
}
template <class T>
constexpr T theta[] = {T(Lorenz::theta[0]), T(Lorenz::theta[1]), T(Lorenz::theta[2])};

template <class T>
class Tile {
 public:
  using Walk = Inlined<T, Lorenz, tableau::rk4<T>, kernel::width<T>>;
  Tile() : bytes_(Walk::bytes(field<T>, plan(), systems)), y0_(3 * systems) {
    Arena arena = bytes_.arena();
    status_ = walk_.init(arena, field<T>, plan(), systems);
    for (int i = 0; i < systems; ++i)
      for (int row = 0; row < 3; ++row) y0_[at(i, row)] = start<T>(i, row);
  }
  void run() {
    if (status_ == Status::ok) status_ = revode::run(walk_, {0, steps * h<T>, steps}, theta<T>, y0_.data());
  }
  bool good() const { return status_ == Status::ok; }
  T y(int system, int row) const { return walk_.y()[at(system, row)]; }

 private:
  static Plan<T> plan() { return inference(runge_kutta(tableau::rk4<T>)); }
  static std::size_t at(int system, int row) { return static_cast<std::size_t>(row * systems + system); }
  bench::Bytes bytes_;
  Walk walk_;
  Status status_ = Status::ok;
  std::vector<T> y0_;
};

template <class T>
class Singly {
 public:
  void run() {
    for (int i = 0; i < systems; ++i) {
      auto& y = y_[static_cast<std::size_t>(i)];
      for (int row = 0; row < 3; ++row) y[static_cast<std::size_t>(row)] = start<T>(i, row);
      bench::odeint_rk4<Lorenz, T>(y, h<T>, steps);
    }
  }
  T y(int system, int row) const { return y_[static_cast<std::size_t>(system)][static_cast<std::size_t>(row)]; }

 private:
  std::array<bench::State<Lorenz, T>, systems> y_;
};

template <class T>
void ensemble_lorenz(benchmark::State& state) {
  Tile<T> ours;
  Singly<T> theirs;
  ours.run(), theirs.run();
  double worst = 0;
  for (int i = 0; i < systems; ++i)
    for (int row = 0; row < 3; ++row)
      worst = std::max(worst, static_cast<double>(std::abs(ours.y(i, row) - theirs.y(i, row))));
  // The same method: only roundings differ, which the flow stretches by some e^(.9 * 5) and a step's are 1e-16, 1e-7
  // of up to 50.
  if (!ours.good() || !(worst < (sizeof(T) == 4 ? 1 : 1e-9)))
    return state.SkipWithError("the two do not solve the same systems");
  std::vector<double> ratios, fractions;
  for (int turn = 0; turn < 9; ++turn) {
    const double most = bench::peak<T>() / 2, mine = bench::seconds(4, [&] { ours.run(); });
    fractions.push_back(operations * systems * double(steps) / mine / most);
    ratios.push_back(bench::seconds(1, [&] { theirs.run(); }) / mine);
  }
  state.counters["odeint_ratio"] = bench::median(ratios);
  state.counters["issue_fraction"] = bench::median(fractions);
  for (auto _ : state) ours.run();
  state.counters["steps_a_second"] =
      benchmark::Counter(double(systems) * double(steps), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK_TEMPLATE(ensemble_lorenz, double)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(ensemble_lorenz, float)->Unit(benchmark::kMicrosecond);
}  // namespace
