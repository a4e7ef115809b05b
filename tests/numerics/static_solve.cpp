// A walk whose plan is a constant computes the bits of the run-time walk, and takes no more than it says.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "numerics/trial.hpp"
#include "revode/fixed_mlp.hpp"
#include "revode/random.hpp"
#include "revode/sequential.hpp"
#include "revode/static_solve.hpp"

namespace {
using namespace trial;

template <class T>
std::vector<T> drawn(std::size_t count, std::uint32_t stream) {
  Random random(11, stream);
  std::vector<T> x(count);
  for (T& v : x) v = static_cast<T>(random.normal()) / 2;
  return x;
}
template <class T>
bool equal(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

template <class T>
struct Ends {
  Status forward = Status::ok, back = Status::ok;
  std::vector<T> y1, y0_bar, theta_bar;
  long evaluations = 0, vjps = 0;
};
/// With a loss on the way and at the end.
template <class Walk, class T = typename Walk::Scalar>
Ends<T> there_and_back(Walk& walk, const std::vector<T>& theta, const std::vector<T>& y0, long steps) {
  Ends<T> e;
  e.forward = run(walk, {T(.25), T(1.5), steps}, theta.data(), y0.data());
  e.y1.assign(walk.y(), walk.y() + walk.size());
  e.y0_bar.assign(y0.size(), T(0)), e.theta_bar.assign(theta.size(), T(0));
  e.back = walk.turn({e.theta_bar.data()});
  if (e.back == Status::ok) {
    do {
      for (std::size_t i = 0; i < walk.size(); ++i) walk.y_bar()[i] += walk.y()[i] / 4;
    } while (walk.retreat());
    e.back = walk.finish(e.y0_bar.data());
  }
  e.evaluations = walk.accounting().evaluations_forward + walk.accounting().evaluations_backward;
  e.vjps = walk.accounting().vjps;
  return e;
}

template <const auto& plan, Activation act, int... widths>
void expect_the_same(const std::string& what, Status forward = Status::ok) {
  using T = std::remove_cvref_t<decltype(plan.lambda)>;
  using Net = FixedMlp<T, act, widths...>;
  const Mlp<T> mlp({widths...}, act);
  const auto theta = drawn<T>(Net::params, 0), y0 = drawn<T>(static_cast<std::size_t>(Net::shape({}).in), 1);
  ASSERT_EQ(mlp.shape({}).params, Net::params);
  const long steps = 24;
  Solve<T> solve;
  Bytes general(Solve<T>::bytes(mlp, plan, 1));
  Arena arena = general.arena();
  ASSERT_EQ(solve.init(arena, mlp, plan, 1), Status::ok) << what;
  const Ends<T> expected = there_and_back(*solve, theta, y0, steps);

  const Net net;
  auto walk = StaticSolve<Net, plan>();
  Bytes few(decltype(walk)::bytes());
  Arena own = few.arena();
  walk.place(own, net);
  ASSERT_TRUE(own.ok()) << what;
  const Ends<T> found = there_and_back(walk, theta, y0, steps);
  EXPECT_EQ(expected.forward, forward) << what;
  EXPECT_EQ(found.forward, forward) << what;
  EXPECT_EQ(expected.back, found.back) << what;
  EXPECT_TRUE(equal(found.y1, expected.y1)) << what;
  EXPECT_TRUE(equal(found.y0_bar, expected.y0_bar)) << what;
  EXPECT_TRUE(equal(found.theta_bar, expected.theta_bar)) << what;
  EXPECT_EQ(found.evaluations, expected.evaluations) << what;
  EXPECT_EQ(found.vjps, expected.vjps) << what;
  EXPECT_TRUE(forward != Status::ok || plan.way == Way::none || alive(found.theta_bar)) << what;
  EXPECT_LE(sizeof walk + decltype(walk)::bytes(), Solve<T>::bytes(mlp, plan, 1)) << what;
}

template <class T>
constexpr Plan<T> exact(const Method<T>& method) {
  Plan<T> p;
  p.method = method;
  return p;
}
template <class T>
constexpr Plan<T> stored(const Method<T>& method, bool stages) {
  Plan<T> p = exact(method);
  p.way = Way::stored, p.arithmetic = Arithmetic::real, p.stored_steps = 24, p.keep_stages = stages;
  return p;
}
template <class T>
constexpr Plan<T> damped(Plan<T> p, int halve_every) {
  p.halve_every = halve_every, p.log_bits = 400, p.slots = 3;
  return p;
}
template <class T>
constexpr Plan<T> in_floats(const Method<T>& method, Way way) {
  Plan<T> p = exact(method);
  p.way = way, p.arithmetic = Arithmetic::real, p.slots = 4, p.log_bits = way == Way::taped ? 20000 : 0;
  return p;
}

template <class T>
constexpr Plan<T> of_bits(Plan<T> p, int fraction_bits) {
  p.fraction_bits[0] = fraction_bits;
  return p;
}

template <class T>
struct Plans {
  static constexpr auto heun = exact(reversible_heun<T>()), asynchronous = exact(alf<T>()),
                        leaping = exact(leapfrog<T>()), coupled = exact(mccallum_foster(tableau::midpoint<T>)),
                        coupled4 = exact(mccallum_foster(tableau::rk4<T>)), halved = damped(exact(alf<T>()), 4),
                        halved_coupled = damped(exact(mccallum_foster(tableau::rk4<T>)), 5),
                        oracle = stored(runge_kutta(tableau::dormand_prince5<T>), false),
                        oracle_kept = stored(runge_kutta(tableau::rk4<T>), true),
                        few = in_floats(runge_kutta(tableau::rk4<T>), Way::checkpointed),
                        tape = in_floats(runge_kutta(tableau::rk4<T>), Way::taped),
                        drifting = in_floats(reversible_heun<T>(), Way::reversed),
                        inference = in_floats(runge_kutta(tableau::tsitouras5<T>), Way::none);
  static constexpr int word = 8 * sizeof(T);
  static constexpr auto euler = exact(mccallum_foster(tableau::euler<T>)), passing = of_bits(euler, word - 13),
                        wide = of_bits(euler, word - 4), beyond = of_bits(euler, word - 2),
                        wide_leaps = of_bits(leaping, word - 4);
};

template <class T>
class StaticSolves : public testing::Test {};
using Scalars = std::conditional_t<sanitized, testing::Types<float>, testing::Types<float, double>>;  // slow to compile
TYPED_TEST_SUITE(StaticSolves, Scalars);

/// Each of these compiles a walk of its own, seconds of each: some in all builds, in doubles the most part.
template <class T>
constexpr bool thorough = !sanitized && sizeof(T) == 4;

TYPED_TEST(StaticSolves, ExactReversalHasTheBitsOfTheRunTimeWalk) {
  using P = Plans<TypeParam>;
  expect_the_same<P::heun, Activation::elu, 4, 9, 8, 7, 4>("three hidden layers");
  expect_the_same<P::coupled4, Activation::softplus, 2, 5, 6, 2>("McCallum-Foster, RK4, two hidden layers");
  if constexpr (!sanitized) expect_the_same<P::heun, Activation::tanh, 2, 16, 2>("reversible Heun");
  if constexpr (thorough<TypeParam>) {
    expect_the_same<P::asynchronous, Activation::tanh, 2, 16, 2>("asynchronous leapfrog");
    expect_the_same<P::leaping, Activation::tanh, 3, 7, 3>("leapfrog");
    expect_the_same<P::coupled, Activation::tanh, 2, 16, 2>("McCallum-Foster, midpoint");
    expect_the_same<P::heun, Activation::identity, 2, 2>("no hidden layer");
  }
}
TYPED_TEST(StaticSolves, SoHaveHalvingEventsAndTheOtherWays) {
  using P = Plans<TypeParam>;
  expect_the_same<P::halved_coupled, Activation::tanh, 2, 16, 2>("halving, McCallum-Foster");
  expect_the_same<P::tape, Activation::tanh, 2, 16, 2>("taped");
  if constexpr (thorough<TypeParam>) {
    expect_the_same<P::halved, Activation::tanh, 2, 16, 2>("halving every 4 steps");
    expect_the_same<P::oracle, Activation::tanh, 2, 16, 2>("stored");
    expect_the_same<P::oracle_kept, Activation::sigmoid, 2, 16, 2>("stored with stages");
    expect_the_same<P::few, Activation::tanh, 2, 16, 2>("checkpointed");
    expect_the_same<P::drifting, Activation::tanh, 2, 16, 2>("reversed in floats");
    expect_the_same<P::inference, Activation::relu, 2, 16, 2>("inference");
  }
}

/// Numbers of few bits are converted in another way than those of many, and some become so on the way: in doubles where
/// they pass one. The widest leave their range.
TYPED_TEST(StaticSolves, SoHaveNumbersOfAnyWidth) {
  using P = Plans<TypeParam>;
  expect_the_same<P::euler, Activation::tanh, 2, 5, 2>("narrow");
  expect_the_same<P::passing, Activation::tanh, 2, 5, 2>("some of them wide");
  expect_the_same<P::wide, Activation::tanh, 2, 5, 2>("wide");
  expect_the_same<P::wide, Activation::tanh, 3, 5, 3>("three wide ones");
  expect_the_same<P::passing, Activation::tanh, 17, 3, 17>("more than a pack, some of them wide");
  expect_the_same<P::wide, Activation::tanh, 17, 3, 17>("more than a pack, wide");
  expect_the_same<P::wide_leaps, Activation::tanh, 2, 5, 2>("leapfrog, wide");
  expect_the_same<P::beyond, Activation::tanh, 2, 5, 2>("beyond the range", Status::range);
}

/// y' = 3 y passes four, where words end, at the same step.
TYPED_TEST(StaticSolves, ARangeIsLeftOnTheWay) {
  using T = TypeParam;
  using Net = FixedMlp<T, Activation::identity, 2, 2>;
  static constexpr auto plan = Plans<T>::wide;
  const std::vector<T> theta{3, 0, 0, 3, 0, 0}, y0{T(.125), 1};
  const Mlp<T> mlp({2, 2}, Activation::identity);
  const Net net;
  Solve<T> solve;
  StaticSolve<Net, plan> walk;
  Bytes general(Solve<T>::bytes(mlp, plan, 1)), few(decltype(walk)::bytes());
  Arena arena = general.arena(), own = few.arena();
  ASSERT_EQ(solve.init(arena, mlp, plan, 1), Status::ok);
  walk.place(own, net);
  EXPECT_EQ(run(*solve, {0, 1, 50}, theta.data(), y0.data()), Status::range);
  EXPECT_EQ(run(walk, {0, 1, 50}, theta.data(), y0.data()), Status::range);
  EXPECT_EQ(walk.n(), solve->n());
  EXPECT_NEAR(walk.t(walk.n()), std::log(4.) / 3, .04);  // two steps: Euler's are a little slower
}

/// One evaluation and its VJP, onto what there is.
template <class T, int... widths>
void expect_the_same_network() {
  const FixedMlp<T, Activation::tanh, widths...> fixed;
  const Mlp<T> mlp({widths...}, Activation::tanh);
  const auto ends = [](const auto& net) {
    const Shape s = net.shape({1, 0});
    const auto in = static_cast<std::size_t>(s.in), out = static_cast<std::size_t>(s.out);
    const auto theta = drawn<T>(static_cast<std::size_t>(s.params), 0), x = drawn<T>(in, 1), y_bar = drawn<T>(out, 2);
    auto y = drawn<T>(out, 3), x_bar = drawn<T>(in, 4), theta_bar = drawn<T>(theta.size(), 5);
    Bytes tape(s.tape), work(s.work);
    Arena tapes = tape.arena(), works = work.arena();
    std::byte* const kept = tapes.take<std::byte>(s.tape);
    Call<T> call;
    call.extent = {1, 0}, call.theta = theta.data(), call.work = works.take<std::byte>(s.work);
    net.eval(call, x.data(), y.data(), kept);
    net.vjp(call, x.data(), y.data(), kept, y_bar.data(), x_bar.data(), {{theta_bar.data()}, nullptr});
    y.insert(y.end(), x_bar.begin(), x_bar.end());
    y.insert(y.end(), theta_bar.begin(), theta_bar.end());
    return y;
  };
  EXPECT_TRUE(equal(ends(fixed), ends(mlp))) << testing::PrintToString(std::vector<int>{widths...});
}
TYPED_TEST(StaticSolves, ANetworkOfFixedSizesHasTheBitsOfMlp) {
  using T = TypeParam;
  expect_the_same_network<T, 3, 10, 2>();  // columns of the weights are loaded in packs where they are odd and few
  expect_the_same_network<T, 1, 9, 1>();
  expect_the_same_network<T, 5, 21, 3>();
  expect_the_same_network<T, 7, 17, 7, 18, 2>();
  expect_the_same_network<T, 2, 6, 4>();
}

TEST(StaticSolve, OneByteLessIsRefusedAndWhatAPlainWalkLacksIsSaid) {
  using Net = FixedMlp<float, Activation::tanh, 2, 16, 2>;
  using Walk = StaticSolve<Net, Plans<float>::heun>;
  const Net net;
  Bytes bytes(Walk::bytes());
  Arena arena(bytes.data(), Walk::bytes() - 1);
  Walk refused;
  refused.place(arena, net);
  EXPECT_FALSE(arena.ok());
  Arena whole = bytes.arena();
  Walk walk;
  walk.place(whole, net);
  const auto theta = drawn<float>(Net::params, 0), y0 = drawn<float>(2, 1);
  const float times[] = {0, 1};
  EXPECT_EQ(walk.begin({0, 1, 4, times, 2}, theta.data(), y0.data()), Status::bad_argument);
  EXPECT_EQ(walk.begin({1, 1, 4}, theta.data(), y0.data()), Status::bad_argument);
  EXPECT_EQ(walk.begin({0, 1, 0}, theta.data(), y0.data()), Status::bad_argument);
  EXPECT_EQ(run(walk, {0, 1, 4}, theta.data(), y0.data()), Status::ok);
  float times_bar[2] = {};
  EXPECT_EQ(walk.turn({}, times_bar), Status::unsupported);
}
}  // namespace
