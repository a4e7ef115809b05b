/// A driven pendulum with damping through the C interface, and the block its solvers live in.
#pragma once
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "revode.h"

namespace pendulum {
/// What the callbacks below are told: when to fail, when to lie, and what they were called for.
struct Orders {
  long rhs = 0, vjp = 0, rhs_fails_at = 0, vjp_fails_at = 0, lies_at = 0;
};

/// A driven pendulum with damping on any number of lanes; the tape holds cos(y0). One lane of the tile is one sample.
template <class T, int lanes>
int rhs(T t, const T* y, const T* theta, T* dy, T* tape, void* user) {
  auto& orders = *static_cast<Orders*>(user);
  ++orders.rhs;
  for (int l = 0; l < lanes; ++l) {
    tape[l] = std::cos(y[l]);
    dy[l] = y[lanes + l];
    dy[lanes + l] = -theta[0] * std::sin(y[l]) - theta[1] * y[lanes + l] + T(.1) * std::cos(T(1.3) * t);
    if (orders.rhs == orders.lies_at) dy[l] += T(.01);
  }
  return orders.rhs == orders.rhs_fails_at ? -1 : 0;
}
template <class T, int lanes>
int vjp(T, const T* y, const T* theta, T* tape, const T* w, T* y_bar, T* theta_bar, void* user) {
  auto& orders = *static_cast<Orders*>(user);
  ++orders.vjp;
  for (int l = 0; l < lanes; ++l) {
    y_bar[l] -= theta[0] * tape[l] * w[lanes + l];
    y_bar[lanes + l] += w[l] - theta[1] * w[lanes + l];
    tape[l] = 0;  // allowed
    if (!theta_bar) continue;
    theta_bar[l] -= std::sin(y[l]) * w[lanes + l];
    theta_bar[lanes + l] -= y[lanes + l] * w[lanes + l];
  }
  return orders.vjp == orders.vjp_fails_at ? 1 : 0;
}

template <int lanes>
revode_field field(Orders& orders) {
  return {sizeof(revode_field), 2, 2, lanes, 1, rhs<double, lanes>, vjp<double, lanes>, &orders};
}
inline revode_plan plan(int method, int base, int way, int arithmetic) {
  revode_plan p{};
  p.size = sizeof p, p.method = method, p.base = base, p.way = way, p.arithmetic = arithmetic;
  p.stored_steps = way == REVODE_STORED ? 40 : 0, p.slots = way == REVODE_CHECKPOINTED ? 4 : 0;
  p.fraction_bits[0] = 56;  // range 64
  return p;
}
inline const revode_plan reversed = plan(REVODE_MCCALLUM_FOSTER, REVODE_RK4, REVODE_REVERSED, REVODE_FIXED);

struct alignas(REVODE_MEMORY_ALIGN) Memory {
  std::array<unsigned char, 1 << 19> byte;
};
inline Memory memory;

/// A solver in exactly the bytes it asks for.
inline testing::AssertionResult make(const revode_field& field, const revode_plan& p, revode_solver** solver) {
  std::size_t bytes = 0;
  int status = revode_solver_bytes(&field, &p, &bytes);
  if (status == REVODE_OK && bytes > memory.byte.size()) return testing::AssertionFailure() << bytes << " bytes";
  if (status == REVODE_OK) status = revode_solver_init(memory.byte.data(), bytes, &field, &p, solver);
  if (status == REVODE_OK) return testing::AssertionSuccess();
  return testing::AssertionFailure() << revode_sentence(status);
}

inline const double theta[] = {2, .25}, start[] = {1.2, .3}, weight[] = {.7, -.4};  // the loss is weight' y(3)
}  // namespace pendulum
