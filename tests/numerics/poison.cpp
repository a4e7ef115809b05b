// Poison: nothing reads a byte of the arena that it has not written.
#include <gtest/gtest.h>

#include "numerics/fields.hpp"
#include "numerics/trial.hpp"
#include "revode/readout.hpp"

namespace {
using namespace trial;

/// Every way, network and traced program, with readings between the steps.
template <class T>
std::vector<T> visible(const Map<T>& field, const Plan<T>& plan, int fill) {
  const int wide = 5, times = 3;
  const auto rows_in = static_cast<std::size_t>(field.shape({}).in) * wide;
  const auto theta = uniform<T>(1, static_cast<std::size_t>(field.shape({}).params), .2, .7);
  const auto y0 = uniform<T>(2, rows_in, .5, 1), at_bar = uniform<T>(3, rows_in * times, -1, 1);
  auto when = uniform<T>(4, wide * times, 0, .3);
  for (std::size_t row = 0, i = 0; i < when.size(); row = ++i / wide) when[i] += T(.35) * static_cast<T>(row);
  Arena measure;
  Readout<T> readout;
  readout.place(measure, field, wide, times);
  Bytes bytes(Solve<T>::bytes(field, plan, wide), fill), more(measure.bytes(), fill);
  Arena arena = bytes.arena(), reading = more.arena();
  readout.place(reading, field, wide, times);
  Solve<T> solve;
  EXPECT_EQ(solve.init(arena, field, plan, wide), Status::ok);
  std::vector<T> at(rows_in * times), seen(rows_in), theta_bar(theta.size() * wide);
  EXPECT_EQ(solve->begin({0, 1, 40}, theta.data(), y0.data()), Status::ok);
  EXPECT_EQ(readout.begin(times, when.data(), at.data()), Status::ok);
  do readout.look(*solve);
  while (solve->advance());
  EXPECT_EQ(solve->turn({theta_bar.data(), 1, 0}), Status::ok);
  do readout.pull(*solve, at_bar.data());
  while (solve->retreat());
  EXPECT_EQ(solve->finish(seen.data()), Status::ok);
  seen.insert(seen.end(), at.begin(), at.end());
  seen.insert(seen.end(), theta_bar.begin(), theta_bar.end());
  return seen;
}
template <class T>
void expect_no_memory_of_the_bytes(const Map<T>& field) {
  for (const Way way : {Way::stored, Way::checkpointed, Way::reversed})
    for (const Method<T>& method : {alf<T>(), mccallum_foster(tableau::bogacki_shampine<T>)})
      for (const int K : {0, 3}) {
        Plan<T> plan;
        plan.method = method, plan.way = way, plan.halve_every = K;
        plan.stored_steps = 40, plan.slots = 6;
        plan.log_bits = plan.log_bits_for(40, field.shape({}).in, 5) / 4;
        plan.keep_stages = way == Way::stored && K > 0;
        const auto zeroed = visible(field, plan, 0);
        EXPECT_TRUE(alive(zeroed));
        for (const int poison : {0xFF, 0x7F, 0xA5}) EXPECT_TRUE(same_bits(zeroed, visible(field, plan, poison)));
      }
}
template <class T>
void expect_no_memory_of_the_tape(const Map<T>& field) {
  for (const Predictor predictor : {Predictor::runge_kutta, Predictor::adams_bashforth})
    for (const int slots : {0, 40}) {
      Plan<T> plan;
      plan.method = runge_kutta(tableau::bogacki_shampine<T>), plan.way = Way::taped, plan.predictor = predictor;
      plan.arithmetic = Arithmetic::real;
      plan.slots = slots, plan.log_bits = slots ? 2000 : 1 << 16;
      const auto zeroed = visible(field, plan, 0);
      EXPECT_TRUE(alive(zeroed));
      for (const int poison : {0xFF, 0x7F, 0xA5}) EXPECT_TRUE(same_bits(zeroed, visible(field, plan, poison)));
    }
}
TEST(Poison, WhatATapeHeldBeforeDoesNotMatter) {
  expect_no_memory_of_the_tape<float>(fields::network<float>);
  expect_no_memory_of_the_tape<double>(fields::lorenz<double>);
}
TEST(Poison, WhatTheBytesHeldBeforeDoesNotMatter) {
  expect_no_memory_of_the_bytes<float>(fields::network<float>);
  expect_no_memory_of_the_bytes<double>(fields::network<double>);
  expect_no_memory_of_the_bytes<float>(fields::lorenz<float>);
  expect_no_memory_of_the_bytes<double>(fields::lorenz<double>);
}
}  // namespace
