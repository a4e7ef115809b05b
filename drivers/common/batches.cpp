#include "common/batches.hpp"

#include <unistd.h>

#include <cstdio>
#include <memory>
#include <numeric>
#include <string>
#include <utility>

#include "common/error.hpp"
#include "revode/arena.hpp"
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
