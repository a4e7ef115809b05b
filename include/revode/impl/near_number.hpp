/// Near: a number of which a compiler sees how many elements there are, no more than a pack has. What Fixed and Real do
/// behind calls is done where it is used, in packs; conversions of small numbers by a sum with a power of two, for that
/// is what the next evaluation waits for, and larger increments as Fixed does it. The bits are theirs.
#pragma once
#include "revode/impl/few.hpp"
#include "revode/number.hpp"

namespace revode {
namespace detail {
/// Numbers and integers of a magnitude below `most`: the sum of the number and 3 `most` is rounded to an integer, half
/// to even, and has its low bits; exact the other way.
template <class T, int W>
struct Magic : kernel::On<T, W> {
  using O = kernel::On<T, W>;
  using typename O::I;
  using typename O::U;
  using typename O::V;
  static constexpr T most = O::single ? T(0x1p22) : T(0x1p51);
  static constexpr int most_bits = O::single ? 22 : 51;
  static REVODE_INLINE U natural(I s) { return __builtin_bit_cast(U, s); }
  /// None where -2^bits <= s < 2^bits
  static REVODE_INLINE U beyond(U s, int bits) {
    using Natural = typename kernel::Unsigned<T>::type;
    return (s + (Natural{1} << bits)) & (~Natural{} << bits << 1);
  }
  static REVODE_INLINE V converted(I s) {
    if constexpr (W == 1)
      return static_cast<V>(s);
    else
      return __builtin_convertvector(s, V);
  }
  /// Of v times a power of two, where that is within most_bits; what else it is says nothing of v.
  static REVODE_INLINE U nearest(V v, T scale) {
    return O::bits(O::fma(v, O::all(scale), O::all(3 * most))) - O::bits(O::all(3 * most));
  }
  /// Of a word within most_bits, unless it is wide
  static REVODE_INLINE V value(I s, T scale, bool wide) {
    if (O::single || wide) return converted(s) * scale;
    return O::fma(O::real(natural(s) + O::bits(O::all(3 * most))), O::all(scale), O::all(-3 * most * scale));
  }
};
}  // namespace detail

template <class N>
struct Near;
template <class T>
struct Near<Real<T>> : Real<T> {
  static void load(int, std::size_t n, T* a, const T* x) {
    each(n, a, [&]<class O>(std::size_t k) REVODE_INLINED { return O::load(x + k); });
  }
  static void value(int, std::size_t n, T* x, const T* a) { load(0, n, x, a); }
  /// a += or -= increment, by the sign; now: what a has become.
  static REVODE_INLINE void move(int, int sign, std::size_t n, T* a, const T* increment, T* now) {
    each(n, now, [&]<class O>(std::size_t k) REVODE_INLINED {
      const auto by = O::load(increment + k);
      return sign < 0 ? O::load(a + k) - by : O::load(a + k) + by;
    });
    load(0, n, a, now);
  }
  static bool guard(int, std::size_t, const T*) { return true; }

 private:
  static REVODE_INLINE void each(std::size_t n, T* to, const auto& f) {
    detail::in_packs<T>(n, [&]<int W>(std::size_t k) REVODE_INLINED {
      using O = kernel::On<T, W>;
      O::store(to + k, f.template operator()<O>(k));
    });
  }
};

template <class T>
struct Near<Fixed<T>> : Fixed<T> {
  using typename Fixed<T>::Word;
  REVODE_INLINE void value(int r, std::size_t n, T* x, const Word* a) const {
    const T scale = this->unit[r];
    detail::in_packs<T>(n, [&]<int W>(std::size_t k) REVODE_INLINED {
      using X = detail::Magic<T, W>;
      X::store(x + k, X::value(X::load(a + k), scale, wide_));
    });
  }
  /// a += or -= increment, by the sign; now: what a has become.
  REVODE_INLINE void move(int r, int sign, std::size_t n, Word* a, const T* increment, T* now) {
    const T scale = sign < 0 ? -this->up[r] : this->up[r], back = this->unit[r];
    detail::in_packs<T>(n, [&]<int W>(std::size_t k) REVODE_INLINED {
      using X = detail::Magic<T, W>;
      const auto by = X::nearest(X::load(increment + k), scale), sum = X::natural(X::load(a + k)) + by;
      if (X::none(X::beyond(by, X::most_bits) | X::beyond(sum, narrow))) [[likely]] {
        const auto word = __builtin_bit_cast(typename X::I, sum);
        X::store(a + k, word);
        X::store(now + k, X::value(word, back, false));
      } else {
        move_far(W, scale, a + k, increment + k);
        X::store(now + k, X::value(X::load(a + k), back, true));
      }
    });
  }
  bool guard(int, std::size_t n, const Word* a) {
    if (wide_) this->bad |= !kernel::in_range<T>(n, a);
    return !this->bad;
  }
  void add(int, std::size_t, Word*, const T*) = delete;  // move() looks at what it writes
  void subtract(int, std::size_t, Word*, const T*) = delete;
  // What else writes words than copies of them.
  void load(int r, std::size_t n, Word* a, const T* x) { Fixed<T>::load(r, n, a, x), look(n, a); }
  void relax(std::size_t n, Word* a, int s, const Word* x, T m, int offset, BitLog* log) {
    Fixed<T>::relax(n, a, s, x, m, offset, log), look(n, a);
  }
  void unrelax(std::size_t n, Word* a, int s, const Word* x, T m, int offset, BitLog* log) {
    Fixed<T>::unrelax(n, a, s, x, m, offset, log), look(n, a);
  }
  void reflect(std::size_t n, Word* a, const Word* x) { Fixed<T>::reflect(n, a, x), look(n, a); }
  void halve(std::size_t n, Word* a, int s, const Word* x, int times, BitLog* log) {
    Fixed<T>::halve(n, a, s, x, times, log), look(n, a);
  }
  void unhalve(std::size_t n, Word* a, int s, const Word* x, int times, BitLog* log) {
    Fixed<T>::unhalve(n, a, s, x, times, log), look(n, a);
  }

 private:
  /// As long as no word has been wider, none needs to be looked at: doubles are had by a sum, floats are in range.
  static constexpr int narrow = sizeof(T) == 4 ? Fixed<T>::width - 2 : detail::Magic<T, 1>::most_bits;
  [[gnu::noinline]] void move_far(std::size_t n, T scale, Word* a, const T* increment) {
    this->bad |= !kernel::quantise_add(n, scale, increment, a);
    look(n, a);
  }
  void look(std::size_t n, const Word* a) {
    detail::in_packs<T>(n, [&]<int W>(std::size_t k) REVODE_INLINED {
      using X = detail::Magic<T, W>;
      wide_ |= !X::none(X::beyond(X::natural(X::load(a + k)), narrow));
    });
  }
  bool wide_ = false;
};
}  // namespace revode
