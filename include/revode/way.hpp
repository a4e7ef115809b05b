/// Ways to the gradient, one file each in ways/. A way knows states and bits only, neither networks nor tableaus:
/// before() is asked in front of each step n with state n in hand, after() (where it has one) behind it with state n +
/// 1 in hand; retreat() goes from n + 1 to n. Under step control the h that before() sees is a first proposal, after()
/// is asked of the accepted step only, and of a failed one not at all: the walk then goes back from n itself. begin()
/// is told the number of steps, 0 where nobody knows it. Two kinds: recall state n and pull() (stored, checkpointed,
/// taped: any word), or undo the step and transpose it from the same evaluation (reversed: bijective words).
#pragma once
#include <bit>

#include "revode/flow.hpp"

namespace revode {
/// Which: stored where N d fits, it is the fastest; taped where the steps have to be those of an ordinary solver and
/// the field may contract; reversed in fixed point where memory must not know N, with halving events if the field
/// contracts; checkpointed where a few states fit and evaluations are cheap, or nothing else goes with the method
/// (Adams); reversed in floats to compare with the literature. planner.hpp counts what each costs and chooses.
enum class Way : unsigned char {
  stored,        ///< every state kept: the oracle. Memory N d
  checkpointed,  ///< a fixed number of states, binomial placement (Griewank and Walther 2000). Memory slots d
  reversed,      ///< fixed: exact, nothing kept but the bits of halving events: 0, or d floor(N/K) bits; real: drifts
  taped,         ///< real, runge_kutta(): exact; what a prediction of each state from the next one missed, coded
  none           ///< inference: nothing is kept, and turn() says not_reversible
};
/// taped: how a state is predicted from the one behind it.
enum class Predictor : unsigned char {
  /// The same step with -h: s - 1 more evaluations a step, each way; steps of any size.
  runge_kutta,
  /// Of order 4 over slopes that both passes have: none; wants equal steps, and is exact with any. Memory 8 d more.
  adams_bashforth
};
enum class Arithmetic : unsigned char { real, fixed };

/// How to solve and how to come back. Everything that costs memory is here; the number of steps is not, but for
/// `stored`.
template <class T>
struct Plan {
  Method<T> method = mccallum_foster(tableau::rk4<T>);
  Way way = Way::reversed;
  Arithmetic arithmetic = Arithmetic::fixed;
  long stored_steps = 0;     ///< stored: most steps of a run, adaptive or not
  bool keep_stages = false;  ///< stored: the stages and their tapes as well, so that the way back evaluates nothing
  int slots = 0;  ///< checkpointed: states kept; reversed, taped: restore points, for a full log or drifting floats
  Predictor predictor = Predictor::runge_kutta;  ///< taped
  int halve_every = 0;  ///< K; 0: never. Damped dynamics want K <= ln 2 / (h |mu|), mu the most negative eigenvalue
  /// Fixed: a halving event wherever |y - z| (|v - f| of the asynchronous leapfrog) passes this in a tile, as often
  /// halved as brings it below; 0: never. The error follows it, so a tenth of the tolerance; the log follows what the
  /// flow dissipates, not the steps. Its log holds at least a worst event, 15 bits a scalar and 48.
  T halve_above = 0;
  T lambda = 1;  ///< real: damping m of every step, McCallum-Foster's lambda, 2 eta - 1 of the asynchronous leapfrog
  long restore_every = 0;         ///< reversed, real: steps between restore points; 0: none
  T drift_bound = 0;              ///< reversed, real: most drift of the walk back; 0: any
  std::size_t log_bits = 0;       ///< capacity of the log; reversed with K > 0: see log_bits_for(); taped: of the tape
  Control<T> control{};           ///< tolerances; none: the grid's steps
  int fraction_bits[2] = {0, 0};  ///< of y (0: 24 for float, 44 for double) and of the second register (0: as y)

