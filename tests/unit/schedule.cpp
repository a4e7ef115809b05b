// Learning-rate schedules: the formulas, floors, warm-up, and counts far beyond a period.
#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "revode/optimizer.hpp"

namespace {
using revode::Schedule;
using Kind = Schedule::Kind;

// A power by squaring carries up to n roundings (each square doubles what came before); a rate a handful more.
void near(double value, double expected, long n) {
  EXPECT_NEAR(value, expected, static_cast<double>(n + 8) * 0x1p-53 * expected) << "after " << n;
}

TEST(Schedule, Constant) {
  const Schedule s{Kind::constant, .02, .5, 3, 0, 0};
  for (const long n : {0L, 1L, 1000000L}) EXPECT_EQ(s.at(n), .02);
}

TEST(Schedule, Exponential) {
  const Schedule s{Kind::exponential, .01, .999, 1, 1e-4, 0};
  for (const long n : {0L, 1L, 2L, 10L, 1000L, 4000L}) near(s.at(n), .01 * std::pow(.999, static_cast<double>(n)), n);
  EXPECT_EQ(s.at(100000), 1e-4);
  EXPECT_EQ(s.at(2000000000L), 1e-4);
}

TEST(Schedule, Step) {
  const Schedule s{Kind::step, .1, .5, 100, 0, 0};
  for (const long n : {0L, 1L, 99L}) EXPECT_EQ(s.at(n), .1);
  for (const long n : {100L, 199L}) EXPECT_EQ(s.at(n), .05);
  EXPECT_EQ(s.at(350), .0125);
}

TEST(Schedule, Cosine) {
  const Schedule s{Kind::cosine, .1, 1, 200, .004, 0};
  const double pi = std::acos(-1.0);
  EXPECT_EQ(s.at(0), .1);
  for (long n = 1; n < 200; ++n) near(s.at(n), .004 + .096 * .5 * (1 + std::cos(pi * static_cast<double>(n) / 200)), n);
  for (const long n : {200L, 201L, 100000L}) EXPECT_NEAR(s.at(n), .004, 1e-17);  // cos(pi) is off by its square only
}

TEST(Schedule, DropsAtGivenCounts) {
  Schedule s{Kind::drops, .1, .1, 1, 0, 0};
  s.drop[0] = 60, s.drop[1] = 100, s.drop[2] = 140;
  for (const auto& [n, expected] : {std::pair{0L, .1}, {59L, .1}, {60L, .01}, {99L, .01}, {100L, .001}, {1000L, .0001}})
    near(s.at(n), expected, 3);
  s.drop[1] = s.drop[2] = 0;
  near(s.at(1000), .01, 3);
}

TEST(Schedule, OneCycleRisesAndFalls) {
  const Schedule s{Kind::one_cycle, .1, 1, 1000, 1e-5, 0};
  const double pi = std::acos(-1.0);
  near(s.at(0), .004, 1);
  for (long n = 1; n < 300; ++n)
    near(s.at(n), .1 - .096 * .5 * (1 + std::cos(pi * static_cast<double>(n) / 300)),
         32);  // a difference: more roundings
  EXPECT_EQ(s.at(300), .1);
  for (long n = 301; n < 1000; ++n) EXPECT_LT(s.at(n), s.at(n - 1));
  EXPECT_NEAR(s.at(1000), 1e-5, 1e-17);
  EXPECT_NEAR(s.at(100000), 1e-5, 1e-17);
  for (const long period : {0L, 1L, 2L, 3L})
    EXPECT_TRUE(std::isfinite(Schedule{Kind::one_cycle, .1, 1, period, 0, 0}.at(1)));
}

TEST(Schedule, WarmupRisesToTheSchedule) {
  for (const Kind kind : {Kind::constant, Kind::exponential, Kind::step, Kind::cosine}) {
    Schedule cold{kind, .1, .9, 50, 0, 0}, warm = cold;
    warm.warmup = 10;
    double last = 0;
    for (long n = 0; n < 10; ++n) {
      near(warm.at(n), cold.at(n) * static_cast<double>(n + 1) / 11, n);
      EXPECT_GT(warm.at(n), 0);
      EXPECT_TRUE(kind == Kind::exponential || warm.at(n) > last) << n;
      last = warm.at(n);
    }
    for (long n = 10; n < 120; ++n) EXPECT_EQ(warm.at(n), cold.at(n));
  }
}

TEST(Schedule, APeriodOfNothingDoesNotDivide) {
  for (const Kind kind : {Kind::step, Kind::cosine})
    for (const long period : {0L, -3L}) EXPECT_TRUE(std::isfinite(Schedule{kind, .1, .5, period, .01, 0}.at(5)));
}
}  // namespace
