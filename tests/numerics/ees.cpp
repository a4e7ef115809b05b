// Explicit and effectively symmetric methods: the published digits of the inverse-square orbit, and how exactly the
// same method with -h steps back.
#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "numerics/fields.hpp"
#include "numerics/trial.hpp"

namespace {
using namespace trial;
using T = double;

/// The inverse-square orbit with an attraction wavering in time, so that nodes count.
struct Wavering {
  static constexpr int dim = 4, params = 0;
  template <class S>
  constexpr void operator()(S t, const S* y, const S*, S* dy) const {
    const S square = y[0] * y[0] + y[1] * y[1], pull = (1. + sin(2. * t) / 5.) / (square * sqrt(square));
    dy[0] = y[2], dy[1] = y[3];
    dy[2] = S(0.) - y[0] * pull;
    dy[3] = S(0.) - y[1] * pull;
  }
};
constexpr auto& orbit = fields::orbit<T>;
constexpr Automatic<T, Wavering> wavering;
using State = std::vector<T>;
const State start = {1, 0, 0, 1};
constexpr Method<T> (*forms[])(const Tableau<T>&) = {runge_kutta<T>, low_storage<T>};

State solve(const Map<T>& field, const Method<T>& method, T t0, T t1, long steps, const State& y0) {
  Plan<T> plan;
  plan.method = method, plan.way = Way::checkpointed, plan.arithmetic = Arithmetic::real, plan.slots = 1;
  Bytes bytes(Solve<T>::bytes(field, plan, 1));
  Arena arena = bytes.arena();
  Solve<T> s;
  EXPECT_EQ(s.init(arena, field, plan, 1), Status::ok);
  EXPECT_EQ(run(*s, {t0, t1, steps}, static_cast<const T*>(nullptr), y0.data()), Status::ok);
  return State(s->y(), s->y() + 4);
}
double distance(const State& a, const State& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum);
}
struct Errors {
  double end, recovery;
};
Errors there_and_back(const Map<T>& field, const Method<T>& method, T t1, long steps, const State& exact) {
  const State end = solve(field, method, 0, t1, steps, start);
  return {distance(end, exact), distance(solve(field, method, t1, 0, steps, end), start)};
}

/// Shmelev, Ebrahimi-Fard, Tapia and Salvi, arXiv 2507.21006: h = 0.1, 100 steps there and back, Euclidean errors. The
/// published .030921, 7.86e-7, .015041 and 4.95e-10, with the further digits of a C++ program written apart from this.
TEST(Ees, ThePublishedDigits) {
  const State exact = {std::cos(10.), std::sin(10.), -std::sin(10.), std::cos(10.)};
  // 200 steps of some ten roundings of 1e-16, which an orbit stretches by its length at most: 1e-13 and well below.
  const double rounding = 2e-13;
  for (const auto& form : forms) {
    const Errors five = there_and_back(orbit, form(tableau::ees25<T>), 10, 100, exact);
    EXPECT_NEAR(five.end, .03092094771, 5e-12 + rounding);  // half a unit of the last digit
    EXPECT_NEAR(five.recovery, 7.86393e-7, 5e-13 + rounding);
    const Errors seven = there_and_back(orbit, form(tableau::ees27<T>), 10, 100, exact);
    EXPECT_NEAR(seven.end, .01504064575, 5e-12 + rounding);
    EXPECT_NEAR(seven.recovery, 4.95425e-10, 5e-16 + rounding);
  }
}

/// Order 2 there, order 5 or 7 there and back; also where the field sees time.
TEST(Ees, OrdersOfRecovery) {
  for (const Map<T>* field : {static_cast<const Map<T>*>(&orbit), static_cast<const Map<T>*>(&wavering)})
    for (const auto& [base, order] : {std::pair{&tableau::ees25<T>, 5}, {&tableau::ees27<T>, 7}}) {
      for (const auto& form : forms) {
        const double coarse = there_and_back(*field, form(*base), 10, 100, start).recovery,
                     fine = there_and_back(*field, form(*base), 10, 200, start).recovery;
        // One halving of h at 0.1, where the next order still shows by some percent of a doubling.
        EXPECT_NEAR(std::log2(coarse / fine), order, .15) << base->name;
      }
    }
}

/// The control: other methods of order 2 and 4 do not come back.
TEST(Ees, OthersDoNotComeBack) {
  const Errors five = there_and_back(orbit, runge_kutta(tableau::ees25<T>), 10, 100, start),
               heun = there_and_back(orbit, runge_kutta(tableau::heun<T>), 10, 100, start),
               rk4 = there_and_back(orbit, runge_kutta(tableau::rk4<T>), 10, 100, start);
  EXPECT_GT(heun.recovery, 1000 * five.recovery);
  EXPECT_GT(rk4.recovery, 10 * five.recovery);
}
}  // namespace
