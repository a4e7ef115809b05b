/// Ladder: adaptive steps that can be walked back. Sizes are rungs, h = span 2^(rung/4), rung <= 0, and time is counted
/// in integer ticks of 2^-60 of the span, so (tick, rung) is an exactly reversible state: forwards rung += move, tick
/// += ticks(rung); back tick -= ticks(rung), rung -= move. A move of -1, 0, +1 costs two bits; any other, and a step
/// that is clipped to end on a given time, costs an entry of a side list. Memory: most_steps / 4 bytes and the side
/// list.
#pragma once
#include <cstdint>

#include "revode/arena.hpp"
#include "revode/grid.hpp"
#include "revode/scalar.hpp"
#include "revode/status.hpp"

namespace revode {
template <class T>
class Ladder {
 public:
  using Ticks = std::int64_t;
  static constexpr Ticks whole = Ticks{1} << 60;
  static constexpr int lowest = -4 * 60;

  constexpr void place(Arena& arena, long most_steps, long most_jumps) {
    most_steps_ = most_steps, most_jumps_ = most_jumps;
    moves_ = arena.take<std::uint8_t>(static_cast<std::size_t>(most_steps + 3) / 4);
    jumps_ = arena.take<Jump>(static_cast<std::size_t>(most_jumps));
  }
  void begin(const Grid<T>& grid) {
    grid_ = grid;
    end_ = {0, 0, 0, 0, 0, length(0)};
    cursor_ = end_;
    from_ = to_ = grid.end(0);
    tried_interval_ = -1;
  }
  /// The rung that the first step's move counts from; before the first step.
  void start(int rung) { end_.rung = cursor_.rung = rung; }

  long steps() const { return end_.n; }
  bool finished() const { return end_.tick == end_.length; }
  /// What the next step would be, `rung` high, or clipped: times and h of s. Why it cannot be taken, if so.
  Status propose(int rung, Step<T>& s) {
    if (rung > 0) rung = 0;
    if (tried_.rungs != rung || tried_interval_ != end_.interval) try_rung(rung);
    const Ticks rest = end_.length - end_.tick, d = tried_.ticks;
    const T last = grid_.end(end_.interval + 1);
    to_ = time(end_, d);
    // A remainder of less than a sixteenth, or one that the time does not resolve, is taken along.
    clipped_ = rest <= d + d / 16 || !(to_ < last || to_ > last);
    next_ = {clipped_ ? rest : d, rung - end_.rung};
    jumps_next_ = clipped_ || next_.rungs < -1 || next_.rungs > 1;
    if (clipped_) to_ = last;
    s.n = end_.n, s.t0 = from_, s.t1 = to_, s.h = clipped_ ? size(end_, rest) : tried_h_;
    if (end_.n >= most_steps_) return Status::too_many_steps;
    if (jumps_next_ && end_.jumps >= most_jumps_) return Status::capacity;
    const bool resolved = s.h > 0 ? s.t1 > s.t0 && s.t0 + s.h > s.t0 : s.t1 < s.t0 && s.t0 + s.h < s.t0;
    return next_.ticks > 0 && resolved ? Status::ok : Status::step_underflow;
  }
  bool clipped() const { return clipped_; }
  /// The largest rung that is not above the proposed step.
  int proposed_rung() const {
    int rung = next_.ticks > 0 ? 4 * (3 - __builtin_clzll(static_cast<unsigned long long>(next_.ticks))) + 3 : lowest;
    if (rung > 0) rung = 0;
    while (rung > lowest && ticks(rung) > next_.ticks) --rung;
    return rung;
  }
  /// Takes what was proposed.
  void accept() {
    put(end_.n, jumps_next_ ? jump : next_.rungs + 1);
    if (jumps_next_) jumps_[end_.jumps] = next_;
    pass(end_, next_, jumps_next_);
    from_ = to_;
  }

  /// How many steps like the proposed one, itself the first, are surely taken as they are if the rung stays.
  long alike() const {
    // The times of the interval resolve even a sixteenth of it.
    constexpr T enough = sizeof(T) == 4 ? T(0x1p-15) : T(0x1p-44);
    const T low = magnitude(grid_.end(end_.interval)), high = magnitude(grid_.end(end_.interval + 1));
    if (clipped_ || !(magnitude(tried_h_) > enough * (low > high ? low : high))) return 1;
    const Ticks d = next_.ticks, room = (end_.length - end_.tick - d / 16 - 1) / d;
    return room < most_steps_ - end_.n ? static_cast<long>(room) : most_steps_ - end_.n;
  }
  /// The time behind so many of them.
  T ahead(long steps) const { return time(end_, steps * next_.ticks); }
  /// Takes so many of them.
  void accept(long steps) {
    accept();
    end_.tick += (steps - 1) * next_.ticks;
    for (const long to = end_.n + steps - 1; end_.n < to;)
      if (end_.n % 4 == 0 && end_.n + 4 <= to)
        moves_[end_.n >> 2] = 0x55, end_.n += 4;  // four that stay
      else
        put(end_.n++, 1);
    from_ = time(end_, 0);
  }
  bool in_last_interval() const { return end_.interval + 1 == grid_.intervals(); }

