// Measured orders on fields that see time, of states and of gradients: every tableau, McCallum-Foster over it, ALF.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "numerics/fields.hpp"
#include "numerics/trial.hpp"

namespace {
using namespace trial;
using T = double;

/// y' = p y cos t: y(t) = y(0) exp(p sin t).
struct Breathing {
  static constexpr int dim = 1, params = 1;
  template <class S>
  constexpr void operator()(S t, const S* y, const S* p, S* dy) const {
    dy[0] = p[0] * y[0] * cos(t);
  }
};
constexpr auto& driven = fields::driven<T>;
constexpr Automatic<T, Breathing> breathing;

Problem<T> problem(const Map<T>& field) {
  Problem<T> p;
  p.field = &field, p.lanes = 2;
  p.grid = {T(.2), T(1.4), 0};
  const Shape s = field.shape({});
  const auto n = static_cast<std::size_t>(s.in) * 2;
  p.theta = uniform<T>(1, static_cast<std::size_t>(s.params), .4, 1.2);
  p.y0 = uniform<T>(2, n, .2, 1);
  p.y1_bar = uniform<T>(3, n, .5, 1);
  return p;
}
Outcome<T> solve(Problem<T> p, const Method<T>& method, long steps) {
  p.grid.steps = steps;
  Plan<T> plan;
  plan.method = method, plan.way = Way::stored, plan.arithmetic = Arithmetic::real, plan.stored_steps = steps;
  Outcome<T> o = attempt(p, plan);
  EXPECT_TRUE(o.forward == Status::ok && o.back == Status::ok);
  return o;
}
/// Order 8 at 500 steps: its error is below the rounding of 500 steps, some 1e-15.
Outcome<T> reference(const Problem<T>& p) {
  return solve(p, runge_kutta(tableau::dormand_prince8<T>), 500);
}

struct Orders {
  double y1, y0_bar, theta_bar;
};
/// Least-squares slopes of log2(error) over log2(h), at `first` steps doubled three times.
Orders measured(const Problem<T>& p, const Outcome<T>& exact, const Method<T>& method, long first) {
  Orders slope{};
  for (int k = 0; k < 4; ++k) {
    const Outcome<T> o = solve(p, method, first << k);
    const double weight = (1.5 - k) / 5;  // of least squares over four equidistant points
    slope.y1 += weight * std::log2(distance(o.y1, exact.y1));
    slope.y0_bar += weight * std::log2(distance(o.y0_bar, exact.y0_bar));
    slope.theta_bar += weight * std::log2(distance(o.theta_bar, exact.theta_bar));
  }
  return slope;
}

/// Within 0.15 of theory: over a factor of 8 in h the next order shows as about that. Methods of order 5 are made to
/// have small constants of that order, so at steps whose errors stand above rounding h^6 still shows, most in
/// gradients. Of order 8 there is little between rounding and steps too long to show it: the interval and steps of
/// check() are chosen for it, neighbouring ones leave these bounds. They show that a step costs no order; that it is 8
/// and neither 7 nor 9 is for unit/order_conditions.cpp to say.
void expect(const Orders& found, int order, const std::string& what) {
  const double below = order == 8 ? .75 : .15, above = order == 8 ? .75 : order == 5 ? .6 : .15;
  const double slopes[] = {found.y1, found.y0_bar, found.theta_bar};
  const char* const names[] = {", state", ", cotangent of y0", ", cotangent of theta"};
  for (int i = 0; i < 3; ++i) {
    EXPECT_GT(slopes[i], order - below) << what << names[i];
    EXPECT_LT(slopes[i], order + above) << what << names[i];
  }
}
void check(const Method<T>& method) {
  const long first = method.order >= 5 ? 16 : 32;
  const Map<T>* const all[] = {&driven, &fields::network<T>};
  const char* const names[] = {", driven", ", network"};
  for (int i = 0; i < 2; ++i) {
    Problem<T> p = problem(*all[i]);
    if (method.order == 8) p.grid.t1 = T(5.4);
    const std::string what = std::string(method.name) + " over " + method.base.name + names[i];
    expect(measured(p, reference(p), method, first), method.order, what);
  }
}

TEST(Convergence, TheReferenceIsExact) {
  Problem<T> p = problem(breathing);
  const Outcome<T> o = reference(p);
  for (std::size_t i = 0; i < 2; ++i) {  // y0_bar = y1_bar dy1/dy0; 500 roundings
    const double growth = std::exp(p.theta[0] * (std::sin(p.grid.t1) - std::sin(p.grid.t0)));
    EXPECT_NEAR(o.y1[i], p.y0[i] * growth, 500 * 0x1p-53);
    EXPECT_NEAR(o.y0_bar[i], p.y1_bar[i] * growth, 500 * 0x1p-53);
  }
}

TEST(Convergence, RungeKutta) {
  for (const Tableau<T>* base : tableau::all<T>) check(runge_kutta(*base));
}
/// lambda = 1: odd orders converge as well as even ones (between 1 and 0.9 their error constants change sign).
TEST(Convergence, McCallumFoster) {
  for (const Tableau<T>* base : tableau::all<T>) check(mccallum_foster(*base));
}
TEST(Convergence, AsynchronousLeapfrog) {
  check(alf<T>());
}

/// Time goes the other way too.
TEST(Convergence, Backwards) {
  for (const Method<T>& method : {runge_kutta(tableau::rk4<T>), mccallum_foster(tableau::rk4<T>), alf<T>()}) {
    Problem<T> p = problem(driven);
    p.grid.t0 = T(1.4), p.grid.t1 = T(.2);
    expect(measured(p, reference(p), method, 32), method.order, method.name);
  }
}

/// Sees the time at which its step begins, whatever the node.
class Late final : public Map<T> {
 public:
  Late(const Map<T>& map, const Grid<T>& grid) : map_(map), grid_(grid) {}
  constexpr Shape shape(Extent e) const override { return map_.shape(e); }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override {
    map_.eval(late(call), x, y, tape);
  }
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override {
    map_.vjp(late(call), x, y, tape, y_bar, x_bar, bar);
  }

 private:
  Call<T> late(Call<T> call) const {
    const T h = (grid_.t1 - grid_.t0) / static_cast<T>(grid_.steps), n = std::floor((call.t - grid_.t0) / h + 1e-9);
    call.t = grid_.t0 + h * std::min(n, static_cast<T>(grid_.steps - 1));
    return call;
  }
  const Map<T>& map_;
  Grid<T> grid_;
};
/// The control: on these fields a method that forgets its nodes falls to order one.
TEST(Convergence, NodesMatter) {
  const Problem<T> p = problem(driven);
  const Outcome<T> exact = reference(p);
  double error[2];
  for (int k = 0; k < 2; ++k) {
    Problem<T> coarse = p;
    coarse.grid.steps = 64 << k;
    const Late late(driven, coarse.grid);
    coarse.field = &late;
    error[k] = distance(solve(coarse, runge_kutta(tableau::rk4<T>), coarse.grid.steps).y1, exact.y1);
  }
  EXPECT_NEAR(std::log2(error[0] / error[1]), 1, .1);
}
}  // namespace
