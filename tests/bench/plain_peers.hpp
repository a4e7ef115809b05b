// Plain solvers of others, in their fastest form: Boost.odeint on arrays that the compiler sees through, and ARKODE of
// SUNDIALS with serial vectors, where tests/peers/sundials has built it.
#pragma once
#include <array>
#include <vector>

#include <boost/numeric/odeint.hpp>
#ifdef REVODE_BENCH_SUNDIALS
#include <arkode/arkode_erkstep.h>
#include <nvector/nvector_serial.h>
#include <sundials/sundials_context.h>
#endif

#include "plain_problems.hpp"

namespace bench {
template <class Problem, class T = double>
using State = std::array<T, static_cast<std::size_t>(Problem::dim)>;
template <class Problem, class T = double>
struct Rates {
  void operator()(const State<Problem, T>& y, State<Problem, T>& dy, T t) const {
    T p[Problem::params];
    for (int i = 0; i < Problem::params; ++i) p[i] = Problem::theta[i];
    Problem{}(t, y.data(), p, dy.data());
  }
};
template <class Problem, class T = double>
State<Problem, T> start() {
  State<Problem, T> y;
  const std::vector<double> from = Problem::start();
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = static_cast<T>(from[i]);
  return y;
}

/// Another family at a tolerance far below those of the comparison, in long double.
template <class Problem>
std::vector<double> truth() {
  using namespace boost::numeric::odeint;
  auto y = start<Problem, long double>();
  using Stepper = runge_kutta_fehlberg78<State<Problem, long double>, long double>;
  integrate_adaptive(make_controlled(1e-15L, 1e-15L, Stepper()), Rates<Problem, long double>(), y, 0.L,
                     static_cast<long double>(Problem::end), 1e-4L);
  return {y.begin(), y.end()};
}

template <class Problem>
class Odeint {
 public:
  explicit Odeint(double tolerance) : tolerance_(tolerance) {}
  void run() {
    using namespace boost::numeric::odeint;
    y_ = start_;
    integrate_adaptive(make_controlled(tolerance_, tolerance_, runge_kutta_dopri5<State<Problem>>()), Rates<Problem>(),
                       y_, 0., Problem::end, 1e-3);
  }
  const double* y() const { return y_.data(); }

 private:
  const State<Problem> start_ = start<Problem>();
  State<Problem> y_;
  double tolerance_;
};

#ifdef REVODE_BENCH_SUNDIALS
template <class Problem>
class Arkode {
 public:
  explicit Arkode(double tolerance) {
    SUNContext_Create(nullptr, &context_);
    y_ = N_VNew_Serial(Problem::dim, context_);
    fill();
    memory_ = ERKStepCreate(rates, 0, y_, context_);
    ERKStepSStolerances(memory_, tolerance, tolerance);
    ERKStepSetTableNum(memory_, ARKODE_DORMAND_PRINCE_7_4_5);
    ERKStepSetMaxNumSteps(memory_, 1000000);
  }
  Arkode(const Arkode&) = delete;
  Arkode& operator=(const Arkode&) = delete;
  ~Arkode() {
    ERKStepFree(&memory_);
    N_VDestroy(y_);
    SUNContext_Free(&context_);
  }
  void run() {
    fill();
    ERKStepReInit(memory_, rates, 0, y_);
    ERKStepSetStopTime(memory_, Problem::end);
    double t;
    good_ = ERKStepEvolve(memory_, Problem::end, y_, &t, ARK_NORMAL) >= 0;
  }
  bool good() const { return good_; }
  const double* y() const { return N_VGetArrayPointer(y_); }

 private:
  static int rates(double t, N_Vector y, N_Vector dy, void*) {
    Problem{}(t, static_cast<const double*>(N_VGetArrayPointer(y)), Problem::theta, N_VGetArrayPointer(dy));
    return 0;
  }
  void fill() {
    for (std::size_t i = 0; i < start_.size(); ++i) N_VGetArrayPointer(y_)[i] = start_[i];
  }
  const State<Problem> start_ = start<Problem>();
  SUNContext context_ = nullptr;
  N_Vector y_ = nullptr;
  void* memory_ = nullptr;
  bool good_ = false;
};
#endif
}  // namespace bench
