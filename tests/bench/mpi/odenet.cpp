// A training iteration of the ODENet on all ranks beside the same on rank 0 alone, in turns so that both meet the same
// machine: gradients of 8 tiles of 16 images, their tree, exact reversal as the driver has it. One JSON line:
// milliseconds and the ratio, medians over rounds. With a core a rank:
//   mpirun -n 2 --bind-to core build-bench/tests/mpi/bench_odenet_ranks
#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "bench/bytes.hpp"
#include "models/odenet.hpp"
#include "revode/mpi/tree_allreduce.hpp"

namespace {
using revode::mpi::Communicator;
using revode::mpi::TreeAllreduce;
constexpr int tiles = 8, rounds = 7;

double now() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

class Trained {
 public:
  Trained() : network_(config()), bytes_(network_.bytes()), theta_(params()) {
    revode::Arena arena = bytes_.arena();
    if (network_.init(arena) != revode::Status::ok) throw std::runtime_error("the network's memory does not fit");
    network_.initialise(1, theta_.data());
    images_.assign(static_cast<std::size_t>(network_.rows_in()) * lanes(), 0.5f);
    for (std::size_t l = 0; l < lanes(); ++l) label_.push_back(static_cast<int>(l % 10));
  }
  std::size_t params() const { return static_cast<std::size_t>(network_.params()); }
  std::size_t stride() const { return params() + 3; }
  void gradient(float* leaf) {
    std::fill_n(leaf, stride(), 0.0f);
    if (network_.loss(theta_.data(), images_.data(), label_.data(), {leaf, static_cast<int>(lanes()), stride()}) !=
        revode::Status::ok)
      throw std::runtime_error("the solve failed");
  }

 private:
  static revode::host::OdeNet::Config config() {
    revode::host::OdeNet::Config c;
    c.plan.method = revode::mccallum_foster(revode::tableau::midpoint<float>);
    return c;
  }
  std::size_t lanes() const { return static_cast<std::size_t>(network_.config().lanes); }
  revode::host::OdeNet network_;
  bench::Bytes bytes_;
  std::vector<float> theta_, images_;
  std::vector<int> label_;
};
}  // namespace

int main(int argc, char** argv) {
  return revode::mpi::run_main(argc, argv, [](const Communicator& ranks) {
    Trained trained;
    std::vector<float> leaf(trained.stride()), sum(trained.stride());
    TreeAllreduce<float> reduce(ranks, tiles, trained.stride());
    std::vector<double> together, alone;
    for (int round = 0; round <= rounds; ++round) {
      ranks.barrier();
      double begin = now();
      for (int tile = reduce.first(); tile < reduce.last(); ++tile) {
        trained.gradient(leaf.data());
        reduce.push(tile, leaf.data());
      }
      reduce.finish(sum.data());
      double all = now() - begin;
      MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPI_DOUBLE, MPI_MAX, MPI_Comm_f2c(ranks.handle()));
      begin = now();
      for (int tile = 0; tile < tiles && ranks.rank() == 0; ++tile) trained.gradient(leaf.data());
      const double one = now() - begin;
      ranks.barrier();
      if (round > 0) together.push_back(all), alone.push_back(one);
    }
    if (ranks.rank() == 0)
      std::printf("{\"name\": \"odenet\", \"ranks\": %d, \"alone_ms\": %.1f, \"together_ms\": %.1f, \"ratio\": %.3f}\n",
                  ranks.size(), median(alone), median(together), median(alone) / median(together));
    return 0;
  });
}
