/// Residues: what a prediction of floats missed, as integers that are mostly zero or small, last in, first out in a
/// fixed store. ord() numbers the floats in their order, so a residue is a count of neighbours, and adding it to the
/// prediction gives the very float back, whatever the prediction was.
///
/// Code. The last record waits as it is; when the next one comes it is coded, as it is or, where residues change
/// slowly, as its difference to that next one, which the way back knows first. Sparse: a run of zeros is counted over
/// the ends of records and written in front of the next non-zero, as Rice(run), Rice(|x| - 1), sign: a record of zeros
/// costs next to nothing. Dense (more than half are not zero): Rice(|x|), and a sign where it is needed. The parameters
/// belong to the coder's state: at records known to both passes the encoder looks at what it met lately, this record
/// included, and writes what changes, one bit if nothing does. Decoding is the encoder's state run backwards, and asks
/// for no statistics.
#pragma once
#include "revode/number.hpp"

namespace revode {
/// r = ord(y) - ord(p) modulo 2^w, -0 and 0 being two; a p that is not a number counts as 0.
template <class T>
void miss(std::size_t n, const T* y, const T* p, kernel::Word<T>* r);
/// y from p and r.
template <class T>
void mend(std::size_t n, const T* p, const kernel::Word<T>* r, T* y);

/// Records of n residues each.
template <class T>
class Residues {
 public:
  using Word = kernel::Word<T>;
  constexpr void place(Arena& arena, std::size_t n, std::size_t bits) {
    n_ = n;
    last_ = arena.take<Word>(n);
    log_.place(arena, bits);
  }
  void begin() { peak_ = 0, clear(); }
  /// Forgets all records: what follows is coded as after begin().
  void clear();
  /// One more record; false, and nothing has changed, when it does not fit. A first one always does.
  bool push(const Word* r);
  /// The last record, which is gone then.
  void pop(Word* r);
  bool empty() const { return !waits_; }
  std::size_t bits() const { return log_.bits(); }
  std::size_t peak() const { return peak_; }  ///< most bits() since begin()

 private:
  /// What the decoder runs backwards.
  struct State {
    std::uint64_t run = 0;      // zeros since the last non-zero
    std::uint64_t records = 0;  // coded
    int gap = 0, value = 0;     // Rice parameters; gap < 0: dense
    bool differs = false;       // records are coded as differences
  };
  /// What the encoder alone knows: sums over records, older ones weighing less and less.
  struct Sums {
    std::uint64_t nonzeros = 0, magnitudes = 0;
    void halve() { nonzeros /= 2, magnitudes /= 2; }
  };
  struct Lately {
    std::uint64_t residues = 0;
    Sums plain, differences;
  };
  bool dense() const { return at_.gap < 0; }
  bool event() const;
  void look(const Word* next);
  void choose();
  void write_event(const State& old);
  void read_event();
  void code(const Word* next);
  void put(std::uint64_t bits, int count);
  std::uint64_t take(int count);
  void put_rice(std::uint64_t v, int k, int width);
  std::uint64_t take_rice(int k, int width);
  void put_change(int from, int to);
  int take_change(int to);

  BitLog log_;
  Word* last_ = nullptr;  // [n] the record that waits
  State at_;
  Lately lately_;
  std::size_t n_ = 0, peak_ = 0;
  bool waits_ = false, full_ = false;
};
}  // namespace revode
