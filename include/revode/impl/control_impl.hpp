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
