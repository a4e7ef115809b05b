/// Solve: a cursor over the trajectory of one tile, and the whole gradient walk.
///
///   begin; do { look at y() } while (advance());      turn; add to y_bar(); while (retreat()) add to y_bar(); finish
///
/// Walk<N, W, F, G> is the walk over static types, G its flow, for a device; Solve<T> chooses it from a run-time Plan.
/// No callbacks: the caller's loop stands at the nodes. Nothing is allocated; bytes() depends on the number of steps
/// only through Plan::stored_steps.
#pragma once
#include "revode/adams.hpp"
#include "revode/low_storage.hpp"
#include "revode/ways/checkpointed.hpp"
#include "revode/ways/forgotten.hpp"
#include "revode/ways/retraced.hpp"
#include "revode/ways/reversed.hpp"
#include "revode/ways/stored.hpp"
#include "revode/ways/taped.hpp"
#include "revode/ways/undone.hpp"

namespace revode {
/// What a solve has done so far.
struct Accounting {
  long steps = 0;                 ///< steps forwards
  long recomputed = 0;            ///< steps run again on the way back
  long evaluations_forward = 0;   ///< of f
  long evaluations_backward = 0;  ///< of f, recomputation included
  long vjps = 0;
  /// Reversed in floats: the largest miss |x - kept| / (1 + |kept|) of the walk back at restore points and at the
  /// beginning; else 0.
  float drift = 0;
  /// Largest |y - z| at the last node, of methods that carry two copies of the state; of a plain walk (known.hpp) at
  /// the cursor.
  float separation = 0;
  long rejected = 0;          ///< steps that the step control tried and took back; `steps` are the accepted ones
  std::size_t tape_bits = 0;  ///< taped, reversed: the most bits the log has held
};

/// What every walk has: where the cursor stands.
template <class T, bool plain = false>
class Cursor {
 public:
  using Scalar = T;
  long n() const { return at_; }                         ///< the node the cursor is at
  long steps() const { return clock_.steps(); }          ///< of the grid; with tolerances, those taken so far
  bool finished() const { return clock_.ends_at(at_); }  ///< the cursor stands at the end of the grid
  T t(long node) const { return clock_.node(node); }
  Step<T> step(long n) const { return clock_.at(n); }
  const T* y() const { return y_; }           ///< [rows][lanes] at the cursor
  T* y_bar() const { return y_bar_; }         ///< [rows][lanes] add what the loss asks for
  std::size_t size() const { return size_; }  ///< rows * lanes
  const T* theta() const { return theta_; }
  const ThetaBar<T>& theta_bar() const { return theta_bar_; }
  Status status() const { return *status_; }
  Status* sticky() { return status_; }  ///< an observer's own failures belong to the solve
  bool wants_times() const { return !plain && times_bar_ != nullptr; }
  /// What an observer adds to the cotangents of a step's times: of t0 at fixed h, and of h. t0 = (1 - x) a + x b and
  /// h = c (b - a) with x and c fixed: they go to the ends a and b of its interval.
  void add_times(const Step<T>& s, T t_bar, T h_bar) {
    const Place<T> at = clock_.place_of(s);
    times_bar_[at.interval] += (1 - at.x) * t_bar - at.c * h_bar;
    times_bar_[at.interval + 1] += at.x * t_bar + at.c * h_bar;
  }

