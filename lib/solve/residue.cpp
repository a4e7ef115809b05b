#include "revode/residue.hpp"

#include <string.h>

#include <bit>

#include "revode/impl/pack.hpp"
#include "scalars.hpp"

namespace revode {
namespace {
template <class T>
using Unsigned = typename kernel::Unsigned<T>::type;
template <class T>
inline constexpr int width = 8 * static_cast<int>(sizeof(T));

/// Floats in their order as integers modulo 2^w, a bijection of all bit patterns that is its own inverse.
template <class T>
Unsigned<T> ord(Unsigned<T> bits) {
  const Unsigned<T> negative = Unsigned<T>{0} - (bits >> (width<T> - 1));
  return bits ^ (negative >> 1);
}
template <class T>
Unsigned<T> bits_of(T x) {
  Unsigned<T> bits;
  memcpy(&bits, &x, sizeof x);
  return bits;
}
template <class T>
Unsigned<T> ord_predicted(T p) {
  return p == p ? ord<T>(bits_of(p)) : Unsigned<T>{0};
}
template <class T>
Unsigned<T> magnitude(kernel::Word<T> r) {
  return r < 0 ? Unsigned<T>{0} - static_cast<Unsigned<T>>(r) : static_cast<Unsigned<T>>(r);
}

template <class T>
kernel::Word<T> minus(kernel::Word<T> a, kernel::Word<T> b) {
  return static_cast<kernel::Word<T>>(static_cast<Unsigned<T>>(a) - static_cast<Unsigned<T>>(b));
}

constexpr int longest = 24;           // zeros of a unary part; one more value says that the number follows as it is
constexpr int run_width = 64;         // of a run written as it is
constexpr int change_width = 8;       // of a change of a parameter written as it is
constexpr int most_parameter = 40;    // 2^40 neighbours off is no prediction any more
constexpr int rise = 5;               // a magnitude counts for at most 2^rise times what the parameter expects
constexpr std::uint64_t often = 256;  // residues between two looks at the parameters, or a record if that is more

/// The first k with 2^k >= half of the mean, where Rice(k) is shortest for a geometric distribution.
int parameter(std::uint64_t sum, std::uint64_t count) {
  int k = 0;
  while (k < most_parameter && (count << k) < sum - sum / 2) ++k;
  return k;
}
}  // namespace

template <class T>
void miss(std::size_t n, const T* y, const T* p, kernel::Word<T>* r) {
  for (std::size_t i = 0; i < n; ++i) r[i] = static_cast<kernel::Word<T>>(ord<T>(bits_of(y[i])) - ord_predicted(p[i]));
}
template <class T>
void mend(std::size_t n, const T* p, const kernel::Word<T>* r, T* y) {
  for (std::size_t i = 0; i < n; ++i) {
    const Unsigned<T> bits = ord<T>(ord_predicted(p[i]) + static_cast<Unsigned<T>>(r[i]));
    memcpy(y + i, &bits, sizeof bits);
  }
}

template <class T>
void Residues<T>::clear() {
  log_.clear();
  at_ = {}, lately_ = {};
  waits_ = false;
}

/// Records in front of which the parameters may change: often at first, when little is known.
template <class T>
bool Residues<T>::event() const {
  const std::uint64_t period = n_ < often ? often / n_ : 1;
  return at_.records % period == 0 || (at_.records & (at_.records - 1)) == 0;
}

template <class T>
void Residues<T>::look(const Word* next) {
  const int bits = at_.value + rise;
  const Unsigned<T> most = Unsigned<T>{1} << (bits < width<T> ? bits : width<T> - 1);
  Sums plain, differences;
  for (std::size_t i = 0; i < n_; ++i) {
    const Unsigned<T> m = magnitude<T>(last_[i]), d = magnitude<T>(minus<T>(last_[i], next[i]));
    plain.nonzeros += m != 0, differences.nonzeros += d != 0;
    plain.magnitudes += m < most ? m : most, differences.magnitudes += d < most ? d : most;
  }
  Lately& l = lately_;
  l.residues += n_;
  l.plain.nonzeros += plain.nonzeros, l.plain.magnitudes += plain.magnitudes;
  l.differences.nonzeros += differences.nonzeros, l.differences.magnitudes += differences.magnitudes;
}

/// The parameters for what was met lately.
template <class T>
void Residues<T>::choose() {
  Lately& l = lately_;
  at_.differs = l.differences.magnitudes < l.plain.magnitudes;
  const Sums& sums = at_.differs ? l.differences : l.plain;
  const std::uint64_t some = sums.nonzeros ? sums.nonzeros : 1;
  const bool dense_now = 2 * sums.nonzeros > l.residues;
  at_.gap = dense_now ? -1 : parameter(l.residues - sums.nonzeros, some);
  if (sums.nonzeros)
    at_.value = dense_now ? parameter(sums.magnitudes, l.residues) : parameter(sums.magnitudes - sums.nonzeros, some);
  l.residues /= 2;
  l.plain.halve(), l.differences.halve();
}
/// A run that a dense code cannot carry on, what the parameters were, and on top whether they changed.
template <class T>
void Residues<T>::write_event(const State& old) {
  const bool changed = old.gap != at_.gap || old.value != at_.value || old.differs != at_.differs;
  if (changed) {
    if (old.gap >= 0 && dense()) {
      put_rice(at_.run, old.gap, run_width);
      at_.run = 0;
    }
    put_change(old.gap, at_.gap);
    put_change(old.value, at_.value);
    put(old.differs, 1);
  }
  put(changed, 1);
}
template <class T>
void Residues<T>::read_event() {
  if (!take(1)) return;
  const bool was_dense = dense();
  at_.differs = take(1) != 0;
  at_.value = take_change(at_.value);
  at_.gap = take_change(at_.gap);
  if (was_dense && !dense()) at_.run = take_rice(at_.gap, run_width);
}

template <class T>
bool Residues<T>::push(const Word* r) {
  if (waits_) {
    const State before = at_;
    const Lately known = lately_;
    const std::size_t mark = log_.bits();
    full_ = false;
    code(r);
    if (full_) {
      at_ = before, lately_ = known;
      log_.drop(log_.bits() - mark);
      return false;
    }
    if (log_.bits() > peak_) peak_ = log_.bits();
  }
  memcpy(last_, r, n_ * sizeof(Word));
  return waits_ = true;
}

template <class T>
void Residues<T>::code(const Word* next) {
  look(next);
  if (event()) {
    const State old = at_;
    choose();
    write_event(old);
  }
  for (std::size_t i = 0; i < n_ && !full_; ++i) {
    const Word x = at_.differs ? minus<T>(last_[i], next[i]) : last_[i];
    if (x == 0 && !dense()) {
      ++at_.run;
      continue;
    }
    const Unsigned<T> m = magnitude<T>(x);
    if (!dense()) put_rice(at_.run, at_.gap, run_width);
    if (m) put(x < 0, 1);
    put_rice(dense() ? m : m - 1, at_.value, width<T>);
    at_.run = 0;
  }
  ++at_.records;
}

template <class T>
void Residues<T>::pop(Word* r) {
  memcpy(r, last_, n_ * sizeof(Word));
  waits_ = at_.records > 0;
  if (!waits_) return;
  --at_.records;
  for (std::size_t i = n_; i-- > 0;) {
    Unsigned<T> x = 0;
    if (!dense() && at_.run > 0) {
      --at_.run;
    } else {
      x = static_cast<Unsigned<T>>(take_rice(at_.value, width<T>)) + (dense() ? 0 : 1);
      if (x && take(1)) x = Unsigned<T>{0} - x;
      if (!dense()) at_.run = take_rice(at_.gap, run_width);
    }
    last_[i] = static_cast<Word>(at_.differs ? static_cast<Unsigned<T>>(r[i]) + x : x);
  }
  if (event()) read_event();
}

template <class T>
void Residues<T>::put(std::uint64_t bits, int count) {
  if (!log_.room(static_cast<std::size_t>(count))) full_ = true;
  if (full_) return;
  if (count > 32) log_.push(static_cast<std::uint32_t>(bits >> 32), count - 32), count = 32;
  if (count > 0) log_.push(static_cast<std::uint32_t>(bits), count);
}
template <class T>
std::uint64_t Residues<T>::take(int count) {
  const std::uint64_t low = count > 0 ? log_.pop(count < 32 ? count : 32) : 0;
  return count > 32 ? low | std::uint64_t{log_.pop(count - 32)} << 32 : low;
}

/// The low k bits, a one, and zeros that count the rest, on top because they are read first.
template <class T>
void Residues<T>::put_rice(std::uint64_t v, int k, int width) {
  const std::uint64_t zeros = v >> k;
  const bool plain = zeros >= longest;
  put(v, plain ? width : k);
  put(1, 1 + (plain ? longest : static_cast<int>(zeros)));
}
template <class T>
std::uint64_t Residues<T>::take_rice(int k, int width) {
  const int seen = log_.bits() < longest + 1 ? static_cast<int>(log_.bits()) : longest + 1;
  const std::uint32_t top = log_.top(seen) << (32 - seen);
  const int zeros = std::countl_zero(top);
  log_.drop(static_cast<std::size_t>(zeros) + 1);
  return zeros == longest ? take(width) : static_cast<std::uint64_t>(zeros) << k | take(k);
}
template <class T>
void Residues<T>::put_change(int from, int to) {
  put_rice(static_cast<std::uint64_t>(to < from ? 2 * (from - to) - 1 : 2 * (to - from)), 0, change_width);
}
template <class T>
int Residues<T>::take_change(int to) {
  const auto z = static_cast<int>(take_rice(0, change_width));
  return z & 1 ? to + (z + 1) / 2 : to - z / 2;
}

template void miss(std::size_t, const float*, const float*, kernel::Word<float>*);
REVODE_DOUBLE(template void miss(std::size_t, const double*, const double*, kernel::Word<double>*);)
template void mend(std::size_t, const float*, const kernel::Word<float>*, float*);
REVODE_DOUBLE(template void mend(std::size_t, const double*, const kernel::Word<double>*, double*);)
template class Residues<float>;
REVODE_DOUBLE(template class Residues<double>;)
}  // namespace revode
