/// Near: a number of which a compiler sees how many elements there are. What Fixed and Real do behind calls is done
/// where it is used, in packs; conversions of small numbers by a sum with a power of two, for that is what the next
/// evaluation waits for, and larger increments as Fixed does it. The bits are theirs.
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
  /// -2^bits <= s < 2^bits
  static REVODE_INLINE bool within(U s, int bits) {
    using Natural = typename kernel::Unsigned<T>::type;
    return O::none(s + (Natural{1} << bits), ~Natural{} << bits << 1);
  }
  static REVODE_INLINE V converted(I s) {
    if constexpr (W == 1)
      return static_cast<V>(s);
    else
      return __builtin_convertvector(s, V);
  }
  /// Of v times a power of two: within most_bits, or it is not v's.
  static REVODE_INLINE U nearest(V v, T scale) {
    return O::bits(O::fma(v, O::all(scale), O::all(3 * most))) - O::bits(O::all(3 * most));
  }
  static REVODE_INLINE V real(I s, T scale) {
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
  static void add(int, std::size_t n, T* a, const T* increment) {
    each(n, a, [&]<class O>(std::size_t k) REVODE_INLINED { return O::load(a + k) + O::load(increment + k); });
  }
  static void subtract(int, std::size_t n, T* a, const T* increment) {
    each(n, a, [&]<class O>(std::size_t k) REVODE_INLINED { return O::load(a + k) - O::load(increment + k); });
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
  void value(int r, std::size_t n, T* x, const Word* a) const {
    const T scale = this->unit[r];
    detail::in_packs<T>(n, [&]<int W>(std::size_t k) REVODE_INLINED {
      using X = detail::Magic<T, W>;
      const auto s = X::load(a + k);
      X::store(x + k,
               !X::single && X::within(X::natural(s), X::most_bits) ? X::real(s, scale) : X::converted(s) * scale);
    });
  }
  void add(int r, std::size_t n, Word* a, const T* increment) { add_scaled(this->up[r], n, a, increment); }
  void subtract(int r, std::size_t n, Word* a, const T* increment) { add_scaled(-this->up[r], n, a, increment); }
  bool guard(int, std::size_t n, const Word* a) {
    detail::in_packs<T>(n, [&]<int W>(std::size_t k) REVODE_INLINED {
      using X = detail::Magic<T, W>;
      if (!X::within(X::natural(X::load(a + k)), Fixed<T>::width - 2)) this->bad |= !kernel::in_range<T>(W, a + k);
    });
    return !this->bad;
  }

 private:
  void add_scaled(T scale, std::size_t n, Word* a, const T* increment) {
    detail::in_packs<T>(n, [&]<int W>(std::size_t k) REVODE_INLINED {
      using X = detail::Magic<T, W>;
      const auto by = X::nearest(X::load(increment + k), scale);
      if (X::within(by, X::most_bits)) [[likely]] {
        X::store(a + k, __builtin_bit_cast(typename X::I, X::natural(X::load(a + k)) + by));
      } else {
        this->bad |= !kernel::quantise_add(W, scale, increment + k, a + k);
      }
    });
  }
};
}  // namespace revode