 protected:
  ~Cursor() = default;
  Clock<T, plain> clock_;
  const T* theta_ = nullptr;
  ThetaBar<T> theta_bar_{nullptr, 0, 0};
  T* times_bar_ = nullptr;
  const T* y_ = nullptr;
  T* y_bar_ = nullptr;
  Status* status_ = nullptr;
  std::size_t size_ = 0;
  long at_ = 0;
};

template <class T>
class Trajectory : public Cursor<T> {
 public:
  /// Lifts y0[rows][lanes] to node 0; rows: the field's dim, twice that for a method of positions and velocities.
  virtual Status begin(const Grid<T>& grid, const T* theta, const T* y0) = 0;
  /// One step. False at the end or when status() is no longer ok. With tolerances the step is as long as they let it
  /// be; one that cannot be taken leaves the cursor where it was.
  virtual bool advance() = 0;
  /// Begins the way back: cotangents become zero, those of theta will be added to theta_bar, and those of the grid's
  /// times, summed over lanes, to times_bar ([2] of t0 and t1, or [nodes]; null: not wanted): of the discrete solution,
  /// y(t1) included. Returns status(): a solve that left its range may still be walked back to recover its states; its
  /// gradient means nothing.
  virtual Status turn(const ThetaBar<T>& theta_bar, T* times_bar = nullptr) = 0;
  /// One step back: afterwards y() is the state there and y_bar() its cotangent. False at node 0 or on failure.
  virtual bool retreat() = 0;
  /// At node 0: adds dL/dy0 to y0_bar[rows][lanes] (null: not wanted) and checks that the walk ended where it began.
  virtual Status finish(T* y0_bar) = 0;
  virtual Accounting accounting() const = 0;

 protected:
  ~Trajectory() = default;
};

namespace detail {
/// A walk whose settings are known needs nobody to call it through a table.
template <class T, class Settings, bool known = Settings::known>
struct Face {
  using type = Trajectory<T>;
};
template <class T, class Settings>
struct Face<T, Settings, true> {
  using type = Cursor<T, Settings::plain>;
};
}  // namespace detail

template <class N, template <class> class W, class F = Map<typename N::Scalar>, class G = Flow<N, F>>
class Walk final : public detail::Face<typename N::Scalar, typename G::Settings>::type {
  using Settings = typename G::Settings;
  static constexpr bool returns = !requires { W<G>::forgets; };

 public:
  using T = typename N::Scalar;
  /// Validates the plan, its way being W and its arithmetic N, and takes all memory of the solve, whose bytes are
  /// bytes(). `field` must outlive it.
  Status init(Arena& arena, const F& field, const Plan<T>& plan, int lanes);
  static std::size_t bytes(const F& field, const Plan<T>& plan, int lanes);
  /// The part of init() that measures or assigns.
  constexpr void place(Arena& arena, const F& field, const Plan<T>& plan, int lanes) {
    const Control<T>& c = plan.control;
    flow_.place(arena, field, plan.method, lanes, W<G>::pulls, c.adaptive(), returns);
    way_.place(arena, flow_, plan);
    if (!Settings::plain && c.adaptive()) pace(arena, c, plan.method.multistep > 0);
    halve_every_ = plan.halve_every, lambda_ = plan.lambda, halve_above_ = plan.halve_above;
    for (int r = 0; r < 2; ++r) bits_[r] = plan.fraction(r);
  }
  /// Of a known plan.
  constexpr void place(Arena& arena, const F& field) requires Settings::known {
    place(arena, field, Settings::plan, 1);
  }
  /// What that takes from an empty arena.
  static consteval std::size_t bytes() requires Settings::known {
    Arena arena;
    Walk().place(arena, F());
    return arena.bytes();
  }
  // Of Trajectory, described there; a walk of known settings overrides nothing. NOLINTBEGIN(modernize-use-override)
  Status begin(const Grid<T>& grid, const T* theta, const T* y0);
  bool advance();
  Status turn(const ThetaBar<T>& theta_bar, T* times_bar = nullptr);
  bool retreat();
  Status finish(T* y0_bar);
  Accounting accounting() const;
  // NOLINTEND(modernize-use-override)
  const G& flow() const { return flow_; }
  /// All steps but the last at once, by a flow that can, where nothing is kept of the states between.
  void sweep() requires(!returns && requires(G g, Clock<T> clock) { g.sweep(clock, 0L, 0L); }) {
    if (flow_.status != Status::ok || this->finished()) return;
    if (controlled()) {
      if constexpr (G::strides) stride();
      return;
    }
    flow_.sweep(this->clock_, this->at_, this->steps() - 1);
    steps_done_ += this->steps() - 1 - this->at_, this->at_ = this->steps() - 1;
    forward_evaluations_ = flow_.evaluations;
  }

