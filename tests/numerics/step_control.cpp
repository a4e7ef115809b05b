// Step control against what it promises, and against scipy, torchdiffeq and diffrax, whose counts are checked in.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "numerics/fields.hpp"
#include "numerics/peer_data.hpp"
#include "numerics/trial.hpp"

namespace {
using namespace trial;
using T = double;

struct Case {
  Problem<T> problem;
  std::string name;
  T tolerance;
  std::vector<T> y1;
  std::map<std::string, std::vector<long>> counts;  // accepted, rejected
};
std::vector<Case> cases() {
  const peer::Json data = peer::data("adaptive");
  std::vector<Case> all;
  for (const auto& c : data.at("cases")) {
    Case one;
    one.name = c.at("field"), one.tolerance = c.at("tolerance"), one.y1 = c.at("y1").get<std::vector<T>>();
    Problem<T>& p = one.problem;
    p.y0 = c.at("y0").get<std::vector<T>>(), p.y1_bar.assign(p.y0.size(), 1), p.grid = {0, c.at("t1")};
    if (one.name == "network") p.field = &fields::network<T>, p.theta = data.at("network").get<std::vector<T>>();
    if (one.name == "van_der_pol") p.field = &fields::van_der_pol<T>, p.theta = {2};
    if (one.name == "lorenz") p.field = &fields::lorenz<T>, p.theta = {10, 28, 8. / 3};
    for (const auto& [key, value] : c.items())
      if (key.find("_dopri5") != key.npos || key.find("diffrax") != key.npos)
        one.counts[key] = value.get<std::vector<long>>();
    all.push_back(one);
  }
  EXPECT_EQ(all.size(), 9u);
  return all;
}
Plan<T> plan(const Method<T>& method, T tolerance) {
  Plan<T> p;
  p.method = method, p.arithmetic = Arithmetic::real;
  p.control.rtol = p.control.atol = tolerance;
  p.control.most_steps = 20000, p.control.most_jumps = 4000;
  p.way = Way::checkpointed, p.slots = 20;
  return p;
}
T error(const Case& c, const Outcome<T>& o) {
  T worst = 0;
  for (std::size_t i = 0; i < c.y1.size(); ++i)
    worst = std::max(worst, std::abs(o.y1[i] - c.y1[i]) / (1 + std::abs(c.y1[i])));
  return worst;
}

/// Rungs are rounded down, by 2^(-1/8) = 8 % in the mean: as many more accepted steps than the peers', and fewer
/// rejected ones.
TEST(StepControl, TakesAboutTheStepsThatPeersTake) {
  for (const Case& c : cases()) {
    const auto check = [&](const Tableau<T>& base, const char* peer) {
      SCOPED_TRACE(c.name + " to " + std::to_string(c.tolerance) + " against " + peer);
      const auto o = attempt(c.problem, plan(runge_kutta(base), c.tolerance));
      ASSERT_EQ(o.back, Status::ok);
      const Accounting& a = o.accounting;
      const std::vector<long>& theirs = c.counts.at(peer);
      const auto tried = static_cast<T>(a.steps + a.rejected), wanted = static_cast<T>(theirs[0] + theirs[1]);
      EXPECT_LT(tried, 1.2 * wanted + 2);
      EXPECT_GT(tried, .8 * wanted - 2);
      // One evaluation of Hairer's two is the first stage, and the last stage of a step the first one of the next.
      EXPECT_EQ(a.evaluations_forward, 2 + (base.stages - 1) * (a.steps + a.rejected));
    };
    check(tableau::dormand_prince5<T>, "scipy_dopri5");
    check(tableau::dormand_prince5<T>, "torchdiffeq_dopri5");
    check(tableau::dormand_prince5<T>, "diffrax_dopri5");
    check(tableau::tsitouras5<T>, "diffrax_tsit5");
    check(tableau::bogacki_shampine<T>, "diffrax_bosh3");
  }
}

/// Proportionally, but for what cancels by chance: from 1e-4 to 1e-8 by ten to the power of three to seven. The error
/// at the end is that of the steps times what the flow makes of it: e^(.9 3) and some tens more for Lorenz.
TEST(StepControl, ErrorFallsWithTheTolerance) {
  std::vector<Method<T>> methods{mccallum_foster(tableau::ralston3<T>), mccallum_foster(tableau::dormand_prince5<T>)};
  for (const Tableau<T>* b : tableau::all<T>)
    if (b->embedded_order > 1) methods.push_back(runge_kutta(*b));
  for (const Method<T>& m : methods) {
    T coarse = 0;
    for (const Case& c : cases()) {
      SCOPED_TRACE(std::string(m.name) + " over " + m.base.name + ", " + c.name);
      Plan<T> p = plan(m, c.tolerance);
      if (m.registers > 1) p.arithmetic = Arithmetic::fixed, p.halve_every = 1;  // undamped it is unstable here
      if (m.registers > 1 && c.name == "lorenz") continue;
      const auto o = attempt(c.problem, p);
      ASSERT_EQ(o.back, Status::ok);
      const T e = error(c, o);
      if (c.tolerance > 1e-5) coarse = e;
      if (c.tolerance > 1e-7) continue;
      EXPECT_LT(e, (c.name == "lorenz" ? 300 : 3) * c.tolerance);
      EXPECT_GT(coarse / e, 1e3);
      EXPECT_LT(coarse / e, 1e7);
    }
  }
}

/// The slower a controller answers, the further below the tolerance its safety factor holds it: .9^(1/i), 0.7 of the
/// integral's step with i = 0.3 and 0.62 with 2/9. In return it is rejected less.
TEST(StepControl, SlowerControllersAreRejectedLess) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name + " to " + std::to_string(c.tolerance));
    std::vector<Accounting> a;
    for (const Coefficients<T>& k : {integral<T>, proportional_integral<T>, h312<T>}) {
      Plan<T> p = plan(runge_kutta(tableau::tsitouras5<T>), c.tolerance);
      p.control.coefficients = k;
      const auto o = attempt(c.problem, p);
      ASSERT_EQ(o.back, Status::ok);
      a.push_back(o.accounting);
    }
    for (const std::size_t slow : {1u, 2u}) {
      EXPECT_LE(a[slow].rejected, a[0].rejected);
      EXPECT_LE(static_cast<T>(a[slow].steps), (slow == 1 ? 1.5 : 2) * static_cast<T>(a[0].steps) + 1);
    }
  }
}
}  // namespace
