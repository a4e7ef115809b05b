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
  void init(const Control<T>& control, int order) { control_ = control, exponent_ = 1 / static_cast<T>(order + 1); }
  const Control<T>& control() const { return control_; }
  void begin();
  int rung() const { return floor(wish_); }
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
    return (!clipped && !rejected_ && surely(error, 0)) || weigh(error, clipped, taken);
  }
  /// Squares of errors between which a step is surely accepted and moves the rung by -1, 0 and 1, if neither it is
  /// clipped nor the one before was rejected, and between which one that is not clipped is surely rejected and moves it
  /// by -1; nothing lies between zeros.
  void sure(T (&low)[3], T (&high)[3], T (&refused)[2]) const {
    constexpr T margin = sizeof(T) == 4 ? T(2e-4) : T(2e-8);
    for (int i = 0; i < 3; ++i) {
      const T above = edge_[i + 1] * (1 + margin), below = (edge_[i] < 1 ? edge_[i] : T(1)) * (1 - margin);
      low[i] = above * above, high[i] = below * below;
    }
    const T worst = edge_[0] * (1 - margin);
    refused[0] = (1 + margin) * (1 + margin), refused[1] = worst * worst;
  }
  bool rejected() const { return rejected_; }
  /// judge() of such a step. False: it has to be asked.
  bool move(int by) {
    const T to = static_cast<T>(floor(wish_) + by);
    if (rejected_ || !(to < 0)) return false;
    return wish_ = to, true;
  }
  /// judge() of one that is surely accepted and leaves the rung, and of one that is surely rejected.
  void pass() { rejected_ = false; }
  void refuse() { wish_ = static_cast<T>(floor(wish_) - 1), rejected_ = true; }

 private:
  bool weigh(T error, bool clipped, int taken);
  /// With the integral controller an error moves the rung by as much whatever the wish. Between its edges, and not too
  /// near to one, no logarithm is needed to say so.
  bool surely(T error, int move) const {
    constexpr T margin = sizeof(T) == 4 ? T(1e-4) : T(1e-8);
    return error < edge_[move + 1] * (1 - margin) && error > edge_[move + 2] * (1 + margin);
  }
  Control<T> control_;
  T exponent_ = 1, least_ = 0, most_ = 0, safety_ = 0;  // the latter in rungs
  T last_ = 0, before_last_ = 0;                        // errors, as the rungs that would make up for them
  T wish_ = 0;                                          // in rungs
  T edge_[4] = {};                                      // errors between moves of -1, 0 and 1; 0: not known
  bool rejected_ = false;
};

/// The norm of a tile that Control speaks of; e[dim][lanes] is used up. Squares are summed in chains of rows that many
/// apart, and the chains in one.
inline constexpr int norm_chains = 8;
template <class T>
T scaled_norm(int dim, int lanes, const Control<T>& c, T* e, const T* y0, const T* y1);
}  // namespace revode
