/// Inlined: the ordinary solve of a field that the compiler sees, for whom a call an operation is too dear: small
/// systems on a host (Lorenz, Dormand and Prince: a twentieth of the time of the run-time solve) and ensembles, many
/// of them side by side in registers.
///
///   struct Lorenz {  // as for Automatic
///     static constexpr int dim = 3, params = 3;
///     template <class S> constexpr void operator()(S t, const S* y, const S* theta, S* dy) const { ... }
///   };
///   constexpr Automatic<double, Lorenz> field;
///   Inlined<double, Lorenz, tableau::dormand_prince5<double>> solve;      // 1 sample; <..., 8>: tiles, 8 at a time
///   Plan<double> plan = inference(runge_kutta(tableau::dormand_prince5<double>));
///   plan.control.rtol = 1e-8;
///   Status status = solve.init(arena, field, plan, 1);
///   status = run(solve, {0, 10}, theta, y0);
///
/// Every stage is unrolled over a constexpr tableau and the field's own arithmetic, with dim * stages numbers in
/// registers; what is multiplied by h is multiplied when h changes. States, steps and errors have the bits that
/// Solve<T> gives the same plan (tests/numerics/inlined.cpp), provided that who includes this compiles with
/// -ffp-contract=off. Explicit Runge-Kutta methods in floats; ways: Forgotten, Stored, Checkpointed, whose way back is
/// the traced program's. The stack holds dim * (stages + 8) numbers a sample. Without -fno-tree-slp-vectorize GCC packs
/// a small system's scalars and loses by it. run() without a way back is faster than advance() by advance(): over given
/// steps it sweeps, registers abreast; those of one sample under control follow each other in registers, and of their
/// errors no root and no logarithm is taken unless one could change a decision. An ensemble, lanes as many as it has
/// samples:
///
///   Inlined<double, Lorenz, tableau::rk4<double>, kernel::width<double>> all;   // a register's samples at a time
///
/// Beside static_solve.hpp: that one knows the plan and the field's sizes, has every way back and exact reversal, one
/// lane and equal steps, and is small: devices, and training on one sample. This one sees the field's formula, keeps
/// stages in registers, chooses steps and takes lanes: solving fast what can be written as a formula.
#pragma once
#include <algorithm>

#include "revode/automatic.hpp"
#include "revode/impl/pack.hpp"
#include "revode/impl/roots.hpp"
#include "revode/impl/solve_impl.hpp"

namespace revode {
/// W samples of a number, side by side in a register: the scalar of a field. Operations have the bits of Automatic's.
template <class T, int W>
class Lanes {
  using O = kernel::On<T, W>;
  using V = typename O::V;

 public:
  Lanes() = default;
  REVODE_INLINE Lanes(double value) : v_(O::all(static_cast<T>(value))) {}
  static REVODE_INLINE Lanes all(T value) { return Lanes(O::all(value), exactly); }
  static REVODE_INLINE Lanes load(const T* at) { return Lanes(O::load(at), exactly); }
  REVODE_INLINE void store(T* at) const { O::store(at, v_); }
  explicit REVODE_INLINE operator V() const { return v_; }
  /// c x + sum, rounded once
  static REVODE_INLINE Lanes fma(T c, Lanes x, Lanes sum) { return {O::fma(O::all(c), x.v_, sum.v_), exactly}; }

  friend REVODE_INLINE Lanes operator+(Lanes a, Lanes b) { return {a.v_ + b.v_, exactly}; }
  friend REVODE_INLINE Lanes operator-(Lanes a, Lanes b) { return {a.v_ - b.v_, exactly}; }
  friend REVODE_INLINE Lanes operator*(Lanes a, Lanes b) { return {a.v_ * b.v_, exactly}; }
  friend REVODE_INLINE Lanes operator/(Lanes a, Lanes b) { return a * Lanes{T(1) / b.v_, exactly}; }
  friend REVODE_INLINE Lanes operator/(Lanes a, double b) { return a * Lanes(1 / b); }
  friend REVODE_INLINE Lanes operator-(Lanes a) { return Lanes(0.) - a; }
  REVODE_INLINE Lanes& operator+=(Lanes b) { return *this = *this + b; }
  REVODE_INLINE Lanes& operator-=(Lanes b) { return *this = *this - b; }
  REVODE_INLINE Lanes& operator*=(Lanes b) { return *this = *this * b; }
  friend Lanes exp(Lanes a) { return through(kernel::Function::exp, a); }
  friend Lanes log(Lanes a) { return through(kernel::Function::log, a); }
  friend Lanes sin(Lanes a) { return through(kernel::Function::sin, a); }
  friend Lanes cos(Lanes a) { return through(kernel::Function::cos, a); }
  friend Lanes sqrt(Lanes a) { return through(kernel::Function::sqrt, a); }
  friend Lanes tanh(Lanes a) {
    T x[W];
    a.store(x);
    kernel::activate(Activation::tanh, W, x, x);
    return load(x);
  }

 private:
  enum Exactly { exactly };
  REVODE_INLINE Lanes(V v, Exactly) : v_(v) {}
  static Lanes through(kernel::Function f, Lanes a) {
    T x[W];
    a.store(x);
    kernel::evaluate(f, W, x, x);
    return load(x);
  }
  V v_;
};

/// The flow of an explicit Runge-Kutta method, W lanes at a time; 1: of a single sample.
template <class N, class F, const Tableau<typename N::Scalar>& base, int W>
class InlinedFlow : public Flow<N, F> {
 public:
  using T = typename N::Scalar;
  using Base = Flow<N, F>;
  using Base::state, Base::y, Base::measure;
  static_assert(!N::exact, "increments are added in floats");

