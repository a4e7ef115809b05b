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
  Pace(Ladder<T>& ladder, Controller<T>& controller) : ladder_(ladder), controller_(controller) {
    controller.sure(low_, high_, refused_);
  }
  /// The next one. False: there is none, or it is the last of all, which advance() takes.
  bool propose() {
    rung = controller_.rung();
    status = ladder_.propose(rung, s);
    clipped_ = ladder_.clipped();
    if (status != Status::ok || (clipped_ && ladder_.in_last_interval())) return false;
    alike = ladder_.alike(), low = low_[1], high = clipped_ ? 0 : high_[1];
    if (controller_.rejected()) alike = 1, low = -1;  // however small its error, the rung stays
    return true;
  }
  T ahead(long steps) const { return ladder_.ahead(steps); }
  /// Takes so many of them, all alike.
  void pass(long steps) { controller_.pass(), accept(steps); }
  /// Is the step behind `run` steps like it, the sum of squares of whose error this is, surely accepted?
  bool surely(long run, T square) {
    if (clipped_) return false;
    const bool longer = square > low_[2] && square < high_[2];
    if (!longer && !(square > low_[0] && square < high_[0])) return false;
    return controller_.move(longer ? 1 : -1) && (accept(run + 1), true);
  }
  /// Is it surely rejected, and tried a rung lower?
  bool surely_not(long run, T square) {
    if (clipped_ || !(square > refused_[0] && square < refused_[1])) return false;
    if (run > 0) accept(run);
    return controller_.refuse(), ++rejected, true;
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
  long alike = 0;       ///< as many of its size come next, if the squares of their errors
  T low = 0, high = 0;  ///< lie between these
  long taken = 0, rejected = 0;
  Status status = Status::ok;

 private:
  void accept(long steps) { ladder_.accept(steps), taken += steps; }

  Ladder<T>& ladder_;
  Controller<T>& controller_;
  T low_[3], high_[3], refused_[2];
  bool clipped_ = false;
};

/// All steps but the last.
template <class N, template <class> class W, class F, class G>
void Walk<N, W, F, G>::stride() {
  Pace<T> pace(*this->clock_.ladder(), *controller_);
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
