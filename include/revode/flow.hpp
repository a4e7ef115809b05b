/// Flow: a field and a word over numbers, on one tile. Readings of the one word:
///
///   step      letters left to right, each acts
///   unpull    letters right to left, each undone and transposed from the SAME evaluation: needs a bijective word
///   pull      from the state BEFORE the step: arguments left to right, transposed right to left: needs nothing
///   lift, unlift   y0 -> registers, and its transpose
///
/// Where a word shares its ends, f at a node is evaluated once for the step that ends there and the one that begins
/// there, and one VJP serves both: the cotangent of the later step's use waits in `owed_` for the earlier one's.
///
/// shift() alone moves registers by what the field says, in both directions, so what must agree in bits is one compiled
/// body: arrange(), or shifted() where numbers stay in registers.
/// Increment: U_i = x + h sum_j a_ij k_j, k_i = f(t + c_i h, U_i), Psi = h sum_i b_i k_i; its transpose for a cotangent
/// w: kappa_i = h (b_i w + sum_{m>i} a_mi G_m), G_i = vjp(U_i; kappa_i), x_bar += sum_i G_i (mathematics of Hairer et
/// al., II.1). Memory: registers (words) and cotangents, s (stages) times (2 d + tape), 3 d of scratch; d = dim *
/// lanes.
#pragma once
#include "revode/clock.hpp"
#include "revode/known.hpp"
#include "revode/number.hpp"
#include "revode/word.hpp"

namespace revode {
template <class N, class F = Map<typename N::Scalar>, class C = Chosen<typename N::Scalar>>
class Flow : protected C {
 public:
  using T = typename N::Scalar;
  using Settings = C;
  using Word = typename N::Word;

  /// pulls: room for pull(), which ways that recall states need. measures: for errors of steps. returns: for any way
  /// back; without one there are no cotangents, and all stages leave their tape in the same place.
  constexpr void place(Arena& arena, const F& field, const Method<T>& method, int lanes, bool pulls, bool measures,
                       bool returns = true);
  void init(const T* theta, const int (&fraction_bits)[2]);

  void lift(T t0, const T* y0);
  /// log: where halving events leave their bits; null: nowhere (a state that is recalled needs none).
  void step(const Step<T>& s, BitLog* log);
  void unpull(const Step<T>& s, BitLog* log);
  void pull(const Step<T>& s);
  /// pull() of a step whose stages were kept: evaluates nothing. Once only, the stages are used up.
  void pull_kept(const Step<T>& s);
  void unlift(T t0, T* y0_bar);

  /// Registers in `state` look sane: false once a fixed-point register has left its range.
  bool guard();
  /// Largest |y - z| where the method carries two copies of the state, else 0.
  float separation() const;
  void read() {  ///< state -> y
    for (int r = 0; r < method_.read; ++r) number.value(r, n_, y + at(r), state + at(r));
  }
  /// Letters leave their stages at bytes[kept_bytes()] from now on; null: in the flow's own memory, one for all. next:
  /// where those of the next step will be, which an evaluation at the end of this one may begin; null: nowhere.
  void keep(std::byte* bytes, std::byte* next = nullptr);
  constexpr std::size_t kept_bytes() const { return static_cast<std::size_t>(method_.letters) * desk_bytes_; }
  constexpr std::size_t size() const { return n_; }
  constexpr std::size_t words() const {
    const auto past = static_cast<std::size_t>(method_.past());
    return (static_cast<std::size_t>(method_.registers) + past) * n_ + past;
  }
  constexpr const Method<T>& method() const { return method_; }
  const F& field() const { return *field_; }
  constexpr std::size_t read_size() const { return static_cast<std::size_t>(method_.read) * n_; }  ///< of y
  /// The state was put here from elsewhere: no evaluation belongs to it.
  void moved() {
    if (C::serves_twice) fresh_ = false;
  }
  /// Of words of one register. f at the node the last step() began at, or pull() arrived at.
  const T* first_slope() const { return slope(0); }
  /// Of words of one register: argument of a stage of the step that was taken last.
  const T* stage(int i) const { return stage_input(i, desk_.x); }
  /// first_slope() is that of this node: it is not evaluated again.
  void known() { fresh_ = true; }

  // ---- adaptive steps; only where place() was told to measure
  /// Keeps the state, for release(): a step that is rejected never was.
  void hold();
  void release();
  /// The step is accepted: an evaluation at its end that its estimate needed begins the next one.
  void settle();
  /// The norm of the last step's error estimate in units of the tolerance; not finite where y1 is not.
  T error(const Control<T>& control);
  /// Hairer's first step: from f at t0 and one Euler step away in the direction of `span`.
  T first_step(const Controller<T>& controller, T t0, T span) {
    return first_step(controller, t0, span,
                      [this](T t, const T* x, T* f, std::byte* tape) { evaluate(t, x, f, tape); });
  }
  const Estimate<T>& estimate() const { return estimate_; }
  bool measure = false;  ///< steps leave an estimate

