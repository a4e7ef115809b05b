/// Readout: the solution at each sample's own times, read from the tile's shared steps by the cubic Hermite
/// interpolant, and its VJP. With x = (t - t_n)/h:
///
///   y = (1 - 3x^2 + 2x^3) y_n + (3x^2 - 2x^3) y_{n+1} + h (x - 2x^2 + x^3) f_n + h (x^3 - x^2) f_{n+1}
///
/// Error O(h^4) beside the method's own; a time that is a node is read exactly. With a tableau that has a continuous
/// extension (Dormand-Prince 5, Tsitouras 5) and solves by it: + x^2 (1 - x)^2 h sum_i bulge_i k_i (form.hpp), error
/// O(h^5), for s evaluations more a step that is read, and as many with their VJPs on the way back. One evaluation a
/// node that is read on the way forward, one evaluation and one VJP on the way back. An observer of a solve: the walk
/// does not know it.
///
///   begin; do look(); while (advance());       turn; do pull(); while (retreat());
#pragma once
#include "revode/solve.hpp"

namespace revode {
template <class T>
class Readout {
 public:
  /// `capacity`: most observations a lane; `base`: of the solve's runge_kutta(), for the fourth order.
  constexpr void place(Arena& arena, const Map<T>& field, int lanes, int capacity, const Tableau<T>* base = nullptr) {
    const Shape s = field.shape({lanes, 0});
    field_ = &field, lanes_ = static_cast<std::size_t>(lanes), dim_ = s.out, capacity_ = capacity;
    const std::size_t n = lanes_ * static_cast<std::size_t>(dim_);
    for (int side = 0; side < 2; ++side) y_[side] = arena.take<T>(n), f_[side] = arena.take<T>(n);
    weight_ = arena.take<T>(4 * lanes_);
    bulges_ = base && base->continuous;
    if (bulges_) flow_.place(arena, field, bulge(*base), lanes, true, false), factor_ = arena.take<T>(lanes_);
    tape_ = arena.take<std::byte>(s.tape);
    work_ = arena.take<std::byte>(s.work);
  }
  /// times[count][lanes]: each lane's own, in the direction of integration; a lane with fewer repeats a time beyond the
  /// end (such as infinity), which reads 0. rate: the interpolant's derivative there (null: not wanted), so that the
  /// cotangent of a lane's time is the sum over dim of at_bar * rate. times, at and rate outlive the solve.
  Status begin(int count, const T* times /*[count][lanes]*/, T* at /*[count][dim][lanes]*/, T* rate = nullptr);
  /// After begin() of the solve and after every advance().
  void look(Trajectory<T>& solve);
  /// Reads times[lanes] in the step the cursor has just made, between look() and the next advance(); a lane's time
  /// outside of it reads 0.
  void interpolate(Trajectory<T>& solve, const T* times, T* at /*[dim][lanes]*/, T* rate /*[dim][lanes]*/);
  /// After turn() and after every retreat(): adds the cotangents at_bar[count][dim][lanes] that reach this node, and,
  /// where turn() was asked for those of the grid's times, what the readings say of them, their own times held. A
  /// reading at an end of the grid has a derivative to one side only: that of a solve which covers it.
  void pull(Trajectory<T>& solve, const T* at_bar);

 private:
  std::size_t size() const { return lanes_ * static_cast<std::size_t>(dim_); }
  Call<T> call(Trajectory<T>& solve, long node) const;
  const T* row(int o) const { return times_ + static_cast<std::size_t>(o) * lanes_; }  ///< of times
  /// Fills weight_[4][lanes] of one row of times in a step; lanes not read there get zeros. False when no lane is read.
  bool weigh(const Step<T>& s, const T* times);
  bool reads(const Step<T>& s);
  /// The same of the derivative with respect to the time read.
  void weigh_rate(const Step<T>& s, const T* times);
  void add_row(T* out) const;
  /// One row of times, where a lane is read in the step: added to at, and to rate where that is wanted.
  void read(Trajectory<T>& solve, const Step<T>& s, const T* times, T* at, T* rate);
  /// The method z += h sum_i bulge_i k_i(y), whose step and transpose are those of any word.
  static constexpr Method<T> bulge(Tableau<T> base) {
    base.b = base.bulge;
    return {"bulge", 2, 1, 1, {push(1, +1, increment(1, 0, 0))}, {}, base, 0};
  }
  /// The bulge of a step that begins at y into the flow's second register.
  void rise(Trajectory<T>& solve, const Step<T>& s, const T* y);
  /// factor_[lanes]: x^2 (1 - x)^2, or its derivative in t; 0 where a lane is not read.
  void factors(const Step<T>& s, const T* times, bool derivative);
  void add_bulge(T* out) const;  ///< out[dim][lanes] += factor_ times it
  void pull_bulge(Trajectory<T>& solve, const Step<T>& s, const T* at_bar);
  void pull_bulge_times(Trajectory<T>& solve, const Step<T>& s, const T* at_bar);
  /// One side's part in the cotangents of a step's times, f_[1] being the slope there.
  void pull_times(Trajectory<T>& solve, const Step<T>& s, int side, const T* at_bar);
  const T* bar_row(const T* at_bar, int o) const { return at_bar + static_cast<std::size_t>(o) * size(); }
  /// f at both ends of the step the cursor has made.
  void evaluate(Trajectory<T>& solve);
  /// False when no row is read in the step.
  bool add_step(const Step<T>& s, int side, const T* at_bar, T* y_bar, T* f_bar);
  const Map<T>* field_ = nullptr;
  const T* times_ = nullptr;
  T *at_ = nullptr, *rate_ = nullptr;
  T *y_[2] = {}, *f_[2] = {}, *weight_ = nullptr;
  std::byte *tape_ = nullptr, *work_ = nullptr;
  std::size_t lanes_ = 1;
  int dim_ = 1, capacity_ = 0, count_ = 0, first_ = 0, last_ = 0;
  Flow<Real<T>> flow_;
  T* factor_ = nullptr;  // [lanes]
  bool bulges_ = false, risen_ = false;
  bool ready_[2] = {false, false};  // f_ belongs to the state beside it
};
}  // namespace revode
