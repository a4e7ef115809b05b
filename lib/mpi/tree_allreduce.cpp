#include "revode/mpi/tree_allreduce.hpp"

#include <bit>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "block.hpp"
#include "transport.hpp"
#include "tree.hpp"

namespace revode::mpi {
namespace {
constexpr std::size_t small_bytes = 16 << 10;  // up to here one message of everything beats two rounds of slices

// A power of two of tiles for each rank, where that gives no rank more than an even cut would; else 0.
int subtree_step(int tiles, int size) {
  const int most = (tiles + size - 1) / size;
  return std::has_single_bit(static_cast<unsigned>(most)) && (tiles + most - 1) / most == size ? most : 0;
}
}  // namespace

TileRange tiles_of_rank(int tiles, int size, int rank) {
  if (const int step = subtree_step(tiles, size)) return {rank * step, std::min((rank + 1) * step, tiles)};
  const int each = tiles / size, longer = tiles % size;
  const int first = rank * each + std::min(rank, longer);
  return {first, first + each + (rank < longer ? 1 : 0)};
}

template <class T>
struct TreeAllreduce<T>::Plan {
  const Communicator& ranks;
  int tiles;
  Block<T> block;
  std::vector<std::size_t> nodes{
      0};  // the partial sums nodes[r], ..., nodes[r + 1] - 1 are those rank r cannot complete
  std::vector<std::size_t> slice{0};  // the words slice[r], ..., slice[r + 1] - 1 are completed by rank r
  std::vector<Node> all_nodes, waiting;
  bool perfect, small;
  Buffer slots, inbox;  // waiting[i] is in slot i

  Plan(const Communicator& communicator, int tile_count, std::size_t length, std::size_t extras);
  std::byte* slot(std::size_t i) const { return slots.data() + i * block.bytes(); }
  std::size_t me() const { return static_cast<std::size_t>(ranks.rank()); }
  std::size_t size() const { return static_cast<std::size_t>(ranks.size()); }
  std::size_t inbox_bytes() const;

