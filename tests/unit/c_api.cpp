// The C interface: gradients, exact bytes, lanes, the cursor, and that it adds no arithmetic to the C++ one.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "revode/automatic.hpp"
#include "revode/solve.hpp"
#include "unit/c_pendulum.hpp"

namespace {
using namespace pendulum;

/// L = sum over lanes of weight' y(3) by central differences in each of y0, theta.
template <int lanes>
double difference(revode_solver* solver, const double* y0, int input) {
  constexpr double e = 1e-5;
  double value[2] = {};
  for (const int side : {0, 1}) {
    double x[2 * lanes + 2], y1[2 * lanes] = {};
    std::memcpy(x, y0, sizeof(double) * 2 * lanes), std::memcpy(x + 2 * lanes, theta, sizeof theta);
    x[input] += side ? -e : e;
    EXPECT_EQ(revode_forward(solver, x + 2 * lanes, 0, 3, 40, x, y1), REVODE_OK);
    for (int i = 0; i < 2 * lanes; ++i) value[side] += weight[i / lanes] * y1[i];
  }
  return (value[0] - value[1]) / (2 * e);
}
template <int lanes>
void check_gradient(const revode_plan& p) {
  Orders orders;
  revode_solver* solver;
  ASSERT_TRUE(make(field<lanes>(orders), p, &solver));
  double y0[2 * lanes], w[2 * lanes], y0_bar[2 * lanes] = {}, theta_bar[2 * lanes] = {}, sum[2];
  for (int i = 0; i < 2 * lanes; ++i) y0[i] = start[i / lanes] + .2 * (i % lanes), w[i] = weight[i / lanes];
  ASSERT_EQ(revode_forward(solver, theta, 0, 3, 40, y0, nullptr), REVODE_OK);
  ASSERT_EQ(revode_backward(solver, w, y0_bar, theta_bar), REVODE_OK);
  ASSERT_EQ(revode_sum_lanes(2, lanes, theta_bar, sum), REVODE_OK);
  // Truncation e^2 = 1e-10 and rounding 40 steps x 2^-54 / e = 2e-10, each times derivatives of order 10.
  for (int i = 0; i < 2 * lanes; ++i) EXPECT_NEAR(y0_bar[i], difference<lanes>(solver, y0, i), 5e-9);
  for (int i = 0; i < 2; ++i) EXPECT_NEAR(sum[i], difference<lanes>(solver, y0, 2 * lanes + i), 5e-9 * lanes);
}

TEST(CApi, GradientsOfEveryBaseAndWayAgreeWithDifferences) {
  for (int base = REVODE_EULER; base <= REVODE_DORMAND_PRINCE8; ++base) {
    SCOPED_TRACE(base);
    for (const int arithmetic : {REVODE_REAL, REVODE_FIXED}) {
      check_gradient<1>(plan(REVODE_RUNGE_KUTTA, base, REVODE_STORED, arithmetic));
      check_gradient<3>(plan(REVODE_MCCALLUM_FOSTER, base, REVODE_CHECKPOINTED, arithmetic));
    }
    check_gradient<3>(plan(REVODE_MCCALLUM_FOSTER, base, REVODE_REVERSED, REVODE_FIXED));
    revode_plan kept = plan(REVODE_MCCALLUM_FOSTER, base, REVODE_STORED, REVODE_REAL);
    kept.keep_stages = 1;
    check_gradient<3>(kept);
  }
  check_gradient<3>(plan(REVODE_ALF, -1, REVODE_REVERSED, REVODE_FIXED));  // which never asks for a base
}

TEST(CApi, LowStorage) {
  for (const int base : {REVODE_HEUN, REVODE_EES25, REVODE_EES27}) {
    check_gradient<3>(plan(REVODE_LOW_STORAGE, base, REVODE_STORED, REVODE_REAL));
    check_gradient<1>(plan(REVODE_LOW_STORAGE, base, REVODE_CHECKPOINTED, REVODE_REAL));
  }
  Orders orders;
  revode_solver* solver;
  EXPECT_FALSE(make(field<1>(orders), plan(REVODE_LOW_STORAGE, REVODE_RK4, REVODE_STORED, REVODE_REAL), &solver));
}

TEST(CApi, WordsThatNeedNoBase) {
  for (const int method : {REVODE_REVERSIBLE_HEUN, REVODE_LEAPFROG}) {
    check_gradient<3>(plan(method, -1, REVODE_REVERSED, REVODE_FIXED));
    check_gradient<3>(plan(method, -1, REVODE_REVERSED, REVODE_REAL));
    check_gradient<1>(plan(method, -1, REVODE_CHECKPOINTED, REVODE_REAL));
  }
}

/// x' = theta x (1 - x), in C and for any scalar.
struct Logistic {
  static constexpr int dim = 1, params = 1;
  template <class S>
  constexpr void operator()(S, const S* y, const S* p, S* dy) const {
    dy[0] = p[0] * (y[0] - y[0] * y[0]);
  }
};
template <class T>
int logistic(T, const T* y, const T* p, T* dy, T*, void*) {
  const T square = y[0] * y[0];
  return dy[0] = p[0] * (y[0] - square), 0;
}
template <class T>
int logistic_vjp(T, const T* y, const T* p, T*, const T* w, T* y_bar, T* theta_bar, void*) {
  const T inner = y[0] - y[0] * y[0];
  y_bar[0] += p[0] * (1 - 2 * y[0]) * w[0];
  if (theta_bar) theta_bar[0] += inner * w[0];
  return 0;
}

TEST(CApi, TheSolutionHasTheBitsOfTheCppInterface) {
  Orders unused;
  const revode_field logistic_field = {sizeof logistic_field, 1,      1, 1, 0, logistic<double>,
                                       logistic_vjp<double>,  &unused};
  revode_solver* solver;
  ASSERT_TRUE(make(logistic_field, reversed, &solver));
  const double rate = 1.7, y0 = .1;
  double y1 = 0;
  ASSERT_EQ(revode_forward(solver, &rate, 0, 2, 50, &y0, &y1), REVODE_OK);

  const revode::Automatic<double, Logistic> automatic;
  revode::Plan<double> same;
  same.fraction_bits[0] = 56;
  std::vector<std::byte> bytes(revode::Solve<double>::bytes(automatic, same, 1) + REVODE_ALIGN);
  void* at = bytes.data();
  std::size_t room = bytes.size();
  ASSERT_NE(std::align(REVODE_ALIGN, room - REVODE_ALIGN, at, room), nullptr);
  revode::Arena arena(at, room);
  revode::Solve<double> solve;
  ASSERT_EQ(solve.init(arena, automatic, same, 1), revode::Status::ok);
  ASSERT_EQ(revode::run(*solve, {0, 2, 50, nullptr, 0}, &rate, &y0), revode::Status::ok);
  EXPECT_EQ(y1, solve->y()[0]);
}

TEST(CApi, FloatIsTheSameTextInFloat) {
  const revodef_field logistic_field = {sizeof logistic_field, 1,      1, 1, 0, logistic<float>,
                                        logistic_vjp<float>,   nullptr};
  revode_plan p = reversed;
  p.fraction_bits[0] = 26;  // range 16
  std::size_t bytes = 0;
  revodef_solver* solver;
  ASSERT_EQ(revodef_solver_bytes(&logistic_field, &p, &bytes), REVODE_OK);
  ASSERT_EQ(revodef_solver_init(memory.byte.data(), bytes, &logistic_field, &p, &solver), REVODE_OK);
  const float rate = 1.5f, y0 = .25f, one = 1;
  float y1 = 0, y0_bar = 0, rate_bar = 0;
  ASSERT_EQ(revodef_forward(solver, &rate, 0, 2, 32, &y0, &y1), REVODE_OK);
  ASSERT_EQ(revodef_backward(solver, &one, &y0_bar, &rate_bar), REVODE_OK);
  // y(t) = 1 / (1 + 3 exp(-r t)), so dy/dr = t y (1 - y) and dy/dy0 = y (1 - y) / (y0 (1 - y0)). RK4 with r h = 0.1
  // errs by 32 x 0.1^5 / 120 = 3e-6 at most; 64 roundings to 2^-26 by 1e-6.
  const double y = 1 / (1 + 3 * std::exp(-3.)), slope = y * (1 - y);
  EXPECT_NEAR(static_cast<double>(y1), y, 4e-6);
  EXPECT_NEAR(static_cast<double>(rate_bar), 2 * slope, 2e-5);
  EXPECT_NEAR(static_cast<double>(y0_bar), slope / (.25 * .75), 2e-5);
}

TEST(CApi, ALaneDoesNotKnowItsNeighbours) {
  double alone[2], tile[6], y0[6];
  Orders orders;
  revode_solver* solver;
  ASSERT_TRUE(make(field<1>(orders), reversed, &solver));
  ASSERT_EQ(revode_forward(solver, theta, 0, 3, 40, start, alone), REVODE_OK);
  for (int i = 0; i < 6; ++i) y0[i] = start[i / 3] + (i % 3 == 1 ? 0 : .5);
  ASSERT_TRUE(make(field<3>(orders), reversed, &solver));
  ASSERT_EQ(revode_forward(solver, theta, 0, 3, 40, y0, tile), REVODE_OK);
  for (int r = 0; r < 2; ++r) EXPECT_EQ(tile[3 * r + 1], alone[r]);
  EXPECT_NE(tile[0], alone[0]);
}

TEST(CApi, BytesAreExactAndDoNotDependOnSteps) {
  Orders orders;
  const revode_field three = field<3>(orders);
  std::size_t bytes = 0;
  revode_solver* solver;
  ASSERT_EQ(revode_solver_bytes(&three, &reversed, &bytes), REVODE_OK);
  unsigned char* at = memory.byte.data();
  EXPECT_EQ(revode_solver_init(at, bytes - 1, &three, &reversed, &solver), REVODE_ARENA_TOO_SMALL);
  EXPECT_EQ(solver, nullptr);
  EXPECT_EQ(revode_solver_init(at, 1, &three, &reversed, &solver), REVODE_ARENA_TOO_SMALL);
  EXPECT_EQ(revode_solver_init(at + 8, bytes, &three, &reversed, &solver), REVODE_ARENA_TOO_SMALL);
  memory.byte.fill(0xA5);
  ASSERT_EQ(revode_solver_init(at, bytes, &three, &reversed, &solver), REVODE_OK);
  const double y0[6] = {1, 1.1, 1.2, 0, 0, 0}, w[6] = {1, 1, 1, 0, 0, 0};
  double y0_bar[6] = {}, theta_bar[6] = {};
  for (const long steps : {1L, 100L, 20000L}) {
    ASSERT_EQ(revode_forward(solver, theta, 0, 3, steps, y0, nullptr), REVODE_OK);
    ASSERT_EQ(revode_backward(solver, w, y0_bar, theta_bar), REVODE_OK);
  }
  for (std::size_t i = bytes; i < bytes + 4096; ++i) ASSERT_EQ(memory.byte[i], 0xA5) << i - bytes;
}

TEST(CApi, TheCursorWalksTheSameWalk) {
  Orders orders;
  revode_solver* solver;
  double whole[2], y0_bar[2] = {}, theta_bar[2] = {}, stepped[2] = {}, stepped_theta[2] = {};
  ASSERT_TRUE(make(field<1>(orders), reversed, &solver));
  EXPECT_EQ(revode_n(solver), -1);
  EXPECT_EQ(revode_y(solver), nullptr);
  EXPECT_EQ(revode_y_bar(solver), nullptr);
  ASSERT_EQ(revode_forward(solver, theta, 0, 3, 40, start, whole), REVODE_OK);
  ASSERT_EQ(revode_backward(solver, weight, y0_bar, theta_bar), REVODE_OK);

  int moved = 1;
  std::vector<double> seen;
  ASSERT_EQ(revode_begin(solver, theta, 0, 3, 40, start), REVODE_OK);
  while (moved) {
    seen.push_back(revode_y(solver)[0]);
    ASSERT_EQ(revode_advance(solver, &moved), REVODE_OK);
  }
  ASSERT_EQ(seen.size(), 41u);
  EXPECT_EQ(revode_n(solver), 40);
  EXPECT_EQ(seen.back(), whole[0]);
  ASSERT_EQ(revode_turn(solver, stepped_theta), REVODE_OK);
  for (int i = 0; i < 2; ++i) revode_y_bar(solver)[i] += weight[i];
  for (moved = 1; moved;) {
    EXPECT_EQ(revode_y(solver)[0], seen[static_cast<std::size_t>(revode_n(solver))]);
    ASSERT_EQ(revode_retreat(solver, &moved), REVODE_OK);
  }
  ASSERT_EQ(revode_finish(solver, stepped), REVODE_OK);
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(stepped[i] == y0_bar[i] && stepped_theta[i] == theta_bar[i]) << i;
}
}  // namespace
