/// Readout: the solution at each sample's own times, read from the tile's shared steps by the cubic Hermite
/// interpolant, and its VJP. With x = (t - t_n)/h: y = (1 - 3x^2 + 2x^3) y_n + (3x^2 - 2x^3) y_{n+1} + h (x - 2x^2 +
/// x^3) f_n + h (x^3 - x^2) f_{n+1}. Error O(h^4) beside the method's own; a time that is a node is read exactly. One
/// evaluation a node that is read on the way forward, one evaluation and one VJP on the way back. An observer of a
/// solve: the walk does not know it.
///
///   begin; do look(); while (advance());       turn; do pull(); while (retreat());
#pragma once
#include "revode/solve.hpp"

namespace revode {
template <class T>
class Readout {
 public:
  /// `capacity`: most observations a lane.
  constexpr void place(Arena& arena, const Map<T>& field, int lanes, int capacity) {
    const Shape s = field.shape({lanes, 0});
    field_ = &field, lanes_ = static_cast<std::size_t>(lanes), dim_ = s.out, capacity_ = capacity;
    const std::size_t n = lanes_ * static_cast<std::size_t>(dim_);
    for (int side = 0; side < 2; ++side) y_[side] = arena.take<T>(n), f_[side] = arena.take<T>(n);
    weight_ = arena.take<T>(4 * lanes_);
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
  /// After turn() and after every retreat(): adds the cotangents at_bar[count][dim][lanes] that reach this node.
  void pull(Trajectory<T>& solve, const T* at_bar);

 private:
  std::size_t size() const { return lanes_ * static_cast<std::size_t>(dim_); }
  Call<T> call(Trajectory<T>& solve, long node) const;
  /// Fills weight_[4][lanes] of one row of times in a step; lanes not read there get zeros. False when no lane is read.
  bool weigh(const Step<T>& s, const T* times);
  bool reads(const Step<T>& s);
  /// The same of the derivative with respect to the time read.
  void weigh_rate(const Step<T>& s, const T* times);
  void add_row(T* out) const;
  /// f at both ends of the step the cursor has made.
  void evaluate(Trajectory<T>& solve);
  void add_step(const Step<T>& s, int side, const T* at_bar, T* y_bar, T* f_bar);
  const Map<T>* field_ = nullptr;
  const T* times_ = nullptr;
  T *at_ = nullptr, *rate_ = nullptr;
  T *y_[2] = {}, *f_[2] = {}, *weight_ = nullptr;
  std::byte *tape_ = nullptr, *work_ = nullptr;
  std::size_t lanes_ = 1;
  int dim_ = 1, capacity_ = 0, count_ = 0, first_ = 0, last_ = 0;
  bool ready_[2] = {false, false};  // f_ belongs to the state beside it
};
}  // namespace revode
