// Weights that evolve in time (ANODEV2) against constant ones with as many parameters or more: two shears one after the
// other, the first half of the time along x and the second along y, are to be learned from where they carry points. No
// flow that is the same at all times does both.
//   reproduce_anodev2 evolving|constant SEED
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "experiment.hpp"
#include "revode/block.hpp"
#include "revode/evolving.hpp"
#include "revode/optimizer.hpp"
#include "revode/random.hpp"
#include "revode/sequential.hpp"

namespace {
using namespace experiment;
constexpr int lanes = 64, tiles = 8, updates = 1500;
constexpr long steps = 8;

/// [2][lanes] of a tile, and where two shears carry its points.
struct Tile {
  std::vector<float> x, y;
};
Tile tile(std::uint64_t seed, std::uint64_t number) {
  Tile t{std::vector<float>(2 * lanes), std::vector<float>(2 * lanes)};
  Random random(seed, 70, number);
  for (std::size_t l = 0; l < lanes; ++l) {
    const float a = 3 * random.uniform() - 1.5f, b = 3 * random.uniform() - 1.5f;
    const float sheared = a + std::sin(2 * b);
    t.x[l] = a, t.x[lanes + l] = b;
    t.y[l] = sheared, t.y[lanes + l] = b + std::sin(2 * sheared);
  }
  return t;
}

struct Model {
  explicit Model(bool evolving)
      : width(evolving ? 16 : 18),
        first(2, width, Activation::tanh),
        second(width, 2),
        moving_first(first, 1, 2 * width),
        moving_second(second, 1, 2 * width),
        maps{evolving ? static_cast<const Map<float>*>(&moving_first) : &first,
             evolving ? static_cast<const Map<float>*>(&moving_second) : &second} {}
  int width;
  Dense<float> first, second;
  Evolving<float> moving_first, moving_second;
  const Map<float>* maps[2];
  Sequential<float> field{maps};
};

class Training {
 public:
  Training(const Model& model, std::uint64_t seed)
      : block_(model.field, stored(runge_kutta(tableau::rk4<float>), steps), {0, 1, steps}),
        tape_(block_.shape({lanes}).tape),
        work_(block_.shape({lanes}).work),
        theta_(static_cast<std::size_t>(model.field.shape({}).params)),
        bytes_(2 * theta_.size() * sizeof(float) + REVODE_ALIGN) {
    Arena arena = bytes_.arena();
    adam_.place(arena, theta_.size()), adam_.reset();
    Random random(seed, 71);  // the layers' weights as PyTorch has them, coefficients 0: both begin as constant ones
    for (float& v : theta_) v = (2 * random.uniform() - 1) / std::sqrt(2.f);
    const int one = model.first.shape({}).params, all = static_cast<int>(theta_.size());
    for (int i = one; all > model.first.shape({}).params + model.second.shape({}).params && i < one + 3; ++i)
      theta_[static_cast<std::size_t>(i)] = theta_[static_cast<std::size_t>(all - 1 - (i - one))] = 0;
  }
  /// The sum of squared errors of a tile; with theta_bar, its gradient as well.
  double pass(const Tile& t, float* theta_bar) {
    std::vector<float> y(2 * lanes), y_bar(2 * lanes);
    Status status = Status::ok;
    Call<float> call;
    call.extent = {lanes}, call.theta = theta_.data(), call.work = work_.data(), call.status = &status;
    block_.eval(call, t.x.data(), y.data(), tape_.data());
    double squares = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      y_bar[i] = y[i] - t.y[i];
      squares += static_cast<double>(y_bar[i]) * static_cast<double>(y_bar[i]);
    }
    if (theta_bar)
      block_.vjp(call, t.x.data(), y.data(), tape_.data(), y_bar.data(), nullptr,
                 {{theta_bar, 16, theta_.size()}, nullptr});
    expect(status, "solve");
    return squares;
  }
  void update(const std::vector<Tile>& all, int number) {
    std::vector<float> leaves(theta_.size() * lanes / 16 * tiles);
    for (std::size_t i = 0; i < all.size(); ++i) pass(all[i], leaves.data() + i * theta_.size() * lanes / 16);
    kernel::tree_slices(theta_.size(), tiles * lanes / 16, theta_.size(), leaves.data());
    for (std::size_t i = 0; i < theta_.size(); ++i) leaves[i] /= tiles * lanes;
    Schedule s{Schedule::Kind::cosine, 2e-2, 1, updates, 1e-4, 0};
    adam_.update(static_cast<float>(s.at(number)), leaves.data(), theta_.data());
  }
  double rmse(const std::vector<Tile>& all) {
    double squares = 0;
    for (const Tile& t : all) squares += pass(t, nullptr);
    return std::sqrt(squares / (2.0 * lanes * static_cast<double>(all.size())));
  }
  std::size_t params() const { return theta_.size(); }

 private:
  Block<float> block_;
  reproduce::Bytes tape_, work_;
  std::vector<float> theta_;
  reproduce::Bytes bytes_;
  Adam<float> adam_;
};
}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) give_up("anodev2 evolving|constant SEED");
  const auto seed = static_cast<std::uint64_t>(std::atoi(argv[2]));
  const Model model(std::strcmp(argv[1], "evolving") == 0);
  Training training(model, seed);
  std::vector<Tile> train, test;
  for (std::uint64_t i = 0; i < tiles; ++i) train.push_back(tile(seed, i)), test.push_back(tile(seed, tiles + i));
  std::printf("update,params,train,test\n");
  for (int i = 0; i <= updates; ++i) {
    if (i % 100 == 0)
      std::printf("%d,%zu,%.9g,%.9g\n", i, training.params(), training.rmse(train), training.rmse(test));
    if (i < updates) training.update(train, i);
  }
}