  /// The step of the same word with -h from its end: what a way predicts state n with.
  void step_back(const Step<T>& s) {
    const bool measured = measure;
    measure = false;
    step({s.n, s.t1, s.t0, -s.h, s.damping, s.offset}, nullptr);
    measure = measured;
  }

  N number{};
  Call<T> call{.extent = {0, 0}};                          ///< theta, work, &status
  Bar<T> bar_out{.theta = {nullptr, 0, 0}, .t = nullptr};  ///< where cotangents of theta go
  Word* state = nullptr;                                   ///< [registers][dim][lanes]
  T* bar = nullptr;  ///< [registers][dim][lanes] cotangents; null without a way back
  T* y = nullptr;    ///< [read][dim][lanes] the user's y at the node
  Status status = Status::ok;
  long evaluations = 0, vjps = 0;
  Word halve_above{};      ///< fixed: halving events where the distance of a relax letter exceeds it; 0: none
  bool times = false;      ///< wanted: cotangents of the step's times, summed over lanes
  T t_bar = 0, h_bar = 0;  ///< of t0 at fixed h, and of h, of the steps pulled since they were zeroed

 protected:
  /// What arrange() leaves for transpose().
  struct Desk {
    T *x = nullptr, *inputs = nullptr, *slopes = nullptr;  // [d] the argument, [stages - 1][d], [slopes][d]
    std::byte* tapes = nullptr;                            // [stages or 1][tape]
  };
  constexpr Desk desk(Arena& arena) const {
    const auto s = static_cast<std::size_t>(stages_);
    Desk d;
    d.x = arena.take<T>(n_);
    d.inputs = arena.take<T>((s - 1) * n_);
    d.slopes = arena.take<T>(static_cast<std::size_t>(stored_slopes_) * n_);
    d.tapes = arena.take<std::byte>(one_tape_ ? tape_bytes_ : s * tape_bytes_);
    return d;
  }
  /// The argument of a letter, at the desk it works at from now on.
  T* sit(int letter);
  // What the settings may rule out.
  static bool drifts(const Letter& l) { return C::drifts && l.kind == Kind::drift; }
  static bool relaxes(const Letter& l) { return C::relaxes && l.kind == Kind::relax; }
  bool measures() const { return !C::plain && measure; }
  bool wants_times() const { return !C::plain && times; }
  bool watches() const { return !C::plain && halve_above > 0; }
  static bool damps(const Step<T>& s) { return !C::plain && s.damped(); }
  bool kept() const { return C::keeps && kept_; }
  /// Without an event a letter that only damps does nothing, so all readings leave it out (0 x would touch -0 and NaN).
  bool idle(const Letter& l, const Step<T>& s) const { return relaxes(l) && l.s > 0 && !damps(s) && !watches(); }
  /// The event of step n on top of the log: how often it halved, 0 where there was none.
  static int recall_event(long n, BitLog* log);

