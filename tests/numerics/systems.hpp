// Four systems that a way back must come through: one that contracts, one that turns, a chaotic one, a network.
#pragma once
#include "numerics/fields.hpp"
#include "numerics/trial.hpp"

namespace systems {
using namespace trial;

enum class System { relaxing, oscillator, lorenz, network };
inline constexpr System all[] = {System::relaxing, System::oscillator, System::lorenz, System::network};
inline constexpr const char* names[] = {"relaxing", "oscillator", "lorenz", "network"};

/// brief: for coupled methods without halving events, which grow their own rounding like e^(T |mu|): shorter in time,
/// not in steps. Otherwise the relaxing field has h |mu| = 0.1 in each step, and T |mu| = 3 when brief.
template <class T>
Problem<T> problem(System system, long steps, bool brief, int lanes = 2) {
  Problem<T> p;
  p.lanes = lanes;
  switch (system) {
    case System::relaxing:
      p.field = &fields::relaxing<T>;
      p.theta = {1, T(.75), T(-1.25)};
      p.grid = {0, brief ? T(3) : T(.1) * static_cast<T>(steps), steps};
      break;
    case System::oscillator:
      p.field = &fields::oscillator<T>;
      p.theta = {T(1.1), T(.9)};
      p.grid = {0, 20, steps};
      break;
    case System::lorenz:  // chaos: over a long T the gradient would overflow
      p.field = &fields::lorenz<T>;
      p.theta = {10, 28, T(8) / 3};
      p.grid = {0, brief ? T(.25) : T(1), steps};
      break;
    case System::network:
      p.field = &fields::network<T>;
      p.theta = uniform<T>(1, static_cast<std::size_t>(fields::network<T>.shape({}).params), -.7, .7);
      p.grid = {0, 3, steps};
      break;
  }
  const auto n = static_cast<std::size_t>(p.field->shape({}).in * p.lanes);
  p.y0 = uniform<T>(2, n, .5, 1.5);
  p.y1_bar = uniform<T>(3, n, .25, 1);
  return p;
}
}  // namespace systems
