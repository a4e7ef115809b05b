// How a matrix is cut into register blocks. All of it is a matter of speed: an element's chain of roundings is the loop
// over k alone, so the cut cannot change a bit.
#pragma once
#include "revode/impl/pack.hpp"

namespace revode::kernel {
/// Rows of a block two packs wide: accumulators for two FMA units of four cycles, and registers left for the operands.
inline constexpr int block_rows = register_bytes == 64 ? 12 : register_bytes == 32 ? 6 : 4;
inline constexpr int block_packs = register_bytes >= 16 ? 2 : 1;
/// A product of this many rows or fewer takes twice the packs: otherwise the FMA units wait for their own results.
inline constexpr int few_rows = register_bytes == 64 ? 4 : 2;

/// sum += a v, overwriting the sum: left the choice, GCC overwrites a and copies it back.
template <class T, int W>
REVODE_INLINE void accumulate(Pack<T, W>& sum, Pack<T, W> a, Pack<T, W> v) {
#if defined(__AVX2__) && defined(__FMA__)
  if constexpr (W > 1 && sizeof(T) == 4)
    asm("vfmadd231ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(v));
  else if constexpr (W > 1)
    asm("vfmadd231pd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(v));
  else
#endif
    sum = On<T, W>::fma(a, v, sum);
}

/// sum[q] += a v[q] for q < Q. whole: of a block that takes up all registers. If they are 16, a row of it is one piece
/// to the compiler: left the choice, GCC reads v from memory again for every row, or copies sums.
template <class T, int W, int Q, bool whole = true>
REVODE_INLINE void accumulate_row(Pack<T, W>* sum, const T& a, const Pack<T, W>* v) {
#if defined(__AVX2__) && defined(__FMA__)
#define REVODE_BROADCAST(s) "vbroadcasts" s " %[a], %[all]\n\t"
#define REVODE_ADD(s, q) "vfmadd231p" s " %[v" q "], %[all], %[s" q "]\n\t"
#define REVODE_TWO(s)                                           \
  asm(REVODE_BROADCAST(s) REVODE_ADD(s, "0") REVODE_ADD(s, "1") \
      : [all] "=&x"(all), [s0] "+x"(sum[0]), [s1] "+x"(sum[1])  \
      : [a] "m"(a), [v0] "x"(v[0]), [v1] "x"(v[1]))
#define REVODE_THREE(s)                                                            \
  asm(REVODE_BROADCAST(s) REVODE_ADD(s, "0") REVODE_ADD(s, "1") REVODE_ADD(s, "2") \
      : [all] "=&x"(all), [s0] "+x"(sum[0]), [s1] "+x"(sum[1]), [s2] "+x"(sum[2])  \
      : [a] "m"(a), [v0] "x"(v[0]), [v1] "x"(v[1]), [v2] "x"(v[2]))
  if constexpr (whole && registers == 16 && W == width<T> && (Q == 2 || Q == 3)) {
    Pack<T, W> all;
    if constexpr (sizeof(T) == 4 && Q == 2)
      REVODE_TWO("s");
    else if constexpr (sizeof(T) == 4)
      REVODE_THREE("s");
    else if constexpr (Q == 2)
      REVODE_TWO("d");
    else
      REVODE_THREE("d");
    return;
  }
#undef REVODE_BROADCAST
#undef REVODE_ADD
#undef REVODE_TWO
#undef REVODE_THREE
#endif
  const auto all = On<T, W>::all(a);
  REVODE_UNROLL for (int q = 0; q < Q; ++q) sum[q] = On<T, W>::fma(all, v[q], sum[q]);
}

/// The same by accumulate() where registers are 32: left the choice, GCC copies sums, which forward products alone
/// hide.
template <class T, int W, int Q, bool whole = true>
REVODE_INLINE void accumulate_in_place(Pack<T, W>* sum, const T& a, const Pack<T, W>* v) {
  if constexpr (registers == 32) {
    const auto all = On<T, W>::all(a);
    REVODE_UNROLL for (int q = 0; q < Q; ++q) accumulate<T, W>(sum[q], all, v[q]);
  } else {
    accumulate_row<T, W, Q, whole>(sum, a, v);
  }
}

/// Keeps GCC from tabulating the addresses that follow from v: in a short product the tables cost more than they save.
template <class V>
REVODE_INLINE void hide(V& v) {
  asm("" : "+r"(v));
}

/// Where pack q of Q begins that follow each other, but for the last, which is at `last`.
template <int W, int Q>
REVODE_INLINE Index pack_at(int q, Index last) {
  return q + 1 < Q ? Index{q} * W : last;
}
/// R rows `stride` apart of Q packs, the last one at `last`.
template <class T, int W, int R, int Q>
REVODE_INLINE void load_rows(const T* y, Index stride, Pack<T, W> (&sum)[R][Q], Index last = (Q - 1) * W) {
  REVODE_UNROLL for (int r = 0; r < R; ++r, y += stride) {
    hide(y);
    REVODE_UNROLL for (int q = 0; q < Q; ++q) sum[r][q] = On<T, W>::load(y + pack_at<W, Q>(q, last));
  }
}
template <class T, int W, int R, int Q>
REVODE_INLINE void store_rows(T* y, Index stride, const Pack<T, W> (&sum)[R][Q], Index last = (Q - 1) * W) {
  REVODE_UNROLL for (int r = 0; r < R; ++r, y += stride) {
    hide(y);
    REVODE_UNROLL for (int q = 0; q < Q; ++q) On<T, W>::store(y + pack_at<W, Q>(q, last), sum[r][q]);
  }
}

/// A(row, k) from a corner on. Of lines `stride` apart two or three share a pointer, as far as an address of x86
/// reaches; whatever else is counted takes the FMA units' ports.
template <class T, int R, bool transposed>
struct Corner {
  static constexpr int reach = transposed ? 2 : 3, pointers = transposed ? 2 : (R + reach - 1) / reach;
  const T* at[pointers];
  Index stride, twice;
  REVODE_INLINE Corner(const T* A, Index s) : stride(s), twice(2 * s) {
    REVODE_UNROLL for (int g = 0; g < pointers; ++g, A += reach * s) at[g] = A;
  }
  REVODE_INLINE const T* line(int i) const {
    return i % reach == 0 ? at[i / reach] : at[i / reach] + (i % reach == 1 ? stride : twice);
  }
  REVODE_INLINE const T& operator()(int r, int k) const { return transposed ? line(k)[r] : line(r)[k]; }
  REVODE_INLINE void advance(Index k) {
    REVODE_UNROLL for (int g = 0; g < pointers; ++g) {
      at[g] += transposed ? k * stride : k;
      hide(at[g]);
    }
    hide(stride);
    hide(twice);
  }
};

/// Counts one off the `left` of a line's `count` terms, or begins the next line: all bits where it did, to mask a jump
/// with, else none. Two loops in one, whose end alone has to be predicted.
REVODE_INLINE Index line_ends(Index& left, Index count) {
  const Index last = (--left - 1) >> (8 * sizeof(Index) - 1);
  left += last & count;
  return last;
}

/// f.template operator()<n>() for 1 <= n <= most.
template <int most, class F>
REVODE_INLINE void with_count(int n, const F& f) {
  if constexpr (most > 1)
    if (n < most) return with_count<most - 1>(n, f);
  f.template operator()<most>();
}

/// Calls f.template operator()<R>(first_row) for consecutive blocks of R <= most rows, as equal as can be: a small
/// remainder would leave the FMA units waiting for their own results. limit: of their rows, where it is less than most.
/// least_rows: that no block falls short of, as rows are at least so many.
template <int most, int least_rows = 1, class F>
REVODE_INLINE void even_blocks(int rows, const F& f, int limit = most) {
  const auto call = [&]<int R>(auto self, int r, int& at) REVODE_INLINED {
    if constexpr (R > least_rows)
      if (r < R) return self.template operator()<R - 1>(self, r, at);
    f.template operator()<R>(at);
    at += R;  // a constant: the next block's addresses need not wait for the division
  };
  if (limit > most) limit = most;
  const int blocks = (rows + limit - 1) / limit, least = blocks ? rows / blocks : 0, larger = rows - least * blocks;
  int at = 0;
  for (int i = 0; i < blocks; ++i) call.template operator()<most>(call, least + (i < larger), at);
}

/// The same in blocks of the given sizes, descending to 1: less code where a body is large.
template <int size, int... smaller, class F>
REVODE_INLINE void descending_blocks(int rows, const F& f, int at = 0) {
  for (; at + size <= rows; at += size) f.template operator()<size>(at);
  if constexpr (sizeof...(smaller) > 0) descending_blocks<smaller...>(rows, f, at);
}
}  // namespace revode::kernel
