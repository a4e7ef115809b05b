// What a gradient costs beside one forward solve, way by way, and what its counts say it should: evaluations of f and
// VJPs as the solve counts them, at the time that one of each takes by itself. What is left between the two is the
// way's own work: copies, sums, codes.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "bytes.hpp"
#include "pairs.hpp"
#include "revode/backsolve.hpp"
#include "revode/planner.hpp"
#include "revode/sequential.hpp"

namespace {
using namespace revode;
using T = float;

constexpr int lanes = 16, leaf = 16;
constexpr long steps = 64;
constexpr Grid<T> grid{0, 1, steps};

/// A network as a field, in bytes of its own: one evaluation and one VJP by themselves.
class Field {
 public:
  explicit Field(int hidden)
      : net({dim, hidden, dim}, Activation::tanh),
        theta(static_cast<std::int64_t>(net.shape({}).params)),
        y0(dim * lanes, T(1)),
        bar_(static_cast<std::int64_t>(net.shape({}).params)),
        rows_(4 * dim * lanes, T(1)),
        tape_(net.shape({lanes, 0}).tape),
        work_(net.shape({lanes, 0}).work) {
    call_.extent = {lanes, 0}, call_.theta = theta.data(), call_.work = work_.arena().take<std::byte>(1);
    tape_at_ = tape_.arena().take<std::byte>(1);
    eval();
  }
  void eval() { net.eval(call_, row(0), row(1), tape_at_); }
  void vjp(bool of_x, bool of_theta) {
    net.vjp(call_, row(0), row(1), tape_at_, row(2), of_x ? row(3) : nullptr, {theta_bar(of_theta), nullptr});
  }
  ThetaBar<T> theta_bar(bool wanted = true) { return {wanted ? bar_.data() : nullptr, leaf, 0}; }

  static constexpr int dim = 8;
  Mlp<T> net;
  bench::Numbers<T> theta, y0;

 private:
  T* row(int i) { return rows_.data() + i * dim * lanes; }
  bench::Numbers<T> bar_, rows_;
  bench::Bytes tape_, work_;
  std::byte* tape_at_ = nullptr;
  Call<T> call_;
};

/// Evaluations, and VJPs of the state and theta, of the state alone and of theta alone; in seconds by those of each.
struct Counts {
  long each[4];
  double seconds(const double (&one)[4]) const {
    double sum = 0;
    for (int i = 0; i < 4; ++i) sum += static_cast<double>(each[i]) * one[i];
    return sum;
  }
};

/// A gradient by a plan of the ordinary walk.
class ByPlan {
 public:
  ByPlan(Field& field, const Plan<T>& plan) : field_(field), bytes_(Solve<T>::bytes(field.net, plan, lanes)) {
    Arena arena = bytes_.arena();
    status_ = solve_.init(arena, field.net, plan, lanes);
    returns_ = plan.returns();
  }
  void run() {
    if (status_ == Status::ok) status_ = revode::run(*solve_, grid, field_.theta.data(), field_.y0.data());
    if (status_ == Status::ok && returns_) status_ = run_back(*solve_, field_.y0.data(), y0_bar_, field_.theta_bar());
  }
  Status status() const { return status_; }
  Counts counts() const {
    const Accounting a = solve_->accounting();
    return {{a.evaluations_forward + a.evaluations_backward, a.vjps, 0, 0}};
  }

 private:
  Field& field_;
  bench::Bytes bytes_;
  Solve<T> solve_;
  Status status_ = Status::ok;
  bool returns_ = false;
  T y0_bar_[Field::dim * lanes] = {};
};

/// The continuous adjoint on the grid's steps. A stage back is evaluated and transposed twice: for the adjoint, and for
/// the integral of theta's cotangents.
class ByBacksolve {
 public:
  ByBacksolve(Field& field, const BacksolvePlan<T>& plan)
      : field_(field), bytes_(Backsolve<T>::bytes(field.net, plan, lanes)) {
    Arena arena = bytes_.arena();
    status_ = solve_.init(arena, field.net, plan, lanes);
  }
  void run() {
    if (status_ == Status::ok) status_ = revode::run(solve_, grid, field_.theta.data(), field_.y0.data());
    if (status_ == Status::ok) status_ = run_back(solve_, field_.y0.data(), y0_bar_, field_.theta_bar());
  }
  Status status() const { return status_; }
  Counts counts() const {
    const Accounting a = solve_.accounting();
    return {{a.evaluations_forward + a.evaluations_backward, 0, a.vjps - a.vjps / 2, a.vjps / 2}};
  }

