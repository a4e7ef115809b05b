// The controller's rungs against the formula in libm's logarithms, its limits, Hairer's first step, the tile's norm.
#include "revode/control.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "revode/random.hpp"

namespace {
using namespace revode;
using T = double;

TEST(Control, MovesByTheFormulaRoundedDown) {
  for (const Coefficients<T>& c : {integral<T>, proportional_integral<T>, h312<T>})
    for (const int order : {1, 2, 4}) {
      Control<T> control;
      control.coefficients = c;
      Controller<T> controller;
      controller.init(control, order);
      controller.begin();
      controller.first(std::exp2(-30), 1);
      ASSERT_EQ(controller.rung(), -120);
      Random random(3, 1);
      T wish = -120, last = 0, before_last = 0;  // in rungs
      for (int n = 0; n < 200; ++n) {
        const T error = std::exp2(-12 * static_cast<T>(random.uniform()));
        const T e = 4 * std::log2(error) / (order + 1) + wish - std::floor(wish);
        const T factor = 4 * std::log2(.9) - (c.p + c.i + c.d) * e + (c.p + 2 * c.d) * last - c.d * before_last;
        ASSERT_TRUE(controller.judge(error, false, controller.rung()));
        wish += std::fmin(std::fmax(factor, -9), 13);  // 0.2 is 9.3 rungs, 10 is 13.3
        ASSERT_EQ(controller.rung(), static_cast<int>(std::floor(wish))) << n;
        before_last = last, last = e;
        if (wish > -20) controller.first(std::exp2(-30), 1), wish = -120;
      }
    }
}

/// With the integral alone the wish is forgotten: a step is the right one, rounded down.
TEST(Control, IntegralAimsFromTheRungTaken) {
  Controller<T> c;
  c.init({}, 4);
  c.begin();
  c.first(1. / 1024, 1);
  Random random(5, 1);
  for (int n = 0; n < 40; ++n) {
    const T error = std::exp2(-2 * static_cast<T>(random.uniform()));
    const int before = c.rung();
    ASSERT_TRUE(c.judge(error, false, before));
    ASSERT_EQ(c.rung(), before + static_cast<int>(std::floor(4 * std::log2(.9 * std::pow(error, -.2)))));
  }
}

TEST(Control, RejectionsShrinkAndTheNextStepDoesNotGrow) {
  Controller<T> c;
  c.init({}, 4);
  c.begin();
  c.first(1. / 1024, -1);  // of a span either way
  ASSERT_EQ(c.rung(), -40);
  EXPECT_FALSE(c.judge(1.0001, false, -40));
  EXPECT_EQ(c.rung(), -41);
  EXPECT_FALSE(c.judge(1e30, false, -41));
  EXPECT_EQ(c.rung(), -50);  // a factor of 0.2 is 9.3 rungs
  for (const T bad : {std::nan(""), std::numeric_limits<T>::infinity(), -std::numeric_limits<T>::infinity()}) {
    const int before = c.rung();
    EXPECT_FALSE(c.judge(bad, false, before));
    EXPECT_EQ(c.rung(), before - 9);
  }
  const int here = c.rung();
  EXPECT_TRUE(c.judge(0, false, here));
  EXPECT_EQ(c.rung(), here);
  EXPECT_TRUE(c.judge(0, false, here));
  EXPECT_EQ(c.rung(), here + 13);  // a factor of 10 is 13.3 rungs
}

TEST(Control, AClippedStepSaysNothingAboutLongerOnes) {
  Controller<T> c;
  c.init({}, 4);
  c.begin();
  c.first(1. / 16, 1);
  EXPECT_TRUE(c.judge(1e-9, true, -60));
  EXPECT_EQ(c.rung(), -16);
  EXPECT_TRUE(c.judge(.99, true, -17));  // nearly as long, and nearly too long
  EXPECT_EQ(c.rung(), -18);
  EXPECT_FALSE(c.judge(2, true, -60));
  EXPECT_LT(c.rung(), -60);
}

Controller<T> begun(const Control<T>& control, int order) {
  Controller<T> c;
  c.init(control, order);
  c.begin();
  return c;
}

/// What the logarithm says: a controller with a term of no effect has no edges and always takes it.
Controller<T> slow(Control<T> control, int order) {
  control.coefficients.d = std::numeric_limits<T>::denorm_min();
  return begun(control, order);
}

/// Squares of errors of which it is clear what becomes of the step are judged so, by logarithms too; nearly all are
/// clear that move no further than `farthest`.
TEST(Control, WhatIsClearOfSquaresIsWhatIsJudged) {
  constexpr int farthest = Controller<T>::farthest, unclear = Controller<T>::unclear;
  Control<T> narrow, still;  // whose factors end before what is told
  narrow.shrink = T(.6), narrow.grow = 2;
  still.shrink = T(.9), still.grow = T(1.1);
  for (const Control<T>& control : {Control<T>{}, narrow, still})
    for (const int order : {1, 2, 4}) {
      const auto squares = begun(control, order).squares(3);
      long clear = 0, near = 0;
      for (int n = 0; n < 20000; ++n) {
        const T error = std::exp2(6 - n * 2e-3), square = 3 * error * error;
        Controller<T> told = begun(control, order), quick = told, judge = slow(control, order);
        for (auto* c : {&told, &quick, &judge}) c->first(std::exp2(-30), 1);
        const bool good = judge.judge(error, false, -120);
        const int move = judge.rung() + 120;
        ASSERT_EQ(quick.judge(error, false, -120), good) << error;
        ASSERT_EQ(quick.rung(), judge.rung()) << error;
        near += move >= -farthest && move <= farthest;
        ASSERT_FALSE(square < squares.good && square > squares.bad);
        for (const int by : {-1, 0, 1})
          if (squares.is(by, square)) {
            ASSERT_EQ(squares.move(square), by) << error;
          }
        if (squares.move(square) == unclear || !(square < squares.good || square > squares.bad)) continue;
        ++clear;
        ASSERT_EQ(good ? squares.move(square) : std::min(squares.move(square), -1), move) << error;
        ASSERT_EQ(square < squares.good, good) << error;
        if (good) {
          ASSERT_TRUE(told.move(move));
        } else {
          told.refuse(squares.move(square));
        }
        ASSERT_EQ(told.rung(), judge.rung());
        ASSERT_EQ(told.rejected(), judge.rejected());
        ASSERT_EQ(told.judge(error * T(.6), false, -121), judge.judge(error * T(.6), false, -121));
        ASSERT_EQ(told.rung(), judge.rung()) << error;
      }
      EXPECT_GT(clear, near - 5);
      EXPECT_GT(near, 1000);
      EXPECT_EQ(squares.move(0), unclear);
      EXPECT_EQ(squares.move(std::numeric_limits<T>::quiet_NaN()), unclear);
      Controller<T> again = begun(control, order);
      again.first(std::exp2(-30), 1);
      ASSERT_FALSE(again.judge(2, false, -120));
      EXPECT_TRUE(again.rejected());
      EXPECT_FALSE(again.move(1));
      Controller<T> longest = begun(control, order);
      longest.first(2, 1);
      EXPECT_FALSE(longest.move(1));
    }
  Control<T> control;
  control.coefficients = proportional_integral<T>;
  const auto squares = begun(control, 4).squares(1);  // a controller with a memory asks
  for (T error = 4; error > 1e-9; error *= T(.9)) EXPECT_EQ(squares.move(error * error), unclear);
  EXPECT_FALSE(squares.high(0) > squares.low(0));
}

/// Behind a rejection whatever lies below the upper edge of those that leave the rung leaves it.
TEST(Control, BehindARejectionASmallErrorLeavesTheRung) {
  for (const int order : {1, 2, 4}) {
    Controller<T> c = begun({}, order);
    const T high = c.squares(1).high(0);
    c.first(std::exp2(-30), 1);
    ASSERT_FALSE(c.judge(1.7, false, -120));
    const int rung = c.rung();
    long named = 0;
    for (T error = 2; error > 1e-30; error *= T(.999)) {
      if (!(error * error < high)) continue;
      Controller<T> judge = c, sure = c;
      ASSERT_TRUE(judge.judge(error, false, rung));
      sure.pass();
      ASSERT_EQ(judge.rung(), rung) << error;
      ASSERT_EQ(sure.rung(), rung);
      ASSERT_EQ(sure.rejected(), judge.rejected());
      ASSERT_EQ(sure.judge(.9, false, rung), judge.judge(.9, false, rung));
      ASSERT_EQ(sure.rung(), judge.rung());
      ++named;
    }
    EXPECT_GT(named, 60000);
    Controller<T> judge = c;
    judge.judge(0, false, rung);
    EXPECT_EQ(judge.rung(), rung);
  }
}

/// y' = -y from 1 with rtol = atol = tol: |y| = |f| = |y''| = 1, in units of 2 tol.
TEST(Control, FirstStepIsHairers) {
  for (const int order : {1, 2, 4})
    for (const T tol : {1e-3, 1e-8}) {
      Controller<T> c;
      c.init({}, order);
      const T unit = 1 / (2 * tol), h0 = c.trial_step(unit, unit);
      EXPECT_DOUBLE_EQ(h0, .01);
      const T expected = std::fmin(100 * h0, std::pow(.01 / unit, 1. / (order + 1)));
      EXPECT_NEAR(c.first_step(h0, unit, unit), expected, 1e-14 * expected);
    }
  Controller<T> c;
  c.init({}, 4);
  EXPECT_DOUBLE_EQ(c.trial_step(0, 1), 1e-6);
  EXPECT_DOUBLE_EQ(c.first_step(1e-6, 0, 0), 1e-6);
  EXPECT_DOUBLE_EQ(c.first_step(1, 0, 0), 1e-3);
  c.first(3, 2);
  EXPECT_EQ(c.rung(), 0);  // no step is longer than the span
}

TEST(Control, NormIsOfTheWorstLane) {
  Control<T> c;
  c.rtol = .5, c.atol = .25;
  const std::vector<T> y0 = {1, 0, -3, 2}, y1 = {-2, 0, 1, -2}, error = {1, .5, -3, .75};  // [2][2]
  std::vector<T> e = error;
  // Lane 0: 1 / 1.25 and 3 / 1.75; lane 1: .5 / .25 and .75 / 1.25.
  EXPECT_DOUBLE_EQ(scaled_norm(2, 2, c, e.data(), y0.data(), y1.data()), std::sqrt((4 + .36) / 2));
  for (std::size_t i = 0; i < 4; ++i)
    for (const T bad : {std::nan(""), std::numeric_limits<T>::infinity()}) {
      e = error, e[i] = bad;
      EXPECT_FALSE(std::isfinite(scaled_norm(2, 2, c, e.data(), y0.data(), y1.data())));
    }
  c.atol = 0;  // nothing of nothing is no error
  e = {0, 0, 0, 0};
  EXPECT_EQ(scaled_norm(2, 2, c, e.data(), y0.data(), y1.data()), 0);
}
}  // namespace
