// The tree over tiles and its cut over ranks, without any message.
#include "mpi/tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>

#include "revode/mpi/tree_allreduce.hpp"

namespace {
using revode::mpi::carry;
using revode::mpi::maximal_nodes;
using revode::mpi::Node;
using revode::mpi::tiles_of_rank;

TEST(Tree, RanksCoverAllTilesAndShareThemEvenly) {
  for (int tiles = 1; tiles <= 64; ++tiles) {
    for (int size = 1; size <= tiles; ++size) {
      int next = 0;
      for (int rank = 0; rank < size; ++rank) {
        const auto mine = tiles_of_rank(tiles, size, rank);
        EXPECT_EQ(mine.first, next);
        EXPECT_GT(mine.last, mine.first);
        EXPECT_LE(mine.last - mine.first, (tiles + size - 1) / size);
        next = mine.last;
      }
      EXPECT_EQ(next, tiles);
    }
  }
}

TEST(Tree, PowersOfTwoHoldOneSubtreeEach) {
  for (int tiles = 1; tiles <= 64; tiles *= 2) {
    for (int size = 1; size <= tiles; size *= 2) {
      for (int rank = 0; rank < size; ++rank) {
        const auto mine = tiles_of_rank(tiles, size, rank);
        const Node subtree{std::countr_zero(static_cast<unsigned>(tiles / size)), rank};
        ASSERT_EQ(maximal_nodes(mine.first, mine.last, tiles).size(), 1u);
        EXPECT_EQ(maximal_nodes(mine.first, mine.last, tiles)[0], subtree);
      }
    }
  }
}

TEST(Tree, NodesOfAnyCutJoinToOneRoot) {
  for (int tiles = 1; tiles <= 64; ++tiles) {
    for (int size = 1; size <= tiles; ++size) {
      std::vector<Node> stack;
      for (int rank = 0; rank < size; ++rank) {
        const auto mine = tiles_of_rank(tiles, size, rank);
        for (const Node node : maximal_nodes(mine.first, mine.last, tiles)) {
          stack.push_back(node);
          carry(stack, tiles, [](std::size_t) {});
        }
      }
      ASSERT_EQ(stack.size(), 1u) << tiles << " tiles, " << size << " ranks";
      EXPECT_EQ(stack[0].index, 0);
    }
  }
}

TEST(Tree, WaitingSumsGrowWithTheLogarithmOfTheTiles) {
  for (int tiles = 1; tiles <= 1024; tiles *= 2) {
    const auto depth = static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(tiles)));
    EXPECT_EQ(revode::mpi::most_waiting(0, tiles, tiles), std::max<std::size_t>(depth, 1));
  }
}

TEST(Error, ALineIsOneLineAndNamesTheThing) {
  const revode::mpi::Error error(revode::mpi::Exit::io, "runs/a", "cannot \"write\"\nthere: choose another folder");
  EXPECT_EQ(revode::mpi::error_line(3, "node7", error),
            "error rank=3 host=node7 what=io where=\"runs/a\" msg=\"cannot 'write' there: choose another folder\"\n");
}
}  // namespace
