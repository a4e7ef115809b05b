// Fixed point: the state lives in Z / 2^w, where adding and subtracting the same rounded increment cancel exactly. Sums
// wrap in unsigned packs; only increments that fit are converted, so every conversion is exact.
#include <string.h>

#include "scalars.hpp"
#include "sweep.hpp"

namespace revode::kernel {
namespace {
template <class T>
inline constexpr T range = sizeof(T) == 4 ? T(0x1p30) : T(0x1p62);

template <class T, int W>
struct Fixed : On<T, W> {
  using O = On<T, W>;
  using typename O::I;
  using typename O::U;
  using typename O::V;
  /// Half to even: a sum with 2^23 (2^52) of the same sign has no fraction left.
  static REVODE_INLINE V rint(V t) {
    constexpr T whole = O::single ? T(0x1p23) : T(0x1p52);
    const V shift = O::with_sign(O::all(whole), t), rounded = (t + shift) - shift;
    return O::magnitude(t) < whole ? rounded : t;
  }
  static REVODE_INLINE I integer(V v) {
    if constexpr (W == 1)
      return static_cast<I>(v);
    else
      return __builtin_convertvector(v, I);
  }
  static REVODE_INLINE V real(I i) {
    if constexpr (W == 1)
      return static_cast<V>(i);
    else
      return __builtin_convertvector(i, V);
  }
  static REVODE_INLINE bool every(V condition_as_zero) {  // zero where it holds
    if constexpr (sizeof(V) % sizeof(std::uint64_t) != 0) {
      return condition_as_zero == V{};
    } else {
      std::uint64_t part[sizeof(V) / sizeof(std::uint64_t)], any = 0;
      memcpy(part, &condition_as_zero, sizeof part);
      for (const std::uint64_t p : part) any |= p;
      return any == 0;
    }
  }
};

/// f.template operator()<W>(k, increment): increment is rint(scale x), 0 where it does not fit. True when all fit.
template <class T, class F>
REVODE_INLINE bool each_rounded(std::size_t n, T scale, const T* x, const F& f) {
  Pack<T, width<T>> misses{};
  T few_misses{};
  sweep<T>(n, [&]<int W>(std::size_t k) REVODE_INLINED {
    using X = Fixed<T, W>;
    const auto t = X::load(x + k) * scale, rounded = X::rint(t), zero = X::all(T(0));
    const auto size = X::magnitude(t);
    f.template operator()<W>(k, X::integer(size < range<T> ? rounded : zero));
    const auto miss = size < range<T> ? zero : X::all(T(1));  // NaN misses too
    if constexpr (W == width<T>)
      misses += miss;
    else
      few_misses += X::every(miss) ? T(0) : T(1);
  });
  return Fixed<T, width<T>>::every(misses) && few_misses == T(0);
}

}  // namespace

template <class T>
bool quantise(std::size_t n, T scale, const T* x, Word<T>* state) {
#if defined(__OPTIMIZE_SIZE__)
  for (std::size_t i = 0; i < n; ++i) state[i] = 0;
  return quantise_add(n, scale, x, state);
#endif
  return each_rounded(n, scale, x,
                      [&]<int W>(std::size_t k, auto value) REVODE_INLINED { On<T, W>::store(state + k, value); });
}
template <class T>
bool quantise_add(std::size_t n, T scale, const T* increment, Word<T>* state) {
  return each_rounded(n, scale, increment, [&]<int W>(std::size_t k, auto by) REVODE_INLINED {
    using U = typename On<T, W>::U;
    const auto was = __builtin_bit_cast(U, On<T, W>::load(state + k)), step = __builtin_bit_cast(U, by);
    const U now = was + step;
    On<T, W>::store(state + k, __builtin_bit_cast(typename On<T, W>::I, now));
  });
}
template <class T>
bool quantise_subtract(std::size_t n, T scale, const T* increment, Word<T>* state) {
  return quantise_add(n, -scale, increment, state);  // half to even rounds -x to minus what it rounds x to
}

template <class T>
void dequantise(std::size_t n, T unit, const Word<T>* state, T* x) {
  sweep<T>(n, [&]<int W>(std::size_t k)
                  REVODE_INLINED { On<T, W>::store(x + k, Fixed<T, W>::real(On<T, W>::load(state + k)) * unit); });
}

template <class T>
bool in_range(std::size_t n, const Word<T>* state) {
  using Natural = typename Unsigned<T>::type;
  constexpr Natural limit = Natural{1} << (8 * sizeof(T) - 2);  // |s| <= limit when s + limit <= 2 limit without a sign
  Pack<T, width<T>> misses{};
  T few_misses{};
  sweep<T>(n, [&]<int W>(std::size_t k) REVODE_INLINED {
    using X = Fixed<T, W>;
    const auto shifted = __builtin_bit_cast(typename X::U, X::load(state + k)) + limit;
    const auto miss = shifted > (limit << 1) ? X::all(T(1)) : X::all(T(0));
    if constexpr (W == width<T>)
      misses += miss;
    else
      few_misses += X::every(miss) ? T(0) : T(1);
  });
  return Fixed<T, width<T>>::every(misses) && few_misses == T(0);
}

#define REVODE_INSTANTIATE(T)                                             \
  template bool quantise<T>(std::size_t, T, const T*, Word<T>*);          \
  template bool quantise_add<T>(std::size_t, T, const T*, Word<T>*);      \
  template bool quantise_subtract<T>(std::size_t, T, const T*, Word<T>*); \
  template void dequantise<T>(std::size_t, T, const Word<T>*, T*);        \
  template bool in_range<T>(std::size_t, const Word<T>*);
REVODE_INSTANTIATE(float)
REVODE_DOUBLE(REVODE_INSTANTIATE(double))
}  // namespace revode::kernel
