// Pack<T, W>: W scalars that travel through one instruction; a pack of one is the scalar itself. GCC and clang turn
// these loops into single instructions; named to GCC on x86 are fma, whose loop it takes apart where an operand stays
// the same in a loop around it, and the lesser and greater of doubles, which it would compare and blend. fma rounds
// once on every target, which is what makes the bits equal.
#pragma once
#include <concepts>
#include <cstddef>
#include <cstdint>

#include "revode/kernels.hpp"

#if defined(__FAST_MATH__)
#error "revode: -ffast-math breaks the fixed order of roundings; build without it"
#endif
#if (defined(__arm__) && !defined(__ARM_FEATURE_FMA)) || (defined(__riscv) && !defined(__riscv_flen))
#define REVODE_SOFT_FMA  // elsewhere fma is an instruction, or that of a libm which rounds once (glibc, musl)
#include "revode/impl/soft_fma.hpp"
#endif
#define REVODE_INLINE __attribute__((always_inline)) inline
#define REVODE_INLINED __attribute__((always_inline))  // of a lambda, after its parameters
#define REVODE_UNROLL _Pragma("GCC unroll 16")

namespace revode::kernel {
using Index = std::ptrdiff_t;

#if defined(__AVX512F__) && defined(__AVX512DQ__)
inline constexpr int register_bytes = 64;
#elif defined(__AVX2__)
inline constexpr int register_bytes = 32;
#elif defined(__SSE2__) || defined(__aarch64__)
inline constexpr int register_bytes = 16;
#else
inline constexpr int register_bytes = 0;
#endif
inline constexpr int registers = register_bytes == 64 ? 32 : 16;
/// Scalars in a register of this build.
template <class T>
inline constexpr int width = register_bytes ? register_bytes / static_cast<int>(sizeof(T)) : 1;
/// The next narrower pack worth its code: halves down to 16 bytes, then one.
template <class T, int W>
inline constexpr int narrower = W* static_cast<int>(sizeof(T)) > 16 ? W / 2 : 1;

template <class T>
struct Unsigned;
template <>
struct Unsigned<float> {
  using type = std::uint32_t;
};
template <>
struct Unsigned<double> {
  using type = std::uint64_t;
};

template <class T, int W>
struct PackTypes {
  typedef T real __attribute__((vector_size(W * sizeof(T))));
  typedef Word<T> integer __attribute__((vector_size(W * sizeof(T))));
  typedef typename Unsigned<T>::type natural __attribute__((vector_size(W * sizeof(T))));
  typedef T loose __attribute__((vector_size(W * sizeof(T)), aligned(alignof(T)), may_alias));
  typedef Word<T> loose_integer __attribute__((vector_size(W * sizeof(T)), aligned(alignof(T)), may_alias));
};
template <class T>
struct PackTypes<T, 1> {
  using real = T;
  using integer = Word<T>;
  using natural = typename Unsigned<T>::type;
  using loose = T;
  using loose_integer = Word<T>;
};
template <class T, int W>
using Pack = typename PackTypes<T, W>::real;

/// What compilers do not find in loops over lanes; where nothing but None is taken, they must.
namespace named {
struct None {};
void fma(None);
void lesser(None);
void greater(None);
void above(None);
void sign_where(None);
void none(None);
#if defined(__GNUC__) && !defined(__clang__) && defined(__FMA__)
#if defined(__AVX512F__)  // all lanes, 4: rounding as it is set
REVODE_INLINE Pack<float, 16> fma(Pack<float, 16> a, Pack<float, 16> b, Pack<float, 16> c) {
  return __builtin_ia32_vfmaddps512_mask(a, b, c, static_cast<unsigned short>(-1), 4);
}
REVODE_INLINE Pack<double, 8> fma(Pack<double, 8> a, Pack<double, 8> b, Pack<double, 8> c) {
  return __builtin_ia32_vfmaddpd512_mask(a, b, c, static_cast<unsigned char>(-1), 4);
}
#endif
REVODE_INLINE Pack<float, 8> fma(Pack<float, 8> a, Pack<float, 8> b, Pack<float, 8> c) {
  return __builtin_ia32_vfmaddps256(a, b, c);
}
REVODE_INLINE Pack<double, 4> fma(Pack<double, 4> a, Pack<double, 4> b, Pack<double, 4> c) {
  return __builtin_ia32_vfmaddpd256(a, b, c);
}
REVODE_INLINE Pack<float, 4> fma(Pack<float, 4> a, Pack<float, 4> b, Pack<float, 4> c) {
  return __builtin_ia32_vfmaddps(a, b, c);
}
REVODE_INLINE Pack<double, 2> fma(Pack<double, 2> a, Pack<double, 2> b, Pack<double, 2> c) {
  return __builtin_ia32_vfmaddpd(a, b, c);
}
// The second operand where one is NaN or both are zero.
REVODE_INLINE Pack<double, 4> lesser(Pack<double, 4> c, Pack<double, 4> x) {
  return __builtin_ia32_minpd256(c, x);
}
REVODE_INLINE Pack<double, 2> lesser(Pack<double, 2> c, Pack<double, 2> x) {
  return __builtin_ia32_minpd(c, x);
}
REVODE_INLINE Pack<double, 4> greater(Pack<double, 4> c, Pack<double, 4> x) {
  return __builtin_ia32_maxpd256(c, x);
}
REVODE_INLINE Pack<double, 2> greater(Pack<double, 2> c, Pack<double, 2> x) {
  return __builtin_ia32_maxpd(c, x);
}
template <class U>
REVODE_INLINE bool none(U u) requires(sizeof(U) == 32) {
  typedef long long Bits __attribute__((vector_size(32)));
  return __builtin_ia32_ptestz256(__builtin_bit_cast(Bits, u), __builtin_bit_cast(Bits, u));
}
template <class U>
REVODE_INLINE bool none(U u) requires(sizeof(U) == 16) {
  typedef long long Bits __attribute__((vector_size(16)));
  return __builtin_ia32_ptestz128(__builtin_bit_cast(Bits, u), __builtin_bit_cast(Bits, u));
}
#endif
#if defined(__AVX512F__) && defined(__AVX512DQ__)
template <std::same_as<Pack<float, 16>> V>  // clang's packs of doubles would pass for floats
REVODE_INLINE auto above(V z, V bound) {
  return __builtin_ia32_cmpps512_mask(z, bound, 30, static_cast<unsigned short>(-1), 4);
}
template <std::same_as<Pack<float, 16>> V>
REVODE_INLINE V sign_where(decltype(above(V{}, V{})) mask, V x, V y) {  // the lesser of |x| and 1
  return __builtin_ia32_rangeps512_mask(x, Pack<float, 16>{} + 1.0f, 2, y, mask, 4);
}
#endif
}  // namespace named

/// Operations on packs, by name: On<float, 16>::fma(a, b, c).
template <class T, int W>
struct On {
  using V = Pack<T, W>;
  using I = typename PackTypes<T, W>::integer;
  using U = typename PackTypes<T, W>::natural;  // wraps; signed packs would overflow
  static constexpr bool single = sizeof(T) == 4;

