/// Control of the step by its error (Hairer et al., II.4; Soderlind, ACM TOMS 29 (2003)). With e the error in units of
/// the tolerance, and k the order of the estimate plus one, the step is multiplied by
///
///   safety e_n^{-(p + i + d)/k} e_{n-1}^{(p + 2 d)/k} e_{n-2}^{-d/k}
///
/// in whole rungs of 2^(1/4), rounded down (ladder.hpp). All in logarithms of our own, so a step has the same bits on
/// every machine.
///
/// Estimates, of the push forwards in time where there is one (McCallum-Foster's, at z_n):
///
///   by      estimate                   order          of
///   pair    h sum (b_i - b_hat_i) k_i  the embedded   tableaus with b_hat
///   slope   Psi_h - h k_1              1              other tableaus: Euler's step is the lower one
///   step    y1 - y0 - h f_0            1              one evaluation a step; f_0 is v of the asynchronous leapfrog,
///                                                     f(t0, z0) of reversible Heun
#pragma once
#include "revode/word.hpp"

namespace revode {
/// diffrax's parametrisation.
template <class T>
struct Coefficients {
  T p, i, d;
};
/// The error of the last step alone (Hairer et al., II.4): the default, where accuracy sets the step.
template <class T>
inline constexpr Coefficients<T> integral{0, 1, 0};
/// Gustafsson's PI (Hairer and Wanner, Solving ODEs II, IV.2): fewer rejections where stability sets the step, as on
/// mildly stiff fields.
template <class T>
inline constexpr Coefficients<T> proportional_integral{T(.4), T(.3), 0};
/// PID: the filter H312 of Soderlind 2003, exponents 1/18, 1/9, 1/18 of the last three errors: the smoothest sequence
/// of steps, where the computed solution should change little with tolerances and parameters.
template <class T>
inline constexpr Coefficients<T> h312{T(-2) / 9, T(2) / 9, T(1) / 18};

/// Tolerances: a step is accepted when, in every lane of the tile, the root mean square over its rows of error / (atol
/// + rtol max(|y0|, |y1|)) is at most 1. Both 0: the grid's own steps. The grid's times are stood on exactly.
template <class T>
struct Control {
  T rtol = 0, atol = 0;
  Coefficients<T> coefficients = integral<T>;
  T safety = T(.9), shrink = T(.2), grow = 10;  ///< the factor's limits
  T first_step = 0;                             ///< its size; 0: by Hairer's rule, two evaluations
  long most_steps = 4096;                       ///< accepted ones; 2 bits each
  long most_jumps = 256;                        ///< moves by more than a rung, and given times; 16 bytes each

  constexpr bool adaptive() const { return rtol > 0 || atol > 0; }
  constexpr bool valid() const {
    if (!(rtol >= 0) || !(atol >= 0) || !(first_step >= 0)) return false;
    if (!(safety > 0) || !(safety < 1) || !(shrink > 0) || !(shrink < 1) || !(grow > 1)) return false;
    return most_steps > 0 && most_jumps > 0;
  }
};

enum class Estimator : unsigned char { none, pair, slope, step };
template <class T>
struct Estimate {
  Estimator by = Estimator::none;
  int letter = 0, order = 0;  ///< the letter it looks at
};
template <class T>
constexpr Estimate<T> estimate_of(const Method<T>& m) {
  if (m.read != 1) return {};
  for (int i = 0; i < m.letters; ++i) {
    const Letter& l = m.word[i];
    if (l.kind != Kind::push || !(l.c > 0)) continue;
    if (m.multistep > 0) return {Estimator::pair, i, m.multistep};
    if (m.base.embedded_order > 0 && !m.low_storage) return {Estimator::pair, i, m.base.embedded_order};
    if (m.base.advancing() > 1) return {Estimator::slope, i, 1};
    break;
  }
  const bool slope_at_hand = m.word[0].kind != Kind::relax;
  if (slope_at_hand && m.lifts() && dampable(m)) return {Estimator::step, 0, 1};
  return {};
}
/// The last stage of a pair is f at the end of the step, and serves the estimate only.
template <class T>
constexpr bool first_same_as_last(const Tableau<T>& m) {
  const int last = m.stages - 1;
  if (m.advancing() != last) return false;
  for (int j = 0; j < last; ++j)
    if (m.A(last, j) < m.b[j] || m.A(last, j) > m.b[j]) return false;
  return true;
}
static_assert(first_same_as_last(tableau::dormand_prince5<double>) && first_same_as_last(tableau::tsitouras5<float>) &&
              first_same_as_last(tableau::bogacki_shampine<double>) && !first_same_as_last(tableau::heun<double>));
static_assert(estimate_of(runge_kutta(tableau::euler<double>)).by == Estimator::none);
static_assert(estimate_of(mccallum_foster(tableau::euler<double>)).by == Estimator::none);
static_assert(estimate_of(leapfrog<double>()).by == Estimator::none);
static_assert(estimate_of(alf<double>()).by == Estimator::step);
static_assert(estimate_of(reversible_heun<double>()).by == Estimator::step);
static_assert(estimate_of(mccallum_foster(tableau::rk4<double>)).letter == 1);

/// Which rung the next step should have. Its state is the wished-for step, not rounded to a rung, and the errors of the
/// last accepted steps.
template <class T>
class Controller {
 public:
  void init(const Control<T>& control, int order);
  const Control<T>& control() const { return control_; }
  void begin() { last_ = before_last_ = 0, rejected_ = false; }
  int rung() const { return rung_; }
  static int floor(T x) {
    const int whole = static_cast<int>(x);
    return static_cast<T>(whole) > x ? whole - 1 : whole;
  }
  /// The rung of a first step of h in a span.
  void first(T h, T span);
  /// Hairer's rule. trial: a step h0 for a second evaluation, from the norms of y0 and f0; first: from that of (f1 -
  /// f0) / h0 as well.
  static T trial_step(T y0, T f0) { return y0 < T(1e-5) || f0 < T(1e-5) ? T(1e-6) : T(.01) * y0 / f0; }
  T first_step(T h0, T f0, T change) const;
  /// Is a step with this error (any non-finite number: no) accepted? Moves the rung, which `taken` says of the step as
  /// it was if it was clipped.
  bool judge(T error, bool clipped, int taken) {
    return (!clipped && !rejected_ && surely_stays(error)) || weigh(error, clipped, taken);
  }

