#include "revode/event.hpp"
#include "scalars.hpp"

#include <string.h>

#include "revode/scalar.hpp"

namespace revode {
namespace {
constexpr int most_halvings = 64;  // a bracket has fewer bits

/// A crossing is as steep as c over the step that brackets it, or it grazes: below this part, about the root of a
/// rounding, half of the digits of t*'s derivative are gone.
template <class T>
constexpr T least_part = sizeof(T) == 4 ? T(3e-4) : T(1e-8);
}  // namespace

template <class T>
Status Event<T>::begin(const T* theta) {
  theta_ = theta;
  for (std::size_t l = 0; l < lanes_; ++l) time_[l] = static_cast<T>(__builtin_inff());
  memset(at_, 0, dim_ * lanes_ * sizeof(T));
  return readout_.begin(1, time_, trial_at_, nullptr);
}

template <class T>
Call<T> Event<T>::call(Status* status) const {
  Call<T> c;
  c.extent = {static_cast<int>(lanes_), 0};
  c.theta = theta_, c.work = work_, c.status = status;
  return c;
}

template <class T>
bool Event<T>::crosses(T from, T to) const {
  const bool rises = from < 0 && to >= 0, falls = from > 0 && to <= 0;
  return (rises && crossing_ != Crossing::falling) || (falls && crossing_ != Crossing::rising);
}

template <class T>
bool Event<T>::look(Trajectory<T>& solve) {
  function_->eval(call(solve.sticky()), solve.y(), here_, tape_);
  readout_.look(solve);
  bool any = false, all = true;
  if (solve.n() > 0) {
    const Step<T> s = solve.step(solve.n() - 1);
    for (std::size_t l = 0; l < lanes_; ++l) {
      const bool meets = !finite(time_[l]) && crosses(last_[l], here_[l]);
      low_[l] = s.t0, high_[l] = meets ? s.t1 : s.t0;
      if (meets) slope_[l] = (magnitude(last_[l]) + magnitude(here_[l])) / magnitude(s.t1 - s.t0);
      any |= meets;
    }
    if (any) locate(solve);
  }
  memcpy(last_, here_, lanes_ * sizeof(T));
  for (std::size_t l = 0; l < lanes_; ++l) all &= finite(time_[l]);
  return all;
}

template <class T>
void Event<T>::locate(Trajectory<T>& solve) {
  const T begin = solve.step(solve.n() - 1).t0;
  for (int i = 0; i < most_halvings; ++i) {
    bool narrows = false;
    for (std::size_t l = 0; l < lanes_; ++l) {
      trial_[l] = low_[l] + (high_[l] - low_[l]) / 2;
      narrows |= inner(l);
    }
    if (!narrows) break;
    readout_.interpolate(solve, trial_, trial_at_, trial_rate_);
    function_->eval(call(solve.sticky()), trial_at_, here_, tape_);
    for (std::size_t l = 0; l < lanes_; ++l)
      if (inner(l)) (crosses(last_[l], here_[l]) ? high_ : low_)[l] = trial_[l];
  }
  readout_.interpolate(solve, high_, trial_at_, trial_rate_);
  for (std::size_t l = 0; l < lanes_; ++l) {
    if (!(high_[l] < begin) && !(high_[l] > begin)) continue;  // no event of this sample here
    time_[l] = high_[l];
    for (std::size_t d = 0; d < dim_; ++d) {
      at_[d * lanes_ + l] = trial_at_[d * lanes_ + l];
      rate_[d * lanes_ + l] = trial_rate_[d * lanes_ + l];
    }
  }
  function_->eval(call(solve.sticky()), solve.y(), here_, tape_);
}

template <class T>
Status Event<T>::turn(Trajectory<T>& solve, const T* at_bar, const T* time_bar, const ThetaBar<T>& theta_bar) {
  const Call<T> c = call(solve.sticky());
  const std::size_t tile = dim_ * lanes_;
  T *ones = trial_, *slope = at_bar_;  // slope: c_y, the function's own gradient
  for (std::size_t l = 0; l < lanes_; ++l) ones[l] = 1;
  memset(slope, 0, tile * sizeof(T));
  function_->eval(c, at_, here_, tape_);
  function_->vjp(c, at_, here_, tape_, ones, slope, {});
  bool grazes = false;
  for (std::size_t l = 0; l < lanes_; ++l) {
    T speed = 0, wanted = time_bar ? time_bar[l] : T(0);
    for (std::size_t i = l; i < tile; i += lanes_) {
      speed += slope[i] * rate_[i];
      if (at_bar) wanted += at_bar[i] * rate_[i];
    }
    const bool met = finite(time_[l]);
    shift_[l] = met ? -wanted / speed : T(0);
    grazes |= met && !(magnitude(speed) > least_part<T> * slope_[l]);
    for (std::size_t i = l; i < tile; i += lanes_) {
      const T direct = at_bar && met ? at_bar[i] : T(0);
      slope[i] = met ? direct + shift_[l] * slope[i] : T(0);
    }
  }
  if (grazes) fail(solve.sticky(), Status::grazing);
  if (theta_bar.at && solve.status() == Status::ok) {
    function_->eval(c, at_, here_, tape_);
    function_->vjp(c, at_, here_, tape_, shift_, nullptr, {theta_bar, nullptr});
  }
  return solve.status();
}

template class Event<float>;
REVODE_DOUBLE(template class Event<double>;)
}  // namespace revode
