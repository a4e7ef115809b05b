// Effectively symmetric methods: the inverse-square orbit there and back (`orbit`), and the galactic orbit (`galaxy`).
#include <chrono>
#include <cstring>
#include <limits>

#include "galaxy.hpp"
#include "numerics/fields.hpp"

namespace {
using namespace experiment;
using T = double;

/// EES(2,5; x = 1/4) of the same paper, which it shows beside x = 1/10.
struct Quarter {
  static constexpr T a[] = {.5, 0, 1}, b[] = {.25, .5, .25};
};
constexpr Tableau<T> ees25_quarter = tableau::from<T, Quarter>("ees25_quarter", 2);
static_assert(tableau::order_of(ees25_quarter, ees25_quarter.b) == 2);

constexpr long steps = 100;
const std::vector<T> start = {1, 0, 0, 1};

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
const std::vector<T> truth = {std::cos(10.), std::sin(10.), -std::sin(10.), std::cos(10.)};
const std::vector<T> none;

/// The least of many trials.
template <class Do>
double timed(Do work) {
  double best = std::numeric_limits<double>::infinity();
  for (int trial = 0; trial < 50; ++trial) {
    const double from = seconds();
    work();
    best = std::min(best, seconds() - from);
  }
  return best;
}
void floats(const char* name, const Method<T>& method, T lambda = 1) {
  Return<T> r;
  const double time = timed([&] { r = there_and_back(fields::orbit<T>, method, lambda, {0, 10, steps}, none, start); });
  std::printf("%s,%.9e,%.9e,%.3e\n", name, euclidean(r.end, truth), euclidean(r.beginning, start), time);
}
void integers(const char* name, const Plan<T>& plan) {
  Solver<T> solver(fields::orbit<T>, plan);
  std::vector<T> end, beginning;
  const double time = timed([&] {
    expect(run(*solver, {0, 10, steps}, none.data(), start.data()), name);
    end = state(*solver);
    expect(solver->turn({}), name);
    while (solver->retreat()) {
    }
    expect(solver->finish(nullptr), name);
    beginning = state(*solver);
  });
  std::printf("%s,%.9e,%.9e,%.3e\n", name, euclidean(end, truth), euclidean(beginning, start), time);
}
void orbit() {
  std::puts("method,end,recovery,seconds");
  for (const Tableau<T>* base : {&ees25_quarter, &tableau::ees25<T>, &tableau::ees27<T>, &tableau::rk4<T>})
    floats(base->name, runge_kutta(*base));
  floats("mf_midpoint", mccallum_foster(tableau::midpoint<T>), .999);
  floats("mf_rk4", mccallum_foster(tableau::rk4<T>), .999);
  floats("alf", alf<T>());
  integers("mf_rk4_exact", exact(mccallum_foster(tableau::rk4<T>), 4, steps, 4));
  integers("alf_exact", exact(alf<T>(), 4, steps));
}

void galactic(const char* name) {
  for (const Tableau<T>* base : tableau::all<T>) {
    if (std::strcmp(base->name, name) != 0) continue;
    const double from = seconds();
    const galaxy::Outcome o = galaxy::orbit(*base, 1000000);
    std::puts("method,published,mean,worst,crossings,seconds");
    std::printf("%s,%.9e,%.9e,%.9e,%ld,%.1f\n", name, o.published, o.mean, o.worst, o.crossings, seconds() - from);
  }
}
}  // namespace

int main(int argc, char** argv) {
  argc > 2 && std::strcmp(argv[1], "galaxy") == 0 ? galactic(argv[2]) : orbit();
}