  constexpr void place(Arena& arena, const F& field, const Method<T>&, int lanes, bool pulls, bool measures,
                       bool returns = true) {
    Base::place(arena, field, runge_kutta(base), lanes, pulls, measures, returns);
  }
  void init(const T* theta, const int (&fraction_bits)[2]) {
    Base::init(theta, fraction_bits);
    for (Scaled& c : scaled_) c.h = 0;
  }
  void step(const Step<T>& s, BitLog*);
  const T* stage(int) const = delete;  // they leave no trace
  static bool takes(const Plan<T>& plan, int lanes) {
    const Tableau<T>& m = plan.method.base;
    return m.a == base.a && m.b == base.b && plan.method.registers == 1 && !plan.keep_stages && (W > 1 || lanes == 1);
  }

  /// In front of a step y is the state.
  void hold() {}
  void release() {
    copy(state, y);
    ran_ahead_ = false, fresh_ = true;
  }
  REVODE_INLINE void settle() {
    if (ran_ahead_) copy(slope(0), slope(advancing));
    fresh_ = ran_ahead_, ran_ahead_ = false;
  }
  bool guard() { return true; }
  /// Steps [from, to) of a clock of given steps, whose states between nobody asks for: some packs abreast, so that the
  /// one computes while the other waits, stay in registers for many steps.
  template <class Clock>
  void sweep(const Clock& clock, long from, long to);
  /// Steps under control as long as they are proposed, of one sample: state and stages stay in registers from step to
  /// step. Returns the sum of squares of the last error.
  static constexpr bool strides = W == 1;
  static constexpr int terms() { return dim; }
  template <class Pace>
  T stride(Pace& pace);
  REVODE_INLINE void read() { copy(y, state); }
  REVODE_INLINE T error(const Control<T>& control);
  T first_step(const Controller<T>& controller, T t0, T span) {
    return Base::first_step(controller, t0, span, [this](T t, const T* x, T* f, std::byte*) {
      const std::size_t n = lanes();
      std::size_t l = 0;
      for (; l + W <= n; l += W) evaluate<W>(t, x + l, f + l, n);
      for (; l < n; ++l) evaluate<1>(t, x + l, f + l, n);
      ++Base::evaluations;
    });
  }

 private:
  using Base::fresh_, Base::ran_ahead_, Base::slope, Base::error_;
  using Rule = typename F::Rule;
  static constexpr int dim = Rule::dim, params = Rule::params, stages = base.stages, advancing = base.advancing();
  static constexpr bool pair = base.embedded_order > 0, ahead = pair && first_same_as_last(base);
  static constexpr bool zero(T a) { return !(a < 0) && !(a > 0); }
  static constexpr bool always(int) { return true; }
  static constexpr bool moves(int j) { return !zero(base.b[j]); }
  static constexpr bool begins(int j) {  // the sum of what moves
    for (int i = 0; i < j; ++i)
      if (moves(i)) return false;
    return true;
  }

  std::size_t lanes() const { return W == 1 ? 1 : static_cast<std::size_t>(Base::call.extent.lanes); }
  REVODE_INLINE void copy(T* to, const T* from) const {
    for (std::size_t i = 0; i < dim * lanes(); ++i) to[i] = from[i];
  }
  template <int V>
  struct Theta {
    Lanes<T, V> at[params > 0 ? params : 1];
    REVODE_INLINE explicit Theta(const T* theta) {
      for (int i = 0; i < params; ++i) at[i] = Lanes<T, V>::all(theta[i]);
    }
  };
  template <int V>
  void evaluate(T t, const T* x, T* f, std::size_t n) const;
  /// The tableau times a step's size, which it belongs to.
  struct Scaled {
    T h, a[stages * (stages - 1) / 2 + 1], b[stages], e[stages];
  };
  static void scale(Scaled& c, T h);
  /// That of this size. Those of neighbouring rungs are kept: a step of a size seen lately does not wait for it.
  REVODE_INLINE const Scaled& scaled(T h, int rung) {
    Scaled& c = scaled_[static_cast<unsigned>(rung) % sizes];
    if (!(c.h == h)) scale(c, h);
    return c;
  }
  template <int V>
  void step_lanes(const Step<T>& s, const Scaled& c, std::size_t l, std::size_t n);
  template <class S>
  void attempt(const Step<T>& s, const Scaled& c, const S* theta, const S* x, S (*k)[dim], S* psi, S* u) const;
  template <class S>
  void estimate_of(const Step<T>& s, const Scaled& c, const S* theta, const S* x, const S* psi, const S* u, S (*k)[dim],
                   S* e) const;
  static T squares(const T* miss, const T* y0, const T* y1, const Control<T>& control);
  static REVODE_INLINE T root_mean(T squares) {
    return squares - squares == 0 ? kernel::sqrt<T, 1>(squares / static_cast<T>(dim)) : squares;
  }
  static constexpr unsigned sizes = W == 1 ? 8 : 1;
  static constexpr int block = 32;  // steps in registers
  static constexpr int abreast = W == 1 ? 1 : std::clamp(kernel::registers / (3 * dim), dim < 8 ? 2 : 1, 4);
  template <int i, class S>
  void stage(S t, const Scaled& c, const S* theta, const S* x, S (*k)[dim], S* psi) const;
  template <int V, int count>
  void sweep_lanes(const Scaled& c, const T* t0, int steps, std::size_t l, std::size_t n) const;
  Scaled scaled_[sizes];
};

/// The walk of an inlined flow.
template <class T, class Rule, const Tableau<T>& base, int W = 1, template <class> class Way = Forgotten>
using Inlined = Walk<Real<T>, Way, Automatic<T, Rule>, InlinedFlow<Real<T>, Automatic<T, Rule>, base, W>>;
}  // namespace revode

#include "revode/impl/inlined_impl.hpp"
#include "revode/impl/stride_impl.hpp"