  void combine() const;
  void double_up() const;
  void halve_and_double() const;
  void gather_and_walk() const;
  void scatter_and_walk() const;
  std::byte* walk(std::vector<std::byte*> partials, std::size_t begin, std::size_t end) const;
};

template <class T>
TreeAllreduce<T>::Plan::Plan(const Communicator& communicator, int tile_count, std::size_t length, std::size_t extras)
    : ranks(communicator), tiles(tile_count), block(length, extras) {
  for (int r = 0; r < ranks.size(); ++r) {
    const TileRange range = tiles_of_rank(tiles, ranks.size(), r);
    for (const Node node : maximal_nodes(range.first, range.last, tiles)) all_nodes.push_back(node);
    nodes.push_back(all_nodes.size());
    slice.push_back(block.words() * (static_cast<std::size_t>(r) + 1) / size());
  }
  perfect = std::has_single_bit(size()) && subtree_step(tiles, ranks.size()) > 0;
  small = block.bytes() <= small_bytes;
  const TileRange mine = tiles_of_rank(tiles, ranks.size(), ranks.rank());
  slots = Buffer(most_waiting(mine.first, mine.last, tiles) * block.bytes());
  inbox = Buffer(inbox_bytes());
}

template <class T>
std::size_t TreeAllreduce<T>::Plan::inbox_bytes() const {
  if (ranks.size() == 1) return 0;
  if (perfect) return block.bytes();
  if (small) return all_nodes.size() * block.bytes();
  const std::size_t from_others = all_nodes.size() - (nodes[me() + 1] - nodes[me()]);
  return from_others * (slice[me() + 1] - slice[me()]) * word_bytes;
}

// Completes the tree over all ranks; the sum is then in slot 0 of each.
template <class T>
void TreeAllreduce<T>::Plan::combine() const {
  if (ranks.size() == 1) return;
  if (perfect) {
    small ? double_up() : halve_and_double();
  } else {
    small ? gather_and_walk() : scatter_and_walk();
  }
}

// Ranks are the leaves of a perfect tree: partners at distance 1, 2, 4, ... hold siblings.
template <class T>
void TreeAllreduce<T>::Plan::double_up() const {
  for (int distance = 1; distance < ranks.size(); distance *= 2) {
    const int peer = ranks.rank() ^ distance;
    transport::exchange(ranks.handle(), peer, slot(0), block.words(), inbox.data(), block.words());
    block.add(slot(0), inbox.data(), 0, block.words());
  }
}

// The same tree for long blocks: at each distance a partner keeps one half of what both still share; then the way back.
template <class T>
void TreeAllreduce<T>::Plan::halve_and_double() const {
  struct Cut {
    std::size_t begin, middle, end;
    bool low;
  };
  std::vector<Cut> cuts;
  const auto at = [](std::byte* data, std::size_t word) { return data + word * word_bytes; };
  std::size_t begin = 0, end = block.words();
  for (int distance = 1; distance < ranks.size(); distance *= 2) {
    const std::size_t middle = begin + (end - begin) / 2;
    const bool low = (ranks.rank() & distance) == 0;
    cuts.push_back({begin, middle, end, low});
    const std::size_t away = low ? middle : begin, away_end = low ? end : middle;
    (low ? end : begin) = middle;
    transport::exchange(ranks.handle(), ranks.rank() ^ distance, at(slot(0), away), away_end - away, inbox.data(),
                        end - begin);
    block.add(at(slot(0), begin), inbox.data(), begin, end);
  }
  for (int distance = ranks.size() / 2; distance > 0; distance /= 2) {
    const Cut cut = cuts.back();
    cuts.pop_back();
    const std::size_t mine = cut.low ? cut.begin : cut.middle, mine_end = cut.low ? cut.middle : cut.end;
    const std::size_t other = cut.low ? cut.middle : cut.begin, other_end = cut.low ? cut.end : cut.middle;
    transport::exchange(ranks.handle(), ranks.rank() ^ distance, at(slot(0), mine), mine_end - mine, at(slot(0), other),
                        other_end - other);
  }
}

// Any ranks, short blocks: everybody gets all partial sums and completes the tree alone.
template <class T>
void TreeAllreduce<T>::Plan::gather_and_walk() const {
  std::vector<std::size_t> begin;
  for (const std::size_t node : nodes) begin.push_back(node * block.words());
  std::memcpy(inbox.data() + begin[me()] * word_bytes, slot(0), waiting.size() * block.bytes());
  transport::gather_slices(ranks.handle(), inbox.data(), begin);
  std::vector<std::byte*> partials;
  for (std::size_t i = 0; i < all_nodes.size(); ++i) partials.push_back(inbox.data() + i * block.bytes());
  std::memcpy(slot(0), walk(std::move(partials), 0, block.words()), block.bytes());
}

// Any ranks, long blocks: rank r gets slice r of all partial sums, completes the tree there, and gives the sum to all.
template <class T>
void TreeAllreduce<T>::Plan::scatter_and_walk() const {
  const std::size_t begin = slice[me()], end = slice[me() + 1];
  std::vector<transport::Message> messages;
  std::vector<std::byte*> partials;
  std::byte* next = inbox.data();
  for (std::size_t r = 0; r < size(); ++r) {
    const int peer = static_cast<int>(r);
    for (std::size_t node = nodes[r]; node < nodes[r + 1]; ++node) {
      partials.push_back(r == me() ? slot(node - nodes[r]) + begin * word_bytes : next);
      if (r == me()) continue;
      messages.push_back({peer, next, end - begin, false});
      next += (end - begin) * word_bytes;
    }
    for (std::size_t i = 0; r != me() && i < waiting.size(); ++i) {
      messages.push_back({peer, slot(i) + slice[r] * word_bytes, slice[r + 1] - slice[r], true});
    }
  }
  transport::transfer(ranks.handle(), messages);
  const std::byte* sum = walk(std::move(partials), begin, end);
  std::byte* mine = slot(0) + begin * word_bytes;
  if (sum != mine) std::memcpy(mine, sum, (end - begin) * word_bytes);
  transport::gather_slices(ranks.handle(), slot(0), slice);
}

// Adds the partial sums of all ranks for some words, in place, and returns where the whole sum is.
template <class T>
std::byte* TreeAllreduce<T>::Plan::walk(std::vector<std::byte*> partials, std::size_t begin, std::size_t end) const {
  std::vector<Node> stack;
  std::vector<std::byte*> data;
  for (std::size_t i = 0; i < all_nodes.size(); ++i) {
    stack.push_back(all_nodes[i]);
    data.push_back(partials[i]);
    carry(stack, tiles, [&](std::size_t left) {
      block.add(data[left], data[left + 1], begin, end);
      data.pop_back();
    });
  }
  return data.front();
}

template <class T>
TreeAllreduce<T>::TreeAllreduce(const Communicator& ranks, int tiles, std::size_t length, std::size_t extras)
    : mine_{}, next_(0) {
  together(ranks, [&] {  // every rank refuses alike: one of them says so
    if (ranks.size() > tiles)
      throw Error(Exit::usage, "--tiles",
                  std::to_string(ranks.size()) + " ranks for " + std::to_string(tiles) +
                      " tiles: start at most as many ranks as a batch has tiles");
    if (length * sizeof(T) / word_bytes + extras >= static_cast<std::size_t>(std::numeric_limits<int>::max()))
      throw Error(Exit::usage, "TreeAllreduce", "more than 16 GB in one sum: split it");
  });
  plan_ = std::make_unique<Plan>(ranks, tiles, length, extras);
  mine_ = tiles_of_rank(tiles, ranks.size(), ranks.rank());
  next_ = mine_.first;
}

template <class T>
TreeAllreduce<T>::~TreeAllreduce() = default;

template <class T>
void TreeAllreduce<T>::push(int tile, const T* leaf, const double* extras) {
  if (tile != next_ || tile >= mine_.last) {
    throw std::logic_error("TreeAllreduce::push: tile " + std::to_string(tile) + " where " + std::to_string(next_) +
                           " of " + std::to_string(mine_.last) + " was due");
  }
  ++next_;
  Plan& plan = *plan_;
  const std::size_t free = plan.waiting.size();
  plan.waiting.push_back({0, tile});
  carry(plan.waiting, plan.tiles, [&](std::size_t left) {
    if (left + 1 == free) {  // the right one is the leaf itself: no copy
      plan.block.add_leaf(plan.slot(left), leaf, extras);
    } else {
      plan.block.add(plan.slot(left), plan.slot(left + 1), 0, plan.block.words());
    }
  });
  if (plan.waiting.size() > free) plan.block.store(plan.slot(free), leaf, extras);
}

template <class T>
bool TreeAllreduce<T>::finish(T* sum, double* extras, bool stop) {
  if (next_ != mine_.last) {
    throw std::logic_error("TreeAllreduce::finish: tile " + std::to_string(next_) + " was never pushed");
  }
  Plan& plan = *plan_;
  plan.block.vote(plan.slot(0), stop);
  plan.combine();
  plan.block.load(plan.slot(0), sum, extras);
  plan.waiting.clear();
  next_ = mine_.first;
  return plan.block.voted(plan.slot(0));
}

template <class T>
std::size_t TreeAllreduce<T>::bytes() const {
  return plan_->slots.bytes() + plan_->inbox.bytes();
}

template class TreeAllreduce<float>;
template class TreeAllreduce<double>;
}  // namespace revode::mpi
