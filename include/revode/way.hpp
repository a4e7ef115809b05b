/// Ways to the gradient. A way knows states and bits only, neither networks nor tableaus: before() is asked in front of
/// each step n with state n in hand, retreat() goes from n + 1 to n. Two kinds: recall state n and pull() (stored,
/// checkpointed: any word), or undo the step and transpose it from the same evaluation (reversed: bijective words over
/// Fixed).
#pragma once
#include "revode/flow.hpp"

namespace revode {
enum class Way : unsigned char {
  stored,        ///< every state kept: the oracle. Memory N d
  checkpointed,  ///< a fixed number of states, binomial placement (Griewank and Walther 2000). Memory slots d
  reversed       ///< nothing kept but the bits that halving events drop: 0, or d floor(N/K) bits
};
enum class Arithmetic : unsigned char { real, fixed };

/// How to solve and how to come back. Everything that costs memory is here; the number of steps is not, but for
/// `stored`.
template <class T>
struct Plan {
  Method<T> method = mccallum_foster(tableau::rk4<T>);
  Way way = Way::reversed;
  Arithmetic arithmetic = Arithmetic::fixed;
  long stored_steps = 0;     ///< stored: most steps of a run
  bool keep_stages = false;  ///< stored: the stages and their tapes as well, so that the way back evaluates nothing
  int slots = 0;             ///< checkpointed: states kept; reversed: restore points for when the log is full
  int halve_every = 0;  ///< K; 0: never. Damped dynamics want K <= ln 2 / (h |mu|), mu the most negative eigenvalue
  std::size_t log_bits = 0;       ///< reversed with K > 0: capacity of the log, see log_bits_for()
  int fraction_bits[2] = {0, 0};  ///< of y (0: 24 for float, 44 for double) and of the second register (0: as y)

  /// The log that `steps` steps of a tile need without restore points.
  constexpr std::size_t log_bits_for(long steps, int dim, int lanes) const {
    return halve_every ? static_cast<std::size_t>(steps / halve_every) * static_cast<std::size_t>(dim) *
                             static_cast<std::size_t>(lanes)
                       : 0;
  }
  /// fraction_bits with the defaults filled in.
  constexpr int fraction(int r) const {
    if (r > 0 && fraction_bits[1]) return fraction_bits[1];
    return fraction_bits[0] ? fraction_bits[0] : sizeof(T) == 4 ? 24 : 44;
  }
};

/// Does this combination exist? The reason if not.
template <class T>
constexpr Status fits(const Plan<T>& p) {
  const int most = sizeof(T) == 4 ? 30 : 62;
  for (const int bits : p.fraction_bits)
    if (bits < 0 || bits > most) return Status::bad_argument;
  if (shares_scale(p.method) && p.fraction(0) != p.fraction(1)) return Status::bad_argument;
  if (p.halve_every < 0 || p.slots < 0 || p.stored_steps < 0) return Status::bad_argument;
  if (p.halve_every > 0 && !dampable(p.method)) return Status::bad_argument;
  if (p.keep_stages && p.way != Way::stored) return Status::bad_argument;
  if (p.way == Way::stored) return p.stored_steps > 0 ? Status::ok : Status::bad_argument;
  if (p.way == Way::checkpointed) return p.slots > 0 ? Status::ok : Status::bad_argument;
  if (!bijective(p.method)) return Status::not_reversible;
  return p.arithmetic == Arithmetic::fixed ? Status::ok : Status::unsupported;
}

/// States kept with their step, last in, first out.
template <class Word>
class Slots {
 public:
  constexpr void place(Arena& arena, std::size_t count, std::size_t words) {
    capacity_ = count, words_ = words;
    state_ = arena.take<Word>(count * words);
    step_ = arena.take<long>(count);
  }
  void clear() { used_ = 0; }
  std::size_t used() const { return used_; }
  bool full() const { return used_ == capacity_; }
  std::size_t free() const { return capacity_ - used_; }
  long top() const { return step_[used_ - 1]; }
  void pop() { --used_; }
  void push(long n, const Word* state) {
    copy(state_ + used_ * words_, state);
    step_[used_++] = n;
  }
  void recall(Word* state) const { copy(state, state_ + (used_ - 1) * words_); }

 private:
  void copy(Word* to, const Word* from) const {
    for (std::size_t i = 0; i < words_; ++i) to[i] = from[i];
  }
  Word* state_ = nullptr;  // [capacity][words]
  long* step_ = nullptr;   // [capacity]
  std::size_t capacity_ = 0, used_ = 0, words_ = 0;
};

template <class Flow>
class Stored {
 public:
  using T = typename Flow::T;
  static constexpr bool pulls = true;
  constexpr void place(Arena& arena, const Flow& flow, const Plan<T>& plan) {
    const auto steps = static_cast<std::size_t>(plan.stored_steps);
    slots_.place(arena, steps, flow.words());
    kept_bytes_ = flow.kept_bytes();
    if (plan.keep_stages) kept_ = arena.take<std::byte>(steps * kept_bytes_);
  }
  void begin(const Flow&, long) { slots_.clear(); }
  Status before(const Step<T>& s, Flow& flow) {
    if (slots_.full()) return Status::capacity;
    if (kept_) flow.keep(kept_ + slots_.used() * kept_bytes_);
    slots_.push(s.n, flow.state);
    return Status::ok;
  }
  BitLog* log() { return nullptr; }
  Status retreat(long n, Flow& flow, const Clock<T>& clock) {
    slots_.recall(flow.state);
    slots_.pop();
    if (!kept_) return flow.pull(clock.at(n)), Status::ok;
    flow.keep(kept_ + slots_.used() * kept_bytes_);
    flow.pull_kept(clock.at(n));
    flow.keep(nullptr);
    return Status::ok;
  }
  Status finish(const Flow&) { return Status::ok; }
  long recomputed() const { return 0; }

