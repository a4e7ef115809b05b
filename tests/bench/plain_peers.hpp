// Plain solvers of others, in their fastest form: Boost.odeint on arrays that the compiler sees through, and ARKODE of
// SUNDIALS with serial vectors, where tests/peers/sundials has built it. Their bodies are compiled by themselves, with
// the flags that suit them best (CMakeLists.txt), not with those of equal bits.
#pragma once
#include <array>
#include <cstddef>
#include <vector>

#ifdef REVODE_BENCH_SUNDIALS
#include <nvector/nvector_serial.h>
#include <sundials/sundials_context.h>
#endif

#include "plain_problems.hpp"

namespace bench {
template <class Problem, class T = double>
using State = std::array<T, static_cast<std::size_t>(Problem::dim)>;
template <class Problem, class T = double>
State<Problem, T> start() {
  State<Problem, T> y;
  const std::vector<double> from = Problem::start();
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = static_cast<T>(from[i]);
  return y;
}

/// Another family at a tolerance far below those of the comparison, in long double.
template <class Problem>
std::vector<double> truth();

template <class Problem>
class Odeint {
 public:
  explicit Odeint(double tolerance) : tolerance_(tolerance) {}
  void run();
  const double* y() const { return y_.data(); }

 private:
  const State<Problem> start_ = start<Problem>();
  State<Problem> y_{};
  double tolerance_;
};
/// Equal steps of the classical method from t = 0 on.
template <class Problem, class T>
void odeint_rk4(State<Problem, T>& y, T h, long steps);

#ifdef REVODE_BENCH_SUNDIALS
template <class Problem>
class Arkode {
 public:
  explicit Arkode(double tolerance);
  Arkode(const Arkode&) = delete;
  Arkode& operator=(const Arkode&) = delete;
  ~Arkode();
  void run();
  bool good() const { return good_; }
  const double* y() const { return N_VGetArrayPointer(y_); }

 private:
  static int rates(double t, N_Vector y, N_Vector dy, void*);
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
