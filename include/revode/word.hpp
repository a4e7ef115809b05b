/// A method is a word of three letters over registers, as constexpr data; step, undo and transpose are loops over the
/// word (flow.hpp), so a wrong inverse or adjoint of a method cannot be written. a: the register acted on; b: the
/// register read.
///
///   letter                             act                   undo                       transpose
///   drift(a, c, b)                     a += c h b            a -= c h b                 b_bar += c h a_bar
///   push(a, s, increment(c, tau, b))   a += s Psi            a -= s Psi                 b_bar += s (dPsi/db)' a_bar
///   relax(a, s, x)                     a = x + s m (a - x)   a = x + (a - x) / (s m)    x_bar += (1 - s m) a_bar;
///                                                                                       a_bar *= s m
///
/// Psi = Psi_{ch}(t + tau h, b) is the increment of the base tableau; x is b or f(t + tau h, b); m is the damping of
/// the step, lambda, or 1/2 at a halving event. s = -1 reflects, s = 0 sets (allowed in the lift y0 -> registers only).
/// Laws:
///   (uv)^-1 = v^-1 u^-1 and (uv)' = v'u';
///   a letter with a != b and s != 0 is a bijection of the integers modulo 2^w, whatever f is;
///   act, undo and transpose of a letter need the same evaluation at b, so reconstruction and VJP share it.
#pragma once
#include "revode/tableau.hpp"
#include "revode/tableaus/two_registers.hpp"

namespace revode {
enum class Kind : unsigned char { drift, push, relax };

struct Letter {
  Kind kind;
  signed char a, b, s;
  bool field;    // relax towards f(t + tau h, b) instead of b
  float c, tau;  // small binary fractions, exact in every format
};
/// What a letter reads: Psi_{ch}(t + tau h, b) or f(t + tau h, b).
struct Argument {
  float c, tau;
  signed char b;
};
constexpr Argument increment(float c, float tau, signed char b) {
  return {c, tau, b};
}
constexpr Argument slope(float tau, signed char b) {
  return {0, tau, b};
}
constexpr Letter drift(signed char a, float c, signed char b) {
  return {Kind::drift, a, b, 1, false, c, 0};
}
constexpr Letter push(signed char a, signed char s, Argument x) {
  return {Kind::push, a, x.b, s, true, x.c, x.tau};
}
constexpr Letter relax(signed char a, signed char s, signed char b) {
  return {Kind::relax, a, b, s, false, 0, 0};
}
constexpr Letter relax(signed char a, signed char s, Argument x) {
  return {Kind::relax, a, x.b, s, true, 0, x.tau};
}

inline constexpr int max_registers = 2, max_letters = 3;

template <class T>
struct Method {
  const char* name;
  int registers, letters;
  int read;  // registers that are the user's y: 2 where y is (positions, velocities)
  Letter word[max_letters];
  Letter lift;      // sets register 1 from register 0; unused where the user's y fills all registers
  Tableau<T> base;  // of Psi
  int order;
  int multistep = 0;         // Adams' order; 0: the word alone makes a step
  bool low_storage = false;  // the base in Williamson's form