  static REVODE_INLINE V load(const T* p) { return *reinterpret_cast<const typename PackTypes<T, W>::loose*>(p); }
  static REVODE_INLINE void store(T* p, V v) { *reinterpret_cast<typename PackTypes<T, W>::loose*>(p) = v; }
  static REVODE_INLINE I load(const Word<T>* p) {
    return *reinterpret_cast<const typename PackTypes<T, W>::loose_integer*>(p);
  }
  static REVODE_INLINE void store(Word<T>* p, I v) {
    *reinterpret_cast<typename PackTypes<T, W>::loose_integer*>(p) = v;
  }
  static REVODE_INLINE V all(T s) {
    if constexpr (W == 1)
      return s;
    else
      return s - V{};  // exact for every s, the zeros' signs included
  }
  static REVODE_INLINE U bits(V v) { return __builtin_bit_cast(U, v); }
  static REVODE_INLINE V real(U u) { return __builtin_bit_cast(V, u); }
  static REVODE_INLINE V magnitude(V v) { return real(bits(v) & (~typename Unsigned<T>::type{} >> 1)); }
  /// Is no bit set in any lane?
  static REVODE_INLINE bool none(U u) {
    if constexpr (W == 1) {
      return u == 0;
    } else if constexpr (requires { named::none(u); }) {
      return named::none(u);
    } else {
      typename Unsigned<T>::type any = 0;
      for (int l = 0; l < W; ++l) any |= u[l];
      return any == 0;
    }
  }
  /// |v| with the sign of s
  static REVODE_INLINE V with_sign(V v, V s) {
    constexpr auto rest = ~typename Unsigned<T>::type{} >> 1;
    return real(((bits(s) ^ bits(v)) & rest) ^ bits(s));  // one instruction of AVX-512
  }
  static REVODE_INLINE auto above(V z, T bound) {
    if constexpr (requires { named::above(z, z); })
      return named::above(z, all(bound));
    else
      return z > bound;
  }
  using Where = decltype(above(V{}, T{}));
  /// Above ? one with the sign of x, whose magnitude is one at least : y
  static REVODE_INLINE V sign_where(Where above, V x, V y) {
    if constexpr (requires { named::above(x, x); })
      return named::sign_where(above, x, y);
    else
      return above ? with_sign(all(T(1)), x) : y;
  }
  static REVODE_INLINE V fma(V a, V b, V c) {
    if constexpr (W == 1) {
      return fma1(a, b, c);
    } else if constexpr (requires { named::fma(a, b, c); }) {
      return named::fma(a, b, c);
    } else {
      V r;
      for (int l = 0; l < W; ++l) r[l] = fma1(a[l], b[l], c[l]);
      return r;
    }
  }
  static REVODE_INLINE V fma(V a, V b, T c) requires(W > 1) { return fma(a, b, all(c)); }
  // Comparisons that are false for NaN keep it: the argument goes through.
  static REVODE_INLINE V at_most(V x, T c) {
    if constexpr (requires { named::lesser(x, x); })
      return named::lesser(all(c), x);
    else
      return x > c ? all(c) : x;
  }
  static REVODE_INLINE V at_least(V x, T c) {
    if constexpr (requires { named::greater(x, x); })
      return named::greater(all(c), x);
    else
      return x < c ? all(c) : x;
  }

 private:
  static REVODE_INLINE T fma1(T a, T b, T c) {
#if defined(REVODE_SOFT_FMA)
    if constexpr (single)
      return soft_fma(a, b, c);
    else
      return __builtin_fma(a, b, c);
#else
    if constexpr (single)
      return __builtin_fmaf(a, b, c);
    else
      return __builtin_fma(a, b, c);
#endif
  }
};
/// f.template operator()<V>(k) handles elements k ... k + V - 1: packs of W, then each narrower one at most once.
template <class T, int W, class K, class F>
REVODE_INLINE void sweep_from(K k, K n, const F& f) {
  for (; k + W <= n; k += W) f.template operator()<W>(k);
  if constexpr (W > 1)
    if (k < n) sweep_from<T, narrower<T, W>>(k, n, f);
}
}  // namespace revode::kernel