 private:
  bool failed(Status why) { return revode::fail(&flow_.status, why), false; }
  bool controlled() const { return !Settings::plain && controller_ != nullptr; }
  G flow_;
  W<G> way_;
  void spread(const Step<T>& s);
  constexpr void pace(Arena& arena, Control<T> control, bool multistep) {
    if (multistep && control.grow > 2) control.grow = 2;  // polynomials through past slopes do not reach far
    this->clock_.place(arena, control.most_steps, control.most_jumps);
    controller_ = arena.take<Controller<T>>(1);
    if (controller_) (new (controller_) Controller<T>)->init(control, flow_.estimate().order);
  }
  Status first();
  Status next(Step<T>& s);
  bool adapt(Step<T>& s);
  void stride();
  int halve_every_ = 0, bits_[2] = {0, 0};
  T lambda_ = 0, halve_above_ = 0;
  Controller<T>* controller_ = nullptr;  // null: the grid's steps
  long forward_evaluations_ = 0, steps_done_ = 0, rejected_ = 0;
  float separation_ = 0;
};

/// Can `field` be solved by this plan? The reason if not.
template <class F, class T>
Status fits(const F& field, const Plan<T>& plan, int lanes) {
  const Shape shape = field.shape({lanes, 0});
  if (lanes < 1 || shape.in != shape.out || shape.in < 1) return Status::bad_argument;
  if (Status s = fits(plan); s != Status::ok) return s;
  const bool logs = plan.way == Way::reversed && plan.halves();
  const auto rows = static_cast<std::size_t>(shape.in) * static_cast<std::size_t>(lanes);
  return logs && plan.log_bits < plan.event_bits(rows) ? Status::capacity : Status::ok;
}

/// The solve that the library ships: everything chosen at run time.
template <class T>
class Solve {
 public:
  /// Validates the plan and takes all bytes of the solve. `field` must outlive it.
  Status init(Arena& arena, const Map<T>& field, const Plan<T>& plan, int lanes);
  /// Bytes init() takes from a fresh arena; 0 when the plan does not fit.
  static std::size_t bytes(const Map<T>& field, const Plan<T>& plan, int lanes);
  /// The part of init() that measures or assigns.
  static Trajectory<T>* place(Arena& arena, const Map<T>& field, const Plan<T>& plan, int lanes);

  Trajectory<T>* operator->() const { return trajectory_; }
  Trajectory<T>& operator*() const { return *trajectory_; }

 private:
  Trajectory<T>* trajectory_ = nullptr;
};

/// The whole way forward: begin and advance to the end.
template <class Any>
Status run(Any& walk, const Grid<typename Any::Scalar>& grid, const typename Any::Scalar* theta,
           const typename Any::Scalar* y0) {
  if (Status s = walk.begin(grid, theta, y0); s != Status::ok) return s;
  if constexpr (requires { walk.sweep(); }) walk.sweep();
  while (walk.advance()) {
  }
  return walk.status();
}
/// The whole way back from a terminal cotangent y1_bar[dim][lanes]: adds to y0_bar and theta_bar.
template <class Any>
Status run_back(Any& walk, const typename Any::Scalar* y1_bar, typename Any::Scalar* y0_bar,
                const ThetaBar<typename Any::Scalar>& theta_bar) {
  if (Status s = walk.turn(theta_bar); s != Status::ok) return s;
  for (std::size_t i = 0; i < walk.size(); ++i) walk.y_bar()[i] += y1_bar[i];
  while (walk.retreat()) {
  }
  return walk.finish(y0_bar);
}
}  // namespace revode