  /// Past slopes and past steps that are part of the state.
  constexpr int past() const { return multistep > 1 ? multistep - 1 : 0; }
  /// Evaluations of f that a letter asks for.
  constexpr int evaluations(const Letter& l) const { return l.kind == Kind::push ? base.advancing() : l.field ? 1 : 0; }
  /// Evaluations of f in one step forwards.
  constexpr int evaluations() const {
    int count = 0;
    for (int i = 0; i < letters; ++i) count += evaluations(word[i]);
    return count - (shares_ends() ? 1 : 0);
  }
  /// The last letter's only evaluation is that of the first letter of the next step: it is done once.
  constexpr bool shares_ends() const {
    const Letter &first = word[0], &last = word[letters - 1];
    return letters > 1 && first.kind == Kind::push && last.kind == Kind::push && base.advancing() == 1 &&
           first.b == last.b && first.a != first.b && last.a != last.b && !(first.tau > 0) && !(last.tau < 1);
  }
  constexpr bool lifts() const { return registers > read; }
};

// ---- the catalogue: one line of letters a method. Memory is that of a Solve beside the field's own work and what the
// way keeps, d being the rows of the field times lanes and s the stages of a step; tests/numerics/method_memory.cpp
// holds it. Stable: on y' = mu y with steps h, Verlet and symplectic Euler on q'' = -omega^2 q;
// tests/reproduce/stability.cpp.

/// Any explicit Runge-Kutta method (Kutta 1901): y1 = y0 + Psi_h(t0, y0). Order and stability are the tableau's
/// (tableau.hpp); s evaluations a step, (7 + 2 s) d and s tapes. a == b: no inverse, so it is stored, checkpointed or
/// taped. The choice on contracting fields, under step control, and wherever one of these ways fits.
template <class T>
constexpr Method<T> runge_kutta(const Tableau<T>& base) {
  return {base.name, 1, 1, 1, {push(0, +1, increment(1, 0, 0))}, {}, base, base.order};
}
/// The same in Williamson's form (low_storage.hpp), for a base that has one, and for floats: s evaluations forwards,
/// 2 s - 1 and s VJPs back, 6 d and one tape whatever the stages. For fields whose tapes fill the memory. Walked back
/// in floats it is EES(2,5) or EES(2,7) in four registers.
template <class T>
constexpr Method<T> low_storage(const Tableau<T>& base) {
  Method<T> m = runge_kutta(base);
  m.name = "low_storage", m.low_storage = true;
  return m;
}
/// McCallum and Foster, arXiv 2410.11648: y1 = lambda y0 + (1 - lambda) z0 + Psi_h(t0, z0), z1 = z0 - Psi_{-h}(t1, y1),
/// lambda being the damping m of y1 = z0 + m (y0 - z0) + Psi. Order of the base; 2 s evaluations a step; undone exactly
/// in (9 + 2 s) d and s tapes. lambda = 1 is stable on a segment of the imaginary axis alone, to 2, 1.57, 1.93, 3.06 i
/// over Euler, midpoint, Ralston 3, RK4; else on the negative real axis while lambda < R(h mu), R of the base: h |mu| <
/// -ln lambda in practice; with halving events every K steps h |mu| <= ln 2 / K. The choice for high order undone
/// exactly: oscillators and short horizons as it is, contracting fields with halving events.
template <class T>
constexpr Method<T> mccallum_foster(const Tableau<T>& base) {
  enum : signed char { y, z };
  return {"mccallum_foster",
          2,
          3,
          1,
          {relax(y, +1, z), push(y, +1, increment(1, 0, z)), push(z, -1, increment(-1, 1, y))},
          relax(z, 0, y),
          base,
          base.order};
}
/// Asynchronous leapfrog (Mutze 2013; MALI, Zhuang et al. 2021, arXiv 2102.04668): w = x0 + h/2 v0, u = f(t0 + h/2, w),
/// v1 = u + m (u - v0), x1 = w + h/2 v1, from v0 = f(t0, x0). Order 2, one evaluation a step and one for v0; undone
/// exactly in 11 d and one tape. Undamped it is stable on the segment [-i, i] alone. MALI's damping eta is m = 2 eta -
/// 1: stable on the negative real axis to 2 (1 - m) / (1 + m), but with m < 1 in every step the order is 1. The choice
/// where evaluations are dear: oscillators, short horizons; with halving events, contracting fields to second order.
template <class T>
constexpr Method<T> alf() {
  enum : signed char { x, v };
  return {"alf",
          2,
          3,
          1,
          {drift(x, .5f, v), relax(v, -1, slope(.5f, x)), drift(x, .5f, v)},
          relax(v, 0, slope(0, x)),
          tableau::euler<T>,
          2};
}

/// Reversible Heun (Kidger et al., arXiv 2105.13493, algorithm 1): z1 = 2 y0 - z0 + h f(t0, z0) and
/// y1 = y0 + h/2 (f(t0, z0) + f(t1, z1)), as half a push, a reflection and half a push. Order 2, one evaluation a step
/// and one to begin with; undone exactly in 12 d and one tape; stable on [-i, i] alone. Choose it as asynchronous
/// leapfrog, where f is to be seen at the nodes and not between them: fields driven by data that is known there.
template <class T>
constexpr Method<T> reversible_heun() {
  enum : signed char { y, z };
  return {"reversible_heun",
          2,
          3,
          1,
          {push(y, +1, increment(.5f, 0, z)), relax(z, -1, y), push(y, +1, increment(.5f, 1, z))},
          relax(z, 0, y),
          tableau::euler<T>,
          2};
}
/// Leapfrog, or explicit midpoint (Gragg 1965; Hairer et al., II.9), over two intervals of h/2 with Euler's step as its
/// start: x_{k+1} = x_{k-1} + h f(t_k, x_k), y the even x and z the odd ones brought to the node. Order 2, two
/// evaluations a step and one to begin with; undone exactly in 12 d and one tape; stable where h/2 mu lies on [-i, i]
/// alone, and nothing in it damps. For oscillators and for comparison: asynchronous leapfrog at half the step does the
/// same for the same evaluations.
template <class T>
constexpr Method<T> leapfrog() {
  enum : signed char { y, z };
  return {"leapfrog",
          2,
          3,
          1,
          {push(z, +1, increment(.5f, 0, y)), push(y, +1, increment(1, .5f, z)), push(z, +1, increment(.5f, 1, y))},
          relax(z, 0, y),
          tableau::euler<T>,
          2};
}
/// Velocity Verlet (Stormer; Verlet 1967) in its drift-kick-drift form for q'' = g(t, q): w = q0 + h/2 p0, p1 = p0 + h
/// g(t0 + h/2, w), q1 = w + h/2 p1; y = (q, p), the field is g alone, half as many rows. Order 2, symplectic, one
/// evaluation a step; undone exactly in 12 d and one tape; stable for h omega < 2. The choice for mechanics without
/// friction, orbits, long horizons: its energy does not drift.
template <class T>
constexpr Method<T> verlet() {
  enum : signed char { q, p };
  return {"verlet",          2, 3, 2, {drift(q, .5f, p), push(p, +1, increment(1, .5f, q)), drift(q, .5f, p)}, {},
          tableau::euler<T>, 2};
}
/// Semi-implicit Euler (Hairer, Lubich, Wanner, Geometric Numerical Integration, I.1) for q'' = g(t, q), y = (q, p):
/// q1 = q0 + h p0, p1 = p0 + h g(t0, q1). Order 1, symplectic, one evaluation a step; undone exactly in 12 d and one
/// tape; stable for h omega < 2. For comparison and for models that were made with it; else Verlet, at the same price.
template <class T>
constexpr Method<T> symplectic_euler() {
  enum : signed char { q, p };
  return {"symplectic_euler", 2, 2, 2, {drift(q, 1, p), push(p, +1, increment(1, 0, q))}, {}, tableau::euler<T>, 1};
}

inline constexpr int most_multistep = 6;
/// Adams, Bashforth and Moulton (adams.hpp): of that order q, 1 to 6, two evaluations a step, (16 + 3 q) d and six
/// tapes, and q d a state that is kept. Stable on the negative real axis to 1, 2, 1.73, 1.28, .95, .70. The word and
/// the base are those of its first q - 1 steps: Cash and Karp's, whose errors h^6 a step the order 6 allows. The choice
/// for smooth fields that do not contract much and are dear: a high order for two evaluations.
template <class T>
constexpr Method<T> adams(int order) {
  Method<T> m = runge_kutta(tableau::cash_karp<T>);
  m.name = "adams", m.order = m.multistep = order;
  return m;
}

// ---- what a word knows about itself
/// Every letter leaves what it reads alone and can be undone.
template <class T>
constexpr bool bijective(const Method<T>& m) {
  for (int i = 0; i < m.letters; ++i)
    if (m.word[i].a == m.word[i].b || m.word[i].s == 0) return false;
  return true;
}
/// A letter is there for halving events to act on.
template <class T>
constexpr bool dampable(const Method<T>& m) {
  for (int i = 0; i < m.letters; ++i)
    if (m.word[i].kind == Kind::relax) return true;
  return false;
}
/// A letter mixes two registers as they are, so both need the same scale.
template <class T>
constexpr bool shares_scale(const Method<T>& m) {
  if (m.lifts() && !m.lift.field) return true;
  for (int i = 0; i < m.letters; ++i)
    if (m.word[i].kind == Kind::relax && !m.word[i].field) return true;
  return false;
}
static_assert(!bijective(runge_kutta(tableau::rk4<double>)) && !dampable(runge_kutta(tableau::rk4<double>)));
static_assert(bijective(mccallum_foster(tableau::rk4<double>)) && dampable(mccallum_foster(tableau::rk4<double>)));
static_assert(bijective(alf<double>()) && dampable(alf<double>()) && alf<double>().evaluations() == 1);
static_assert(shares_scale(mccallum_foster(tableau::rk4<double>)) && !shares_scale(alf<double>()));
static_assert(bijective(reversible_heun<double>()) && bijective(leapfrog<double>()) && bijective(verlet<double>()) &&
              bijective(symplectic_euler<double>()));
static_assert(dampable(reversible_heun<double>()) && !dampable(leapfrog<double>()) && !dampable(verlet<double>()));
static_assert(reversible_heun<double>().evaluations() == 1 && leapfrog<double>().evaluations() == 2 &&
              verlet<double>().evaluations() == 1 && !mccallum_foster(tableau::euler<double>).shares_ends());
static_assert(mccallum_foster(tableau::rk4<double>).evaluations() == 8);
static_assert(runge_kutta(tableau::dormand_prince5<double>).evaluations() == 6);
static_assert(two_registers(tableau::ees25<double>).exists && two_registers(tableau::ees27<float>).exists &&
              !two_registers(tableau::rk4<double>).exists);
}  // namespace revode
