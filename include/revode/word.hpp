/// A method is a word of three letters over registers, as constexpr data; step, undo and transpose are loops over the
/// word (flow.hpp), so a wrong inverse or adjoint of a method cannot be written. a: the register acted on; b: the
/// register read.
///
///   letter                            act                          undo                        transpose
///   drift(a, c, b)                    a += c h b                   a -= c h b                  b_bar += c h a_bar
///   push (a, s, increment(c, tau, b)) a += s Psi                   a -= s Psi                  b_bar += s (dPsi/db)'
///   a_bar relax(a, s, x), x = b or f(tau,b) a = x + s m (a - x)          a = x + (a - x) / (s m)     x_bar += (1 - sm)
///   a_bar; a_bar *= sm
///
/// Psi = Psi_{ch}(t + tau h, b) is the increment of the base tableau, m the damping of the step: 1, or 1/2 at a halving
/// event. s = -1 reflects, s = 0 sets (allowed in the lift y0 -> registers only). Laws:
///   (uv)^-1 = v^-1 u^-1 and (uv)' = v'u';
///   a letter with a != b and s != 0 is a bijection of the integers modulo 2^w, whatever f is;
///   act, undo and transpose of a letter need the same evaluation at b, so reconstruction and VJP share it.
#pragma once
#include "revode/tableau.hpp"

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
  Letter word[max_letters];
  Letter lift;      // sets register 1 from register 0, the user's y; unused with one register
  Tableau<T> base;  // of Psi
  int order;

  /// Evaluations of f in one step forwards.
  constexpr int evaluations() const {
    int count = 0;
    for (int i = 0; i < letters; ++i) count += word[i].kind == Kind::push ? base.advancing() : word[i].field ? 1 : 0;
    return count;
  }
};

// ---- the catalogue: one line of letters a method
// ---------------------------------------------------------------------
/// Any explicit Runge-Kutta method: y += Psi_h(t, y). s evaluations a step; a == b: no inverse.
template <class T>
constexpr Method<T> runge_kutta(const Tableau<T>& base) {
  return {base.name, 1, 1, {push(0, +1, increment(1, 0, 0))}, {}, base, base.order};
}
/// McCallum and Foster, arXiv 2410.11648, with lambda = 1: y1 = y0 + Psi_h(t0, z0), z1 = z0 - Psi_{-h}(t1, y1), in the
/// form y1 = z0 + m (y0 - z0) + Psi that damping acts on. Order of the base; 2 s evaluations a step.
template <class T>
constexpr Method<T> mccallum_foster(const Tableau<T>& base) {
  enum : signed char { y, z };
  return {"mccallum_foster",
          2,
          3,
          {relax(y, +1, z), push(y, +1, increment(1, 0, z)), push(z, -1, increment(-1, 1, y))},
          relax(z, 0, y),
          base,
          base.order};
}
/// Asynchronous leapfrog (Mutze 2013; MALI, Zhuang et al. 2021): order 2, one evaluation a step.
template <class T>
constexpr Method<T> alf() {
  enum : signed char { x, v };
  return {"alf",
          2,
          3,
          {drift(x, .5f, v), relax(v, -1, slope(.5f, x)), drift(x, .5f, v)},
          relax(v, 0, slope(0, x)),
          tableau::euler<T>,
          2};
}

// ---- what a word knows about itself
// ------------------------------------------------------------------------------------
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
  for (int i = 0; i < m.letters; ++i)
    if (m.word[i].kind == Kind::relax && !m.word[i].field) return true;
  return false;
}
static_assert(!bijective(runge_kutta(tableau::rk4<double>)) && !dampable(runge_kutta(tableau::rk4<double>)));
static_assert(bijective(mccallum_foster(tableau::rk4<double>)) && dampable(mccallum_foster(tableau::rk4<double>)));
static_assert(bijective(alf<double>()) && dampable(alf<double>()) && alf<double>().evaluations() == 1);
static_assert(shares_scale(mccallum_foster(tableau::rk4<double>)) && !shares_scale(alf<double>()));
static_assert(mccallum_foster(tableau::rk4<double>).evaluations() == 8);
static_assert(runge_kutta(tableau::dormand_prince5<double>).evaluations() == 6);
}  // namespace revode
