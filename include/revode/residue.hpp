/// Residues: what a prediction of floats missed, as integers that are mostly zero or small, last in, first out in a
/// fixed store. ord() numbers the floats in their order, so a residue is a count of neighbours, and adding it to the
/// prediction gives the very float back, whatever the prediction was.
///
/// Code. Sparse: a run of zeros is counted over the ends of records and written in front of the next non-zero, as
/// Rice(run), Rice(|r| - 1), sign: a record of zeros costs next to nothing. Dense (more than half are not zero): Rice(|r|), and a
/// sign where it is needed. The parameters belong to the coder's state: at records known to both passes the encoder
/// looks at what it met lately, this record included, and writes what changes, 2 bits if nothing does. Decoding is the
/// encoder's state run backwards, and asks for no statistics.
#pragma once
#include "revode/number.hpp"

namespace revode {
/// r = ord(y) - ord(p) modulo 2^w, -0 and 0 being two; a p that is not a number counts as 0.
template <class T>
void miss(std::size_t n, const T* y, const T* p, kernel::Word<T>* r);
/// y from p and r.
template <class T>
void mend(std::size_t n, const T* p, const kernel::Word<T>* r, T* y);

/// Bits of records of n residues each.
template <class T>
class Residues {
 public:
  using Word = kernel::Word<T>;
  constexpr void place(Arena& arena, std::size_t bits) { log_.place(arena, bits); }
  /// For records of `n` from now on.
  void begin(std::size_t n);
  /// Forgets all records: what follows is coded as after begin().
  void clear();
  /// One more record; false, and nothing has changed, when it does not fit.
  bool push(const Word* r);
  /// The last record, which is gone then.
  void pop(Word* r);
  bool empty() const { return at_.records == 0; }
  std::size_t bits() const { return log_.bits(); }
  std::size_t peak() const { return peak_; }  ///< most bits() since begin()

 private:
  /// What the decoder runs backwards.
  struct State {
    std::uint64_t run = 0;      // zeros since the last non-zero
    std::uint64_t records = 0;  // behind us
    int gap = 0, value = 0;     // Rice parameters; gap < 0: dense
  };
  /// What the encoder alone knows: sums over records, older ones weighing less and less.
  struct Lately {
    std::uint64_t residues = 0, nonzeros = 0, magnitudes = 0;
  };
  bool dense() const { return at_.gap < 0; }
  bool event() const;
  void look(const Word* r);
  void choose();
  void put(std::uint64_t bits, int count);
  std::uint64_t take(int count);
  void put_rice(std::uint64_t v, int k, int width);
  std::uint64_t take_rice(int k, int width);
  void put_change(int from, int to);
  int take_change(int to);

  BitLog log_;
  State at_;
  Lately lately_;
  std::size_t n_ = 0, peak_ = 0;
  std::uint64_t period_ = 1;
  bool full_ = false;
};
}  // namespace revode
