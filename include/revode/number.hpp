/// Number: what a register holds. Real is a float; addition and subtraction are then not inverse to each other. Fixed
/// is an integer modulo 2^w at scale 2^k: integers form a group under addition, so subtracting undoes adding for ANY
/// increment, and every step of a bijective word can be undone exactly (numerics of Levesque and Verlet 1993, Rein and
/// Tamayo 2017).
#pragma once
#include <cstddef>
#include <cstdint>

#include "revode/arena.hpp"
#include "revode/kernels.hpp"

namespace revode {
/// Bits last in, first out, in a fixed store: what halving events drop, and what predictions miss.
class BitLog {
 public:
  constexpr void place(Arena& arena, std::size_t bits) {
    capacity_ = bits;
    word_ = arena.take<std::uint32_t>((bits + 31) / 32);
  }
  void clear() { top_ = 0; }
  bool room(std::size_t bits) const { return bits <= capacity_ - top_; }
  bool empty() const { return top_ == 0; }
  std::size_t bits() const { return top_; }
  void rewind(std::size_t bits) { top_ = bits; }  ///< to what bits() was
  void push(std::uint32_t value, int count) {     // the low `count` bits, 1 to 32
    const std::size_t at = top_ >> 5;
    const int shift = static_cast<int>(top_ & 31);
    const std::uint64_t mask = ((std::uint64_t{1} << count) - 1) << shift, v = std::uint64_t{value} << shift;
    word_[at] = (word_[at] & ~static_cast<std::uint32_t>(mask)) | static_cast<std::uint32_t>(v & mask);
    if (shift + count > 32) word_[at + 1] = static_cast<std::uint32_t>((v & mask) >> 32);
    top_ += static_cast<std::size_t>(count);
  }
  /// The last `count` bits, 1 to 32, which stay.
  std::uint32_t top(int count) const {
    const std::size_t first = top_ - static_cast<std::size_t>(count), at = first >> 5;
    const int shift = static_cast<int>(first & 31);
    std::uint64_t v = word_[at] >> shift;
    if (shift + count > 32) v |= std::uint64_t{word_[at + 1]} << (32 - shift);
    return static_cast<std::uint32_t>(v & ((std::uint64_t{1} << count) - 1));
  }
  void drop(std::size_t count) { top_ -= count; }
  std::uint32_t pop(int count) {
    const std::uint32_t v = top(count);
    drop(static_cast<std::size_t>(count));
    return v;
  }

 private:
  std::uint32_t* word_ = nullptr;
  std::size_t capacity_ = 0, top_ = 0;
};

template <class T>
struct Real {
  using Scalar = T;
  using Word = T;
  static constexpr bool exact = false;
  constexpr void init(const int (&)[2]) {}
  void load(int, std::size_t n, Word* a, const T* x);
  void value(int, std::size_t n, T* x, const Word* a) const;
  void add(int, std::size_t n, Word* a, const T* increment);
  void subtract(int, std::size_t n, Word* a, const T* increment);
  /// a = x + s m (a - x); a letter that changes nothing, m = 1 and s = +1, is left alone by the caller.
  void relax(std::size_t n, Word* a, int s, const Word* x, T m, int offset, BitLog* log);
  void unrelax(std::size_t n, Word* a, int s, const Word* x, T m, int offset, BitLog* log);
  /// relax() of a plain walk, m = 1 and s = -1: its own inverse where numbers are exact.
  static void reflect(std::size_t n, Word* a, const Word* x) {
    for (std::size_t i = 0; i < n; ++i) a[i] = x[i] + (x[i] - a[i]);
  }
  bool guard(int, std::size_t n, const Word* a);
  static int halvings(std::size_t, const Word*, const Word*, Word) { return 0; }
  void halve(std::size_t, Word*, int, const Word*, int, BitLog*) {}
  void unhalve(std::size_t, Word*, int, const Word*, int, BitLog*) {}
};

template <class T>
struct Fixed {
  using Scalar = T;
  using Word = kernel::Word<T>;
  static constexpr bool exact = true;
  static constexpr int width = 8 * static_cast<int>(sizeof(T));
  /// Fraction bits of each register: range is 2^(w - 2 - bits).
  constexpr void init(const int (&bits)[2]) {
    for (int r = 0; r < 2; ++r) {
      up[r] = 1;
      for (int b = 0; b < bits[r]; ++b) up[r] += up[r];
      unit[r] = 1 / up[r];
    }
  }
  void load(int r, std::size_t n, Word* a, const T* x);
  void value(int r, std::size_t n, T* x, const Word* a) const;
  void add(int r, std::size_t n, Word* a, const T* increment);
  void subtract(int r, std::size_t n, Word* a, const T* increment);
  /// As Real with m = 1 or 1/2; the half's dropped bit of each element goes to the log (null: not kept).
  void relax(std::size_t n, Word* a, int s, const Word* x, T m, int offset, BitLog* log);
  /// relax() of a plain walk, m = 1 and s = -1, and its inverse.
  static void reflect(std::size_t n, Word* a, const Word* x) {
    using U = decltype(static_cast<Word>(0) + 0u);  // wraps
    for (std::size_t i = 0; i < n; ++i) a[i] = static_cast<Word>(2 * static_cast<U>(x[i]) - static_cast<U>(a[i]));
  }
  /// The exact inverse, with the bits taken back from the log.
  void unrelax(std::size_t n, Word* a, int s, const Word* x, T m, int offset, BitLog* log);
  /// How often the largest |a - x| must be halved to be at most `above`, and then once more; 0 where it is, 15 at most.
  static int halvings(std::size_t n, const Word* a, const Word* x, Word above);
  /// relax() with m = 2^-times, rounded to nearest: `times` bits of each element go to the log. And its exact inverse.
  void halve(std::size_t n, Word* a, int s, const Word* x, int times, BitLog* log);
  void unhalve(std::size_t n, Word* a, int s, const Word* x, int times, BitLog* log);
  bool guard(int r, std::size_t n, const Word* a);

  T up[2] = {}, unit[2] = {};
  bool bad = false;  // sticky: something did not fit; the pass can still be undone exactly
};
}  // namespace revode