  // ---- looking back: any n up to steps(), in any order; costs the distance from the last n that was asked for
  void fill(long n, Step<T>& s) const {
    const Node& at = seek(n);
    fill(at, move(at).ticks, s);
  }
  T time(long n) const { return time(seek(n), 0); }
  Place<T> place_of(long n) const {
    const Node& at = seek(n);
    const T length = real(at.length);
    return {at.interval, real(at.tick) / length, real(move(at).ticks) / length};
  }
  /// whole 2^(rung/4), rounded down
  static constexpr Ticks ticks(int rung) {
    constexpr Ticks quarter[4] = {whole, 1371062456318104878, 1630477228166597777, 1938975120585633119};
    const int down = (3 - rung) / 4;
    return down > 61 ? 0 : quarter[rung + 4 * down] >> down;
  }
  /// What a side list of one entry costs, for those who count bytes.
  static constexpr std::size_t jump_bytes() { return sizeof(Jump); }

 private:
  static constexpr int jump = 3;
  struct Jump {
    Ticks ticks;
    int rungs;
  };
  /// Between two steps: `rung` is that of the step before, `jumps` how many entries lie behind. Only the last node of
  /// all stands at the end of its interval, the others at the beginning of the next.
  struct Node {
    long n, interval, jumps;
    int rung;
    Ticks tick, length;
  };

  /// The nearest T, rounded once. Libraries of small processors go by way of double, so floats are put together here:
  /// 32 leading bits, the last of them set if any below is.
  static T real(Ticks ticks) {
    const auto v = static_cast<std::uint64_t>(ticks);
    if constexpr (sizeof(T) == 8) return static_cast<T>(ticks);
    const int below = v >> 32 ? 32 - __builtin_clz(static_cast<unsigned>(v >> 32)) : 0;
    const std::uint32_t leading =
        static_cast<std::uint32_t>(v >> below) | (v & ((std::uint64_t{1} << below) - 1) ? 1 : 0);
    return static_cast<T>(leading) *
           static_cast<T>(__builtin_bit_cast(float, (127u + static_cast<unsigned>(below)) << 23));
  }
  [[gnu::noinline]] Ticks length(long interval) const {
    const T part = grid_.end(interval + 1) - grid_.end(interval), span = grid_.end(grid_.intervals()) - grid_.end(0);
    const T scaled = part / span * static_cast<T>(whole);
    // In two exact parts: without an instruction for it, a C library would convert by way of double.
    const auto high = static_cast<std::uint32_t>(scaled * T(0x1p-30));
    const auto low = static_cast<std::uint32_t>(scaled - static_cast<T>(high) * T(0x1p30));
    return scaled < 1 ? 1 : Ticks{high} << 30 | low;
  }
  /// What a step of a rung is in the interval at hand: seldom another one than that of the step before.
  [[gnu::noinline]] void try_rung(int rung) {
    tried_ = {ticks(rung), rung}, tried_interval_ = end_.interval;
    tried_h_ = size(end_, tried_.ticks);
  }
  T size(const Node& at, Ticks d) const {
    const T span = grid_.end(at.interval + 1) - grid_.end(at.interval);
    return span * (real(d) / real(at.length));
  }
  T time(const Node& at, Ticks ahead) const {
    const T low = grid_.end(at.interval), high = grid_.end(at.interval + 1);
    const Ticks tick = at.tick + ahead;
    if (tick == 0) return low;
    return tick >= at.length ? high : low + (high - low) * (real(tick) / real(at.length));
  }
  [[gnu::noinline]] void fill(const Node& at, Ticks d, Step<T>& s) const {
    s.n = at.n, s.t0 = time(at, 0), s.t1 = time(at, d), s.h = size(at, d);
  }
  int get(long n) const { return moves_[n >> 2] >> (2 * (n & 3)) & 3; }
  void put(long n, int code) {
    const int shift = static_cast<int>(2 * (n & 3));
    moves_[n >> 2] = static_cast<std::uint8_t>((moves_[n >> 2] & ~(3 << shift)) | code << shift);
  }
  Jump move(const Node& at) const {
    const int code = get(at.n);
    if (code == jump) return jumps_[at.jumps];
    return {ticks(at.rung + code - 1), code - 1};
  }
  void forward(Node& at) const { pass(at, move(at), get(at.n) == jump); }
  void pass(Node& at, const Jump& m, bool jumped) const {
    at.jumps += jumped;
    ++at.n, at.tick += m.ticks, at.rung += m.rungs;
    if (at.tick == at.length && at.interval + 1 < grid_.intervals())
      ++at.interval, at.tick = 0, at.length = length(at.interval);
  }
  void back(Node& at) const {
    if (at.tick == 0) --at.interval, at.tick = at.length = length(at.interval);
    --at.n;
    const bool jumped = get(at.n) == jump;
    if (jumped) --at.jumps;
    const Jump m = jumped ? jumps_[at.jumps] : Jump{ticks(at.rung), get(at.n) - 1};
    at.tick -= m.ticks, at.rung -= m.rungs;
  }
  Node& seek(long n) const {
    while (cursor_.n < n) forward(cursor_);
    while (cursor_.n > n) back(cursor_);
    return cursor_;
  }

  Grid<T> grid_;
  std::uint8_t* moves_ = nullptr;  // [most_steps], two bits each
  Jump* jumps_ = nullptr;          // [most_jumps]
  long most_steps_ = 0, most_jumps_ = 0;
  Node end_{};             // where the steps end so far
  mutable Node cursor_{};  // the node last looked at
  Jump next_{};            // what was proposed
  Jump tried_{};           // a rung and its ticks, its size in that interval
  long tried_interval_ = -1;
  T tried_h_ = 0, from_ = 0, to_ = 0;  // the times of what was proposed
  bool clipped_ = false, jumps_next_ = false;
};
}  // namespace revode
