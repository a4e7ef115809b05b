#include "common/batches.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <numeric>
#include <string>
#include <utility>

#include "common/error.hpp"
#include "revode/arena.hpp"
#include "revode/kernels.hpp"
#include "revode/random.hpp"

namespace revode::host {
namespace {
std::string gigabytes(double bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g GB", 1e-9 * bytes);
  return text;
}
}  // namespace

std::vector<std::size_t> permutation(std::uint64_t seed, std::uint32_t stream, long epoch, std::size_t n) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random random(seed, stream, static_cast<std::uint64_t>(epoch));
  for (std::size_t i = n; i > 1; --i) std::swap(order[i - 1], order[random.below(static_cast<std::uint32_t>(i))]);
  return order;
}

const std::vector<std::size_t>& SampleOrder::of(long epoch) {
  if (epoch != epoch_) order_ = permutation(seed_, stream_, epoch, n_);
  epoch_ = epoch;
  return order_;
}

Tiling::Share Tiling::share(long batch_of_epoch, int tile, std::size_t samples) const {
  const std::size_t first = static_cast<std::size_t>(batch_of_epoch) * batch() + static_cast<std::size_t>(tile) * lanes;
  return {first, first < samples ? std::min(lanes, samples - first) : 0};
}

void sum_leaves(std::vector<float>& leaves, std::size_t stride, float* sum) {
  kernel::tree_slices(stride, static_cast<int>(leaves.size() / stride), stride, leaves.data());
  std::copy_n(leaves.begin(), stride, sum);
}

std::byte* reserve(std::vector<std::byte>& memory, std::size_t bytes, const char* flag) {
  const double machine = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  if (static_cast<double>(bytes) > machine)
    throw Failure(Exit::usage, flag,
                  "the model of a rank takes " + gigabytes(static_cast<double>(bytes)) + ", this machine has " +
                      gigabytes(machine) + ": lower it, or the widths");
  memory.resize(bytes + REVODE_ALIGN);
  void* at = memory.data();
  std::size_t space = memory.size();
  return static_cast<std::byte*>(std::align(REVODE_ALIGN, bytes, at, space));
}
}  // namespace revode::host
