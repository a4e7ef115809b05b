/// LowStorage: the flow of an explicit Runge-Kutta method that has Williamson's form (tableaus/two_registers.hpp), in
/// four registers whatever its stages: y and Q, and their cotangents. It is there for EES(2,5) and EES(2,7) walked back
/// in floats (Shmelev et al., arXiv 2507.21006), and serves any way that recalls states as well.
///
/// pull() goes forwards once more from y_n, keeping nothing but Y and Q, and then takes the stages back, i = s .. 1,
///
///   Q_bar = A_{i+1} Q_bar + h B_i y_bar,  y_bar += vjp(Y_i; Q_bar),  Y_{i-1} = Y_i - h B_{i-1} Q_{i-1},
///   Q_{i-1} = (Q_i - k_i) / A_i
///
/// for 2 s - 1 evaluations and s VJPs; the last stage's is at hand. Its stages are those of the step but for their
/// rounding. Steps forwards differ from the plain form's in rounding alone. Memory: 6 d (the four registers, a slope,
/// the user's y) and one tape, where the plain form takes (7 + 2 s) d and s tapes. Adaptive: d more.
#pragma once
#include "revode/flow.hpp"

namespace revode {
template <class N, class F = Map<typename N::Scalar>>
class LowStorage : public Flow<N, F> {
 public:
  using T = typename N::Scalar;
  using Base = Flow<N, F>;
  using Base::state, Base::bar, Base::y, Base::times, Base::t_bar, Base::h_bar;
  static_assert(!N::exact, "it drifts: what is undone exactly needs a bijective word");

  constexpr void place(Arena& arena, const F& field, const Method<T>& method, int lanes, bool pulls, bool measures,
                       bool returns = true);
  void step(const Step<T>& s, BitLog* log);
  void step_back(const Step<T>& s) { step({s.n, s.t1, s.t0, -s.h, s.damping, s.offset}, nullptr); }
  void pull(const Step<T>& s);
  /// y is the state that is held.
  void hold() {}
  void release();

 private:
  using Base::n_, Base::method_, Base::w_, Base::delta_;
  void climb(const Step<T>& s, bool whole);
  T stage_time(const Step<T>& s, int i) const { return s.t0 + method_.base.c(i) * s.h; }
  TwoRegisters<T> form_;
};

template <class N, class F>
constexpr void LowStorage<N, F>::place(Arena& arena, const F& field, const Method<T>& method, int lanes, bool,
                                       bool measures, bool returns) {
  const Shape shape = field.shape({lanes, 0});
  Base::field_ = &field;
  Base::Settings::choose(shape, method, lanes, measures, returns);
  form_ = two_registers(method.base), Base::one_tape_ = true;
  state = arena.take<T>(n_);
  if (returns) bar = arena.take<T>(n_);
  y = arena.take<T>(n_);
  delta_ = arena.take<T>(n_);
  if (returns || measures) w_ = arena.take<T>(n_);
  Base::own_.slopes = arena.take<T>(n_);
  Base::own_.tapes = Base::spare_ = arena.take<std::byte>(padded(shape.tape));
  Base::desk_ = Base::own_;
  if (measures) Base::error_ = arena.take<T>(n_);
  Base::call.extent = {lanes, 0};
  Base::call.work = arena.take<std::byte>(shape.work);
}
}  // namespace revode