 private:
  Field& field_;
  bench::Bytes bytes_;
  Backsolve<T> solve_;
  Status status_ = Status::ok;
  T y0_bar_[Field::dim * lanes] = {};
};

template <class By, class P>
void way(benchmark::State& state, const P& plan) {
  Field field(static_cast<int>(state.range(0)));
  By gradient(field, plan);
  ByPlan forward(field, inference(runge_kutta(tableau::rk4<T>)));
  const auto f = [&] { field.eval(); };
  const auto both = [&] { field.vjp(true, true); };
  const auto of_x = [&] { field.vjp(true, false); };
  const auto of_theta = [&] { field.vjp(false, true); };
  const auto whole = [&] { gradient.run(); };
  const auto once = [&] { forward.run(); };
  const std::int64_t n[] = {bench::calls(f),        bench::calls(both),  bench::calls(of_x),
                            bench::calls(of_theta), bench::calls(whole), bench::calls(once)};
  std::vector<double> measured, counted, agree;
  for (int round = 0; round < bench::rounds; ++round) {
    const double one[] = {bench::seconds(n[0], f), bench::seconds(n[1], both), bench::seconds(n[2], of_x),
                          bench::seconds(n[3], of_theta)};
    const double solve = bench::seconds(n[5], once), m = bench::seconds(n[4], whole) / solve;
    const double c = gradient.counts().seconds(one) / forward.counts().seconds(one);
    measured.push_back(m), counted.push_back(c), agree.push_back(std::min(c / m, m / c));
  }
  if (gradient.status() != Status::ok) return state.SkipWithError(sentence(gradient.status()));
  state.counters["forward_solves_ratio"] = bench::median(measured);
  state.counters["counted_ratio"] = bench::median(counted);
  state.counters["agreement_fraction"] = bench::median(agree);
  for (auto _ : state) gradient.run();
}

Plan<T> recalling(Way way, const Method<T>& method = runge_kutta(tableau::rk4<T>)) {
  Plan<T> p;
  p.method = method, p.way = way, p.arithmetic = Arithmetic::real;
  return p;
}
Plan<T> exact(const Method<T>& method, int halve_every = 0) {
  Plan<T> p;
  p.method = method, p.halve_every = halve_every, p.log_bits = p.log_bits_for(steps, Field::dim, lanes);
  return p;
}

const bool registered = [] {
  const auto add = [](const char* name, const auto& run) {
    return benchmark::RegisterBenchmark((std::string("way_") + name).c_str(), run)
        ->Arg(32)
        ->Unit(benchmark::kMicrosecond);
  };
  const auto plan = [&](const char* name, const Plan<T>& p) {
    return add(name, [p](benchmark::State& state) { way<ByPlan>(state, p); });
  };
  Plan<T> p = recalling(Way::stored);
  p.stored_steps = steps;
  plan("stored", p);
  p.keep_stages = true;
  plan("stored_stages", p);
  p = recalling(Way::checkpointed), p.slots = 8;
  plan("checkpointed", p);
  plan("reversed_mccallum_foster", exact(mccallum_foster(tableau::rk4<T>)));
  plan("reversed_alf", exact(alf<T>()));
  plan("reversed_heun", exact(reversible_heun<T>()));
  plan("reversed_leapfrog", exact(leapfrog<T>()));
  plan("halved_mccallum_foster", exact(mccallum_foster(tableau::rk4<T>), 4));
  plan("halved_alf", exact(alf<T>(), 4));
  p = recalling(Way::taped), p.log_bits = 32 * steps * Field::dim * lanes;
  plan("taped", p);
  p.predictor = Predictor::adams_bashforth;
  plan("taped_adams_bashforth", p)->Arg(256);  // codes of 128 numbers a step take as long as a small net
  p = recalling(Way::reversed, mccallum_foster(tableau::rk4<T>)), p.lambda = T(.999);
  plan("floats_mccallum_foster", p);
  plan("floats_alf", recalling(Way::reversed, alf<T>()));
  plan("floats_ees", recalling(Way::reversed, low_storage(tableau::ees27<T>)));
  BacksolvePlan<T> adjoint;
  adjoint.method = adjoint.method_back = runge_kutta(tableau::rk4<T>);
  add("backsolve", [adjoint](benchmark::State& state) { way<ByBacksolve>(state, adjoint); });
  return true;
}();
}  // namespace
