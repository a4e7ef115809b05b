/// Taped: the ordinary solver in plain floats, bit for bit, and a tape of what it takes to walk it back. Each state is
/// predicted from the one behind it by the same compiled function in both passes, and what the prediction missed, an
/// integer a scalar, is coded (residue.hpp). Any explicit Runge-Kutta method, contracting fields included; the size of
/// the tape depends on how well the predictor does, and on nothing else does the gradient depend.
///
/// Adams-Bashforth predicts state n once the slopes at n + 1 to n + 4 are known: the states between wait in a ring,
/// and the last ones of a run never leave it.
///
/// A full tape leaves a restore point and starts again; on the way back each closed segment is run once more to fill
/// its tape. Memory (4 + slots) d and the tape. The self-check is that of reversed.hpp.
#pragma once
#include "revode/residue.hpp"
#include "revode/way.hpp"

namespace revode {
template <class Flow>
class Taped {
 public:
  using T = typename Flow::T;
  static constexpr bool pulls = true;
  constexpr void place(Arena& arena, const Flow& flow, const Plan<T>& plan) {
    d_ = flow.words();
    delay_ = plan.predictor == Predictor::adams_bashforth ? order : 0;
    states_ = arena.take<T>(static_cast<std::size_t>(delay_ + 1) * d_);
    slopes_ = arena.take<T>(static_cast<std::size_t>(delay_) * d_);
    prediction_ = arena.take<T>(d_);
    residue_ = arena.take<kernel::Word<T>>(d_);
    tape_.place(arena, d_, plan.log_bits);
    slots_.place(arena, static_cast<std::size_t>(plan.slots), d_);
  }
  void begin(const Flow& flow, long) {
    first_ = fingerprint(flow);
    recomputed_ = begun_ = coded_ = 0;
    tape_.begin();
    slots_.clear();
    if (!slots_.full()) slots_.push(0, flow.state);
  }
  Status before(const Step<T>& s, const Flow& flow) {
    copy(kept(s.n), flow.state);
    return Status::ok;
  }
  /// A failure leaves the flow in front of the step.
  Status after(const Step<T>& s, Flow& flow) {
    step_[s.n % (delay_ + 1)] = s;
    if (delay_) copy(slope(s.n), flow.first_slope());
    Status status = kernel::finite(d_, flow.state) ? Status::ok : Status::not_finite;
    if (status == Status::ok && s.n - coded_ == delay_) status = code(delay_ ? kept(coded_ + 1) : flow.state, flow);
    if (status != Status::ok) copy(flow.state, kept(s.n)), flow.moved();
    return status;
  }
  BitLog* log() { return nullptr; }
  Status retreat(long n, Flow& flow, const auto& clock) {
    if (begun_ == n + 1)
      if (Status status = run_again(n, flow, clock); status != Status::ok) return status;
    const Step<T> s = clock.at(n);
    if (n < coded_) {
      predict(s, flow.state, flow);
      tape_.pop(residue_);
      mend(d_, prediction_, residue_, flow.state);
      coded_ = n;
    } else {
      copy(flow.state, kept(n));
    }
    flow.pull(s);
    if (delay_) copy(slope(n), flow.first_slope());
    if (!delay_) flow.known();
    return Status::ok;
  }
  Status finish(const Flow& flow) {
    return fingerprint(flow) == first_ && tape_.empty() ? Status::ok : Status::irreversible;
  }
  long recomputed() const { return recomputed_; }
  std::size_t tape_bits() const { return tape_.peak(); }

 private:
  static_assert(!decltype(Flow::number)::exact, "what adds exactly is undone, not taped");
  static constexpr int order = 4;  // of Adams-Bashforth
  static constexpr T weights[order] = {T(55) / 24, -T(59) / 24, T(37) / 24, -T(9) / 24};

  T* kept(long n) const { return states_ + static_cast<std::size_t>(n % (delay_ + 1)) * d_; }
  T* slope(long n) const { return slopes_ + static_cast<std::size_t>(n % order) * d_; }
  void copy(T* to, const T* from) const { __builtin_memcpy(to, from, d_ * sizeof(T)); }

  /// State n from state n + 1, into prediction_; the one body that both passes call.
  [[gnu::noinline]] void predict(const Step<T>& s, const T* next, Flow& flow) {
    if (delay_) {
      T c[order];
      const T* f[order];
      for (int j = 0; j < order; ++j) c[j] = -s.h * weights[j], f[j] = slope(s.n + 1 + j);
      return kernel::combine(d_, prediction_, next, order, c, f);
    }
    copy(prediction_, next);
    flow.step_back(s);
    for (std::size_t i = 0; i < d_; ++i) {
      const T predicted = flow.state[i];
      flow.state[i] = prediction_[i];
      prediction_[i] = predicted;
    }
    flow.known();
  }
  /// The oldest state that is not on the tape yet, from the one behind it.
  Status code(const T* next, Flow& flow) {
    predict(step_[coded_ % (delay_ + 1)], next, flow);
    miss(d_, kept(coded_), prediction_, residue_);
    if (!tape_.push(residue_)) {
      if (slots_.full()) return Status::capacity;
      slots_.push(coded_, kept(coded_));
      begun_ = coded_;
      tape_.clear();
      tape_.push(residue_);  // the first one fits
    }
    ++coded_;
    return Status::ok;
  }
  /// The closed segment that ends in front of state n + 1.
  Status run_again(long n, Flow& flow, const auto& clock) {
    const std::uint64_t here = fingerprint(flow);
    slots_.pop();
    slots_.recall(flow.state), flow.moved();
    tape_.clear();
    begun_ = coded_ = slots_.top();
    for (long m = begun_; m <= n; ++m, ++recomputed_) {
      const Step<T> s = clock.at(m);
      if (Status status = before(s, flow); status != Status::ok) return status;
      flow.step(s, nullptr);
      if (Status status = after(s, flow); status != Status::ok) return status;
    }
    return fingerprint(flow) == here ? Status::ok : Status::irreversible;
  }

  Residues<T> tape_;
  Slots<T> slots_;
  T *states_ = nullptr, *slopes_ = nullptr, *prediction_ = nullptr;  // [delay + 1][d], [delay][d], [d]
  kernel::Word<T>* residue_ = nullptr;
  Step<T> step_[order + 1] = {};
  std::size_t d_ = 0;
  int delay_ = 0;
  long begun_ = 0, coded_ = 0;  // the segment's first state, and the first one that is not on the tape
  std::uint64_t first_ = 0;
  long recomputed_ = 0;
};
}  // namespace revode
