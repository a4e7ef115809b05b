// What equal bits cost: TreeAllreduce beside MPI_Allreduce, in turns so that both meet the same machine. One JSON line
// a size and number type: microseconds, the least and the median over calls of the slowest rank. Two lines a tile:
// adding a leaf.
#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "revode/mpi/tree_allreduce.hpp"

namespace {
using revode::mpi::Communicator;
using revode::mpi::TreeAllreduce;

double now() {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Times {
  std::vector<double> each;
  double least() const { return *std::min_element(each.begin(), each.end()); }
  double median() {
    std::nth_element(each.begin(), each.begin() + static_cast<std::ptrdiff_t>(each.size() / 2), each.end());
    return each[each.size() / 2];
  }
};

// Times one collective call: all ranks start together, and the slowest one counts.
template <class Call>
double timed(const Communicator& ranks, Call&& call) {
  ranks.barrier();
  const double begin = now();
  call();
  double took = now() - begin;
  MPI_Allreduce(MPI_IN_PLACE, &took, 1, MPI_DOUBLE, MPI_MAX, MPI_Comm_f2c(ranks.handle()));
  return took;
}

void compare(const Communicator& ranks, int tiles, std::size_t bytes) {
  const std::size_t length = bytes / sizeof(float);
  TreeAllreduce<float> reduce(ranks, tiles, length);
  std::vector<float> leaf(length, 0.25f), sum(length);
  const auto calls = std::clamp<std::size_t>((std::size_t{64} << 20) / bytes, 40, 2000);
  Times plain, tree, push, add;
  for (std::size_t i = 0; i < calls; ++i) {
    double begin = now();
    for (int tile = reduce.first(); tile < reduce.last(); ++tile) reduce.push(tile, leaf.data());
    push.each.push_back((now() - begin) / (reduce.last() - reduce.first()));
    tree.each.push_back(timed(ranks, [&] { reduce.finish(sum.data()); }));
    begin = now();
    for (std::size_t k = 0; k < length; ++k) sum[k] += leaf[k];
    add.each.push_back(now() - begin);
    plain.each.push_back(timed(ranks, [&] {
      MPI_Allreduce(leaf.data(), sum.data(), static_cast<int>(length), MPI_FLOAT, MPI_SUM,
                    MPI_Comm_f2c(ranks.handle()));
    }));
  }
  if (ranks.rank() != 0) return;
  std::printf(
      "{\"name\": \"allreduce\", \"ranks\": %d, \"tiles\": %d, \"bytes\": %zu, \"mpi_us\": %.2f, \"tree_us\": %.2f, "
      "\"ratio\": %.2f, \"mpi_median_us\": %.2f, \"tree_median_us\": %.2f, \"add_us\": %.2f, \"push_us\": %.2f}\n",
      ranks.size(), tiles, bytes, plain.least(), tree.least(), tree.least() / plain.least(), plain.median(),
      tree.median(), add.least(), push.least());
  std::fflush(stdout);
}
}  // namespace

int main(int argc, char** argv) {
  return revode::mpi::run_main(argc, argv, [](const Communicator& ranks) {
    for (const std::size_t kib : {1u, 16u, 64u, 100u, 1024u, 4096u}) compare(ranks, 16, kib << 10);
    return 0;
  });
}