  // ---- what is said without a logarithm. With the integral controller an error moves the rung by as much whatever the
  // wish: between its edges, and not too near to one, it is clear by how much.
  static constexpr int farthest = 4, unclear = farthest + 1, edges = 2 * farthest + 2;
  /// The same for squares of errors, `terms` of which are added up.
  struct Squares {
    T below[edges], above[edges], good, bad;  ///< each edge less and more a margin; less than good: surely accepted,
                                              ///< more than bad: surely rejected
    /// By how many rungs a step surely moves that is not clipped, if it is rejected or the one before was not.
    int move(T square) const { return between(square, below, above); }
    /// Between these it is surely accepted and moves so far.
    T low(int by) const { return above[farthest - by]; }
    T high(int by) const {
      const T edge = below[farthest + 1 - by];
      return edge < good ? edge : good;
    }
    bool is(int by, T square) const { return square > low(by) && square < high(by); }
  };
  Squares squares(T terms) const {
    Squares s;
    for (int i = 0; i < edges; ++i) {
      const T less = edge_[i] * (1 - margin), more = edge_[i] * (1 + margin);
      s.below[i] = less * less * terms, s.above[i] = more * more * terms;
    }
    s.good = (1 - margin) * (1 - margin) * terms, s.bad = (1 + margin) * (1 + margin) * terms;
    return s;
  }
  bool rejected() const { return rejected_; }
  /// judge() of a step that is surely accepted and moves so far. False: it has to be asked.
  bool move(int by) {
    if (rejected_ || !(rung_ + by < 0)) return false;
    return stand(rung_ + by), true;
  }
  /// judge() of one that is surely accepted and leaves the rung, and of one that is surely rejected, whose next try is
  /// lower whatever the factor's limits.
  void pass() { rejected_ = false; }
  void refuse(int by) { stand(rung_ + (by < -1 ? by : -1)), rejected_ = true; }

 private:
  static constexpr T margin = sizeof(T) == 4 ? T(1e-4) : T(1e-8);
  static int between(T error, const T* below, const T* above) {
    int least = 0, most = 0;
    for (int i = 0; i < edges; ++i) least += error > above[i], most += error > below[i];
    return least == most && least > 0 && least < edges ? farthest + 1 - least : unclear;
  }
  bool weigh(T error, bool clipped, int taken);
  bool surely_stays(T error) const {
    const T high = edge_[farthest + 1] < 1 ? edge_[farthest + 1] : T(1);
    return error < high * (1 - margin) && error > edge_[farthest] * (1 + margin);
  }
  void stand(int rung) { rung_ = rung, wish_ = static_cast<T>(rung); }
  void wish(T rungs) { wish_ = rungs, rung_ = floor(rungs); }
  Control<T> control_;
  T exponent_ = 1, least_ = 0, most_ = 0, safety_ = 0;  // the latter in rungs
  T last_ = 0, before_last_ = 0;                        // errors, as the rungs that would make up for them
  T wish_ = 0;                                          // in rungs
  int rung_ = 0;
  T edge_[edges] = {};  // errors between moves of farthest + 1, farthest ... -farthest - 1; all 0: not known
  bool rejected_ = false;
};

/// The norm of a tile that Control speaks of; e[dim][lanes] is used up. Squares are summed in chains of rows that many
/// apart, and the chains in one.
inline constexpr int norm_chains = 8;
template <class T>
T scaled_norm(int dim, int lanes, const Control<T>& c, T* e, const T* y0, const T* y1);
}  // namespace revode
