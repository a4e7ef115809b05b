// Bodies of plain_peers.hpp.
#pragma once
#include <boost/numeric/odeint.hpp>
#ifdef REVODE_BENCH_SUNDIALS
#include <arkode/arkode_erkstep.h>
#endif

#include "plain_peers.hpp"

namespace bench {
template <class Problem, class T = double>
struct Rates {
  void operator()(const State<Problem, T>& y, State<Problem, T>& dy, T t) const {
    T p[Problem::params];
    for (int i = 0; i < Problem::params; ++i) p[i] = static_cast<T>(Problem::theta[i]);
    Problem{}(t, y.data(), p, dy.data());
  }
};

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
void Odeint<Problem>::run() {
  using namespace boost::numeric::odeint;
  y_ = start_;
  integrate_adaptive(make_controlled(tolerance_, tolerance_, runge_kutta_dopri5<State<Problem>>()), Rates<Problem>(),
                     y_, 0., Problem::end, 1e-3);
}
template <class Problem, class T>
void odeint_rk4(State<Problem, T>& y, T h, long steps) {
  using namespace boost::numeric::odeint;
  integrate_n_steps(runge_kutta4<State<Problem, T>, T>(), Rates<Problem, T>(), y, T(0), h,
                    static_cast<std::size_t>(steps));
}

#ifdef REVODE_BENCH_SUNDIALS
template <class Problem>
Arkode<Problem>::Arkode(double tolerance) {
  SUNContext_Create(nullptr, &context_);
  y_ = N_VNew_Serial(Problem::dim, context_);
  fill();
  memory_ = ERKStepCreate(rates, 0, y_, context_);
  ERKStepSStolerances(memory_, tolerance, tolerance);
  ERKStepSetTableNum(memory_, ARKODE_DORMAND_PRINCE_7_4_5);
  ERKStepSetMaxNumSteps(memory_, 1000000);
}
template <class Problem>
Arkode<Problem>::~Arkode() {
  ERKStepFree(&memory_);
  N_VDestroy(y_);
  SUNContext_Free(&context_);
}
template <class Problem>
void Arkode<Problem>::run() {
  fill();
  ERKStepReInit(memory_, rates, 0, y_);
  ERKStepSetStopTime(memory_, Problem::end);
  double t;
  good_ = ERKStepEvolve(memory_, Problem::end, y_, &t, ARK_NORMAL) >= 0;
}
template <class Problem>
int Arkode<Problem>::rates(double t, N_Vector y, N_Vector dy, void*) {
  Problem{}(t, static_cast<const double*>(N_VGetArrayPointer(y)), Problem::theta, N_VGetArrayPointer(dy));
  return 0;
}
#define REVODE_BENCH_PEERS(Problem) \
  template class Odeint<Problem>;   \
  template class Arkode<Problem>;   \
  template std::vector<double> truth<Problem>()
#else
#define REVODE_BENCH_PEERS(Problem) \
  template class Odeint<Problem>;   \
  template std::vector<double> truth<Problem>()
#endif
}  // namespace bench
