// What drivers may be told of a solver: every method and way by name, and what of them does not go together.
#include "models/solver_options.hpp"

#include <gtest/gtest.h>

#include "common/error.hpp"

namespace revode::host {
namespace {
Plan<float> plan(const std::vector<std::string>& words) {
  Program program;
  program.name = "any", program.options = solver_options("rk4", 10);
  for (const Option& option : tolerance_options()) program.options.push_back(option);
  Options options(program);
  EXPECT_FALSE(options.parse(words));
  Plan<float> p = solver_plan(options);
  add_tolerances(options, p);
  make_room(p, 10, 3, 16, 8);
  return p;
}
/// "FLAG: why" of what is refused.
std::string refusal(const std::vector<std::string>& words) {
  try {
    plan(words);
  } catch (const Failure& f) {
    EXPECT_EQ(f.code(), Exit::usage);
    return f.where() + ": " + f.what();
  }
  return "";
}

TEST(SolverOptions, EveryMethodAndWayThatGoTogetherIsAPlan) {
  int plans = 0;
  for (const std::string solver :
       {"mccallum_foster", "alf", "reversible_heun", "leapfrog", "runge_kutta", "low_storage", "adams"})
    for (const std::string gradient : {"exact", "taped", "stored", "checkpointed", "retraced"})
      for (const std::string arithmetic : {"fixed", "real"})
        for (const std::string rtol : {"0", "0.001"}) {
          const std::vector<std::string> words{"--solver", solver,   "--gradient", gradient, "--arithmetic",
                                               arithmetic, "--base", "heun",       "--rtol", rtol};
          const std::string why = refusal(words);
          if (!why.empty()) continue;
          const Plan<float> p = plan(words);
          EXPECT_EQ(fits(p), Status::ok) << solver << ' ' << gradient << ' ' << arithmetic << ' ' << rtol;
          EXPECT_EQ(p.control.adaptive(), rtol != "0");
          ++plans;
        }
  // Of 140: exact 4 bijective words, taped 1, retraced 6, each with either word of arithmetic, which they do not use;
  // stored and checkpointed 5 in fixed point and 7 in floats. With tolerances all but leapfrog.
  const int equal = 2 * (4 + 1 + 6) + 2 * (5 + 7), of_leapfrog = 2 * 2 + 2 * 2;
  EXPECT_EQ(plans, 2 * equal - of_leapfrog);
}

TEST(SolverOptions, WhatDoesNotGoTogetherIsNamedWithItsRemedy) {
  const auto expect = [](const std::vector<std::string>& words, const std::string& flag, const std::string& remedy) {
    const std::string why = refusal(words);
    EXPECT_EQ(why.find(flag + ": "), 0u) << why;
    EXPECT_NE(why.find(remedy), why.npos) << why;
  };
  expect({"--solver", "runge_kutta"}, "--method", "use --gradient stored or checkpointed, or taped");
  expect({"--solver", "adams", "--gradient", "retraced"}, "--method", "use --gradient stored or checkpointed");
  expect({"--solver", "alf", "--gradient", "taped"}, "--gradient", "use exact");
  expect({"--method", "adams", "--gradient", "stored"}, "--arithmetic", "use real");
  expect({"--solver", "low_storage", "--gradient", "retraced"}, "--base", "use euler, midpoint, heun, ees25, ees27");
  expect({"--solver", "leapfrog", "--rtol", "0.1"}, "--rtol", "--steps equal steps");
  expect({"--base", "euler", "--atol", "0.1"}, "--atol", "another --base");
  expect({"--lambda", "0.9"}, "--lambda", "--gradient retraced, or --arithmetic real");
  expect({"--lambda", "0.9", "--solver", "leapfrog", "--gradient", "retraced"}, "--lambda", "leave it at 1");
  expect({"--predictor", "adams_bashforth"}, "--predictor", "--gradient taped");
  expect({"--solver", "runge_kutta", "--gradient", "taped", "--predictor", "adams_bashforth", "--rtol", "0.1"},
         "--predictor", "use runge_kutta");
  EXPECT_EQ(refusal({"--solver", "runge_kutta", "--gradient", "taped", "--predictor", "adams_bashforth"}), "");
}

TEST(SolverOptions, RoomIsForTheStepsThatThereMayBe) {
  EXPECT_EQ(plan({"--gradient", "stored"}).stored_steps, 10);
  EXPECT_EQ(plan({"--gradient", "stored", "--rtol", "0.1", "--most-steps", "70"}).stored_steps, 70);
  EXPECT_EQ(plan({"--solver", "runge_kutta", "--gradient", "taped"}).log_bits, 10u * 3 * 16 * 8);
  EXPECT_EQ(plan({"--halve-every", "3"}).log_bits, 3u * 3 * 16);
  EXPECT_EQ(plan({"--halve-every", "30"}).halve_every, 0);
  EXPECT_EQ(plan({"--lambda", "0.9", "--gradient", "retraced"}).halve_every, 0);
}
}  // namespace
}  // namespace revode::host
