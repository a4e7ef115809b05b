// The law of leaves on whole solves: a gradient depends on the leaf, not on how its samples are held in tiles.
#include <gtest/gtest.h>

#include <limits>

#include "numerics/trial.hpp"
#include "revode/gru.hpp"
#include "revode/sequential.hpp"

namespace {
using namespace trial;
constexpr int samples = 64, dim = 3;

template <class T>
class Leaf : public testing::Test {};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(Leaf, Numbers);

/// A tile of `lanes` of rows[row][samples], from sample `first` on.
template <class T>
std::vector<T> tile(const std::vector<T>& rows, int first, int lanes) {
  std::vector<T> out;
  for (std::size_t r = 0; r < rows.size(); r += samples)
    for (int l = 0; l < lanes; ++l) out.push_back(rows[r + static_cast<std::size_t>(first + l)]);
  return out;
}

/// The gradient of all samples: what the leaves of each tile hold, and the tree over them.
template <class T>
std::vector<T> total(int lanes, int leaf, std::size_t params, const auto& leaves_of_tile) {
  std::vector<T> slices;
  for (int first = 0; first < samples; first += lanes) {
    std::vector<T> tile_bar = leaves_of_tile(first);
    if (leaf == 1) {
      std::vector<T> sum(params);
      kernel::tree_lanes(params, lanes, tile_bar.data(), sum.data());
      tile_bar = sum;
    }
    slices.insert(slices.end(), tile_bar.begin(), tile_bar.end());
  }
  kernel::tree_slices(params, static_cast<int>(slices.size() / params), params, slices.data());
  slices.resize(params);
  return slices;
}

template <class T>
Plan<T> plan_of(Way way) {
  Plan<T> p;
  p.way = way;
  p.stored_steps = 12, p.slots = 3;
  if (way == Way::reversed) return p;  // McCallum-Foster over RK4, fixed point
  p.method = runge_kutta(tableau::rk4<T>);
  p.arithmetic = Arithmetic::real;
  p.log_bits = 1 << 18;
  return p;
}

template <class T>
std::vector<T> solve_gradient(Way way, int lanes, int leaf) {
  const int widths[] = {dim, 20, dim};
  const Mlp<T> field(widths, Activation::tanh, true);
  const auto params = static_cast<std::size_t>(field.shape({}).params);
  const auto theta = uniform<T>(1, params, -.5, .5), y0 = uniform<T>(2, dim * samples, -1, 1),
             y1_bar = uniform<T>(3, dim * samples, -1, 1);
  return total<T>(lanes, leaf, params, [&](int first) {
    Problem<T> p;
    p.field = &field, p.grid = {0, 1, 12}, p.lanes = lanes, p.leaf = leaf, p.theta = theta;
    p.y0 = tile(y0, first, lanes), p.y1_bar = tile(y1_bar, first, lanes);
    const auto slots = static_cast<std::size_t>(leaf == 1 ? lanes : (lanes + leaf - 1) / leaf);
    Bytes bytes(Solve<T>::bytes(field, plan_of<T>(way), lanes));
    Arena arena = bytes.arena();
    Solve<T> solve;
    EXPECT_EQ(solve.init(arena, field, plan_of<T>(way), lanes), Status::ok);
    std::vector<T> theta_bar(params * slots, T(0)), y0_bar(p.y0.size(), T(0));
    EXPECT_EQ(run(*solve, p.grid, theta.data(), p.y0.data()), Status::ok);
    EXPECT_EQ(run_back(*solve, p.y1_bar.data(), y0_bar.data(), {theta_bar.data(), leaf, params}), Status::ok);
    return theta_bar;
  });
}

TYPED_TEST(Leaf, TilesDoNotShowInTheGradientOfASolve) {
  using T = TypeParam;
  for (const Way way : {Way::stored, Way::checkpointed, Way::reversed, Way::taped}) {
    const auto sixteen = solve_gradient<T>(way, 16, 16), one = solve_gradient<T>(way, 1, 1);
    EXPECT_TRUE(alive(sixteen));
    EXPECT_TRUE(alive(one));
    for (const int lanes : {32, 64}) EXPECT_TRUE(same_bits(solve_gradient<T>(way, lanes, 16), sixteen)) << lanes;
    for (const int lanes : {2, 16, 32, 64}) EXPECT_TRUE(same_bits(solve_gradient<T>(way, lanes, 1), one)) << lanes;
    EXPECT_FALSE(same_bits(sixteen, one)) << "the leaf is part of the experiment; equal here means a blind test";
  }
}

/// Both sums of the same 64 terms: each is off by at most some eps log2(64) of the sum of their magnitudes.
TYPED_TEST(Leaf, LeavesAgreeButForRounding) {
  using T = TypeParam;
  const auto sixteen = solve_gradient<T>(Way::stored, 32, 16), one = solve_gradient<T>(Way::stored, 32, 1);
  // 12 steps of 4 stages, 64 samples: 3072 terms of order h / 6 = .014 and below, that is at most 43 together.
  const double bound = 43 * 16 * static_cast<double>(std::numeric_limits<T>::epsilon());
  for (std::size_t i = 0; i < one.size(); ++i)
    ASSERT_NEAR(static_cast<double>(sixteen[i]), static_cast<double>(one[i]), bound);
}

/// A recurrent cell over a sequence.
TYPED_TEST(Leaf, TilesDoNotShowInTheGradientOfARecurrence) {
  using T = TypeParam;
  const Gru<T> cell(4, 2);
  const Unroll<T> sequence(cell, 5);
  const Shape shape = sequence.shape({});
  const auto params = static_cast<std::size_t>(shape.params);
  const auto theta = uniform<T>(1, params, -.5, .5),
             x = uniform<T>(2, static_cast<std::size_t>(shape.in) * samples, -1, 1),
             y_bar = uniform<T>(3, static_cast<std::size_t>(shape.out) * samples, -1, 1);
  const auto gradient = [&](int lanes, int leaf) {
    return total<T>(lanes, leaf, params, [&](int first) {
      const Shape s = sequence.shape({lanes, 0});
      Bytes tape(s.tape), work(s.work);
      std::vector<T> bar(params * static_cast<std::size_t>(leaf == 1 ? lanes : lanes / leaf), T(0));
      std::vector<T> y(static_cast<std::size_t>(s.out * lanes));
      const auto tile_x = tile(x, first, lanes), tile_bar = tile(y_bar, first, lanes);
      Call<T> call;
      call.extent = {lanes, 0}, call.theta = theta.data(), call.work = work.data();
      sequence.eval(call, tile_x.data(), y.data(), tape.data());
      sequence.vjp(call, tile_x.data(), y.data(), tape.data(), tile_bar.data(), nullptr,
                   {{bar.data(), leaf, params}, nullptr});
      return bar;
    });
  };
  const auto sixteen = gradient(16, 16), one = gradient(1, 1);
  EXPECT_TRUE(alive(sixteen));
  for (const int lanes : {32, 64}) EXPECT_TRUE(same_bits(gradient(lanes, 16), sixteen)) << lanes;
  for (const int lanes : {16, 64}) EXPECT_TRUE(same_bits(gradient(lanes, 1), one)) << lanes;
}
}  // namespace
