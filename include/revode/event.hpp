/// Event: the first time at which a function c(y) of the state crosses zero, for each sample its own, and the state
/// there; an observer of a solve that may end it. The crossing is bracketed by the nodes of a step and found on the
/// cubic Hermite interpolant (readout.hpp) by bisection to the last bit of t, so t* and y* are differentiable with
/// respect to all that the solve depends on: with a = dL/dy*, b = dL/dt* and D = c_y . dy/dt at t*, the implicit
/// function theorem gives y* the cotangent a - (c_y / D) (a . dy/dt + b) at fixed t* (Chen, Amos, Nickel, ICLR 2021). c
/// sees no time: where it should, let the field carry time as a row. Two crossings within a step cancel and are not
/// seen.
///
///   begin; do { if (look()) break; } while (advance());      turn both; do pull(); while (retreat());
#pragma once
#include "revode/readout.hpp"

namespace revode {
template <class T>
class Event {
 public:
  enum class Crossing : unsigned char { either, rising, falling };

  /// function: dim -> 1; it outlives the event, as the field does.
  constexpr void place(Arena& arena, const Map<T>& field, const Map<T>& function, int lanes,
                       Crossing crossing = Crossing::either) {
    const Shape s = function.shape({lanes, 0});
    function_ = &function, lanes_ = static_cast<std::size_t>(lanes), dim_ = static_cast<std::size_t>(s.in);
    crossing_ = crossing;
    readout_.place(arena, field, lanes, 1);
    T** const rows[] = {&time_, &trial_, &last_, &here_, &low_, &high_, &slope_, &shift_};
    T** const tiles[] = {&at_, &rate_, &trial_at_, &trial_rate_, &at_bar_};
    for (T** row : rows) *row = arena.take<T>(lanes_);
    for (T** tile : tiles) *tile = arena.take<T>(dim_ * lanes_);
    tape_ = arena.take<std::byte>(s.tape);
    work_ = arena.take<std::byte>(s.work);
  }
  /// theta: of the function; outlives the solve.
  Status begin(const T* theta);
  /// After begin() of the solve and after every advance(): true when every sample has had its event.
  bool look(Trajectory<T>& solve);

  const T* time() const { return time_; }  ///< [lanes] t*; infinite where there was none
  const T* at() const { return at_; }      ///< [dim][lanes] y*; 0 where there was none

  /// After turn() of the solve, with the loss's cotangents of y* and t* (null: none): adds those of the function's
  /// parameters. Fails the solve with Status::grazing where the state met c = 0 at no finite speed.
  Status turn(Trajectory<T>& solve, const T* at_bar /*[dim][lanes]*/, const T* time_bar /*[lanes]*/,
              const ThetaBar<T>& theta_bar);
  /// After turn() and after every retreat().
  void pull(Trajectory<T>& solve) { readout_.pull(solve, at_bar_); }

 private:
  Call<T> call(Status* status) const;
  bool crosses(T from, T to) const;
  bool inner(std::size_t l) const { return trial_[l] != low_[l] && trial_[l] != high_[l]; }  ///< of its bracket
  /// Narrows the brackets of all samples that cross in the step just made to one bit, and reads them there.
  void locate(Trajectory<T>& solve);
  const Map<T>* function_ = nullptr;
  const T* theta_ = nullptr;
  Readout<T> readout_;
  T *time_ = nullptr, *at_ = nullptr, *rate_ = nullptr;                     // [lanes], [dim][lanes], [dim][lanes]
  T *trial_ = nullptr, *trial_at_ = nullptr, *trial_rate_ = nullptr;        // the same of a time that is tried
  T *last_ = nullptr, *here_ = nullptr, *low_ = nullptr, *high_ = nullptr;  // [lanes] c at both nodes, brackets
  T *at_bar_ = nullptr, *shift_ = nullptr, *slope_ = nullptr;  // [dim][lanes], [lanes], [lanes] of c over its step
  std::byte *tape_ = nullptr, *work_ = nullptr;
  std::size_t lanes_ = 1, dim_ = 1;
  Crossing crossing_ = Crossing::either;
};
}  // namespace revode
