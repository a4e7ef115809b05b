/// Bodies of Walk; included by lib/solve/ and by a device that instantiates static types.
#pragma once
#include "revode/impl/control_impl.hpp"
#include "revode/impl/flow_impl.hpp"

namespace revode {
template <class N, template <class> class W, class F, class G>
Status Walk<N, W, F, G>::init(Arena& arena, const F& field, const Plan<T>& plan, int lanes) {
  if (Status s = fits(field, plan, lanes); s != Status::ok) return s;
  if constexpr (requires { G::takes(plan, lanes); })
    if (!G::takes(plan, lanes)) return Status::unsupported;
  place(arena, field, plan, lanes);
  return arena.ok() ? Status::ok : Status::arena_too_small;
}

template <class N, template <class> class W, class F, class G>
std::size_t Walk<N, W, F, G>::bytes(const F& field, const Plan<T>& plan, int lanes) {
  if (fits(field, plan, lanes) != Status::ok) return 0;
  Arena measure;
  Walk().place(measure, field, plan, lanes);
  return measure.bytes();
}

template <class N, template <class> class W, class F, class G>
Status Walk<N, W, F, G>::begin(const Grid<T>& grid, const T* theta, const T* y0) {
  flow_.init(theta, bits_);
  if constexpr (N::exact && !Settings::plain)
    flow_.halve_above = static_cast<typename N::Word>(halve_above_ * flow_.number.up[0]);
  this->theta_ = theta, this->y_ = flow_.y, this->y_bar_ = flow_.bar, this->status_ = &flow_.status;
  this->size_ = flow_.read_size(), this->at_ = 0;
  forward_evaluations_ = steps_done_ = rejected_ = 0, separation_ = 0;
  if (!this->clock_.init(grid, halve_every_, lambda_)) {
    failed(Status::bad_argument);
    return flow_.status;
  }
  flow_.lift(grid.end(0), y0);
  if (!flow_.guard()) failed(Status::range);
  way_.begin(flow_, controlled() ? 0 : this->steps());
  if (controlled() && flow_.status == Status::ok)
    if (Status status = first(); status != Status::ok) failed(status);
  forward_evaluations_ = flow_.evaluations;
  return flow_.status;
}

template <class N, template <class> class W, class F, class G>
bool Walk<N, W, F, G>::advance() {
  if (flow_.status != Status::ok || this->finished()) return false;
  Step<T> s;
  if (Status status = next(s); status != Status::ok) return failed(status);
  if (Status status = way_.before(s, flow_); status != Status::ok) return failed(status);
  if (!controlled()) flow_.step(s, way_.log());
  if (controlled() && !adapt(s)) return false;
  if constexpr (requires { way_.after(s, flow_); })
    if (Status status = way_.after(s, flow_); status != Status::ok) return failed(status);
  ++this->at_, ++steps_done_;
  forward_evaluations_ = flow_.evaluations;
  const bool in_range = flow_.guard();
  flow_.read();
  if (!in_range) return failed(Status::range);
  if (this->finished()) {
    if (!Settings::plain) separation_ = flow_.separation();
    if (!kernel::finite(this->size_, flow_.y)) return failed(Status::not_finite);
  }
  return flow_.status == Status::ok;
}

template <class N, template <class> class W, class F, class G>
Status Walk<N, W, F, G>::turn(const ThetaBar<T>& theta_bar, T* times_bar) {
  this->theta_bar_ = theta_bar;
  if (Settings::plain && times_bar) failed(Status::unsupported);
  this->times_bar_ = times_bar;
  flow_.measure = false;
  flow_.times = times_bar != nullptr;
  flow_.t_bar = flow_.h_bar = 0;
  flow_.bar_out = {theta_bar, nullptr};
  if constexpr (!returns) return failed(Status::not_reversible), flow_.status;
  __builtin_memset(flow_.bar, 0, flow_.words() * sizeof(T));
  return flow_.status;
}

template <class N, template <class> class W, class F, class G>
bool Walk<N, W, F, G>::retreat() {
  if (this->at_ == 0) return false;
  if (Status status = way_.retreat(this->at_ - 1, flow_, this->clock_); status != Status::ok) return failed(status);
  --this->at_;
  flow_.read();
  if (this->wants_times()) spread(this->clock_.at(this->at_));
  return true;
}

template <class N, template <class> class W, class F, class G>
Status Walk<N, W, F, G>::finish(T* y0_bar) {
  if (this->at_ != 0) failed(Status::bad_argument);
  if (flow_.status != Status::ok) return flow_.status;
  flow_.unlift(this->clock_.node(0), y0_bar);
  if (this->wants_times()) this->times_bar_[0] += flow_.t_bar;
  if (Status status = way_.finish(flow_); status != Status::ok) failed(status);
  if (y0_bar && !kernel::finite(this->size_, y0_bar)) failed(Status::not_finite);
  const Extent extent = flow_.call.extent;
  if (!finite(this->theta_bar_, flow_.field().shape(extent).params, extent.lanes)) failed(Status::not_finite);
  return flow_.status;
}

template <class N, template <class> class W, class F, class G>
void Walk<N, W, F, G>::spread(const Step<T>& s) {
  this->add_times(s, flow_.t_bar, flow_.h_bar);
  flow_.t_bar = flow_.h_bar = 0;
}

template <class N, template <class> class W, class F, class G>
Accounting Walk<N, W, F, G>::accounting() const {
  float drift = 0;
  if constexpr (requires { way_.drift(); }) drift = static_cast<float>(way_.drift());
  std::size_t tape_bits = 0;
  if constexpr (requires { way_.tape_bits(); }) tape_bits = way_.tape_bits();
  return {steps_done_,
          way_.recomputed(),
          forward_evaluations_,
          flow_.evaluations - forward_evaluations_,
          flow_.vjps,
          drift,
          Settings::plain ? flow_.separation() : separation_,
          rejected_,
          tape_bits};
}
}  // namespace revode
