// Plain solving by Dormand and Prince's pair, adaptive steps, inlined: beside Boost.odeint and ARKODE at the same
// error. Each solver runs at tolerances half a decade apart; a line through log time over log error says what an error
// costs, and a ratio is the smallest of those at both ends of the errors that both reach, and in the middle.
// REVODE_BENCH_FOLDER: where the errors and times themselves go, PROBLEM-SOLVER.txt.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

#include "bytes.hpp"
#include "pairs.hpp"
#include "plain_peers.hpp"
#include "revode/inlined.hpp"

namespace {
using namespace revode;

template <class Problem>
constexpr Automatic<double, Problem> field{};

template <class Problem>
class Ours {
 public:
  explicit Ours(double tolerance) : bytes_(Walk::bytes(field<Problem>, plan(tolerance), 1)) {
    Arena arena = bytes_.arena();
    status_ = walk_.init(arena, field<Problem>, plan(tolerance), 1);
  }
  void run() { status_ = revode::run(walk_, {0, Problem::end}, Problem::theta, start_.data()); }
  bool good() const { return status_ == Status::ok; }
  const double* y() const { return walk_.y(); }
  Accounting accounting() const { return walk_.accounting(); }

 private:
  static constexpr const auto& base = tableau::dormand_prince5<double>;
  using Walk = Inlined<double, Problem, tableau::dormand_prince5<double>>;
  static Plan<double> plan(double tolerance) {
    Plan<double> p = inference(runge_kutta(base));
    p.control.rtol = p.control.atol = tolerance;
    return p;
  }
  const bench::State<Problem> start_ = bench::start<Problem>();
  bench::Bytes bytes_;
  Walk walk_;
  Status status_ = Status::ok;
};

/// A line log10 time = a + b log10 error by least squares.
struct Line {
  double a = 0, b = 0, low = 0, high = 0;  // of log10 error
  Line(const std::vector<double>& error, const std::vector<double>& time) {
    double n = 0, x = 0, y = 0, xx = 0, xy = 0;
    low = high = std::log10(error[0]);
    for (std::size_t i = 0; i < error.size(); ++i) {
      const double u = std::log10(error[i]), v = std::log10(time[i]);
      n += 1, x += u, y += v, xx += u * u, xy += u * v;
      low = std::min(low, u), high = std::max(high, u);
    }
    b = (n * xy - x * y) / (n * xx - x * x), a = (y - b * x) / n;
  }
  double operator()(double at) const { return a + b * at; }
};
double ratio(const Line& ours, const Line& theirs) {
  const double low = std::max(ours.low, theirs.low), high = std::min(ours.high, theirs.high);
  double least = 1e300;
  for (const double at : {low, (low + high) / 2, high}) least = std::min(least, std::pow(10, theirs(at) - ours(at)));
  return least;
}

/// One solver at every tolerance.
template <class Problem, template <class> class Solver>
class Precision {
 public:
  explicit Precision(const std::vector<double>& tolerances) {
    const std::vector<double> truth = bench::truth<Problem>();
    for (const double tolerance : tolerances) {
      solvers_.push_back(std::make_unique<Solver<Problem>>(tolerance));
      calls_.push_back(bench::calls([&] { solvers_.back()->run(); }));
      double sum = 0, size = 0;
      for (std::size_t i = 0; i < truth.size(); ++i) {
        sum += std::pow(solvers_.back()->y()[i] - truth[i], 2);
        size += truth[i] * truth[i];
      }
      error.push_back(std::sqrt(sum / size));
    }
  }
  double seconds(std::size_t i) const {
    return bench::seconds(calls_[i], [&] { solvers_[i]->run(); });
  }
  const Solver<Problem>& at(std::size_t i) const { return *solvers_[i]; }
  Solver<Problem>& at(std::size_t i) { return *solvers_[i]; }
  std::vector<double> error;

 private:
  std::vector<std::unique_ptr<Solver<Problem>>> solvers_;
  std::vector<std::int64_t> calls_;
};

constexpr int turns = 7;

/// Lines of tolerance, error and median seconds, for a picture, where they are asked for.
void keep(const char* problem, const char* solver, const std::vector<double>& tolerances,
          const std::vector<double>& error, const std::vector<std::vector<double>>& seconds) {
  const char* folder = std::getenv("REVODE_BENCH_FOLDER");
  if (!folder) return;
  std::ofstream lines(std::string(folder) + "/" + problem + "-" + solver + ".txt");
  for (std::size_t i = 0; i < tolerances.size(); ++i) {
    std::vector<double> of_turns;
    for (const std::vector<double>& turn : seconds) of_turns.push_back(turn[i]);
    lines << tolerances[i] << ' ' << error[i] << ' ' << bench::median(of_turns) << '\n';
  }
}

template <class Problem, template <class> class Peer>
void beside(benchmark::State& state, const char* name, Precision<Problem, Ours>& ours,
            const std::vector<double>& tolerances) {
  Precision<Problem, Peer> theirs(tolerances);
  std::vector<double> ratios;
  std::vector<std::vector<double>> mine(turns), peers(turns);
  for (std::size_t turn = 0; turn < turns; ++turn) {
    for (std::size_t i = 0; i < tolerances.size(); ++i)
      mine[turn].push_back(ours.seconds(i)), peers[turn].push_back(theirs.seconds(i));
    ratios.push_back(ratio(Line(ours.error, mine[turn]), Line(theirs.error, peers[turn])));
  }
  state.counters[std::string(name) + "_ratio"] = bench::median(ratios);
  keep(Problem::name, "revode", tolerances, ours.error, mine);
  keep(Problem::name, name, tolerances, theirs.error, peers);
}

template <class Problem>
void plain(benchmark::State& state) {
  std::vector<double> tolerances;
  for (int i = Problem::coarsest; i <= 20; ++i) tolerances.push_back(std::pow(10, -i / 2.));
  Precision<Problem, Ours> ours(tolerances);
  for (std::size_t i = 0; i < tolerances.size(); ++i)
    if (!ours.at(i).good()) return state.SkipWithError("a solve failed");
  beside<Problem, bench::Odeint>(state, "odeint", ours, tolerances);
#ifdef REVODE_BENCH_SUNDIALS
  beside<Problem, bench::Arkode>(state, "arkode", ours, tolerances);
#endif
  const std::size_t middle = tolerances.size() / 2;
  for (auto _ : state) ours.at(middle).run();
  state.counters["steps"] = static_cast<double>(ours.at(middle).accounting().steps);
  state.counters["tolerance"] = tolerances[middle];
  state.counters["error"] = ours.error[middle];
}
BENCHMARK_TEMPLATE(plain, bench::Lorenz)->Name("plain_lorenz")->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(plain, bench::VanDerPol)->Name("plain_van_der_pol")->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(plain, bench::Brusselator<32>)->Name("plain_brusselator/64")->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(plain, bench::Brusselator<128>)->Name("plain_brusselator/256")->Unit(benchmark::kMicrosecond);
}  // namespace
