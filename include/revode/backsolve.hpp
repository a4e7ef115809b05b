/// Backsolve: the continuous adjoint, for comparison with the field (Chen et al., arXiv 1806.07366; torchdiffeq's
/// odeint_adjoint). Forwards any method, nothing kept; back a solve of its own of (y, a), y' = f, a' = -(df/dy)' a,
/// with tolerances of its own, and theta_bar = int a' df/dtheta dt by the weights of its steps.
///
/// Its gradient is that of the differential equation and not of the solution that was computed: off by the tolerances,
/// O(tol), and worthless where y cannot be solved back, as where f contracts by more than 1 / precision (Gholami et
/// al., ANODE, arXiv 1902.10298). So Accounting::drift says by how much the y it came to missed the y of the way
/// forward; a large one means that the gradient means nothing. It stands at the grid's times alone:
///
///   begin; do { look at y() } while (advance());      turn; add to y_bar(); while (retreat()) add to y_bar(); finish
///
/// Cost of the way back: an evaluation and a VJP a stage, rejected steps included, and with the seminorm as many again
/// for theta_bar, of each stage with a weight of an accepted step. Memory: of an ordinary solve of d, and of one of
/// 2 d (without the seminorm 2 d + P lanes); no number of steps.
#pragma once
#include "revode/solve.hpp"

namespace revode {
/// (y, a) and, when asked, theta's cotangents a sample: x = [dim + dim + params][lanes]. It has no VJP of its own.
template <class T>
class AdjointField final : public Map<T> {
 public:
  constexpr AdjointField(const Map<T>& field, bool with_theta) : field_(&field), with_theta_(with_theta) {}
  constexpr Shape shape(Extent e) const override {
    const Shape f = field_->shape(e);
    const int rows = 2 * f.out + (with_theta_ ? f.params : 0);
    return {rows, rows, f.params, 0, padded(f.tape) + f.work};
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;

 private:
  const Map<T>* field_;
  bool with_theta_;
};

template <class T>
struct BacksolvePlan {
  Method<T> method = runge_kutta(tableau::dormand_prince5<T>);       ///< forwards: of one y
  Control<T> control;                                                ///< none: the grid's steps
  Method<T> method_back = runge_kutta(tableau::dormand_prince5<T>);  ///< runge_kutta()
  Control<T> control_back;                                           ///< none: the grid's steps
  /// theta's cotangents have no say in the steps back (Kidger et al., arXiv 2009.09457); without it they are rows of
  /// the solve like others.
  bool seminorm = true;
  long kept_times = 0;  ///< given times between the ends at which y is set right on the way back: all, or 0: none
  T drift_bound = 0;    ///< most drift; 0: any
};

template <class T>
class Backsolve {
 public:
  using Scalar = T;
  /// Validates the plan and takes all bytes. `field` must outlive it.
  Status init(Arena& arena, const Map<T>& field, const BacksolvePlan<T>& plan, int lanes);
  static std::size_t bytes(const Map<T>& field, const BacksolvePlan<T>& plan, int lanes);

  Status begin(const Grid<T>& grid, const T* theta, const T* y0);
  /// To the next of the grid's times. False at the last one or on failure.
  bool advance();
  /// As Trajectory::turn(). times_bar costs an evaluation at each end of an interval: with a the cotangent of y(t) that
  /// later times ask for and b what the loss asks for at t, dL/dt is b . f there, and at the first time -a . f.
  Status turn(const ThetaBar<T>& theta_bar, T* times_bar = nullptr);
  /// To the time before.
  bool retreat();
  Status finish(T* y0_bar);
  /// recomputed: steps of the way back; rejected: of both ways.
  Accounting accounting() const;

  long n() const { return at_; }           ///< which of the grid's times
  const T* y() const { return z_; }        ///< [dim][lanes] there; on the way back as it was found again, or set right
  T* y_bar() const { return z_ + d_; }     ///< [dim][lanes] add what the loss asks for
  std::size_t size() const { return d_; }  ///< dim * lanes
  Status status() const { return status_; }

 private:
  using Back = Walk<Real<T>, Forgotten, AdjointField<T>>;
  bool failed(Status why) { return revode::fail(&status_, why), false; }
  void place(Arena& arena, const Map<T>& field, const BacksolvePlan<T>& plan, int lanes);
  void keep();
  bool solve_back();
  void add_theta(const Step<T>& s);
  T rate();
  void mend();

  BacksolvePlan<T> plan_;
  const Map<T>* field_ = nullptr;
  Trajectory<T>* forward_ = nullptr;
  Back* back_ = nullptr;
  Grid<T> grid_;
  Call<T> call_;
  ThetaBar<T> theta_bar_;
  T* times_bar_ = nullptr;
  T *z_ = nullptr, *kept_ = nullptr;  // [y, a, theta's][lanes]; [1 + kept_times][d], y at the times but the last
  T *slope_ = nullptr, *weighted_ = nullptr;  // [d]
  std::byte* tape_ = nullptr;
  std::size_t d_ = 0;
  int params_ = 0;
  long at_ = 0;
  Status status_ = Status::ok;
  Accounting done_;  // on the way back
};
}  // namespace revode