 private:
  Slots<typename Flow::Word> slots_;
  std::byte* kept_ = nullptr;  // [steps][kept_bytes]
  std::size_t kept_bytes_ = 0;
};

/// Steps from here to the next checkpoint with `slots` free ones, this state in hand and `steps` ahead: the binomial
/// rule beta(c, r) = C(c + r, c) of Griewank and Walther, ACM TOMS 26 (2000).
long binomial_advance(long steps, std::size_t slots);

template <class Flow>
class Checkpointed {
 public:
  using T = typename Flow::T;
  static constexpr bool pulls = true;
  constexpr void place(Arena& arena, const Flow& flow, const Plan<T>& plan) {
    slots_.place(arena, static_cast<std::size_t>(plan.slots), flow.words());
  }
  void begin(const Flow&, long steps) {
    slots_.clear();
    next_ = recomputed_ = 0;
    end_ = steps + 1;  // the pass forwards goes on to the last state: the loss there is one step more
  }
  Status before(const Step<T>& s, const Flow& flow) {
    if (s.n == next_ && !slots_.full()) {
      slots_.push(s.n, flow.state);
      next_ = s.n + binomial_advance(end_ - s.n, slots_.free());
    }
    return Status::ok;
  }
  BitLog* log() { return nullptr; }
  Status retreat(long n, Flow& flow, const Clock<T>& clock) {
    while (slots_.top() > n) slots_.pop();
    slots_.recall(flow.state);
    end_ = n + 1;
    long m = slots_.top();
    next_ = m + binomial_advance(end_ - m, slots_.free());
    for (; m < n; ++m, ++recomputed_) {
      const Step<T> s = clock.at(m);
      if (Status status = before(s, flow); status != Status::ok) return status;
      flow.step(s, nullptr);
    }
    const Step<T> s = clock.at(n);
    flow.pull(s);
    return Status::ok;
  }
  Status finish(const Flow&) { return Status::ok; }
  long recomputed() const { return recomputed_; }

 private:
  Slots<typename Flow::Word> slots_;
  long next_ = 0, end_ = 0, recomputed_ = 0;
};

/// Exact reversal. A full log leaves a restore point and starts again; on the way back each closed segment is run once
/// more to fill its log. The self-check compares a hash of the state at both ends: a field that is not a deterministic
/// function of (t, y, theta) almost surely fails it.
template <class Flow>
class Reversed {
 public:
  using T = typename Flow::T;
  static constexpr bool pulls = false;
  constexpr void place(Arena& arena, const Flow& flow, const Plan<T>& plan) {
    halves_ = plan.halve_every > 0;
    row_ = flow.size();
    if (halves_) log_.place(arena, plan.log_bits);
    if (halves_) slots_.place(arena, static_cast<std::size_t>(plan.slots), flow.words());
  }
  void begin(const Flow& flow, long) {
    first_ = hash(flow);
    recomputed_ = 0;
    log_.clear();
    slots_.clear();
    if (halves_ && !slots_.full()) slots_.push(0, flow.state);
  }
  Status before(const Step<T>& s, const Flow& flow) {
    if (!s.halve || log_.room(row_)) return Status::ok;
    if (slots_.full() || log_.empty()) return Status::capacity;
    slots_.push(s.n, flow.state);
    log_.clear();
    return Status::ok;
  }
  BitLog* log() { return &log_; }
  Status retreat(long n, Flow& flow, const Clock<T>& clock) {
    if (slots_.used() > 1 && slots_.top() == n + 1) {
      const std::uint64_t here = hash(flow);
      slots_.pop();
      slots_.recall(flow.state);
      log_.clear();
      for (long m = slots_.top(); m <= n; ++m, ++recomputed_) flow.step(clock.at(m), &log_);
      if (hash(flow) != here) return Status::irreversible;
    }
    flow.unpull(clock.at(n), &log_);
    return Status::ok;
  }
  Status finish(const Flow& flow) {
    return hash(flow) == first_ && (!halves_ || log_.empty()) ? Status::ok : Status::irreversible;
  }
  long recomputed() const { return recomputed_; }

 private:
  static std::uint64_t hash(const Flow& flow) {  // FNV-1a over words
    std::uint64_t h = 14695981039346656037u;
    for (std::size_t i = 0; i < flow.words(); ++i) h = (h ^ static_cast<std::uint64_t>(flow.state[i])) * 1099511628211u;
    return h;
  }
  BitLog log_;
  Slots<typename Flow::Word> slots_;
  std::size_t row_ = 0;
  std::uint64_t first_ = 0;
  long recomputed_ = 0;
  bool halves_ = false;
};
}  // namespace revode