  /// The log that `steps` steps of a tile need without restore points.
  constexpr std::size_t log_bits_for(long steps, int dim, int lanes) const {
    return halve_every ? static_cast<std::size_t>(steps / halve_every) * static_cast<std::size_t>(dim) *
                             static_cast<std::size_t>(lanes)
                       : 0;
  }
  /// What an event may drop of `rows` scalars of a tile.
  constexpr std::size_t event_bits(std::size_t rows) const { return halve_above > 0 ? 15 * rows + 48 : rows; }
  constexpr bool halves() const { return halve_every > 0 || halve_above > 0; }
  constexpr bool returns() const { return way != Way::none; }
  /// fraction_bits with the defaults filled in.
  constexpr int fraction(int r) const {
    if (r > 0 && fraction_bits[1]) return fraction_bits[1];
    return fraction_bits[0] ? fraction_bits[0] : sizeof(T) == 4 ? 24 : 44;
  }
};

/// The ordinary solve in floats, without a way back.
template <class T>
constexpr Plan<T> inference(const Method<T>& method, const Control<T>& control = {}) {
  Plan<T> p;
  p.method = method, p.control = control, p.way = Way::none, p.arithmetic = Arithmetic::real;
  return p;
}

/// Does this combination exist? The reason if not.
template <class T>
constexpr Status fits(const Plan<T>& p) {
  const int most = sizeof(T) == 4 ? 30 : 62;
  for (const int bits : p.fraction_bits)
    if (bits < 0 || bits > most) return Status::bad_argument;
  if (shares_scale(p.method) && p.fraction(0) != p.fraction(1)) return Status::bad_argument;
  if (p.halve_every < 0 || p.slots < 0 || p.stored_steps < 0) return Status::bad_argument;
  if (p.halve_every > 0 && !dampable(p.method)) return Status::bad_argument;
  if (!(p.halve_above >= 0) || (p.halve_above > 0 && (!dampable(p.method) || p.halve_every > 0)))
    return Status::bad_argument;
  if (p.halve_above > 0 && (p.arithmetic == Arithmetic::real || p.keep_stages)) return Status::unsupported;
  if (!(p.lambda > 0) || p.lambda > 1 || p.restore_every < 0 || !(p.drift_bound >= 0)) return Status::bad_argument;
  if (p.method.multistep < 0 || p.method.multistep > most_multistep) return Status::bad_argument;
  if (p.method.multistep > 0 && p.way == Way::reversed) return Status::not_reversible;
  const bool keeps_words_only = p.arithmetic == Arithmetic::real && p.way != Way::taped && !p.keep_stages;
  if ((p.method.multistep > 0 || p.method.low_storage) && !keeps_words_only) return Status::unsupported;
  if (p.method.low_storage && !two_registers(p.method.base).exists) return Status::unsupported;
  if (p.lambda < 1 && (!dampable(p.method) || p.halve_every > 0)) return Status::bad_argument;
  if (p.lambda < 1 && p.arithmetic == Arithmetic::fixed) return Status::unsupported;
  if (!p.control.valid()) return Status::bad_argument;
  if (p.control.adaptive() && estimate_of(p.method).by == Estimator::none) return Status::unsupported;
  const bool drifts = p.way == Way::reversed && p.arithmetic == Arithmetic::real;
  if (!drifts && (p.restore_every > 0 || p.drift_bound > 0)) return Status::bad_argument;
  if (p.keep_stages && p.way != Way::stored) return Status::bad_argument;
  if (p.predictor != Predictor::runge_kutta && p.way != Way::taped) return Status::bad_argument;
  if (p.way == Way::stored) return p.stored_steps > 0 ? Status::ok : Status::bad_argument;
  if (p.way == Way::checkpointed) return p.slots > 0 ? Status::ok : Status::bad_argument;
  if (p.way == Way::taped && (p.arithmetic != Arithmetic::real || p.method.registers > 1)) return Status::unsupported;
  if (p.predictor == Predictor::adams_bashforth && p.control.adaptive())
    return Status::unsupported;  // equal steps only
  if (p.way == Way::none) return Status::ok;
  if (p.way == Way::taped) return p.log_bits > 0 ? Status::ok : Status::bad_argument;
  if (drifts) return bijective(p.method) || p.method.registers == 1 ? Status::ok : Status::not_reversible;
  return bijective(p.method) ? Status::ok : Status::not_reversible;
}

/// FNV-1a over the words of the state: both ends of a walk have the same, or the field is not deterministic.
template <class Flow>
std::uint64_t fingerprint(const Flow& flow) {
  std::uint64_t h = 14695981039346656037u;
  for (std::size_t i = 0; i < flow.words(); ++i) {
    const auto bits = std::bit_cast<kernel::Word<typename Flow::T>>(flow.state[i]);
    h = (h ^ static_cast<std::uint64_t>(bits)) * 1099511628211u;
  }
  return h;
}

/// States kept with their step, oldest first; the last one is at hand.
template <class Word>
class Slots {
 public:
  constexpr void place(Arena& arena, std::size_t count, std::size_t words) {
    capacity_ = count, words_ = words;
    state_ = arena.take<Word>(count * words);
    kept_ = arena.take<Kept>(count);
  }
  void clear() {
    used_ = 0;
    for (std::size_t i = 0; i < capacity_; ++i) kept_[i].at = i;
  }
  std::size_t used() const { return used_; }
  bool full() const { return used_ == capacity_; }
  std::size_t free() const { return capacity_ - used_; }
  long top() const { return kept_[used_ - 1].step; }
  void pop() { --used_; }
  void push(long n, const Word* state) {
    kept_[used_++].step = n;
    copy(state_ + kept_[used_ - 1].at * words_, state);
  }
  /// Gives up one of them, wherever it stands.
  void drop(std::size_t i) {
    const std::size_t at = kept_[i].at;
    for (; i + 1 < used_; ++i) kept_[i] = kept_[i + 1];
    kept_[--used_].at = at;
  }
  const Word* state() const { return state_ + kept_[used_ - 1].at * words_; }  ///< of the last one
  void recall(Word* to) const { copy(to, state()); }

 private:
  void copy(Word* to, const Word* from) const {
    for (std::size_t i = 0; i < words_; ++i) to[i] = from[i];
  }
  Word* state_ = nullptr;  // [capacity][words]
  struct Kept {
    long step;
    std::size_t at;
  };
  Kept* kept_ = nullptr;  // [capacity]
  std::size_t capacity_ = 0, used_ = 0, words_ = 0;
};
}  // namespace revode
