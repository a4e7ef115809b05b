/// The sum over a batch's tiles, with the same bits on any number of ranks.
///
/// The tiles of a batch are the leaves of one binary tree, ((0 + 1) + (2 + 3)) + ..., an odd one out moves up
/// unchanged; it is the tree of kernel::tree_slices and does not know of ranks. A rank holds neighbouring tiles, adds
/// siblings as they arrive, and hands the nodes it cannot complete to the others. IEEE addition commutes, so who adds
/// does not matter; what is added to what is fixed. The number of tiles is part of the experiment; the number of ranks
/// is not.
#pragma once
#include <cstddef>
#include <memory>

#include "revode/mpi/communicator.hpp"

namespace revode::mpi {
/// Tiles first, ..., last - 1.
struct TileRange {
  int first, last;
};

/// The tiles of a rank: neighbours, at most ceil(tiles / size) of them, and whole subtrees where that costs no balance.
TileRange tiles_of_rank(int tiles, int size, int rank);

/// Sums of `length` numbers of T and of `extras` doubles (loss, counters) over tiles; a stop vote rides along. T:
/// float, double.
template <class T>
class TreeAllreduce {
 public:
  /// All ranks together, each with the same numbers. `ranks` must outlive this. More ranks than tiles: rank 0 says so
  /// and every rank throws Refused (usage).
  TreeAllreduce(const Communicator& ranks, int tiles, std::size_t length, std::size_t extras = 0);
  ~TreeAllreduce();
  TreeAllreduce(const TreeAllreduce&) = delete;
  TreeAllreduce& operator=(const TreeAllreduce&) = delete;

  int first() const { return mine_.first; }  ///< this rank pushes the tiles first() <= tile < last(), in order
  int last() const { return mine_.last; }

  /// The next tile of this rank; `leaf` is read, not kept. Throws std::logic_error when out of order.
  void push(int tile, const T* leaf /*[length]*/, const double* extras = nullptr /*[extras]*/);
  /// Collective. Writes the sums on every rank, and begins anew. True on every rank when any of them voted to stop.
  bool finish(T* sum /*[length]*/, double* extras = nullptr /*[extras]*/, bool stop = false);
  /// Bytes held for partial sums and messages on this rank.
  std::size_t bytes() const;

 private:
  struct Plan;
  TileRange mine_;
  int next_;
  std::unique_ptr<Plan> plan_;
};
}  // namespace revode::mpi
