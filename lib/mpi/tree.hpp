// The neighbour-first tree over tiles, as bookkeeping: which nodes there are, and which two are added next.
#pragma once
#include <cstddef>
#include <vector>

namespace revode::mpi {
// The sum of the tiles index 2^level, ..., (index + 1) 2^level - 1, as far as they exist.
struct Node {
  int level, index;
  friend bool operator==(const Node&, const Node&) = default;
};

// A right end without a sibling moves up unchanged.
inline Node settled(Node node, int tiles) {
  while (node.index > 0 && node.index % 2 == 0 && (static_cast<long>(node.index) + 1) << node.level >= tiles) {
    ++node.level;
    node.index /= 2;
  }
  return node;
}

inline bool siblings(Node left, Node right) {
  return left.level == right.level && left.index % 2 == 0 && right.index == left.index + 1;
}

// After a node arrived at the end of `stack`: adds while the last two are siblings. merge(i) adds entry i + 1 into
// entry i.
template <class Merge>
void carry(std::vector<Node>& stack, int tiles, Merge&& merge) {
  stack.back() = settled(stack.back(), tiles);
  while (stack.size() > 1 && siblings(stack[stack.size() - 2], stack.back())) {
    merge(stack.size() - 2);
    stack.pop_back();
    stack.back() = settled({stack.back().level + 1, stack.back().index / 2}, tiles);
  }
}

// What is left of the tiles first, ..., last - 1 when all siblings among them are added: one node when first = 0, last
// = tiles.
inline std::vector<Node> maximal_nodes(int first, int last, int tiles) {
  std::vector<Node> stack;
  for (int tile = first; tile < last; ++tile) {
    stack.push_back({0, tile});
    carry(stack, tiles, [](std::size_t) {});
  }
  return stack;
}

// The most nodes that wait at a time while the tiles of a rank arrive.
inline std::size_t most_waiting(int first, int last, int tiles) {
  std::vector<Node> stack;
  std::size_t most = 0;
  for (int tile = first; tile < last; ++tile) {
    stack.push_back({0, tile});
    carry(stack, tiles, [](std::size_t) {});
    most = stack.size() > most ? stack.size() : most;
  }
  return most;
}
}  // namespace revode::mpi
