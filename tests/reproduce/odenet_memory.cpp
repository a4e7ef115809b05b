// Bytes of the published network's ODE block on MNIST at N steps, by each way to the gradient, as the library computes
// them before a run, and what a framework's tape of every layer's output would hold; a gradient of each, so that the
// bytes are those of something that works.
#include <algorithm>
#include <cstdio>
#include <vector>

#include "experiment.hpp"
#include "revode/block.hpp"
#include "revode/group_norm.hpp"
#include "revode/sequential.hpp"
#include "revode/winograd.hpp"

namespace {
using namespace experiment;
constexpr int channels = 64, side = 6, lanes = 16, rows = channels * side * side;

struct Field {
  WinogradConv<float> conv{{channels, channels, side, side, 3, 1, 1, true}};
  GroupNorm<float> norm{{channels, 32, side*side}, true}, last{{channels, 32, side*side}};
  const Map<float>* maps[5] = {&norm, &conv, &norm, &conv, &last};
  Sequential<float> all{maps};
};

Plan<float> plan(const char* way, long steps) {
  Plan<float> p;
  p.method = mccallum_foster(tableau::midpoint<float>);
  p.fraction_bits[0] = 20;
  if (way[0] == 's') p.way = Way::stored, p.stored_steps = steps;
  if (way[0] == 'c') p.way = Way::checkpointed, p.slots = 4;
  return p;
}

/// The gradient's bits, as a number; 0 where it failed.
std::uint64_t gradient(const Field& field, const Plan<float>& p, long steps) {
  Solver<float> solver(field.all, p, lanes);
  const auto params = static_cast<std::size_t>(field.all.shape({}).params);
  std::vector<float> theta(params), theta_bar(params), y0(rows * lanes), y_bar(y0.size(), 1e-3f), y0_bar(y0.size());
  for (std::size_t i = 0; i < params; ++i) theta[i] = .04f * (static_cast<float>(i * 7919 % 1000) / 500 - 1);
  for (std::size_t i = 0; i < y0.size(); ++i) y0[i] = static_cast<float>(i * 104729 % 1000) / 500 - 1;
  expect(run(*solver, {0, 1, steps}, theta.data(), y0.data()), "forward");
  expect(run_back(*solver, y_bar.data(), y0_bar.data(), {theta_bar.data(), 16, params}), "back");
  std::uint64_t hash = 14695981039346656037u;
  for (const float v : theta_bar) {
    std::uint32_t bits;
    std::memcpy(&bits, &v, sizeof bits);
    hash = (hash ^ bits) * 1099511628211u;
  }
  return hash;
}
}  // namespace

int main(int argc, char** argv) {
  const long most = argc > 1 ? std::atol(argv[1]) : 16;  // a gradient up to so many steps, bytes of all
  const Field field;
  // What autograd keeps of one evaluation: the input of every layer and the concatenation with t before a convolution.
  const std::size_t map = sizeof(float) * lanes * rows, evaluation = 5 * map + 2 * (map + map / channels);
  std::printf("way,steps,bytes,hash\n");
  for (long steps = 4; steps <= 256; steps *= 2) {
    for (const char* way : {"reversed", "checkpointed", "stored"}) {
      const Plan<float> p = plan(way, steps);
      std::printf("%s,%ld,%zu,%016llx\n", way, steps, Solve<float>::bytes(field.all, p, lanes),
                  static_cast<unsigned long long>(steps <= most ? gradient(field, p, steps) : 0));
    }
    std::printf("tape,%ld,%zu,0\n", steps, static_cast<std::size_t>(4 * steps) * evaluation);
  }
}
