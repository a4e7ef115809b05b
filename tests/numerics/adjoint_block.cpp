// A block that comes back by the continuous adjoint: what it carries forwards is the ordinary block's to the bit, its
// gradient goes to that block's with the order of the method, and it says how often it asked for the field.
#include "revode/adjoint_block.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "numerics/trial.hpp"
#include "revode/block.hpp"
#include "revode/sequential.hpp"

namespace {
using namespace trial;
constexpr int widths[] = {3, 6, 3}, lanes = 5;

struct Gradient {
  std::vector<double> y, x_bar, theta_bar;
  Status status = Status::ok;
};
Gradient gradient(const Map<double>& map) {
  const Shape s = map.shape({lanes});
  const auto in = static_cast<std::size_t>(s.in) * std::size_t{lanes}, params = static_cast<std::size_t>(s.params);
  const auto theta = uniform<double>(1, params, -1, 1), x = uniform<double>(2, in, -1, 1);
  const auto y_bar = uniform<double>(3, in, -1, 1);
  Gradient g;
  g.y.resize(in), g.x_bar.resize(in), g.theta_bar.resize(params * lanes);
  const Bytes tape(s.tape), work(s.work);
  Call<double> call;
  call.extent = {lanes}, call.theta = theta.data(), call.work = work.data(), call.status = &g.status;
  map.eval(call, x.data(), g.y.data(), tape.data());
  map.vjp(call, x.data(), g.y.data(), tape.data(), y_bar.data(), g.x_bar.data(),
          {{g.theta_bar.data(), 1, params}, nullptr});
  return g;
}
/// The largest distance between the gradients of the two blocks in so many steps of RK4.
double miss(long steps) {
  const Mlp<double> field(widths, Activation::tanh, true);
  Plan<double> plan;
  plan.method = runge_kutta(tableau::rk4<double>), plan.way = Way::stored, plan.arithmetic = Arithmetic::real;
  plan.stored_steps = steps;
  BacksolvePlan<double> adjoint;
  adjoint.method = adjoint.method_back = plan.method;
  const Gradient want = gradient(Block<double>(field, plan, {0, 1, steps}));
  const Gradient found = gradient(AdjointBlock<double>(field, adjoint, {0, 1, steps}));
  EXPECT_EQ(found.status, Status::ok);
  EXPECT_TRUE(same_bits(found.y, want.y));
  double most = 0;
  for (std::size_t i = 0; i < want.x_bar.size(); ++i) most = std::max(most, std::abs(found.x_bar[i] - want.x_bar[i]));
  for (std::size_t i = 0; i < want.theta_bar.size(); ++i)
    most = std::max(most, std::abs(found.theta_bar[i] - want.theta_bar[i]));
  return most;
}

TEST(AdjointBlock, GoesToTheGradientOfTheSolveWithTheOrderOfTheMethod) {
  const double coarse = miss(5), fine = miss(20);
  EXPECT_GT(coarse, 1e-9);  // else there would be nothing to compare
  // Order 4: 4^4 = 256 times less, a quarter of it while terms of higher order still count.
  EXPECT_LT(fine, coarse / 64);
}

TEST(AdjointBlock, TalliesItsEvaluationsAndItsDrift) {
  const Mlp<double> field(widths, Activation::tanh, true);
  BacksolvePlan<double> plan;
  plan.method = plan.method_back = runge_kutta(tableau::rk4<double>);
  Accounting tally;
  gradient(AdjointBlock<double>(field, plan, {0, 1, 10}, &tally));
  EXPECT_EQ(tally.steps, 10);
  EXPECT_EQ(tally.evaluations_forward, 40);
  EXPECT_GE(tally.vjps, 40);
  EXPECT_GT(tally.drift, 0);
}

TEST(AdjointBlock, APlanThatDoesNotFitSaysSoAndWritesNaN) {
  const Mlp<double> field(widths, Activation::tanh, true);
  BacksolvePlan<double> plan;
  plan.method_back = mccallum_foster(tableau::rk4<double>);
  const Gradient g = gradient(AdjointBlock<double>(field, plan, {0, 1, 10}));
  EXPECT_NE(g.status, Status::ok);
  for (const double v : g.y) EXPECT_TRUE(std::isnan(v));
  for (const double v : g.x_bar) EXPECT_EQ(v, 0);
}
}  // namespace
