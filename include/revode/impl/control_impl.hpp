/// Bodies of Walk under step control: propose, step from a kept copy of the state, judge.
#pragma once
#include "revode/solve.hpp"

namespace revode {
template <class N, template <class> class W, class F, class G>
Status Walk<N, W, F, G>::first() {
  const Grid<T>& grid = this->clock_.grid();
  const T span = grid.end(grid.intervals()) - grid.end(0), given = controller_->control().first_step;
  controller_->begin();
  const T h = given > 0 ? given : flow_.first_step(*controller_, grid.end(0), span);
  if (!(h > 0)) return Status::not_finite;
  controller_->first(h, span);
  this->clock_.ladder()->start(controller_->rung());
  flow_.measure = true;
  return Status::ok;
}

/// The step to be taken now; of a controlled one, its first proposal.
template <class N, template <class> class W, class F, class G>
Status Walk<N, W, F, G>::next(Step<T>& s) {
  if (controlled()) return this->clock_.propose(controller_->rung(), s);
  s = this->clock_.at(this->at_);
  return Status::ok;
}

/// For a flow that takes many steps in a row without the walk: what they are, and what becomes of those that are not
/// like the one before.
template <class T>
class Pace {
 public:
  /// terms: of whose squares the error of a step is the mean
  Pace(Ladder<T>& ladder, Controller<T>& controller, int terms)
      : ladder_(ladder), controller_(controller), squares_(controller.squares(static_cast<T>(terms))) {}
  /// The next one. False: there is none, or it is the last of all, which advance() takes.
  bool propose() {
    rung = controller_.rung();
    status = ladder_.propose(rung, s);
    clipped_ = ladder_.clipped();
    if (status != Status::ok || (clipped_ && ladder_.in_last_interval())) return false;
    alike = ladder_.alike(), low = squares_.low(0), high = clipped_ ? 0 : squares_.high(0);
    if (controller_.rejected()) alike = 1, low = -1;  // however small its error, the rung stays
    return true;
  }
  T ahead(long steps) const { return ladder_.ahead(steps); }
  /// Takes so many of them, all alike.
  void pass(long steps) { controller_.pass(), accept(steps); }
  /// Is it clear what becomes of the step behind `run` steps like it, the sum of squares of whose error this is? Says
  /// whether it is taken.
  bool clear(long run, T sum, bool& good) {
    if (clipped_) return false;
    // What is likely is a branch each: the next step then begins before this one's error is known.
    if (squares_.is(1, sum)) return good = true, take(run, 1);
    if (squares_.is(-1, sum)) return good = true, take(run, -1);
    const int by = squares_.move(sum);
    good = sum < squares_.good;
    if (by == Controller<T>::unclear || !(good || sum > squares_.bad)) return false;
    if (good) return take(run, by);
    if (run > 0) accept(run);
    return controller_.refuse(by), ++rejected, true;
  }
  bool judge(long run, T error) {
    const bool good = controller_.judge(error, clipped_, clipped_ ? ladder_.proposed_rung() : 0);
    if (run + good > 0) accept(run + good);
    rejected += !good;
    return good;
  }
  const Control<T>& control() const { return controller_.control(); }

  Step<T> s{};          ///< proposed
  int rung = 0;         ///< how high, if it is not clipped
  long alike = 0;       ///< as many of its size come next, if the sums of squares of their errors
  T low = 0, high = 0;  ///< lie between these
  long taken = 0, rejected = 0;
  Status status = Status::ok;

 private:
  bool take(long run, int by) { return controller_.move(by) && (accept(run + 1), true); }
  void accept(long steps) { ladder_.accept(steps), taken += steps; }

  Ladder<T>& ladder_;
  Controller<T>& controller_;
  const typename Controller<T>::Squares squares_;
  bool clipped_ = false;
};

/// All steps but the last.
template <class N, template <class> class W, class F, class G>
void Walk<N, W, F, G>::stride() {
  Pace<T> pace(*this->clock_.ladder(), *controller_, flow_.terms());
  const T error = flow_.stride(pace);
  this->at_ += pace.taken, steps_done_ += pace.taken, rejected_ += pace.rejected;
  forward_evaluations_ = flow_.evaluations;
  if (pace.status == Status::step_underflow && !(error - error == 0)) failed(Status::not_finite);
}

/// Steps, shorter and shorter until the error is within the tolerance; on failure the state is what it was.
template <class N, template <class> class W, class F, class G>
bool Walk<N, W, F, G>::adapt(Step<T>& s) {
  BitLog* log = way_.log();
  const std::size_t mark = log ? log->bits() : 0;
  flow_.hold();
  for (;;) {
    flow_.step(s, log);
    const bool in_range = flow_.guard();
    const T error = in_range ? flow_.error(controller_->control()) : static_cast<T>(__builtin_inff());
    Ladder<T>* ladder = this->clock_.ladder();
    const bool clipped = ladder->clipped();
    if (flow_.status == Status::ok && controller_->judge(error, clipped, clipped ? ladder->proposed_rung() : 0)) {
      ladder->accept(), flow_.settle();
      return true;
    }
    flow_.release();
    if (log) log->rewind(mark);
    forward_evaluations_ = flow_.evaluations;
    if (flow_.status != Status::ok) return false;
    ++rejected_;
    Status why = next(s);
    if (why == Status::step_underflow && !in_range) why = Status::range;
    if (why == Status::step_underflow && !(error - error == 0)) why = Status::not_finite;
    if (why != Status::ok) return failed(why);
  }
}
}  // namespace revode