  /// As kernel::combine(); where sizes are known, and code may grow for speed, here and not behind a call.
  /// whole: what it reads was written in packs; in near flows only.
  template <bool whole = false, bool whole_base = whole>
  static void combine(std::size_t n, T* out, const T* base, int terms, const T* c, const T* const* v);
  std::size_t at(int r) const { return static_cast<std::size_t>(r) * n_; }
  T time(const Step<T>& s, float tau) const;
  T stage_time(T t, T h, int i) const { return stages_ == 1 ? t : t + method_.base.c(i) * h; }
  T* argument(int letter) const {
    return letter + 1 == method_.letters ? desk_.x : args_ + static_cast<std::size_t>(letter) * n_;
  }
  // `which` letter of the word: in near flows a constant, and so is then all that the letter says.
  static constexpr auto lifting() {
    if constexpr (C::near)
      return std::integral_constant<int, -1>();
    else
      return -1;
  }
  template <class Which>
  const Letter& letter(Which which) const {
    return which < 0 ? method_.lift : method_.word[which];
  }
  template <bool from_last = false, class Body>
  void each_letter(const Body& body);
  /// What a register holds, on its way from the letter that changed it to the next one, which would wait for memory.
  using Whole = kernel::On<T, C::one_pack ? static_cast<int>(C::few) : 1>;
  using Value = std::conditional_t<C::one_pack, typename Whole::V, detail::Nothing>;
  struct Hand {
    signed char of = -1;  // the register
    Value value{};
  };
  template <class Which>
  void act(Which which, const Step<T>& s, Word* registers, T* x, BitLog* log, Hand& hand);
  template <class Which>
  void undo(Which which, const Step<T>& s, BitLog* log, Hand& hand);
  void relax(const Letter& l, const Step<T>& s, Word* registers, T* x, BitLog* log);
  void unrelax(const Letter& l, const Step<T>& s, BitLog* log);
  void arrange(const Letter& l, const Step<T>& s, const T* x);
  void arrange_here(const Letter& l, T t, T h, const T* x, T* delta);  // without a call, of letters that shift
  template <class Which>
  void shift(Which which, const Step<T>& s, int sign, Word* registers, T* x, Hand& hand);
  template <class Which>
  Value shifted(Which which, Value b, T t0, T t1, T h, int sign, Word* registers, T* x);
  static Value pack(const T* numbers) {
    if constexpr (C::one_pack)
      return Whole::load(numbers);
    else
      return {};
  }
  bool fresh() const { return C::serves_twice && fresh_; }
  bool owes() const { return (!C::known || method_.shares_ends()) && owes_; }
  template <class Which>
  void transpose(Which which, const Step<T>& s, const T* x);
  bool shares(int which) const { return method_.shares_ends() && which == 0; }
  void owe(const Letter& l, const Step<T>& s, const T* w);
  void increment(T t, T h, const T* x, T* delta);
  struct Times {
    T t, h;
  };
  Times pull_increment(T t, T h, const T* x, const T* w, T* b_bar);
  T dot(const T* a, const T* b) const;
  void evaluate(T t, const T* x, T* f, std::byte* tape);
  void evaluate_here(T t, const T* x, T* f, std::byte* tape);
  template <class Evaluate>
  T first_step(const Controller<T>& controller, T t0, T span, const Evaluate& evaluate_at);
  T add_vjp(T t, const T* x, const T* f, std::byte* tape, const T* f_bar, T* x_bar);
  T vjp_here(T t, const T* x, const T* f, std::byte* tape, const T* f_bar, T* x_bar);
  T* stage_input(int i) const { return desk_.inputs + static_cast<std::size_t>(i - 1) * n_; }
  const T* stage_input(int i, const T* x) const { return i == 0 ? x : stage_input(i); }
  T* slope(int i) const { return desk_.slopes + static_cast<std::size_t>(i) * n_; }
  /// A tape may point into itself: it is written where it stays.
  std::byte* tape_ahead() const {
    if (!C::keeps || !next_) return spare_;
    Arena arena(next_, desk_bytes_);
    return desk(arena).tapes;
  }
  std::byte* tape(int i) const { return desk_.tapes + (one_tape_ ? 0 : static_cast<std::size_t>(i) * tape_bytes_); }

  using C::method_, C::estimate_, C::n_, C::tape_bytes_, C::stages_, C::stored_slopes_, C::one_tape_, C::reuses_;
  const F* field_ = nullptr;
  std::size_t desk_bytes_ = 0;
  /// The estimate's own part of a step, at three of its places.
  void measure_letter(const Step<T>& s, const T* x);
  void measure_end(const Step<T>& s);
  void evaluate_rest(T t, T h, const T* x);
  void blend_pair(T h);

  T *delta_ = nullptr, *w_ = nullptr, *args_ = nullptr;  // of the letters before the last, in pull()
  T* owed_ = nullptr;                                    // [d] where the word shares its ends
  bool owes_ = false, fresh_ = false;                    // fresh: the desk holds f at this node
  Word *target_ = nullptr, *copy_ = nullptr;
  T* error_ = nullptr;          // [d] of the last step
  std::byte* spare_ = nullptr;  // a tape that nobody reads
  N held_number_{};
  bool ran_ahead_ = false;  // the estimate's last stage, which is the next step's first, is at hand
  int halved_ = 0;          // the last relax letter's event
  Desk own_, desk_;
  std::byte *kept_ = nullptr, *next_ = nullptr;
};

template <class N, class F, class C>
constexpr void Flow<N, F, C>::place(Arena& arena, const F& field, const Method<T>& method, int lanes, bool pulls,
                                    bool measures, bool returns) {
  const Shape shape = field.shape({lanes, 0});
  field_ = &field;
  C::choose(shape, method, lanes, measures, returns);
  Arena one;
  desk(one);
  desk_bytes_ = padded(one.bytes());
  state = arena.take<Word>(words());
  if (returns) bar = arena.take<T>(words());
  y = arena.take<T>(read_size());
  delta_ = arena.take<T>(n_);
  w_ = arena.take<T>(n_);
  if (method_.shares_ends()) owed_ = arena.take<T>(n_);
  if (pulls) args_ = arena.take<T>(n_ * static_cast<std::size_t>(method_.letters - 1));
  own_ = desk_ = desk(arena);
  if (method_.registers > 1) target_ = arena.take<Word>(n_);
  if (pulls || measures) copy_ = arena.take<Word>(words());
  if (measures) error_ = arena.take<T>(n_), spare_ = arena.take<std::byte>(tape_bytes_);
  call.extent = {lanes, 0};
  call.work = arena.take<std::byte>(shape.work);
}
}  // namespace revode
