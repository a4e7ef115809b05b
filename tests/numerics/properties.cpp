// Properties of whole solves over random fields, sizes, steps, directions and tilings, all from Philox seeds: whatever
// they are, every way back gives the bits of everything stored, and no lane knows its neighbours.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "numerics/fields.hpp"
#include "numerics/trial.hpp"

namespace {
using namespace trial;

/// A quadratic field of three rows: constants, linear and bilinear terms, and a drive.
struct Quadratic {
  static constexpr int dim = 3, params = 33;
  template <class S>
  constexpr void operator()(S t, const S* y, const S* p, S* dy) const {
    for (int i = 0; i < dim; ++i) {
      const S* c = p + 11 * i;
      dy[i] = c[0] + c[1] * y[0] + c[2] * y[1] + c[3] * y[2] + c[4] * sin(c[5] * t) + c[6] * y[0] * y[1] +
              c[7] * y[1] * y[2] + c[8] * y[2] * y[0] + c[9] * tanh(c[10] * y[i]);
    }
  }
};
template <class T>
constexpr Automatic<T, Quadratic> quadratic;

/// Choices, each from the next number of one stream.
class Dice {
 public:
  explicit Dice(std::uint32_t seed) : random_(seed, 77) {}
  int below(int n) { return static_cast<int>(random_.below(static_cast<std::uint32_t>(n))); }
  bool coin() { return below(2) == 1; }
  double between(double low, double high) { return low + (high - low) * static_cast<double>(random_.uniform()); }
  template <class T>
  std::vector<T> numbers(std::size_t n, double size) {
    std::vector<T> v(n);
    for (T& x : v) x = static_cast<T>(between(-size, size));
    return v;
  }

 private:
  Random random_;
};

/// A problem and what it stands on.
template <class T>
struct Drawn {
  int widths[4] = {};
  Mlp<T> network{fields::widths, Activation::tanh};
  std::vector<T> times;
  Problem<T> problem;

  explicit Drawn(Dice& dice) {
    Problem<T>& p = problem;
    p.field = &quadratic<T>;
    if (dice.coin()) {
      const int dim = 1 + dice.below(5), layers = 2 + dice.below(2);
      for (int i = 0; i <= layers; ++i) widths[i] = i == 0 || i == layers ? dim : 1 + dice.below(12);
      const Activation all[] = {Activation::tanh, Activation::softplus, Activation::silu, Activation::elu};
      network = Mlp<T>(widths, layers + 1, all[dice.below(4)], dice.coin());
      p.field = &network;
    }
    const int some[] = {1, 2, 3, 5, 16, 17};
    p.lanes = some[dice.below(6)];
    p.leaf = p.lanes == 16 && dice.coin() ? 16 : 1;
    const Shape s = p.field->shape({});
    const auto n = static_cast<std::size_t>(s.in) * static_cast<std::size_t>(p.lanes);
    p.theta = dice.numbers<T>(static_cast<std::size_t>(s.params), .5);
    p.y0 = dice.numbers<T>(n, 1), p.y1_bar = dice.numbers<T>(n, 1);
    p.running = dice.coin() ? T(.0625) : T(0);
    const double begin = dice.between(-1, 1), end = begin + (dice.coin() ? 1 : -1) * dice.between(.3, 1.5);
    const long steps = 1 + dice.below(40);
    p.grid = {static_cast<T>(begin), static_cast<T>(end), steps};
    if (dice.coin()) return;
    const int nodes = 2 + dice.below(5);
    for (int i = 0; i < nodes; ++i)
      times.push_back(static_cast<T>(begin + (end - begin) * (i + (i > 0 ? dice.between(-.3, .3) : 0)) / nodes));
    p.grid = {0, 0, 1 + steps / nodes, times.data(), nodes};
  }
};

template <class T>
std::vector<Method<T>> draw_methods(Dice& dice) {
  constexpr int count = static_cast<int>(std::size(tableau::all<T>));
  const auto base = [&]() -> const Tableau<T>& { return *tableau::all<T>[dice.below(count)]; };
  const Tableau<T>* low[] = {&tableau::euler<T>, &tableau::midpoint<T>, &tableau::heun<T>, &tableau::ees25<T>,
                             &tableau::ees27<T>};
  return {runge_kutta(base()),         mccallum_foster(base()),         alf<T>(), reversible_heun<T>(), leapfrog<T>(),
          adams<T>(1 + dice.below(6)), low_storage(*low[dice.below(5)])};
}

/// Plans whose bits are those of `stored`.
template <class T>
std::vector<Plan<T>> others(Dice& dice, const Plan<T>& stored, std::size_t numbers, long steps) {
  const Method<T>& m = stored.method;
  const bool real = stored.arithmetic == Arithmetic::real, word = m.multistep == 0 && !m.low_storage;
  std::vector<Plan<T>> all;
  Plan<T> p = stored;
  p.way = Way::checkpointed, p.slots = 1 + dice.below(9);
  all.push_back(p);
  p = stored, p.keep_stages = true;
  if (word) all.push_back(p);
  p = stored, p.way = Way::taped, p.slots = 0,
  p.log_bits = numbers * static_cast<std::size_t>(steps) * 8 * sizeof(T) * 4;
  if (word && real && m.registers == 1) all.push_back(p);
  p.predictor = Predictor::adams_bashforth;
  if (word && real && m.registers == 1 && !p.control.adaptive()) all.push_back(p);
  p = stored, p.way = Way::reversed,
  p.log_bits = p.halve_every ? numbers * (1 + static_cast<std::size_t>(dice.below(5))) : 0;
  p.slots = p.halve_every ? static_cast<int>(steps) : 0;
  if (!real && bijective(m)) all.push_back(p);
  return all;
}

template <class T>
void check_ways(std::uint32_t seed) {
  Dice dice(seed);
  const Drawn<T> drawn(dice);
  const Problem<T>& p = drawn.problem;
  for (const Method<T>& m : draw_methods<T>(dice))
    for (const Arithmetic arithmetic : {Arithmetic::real, Arithmetic::fixed}) {
      if (arithmetic == Arithmetic::fixed && (m.multistep > 0 || m.low_storage)) continue;
      Plan<T> stored;
      stored.method = m, stored.arithmetic = arithmetic, stored.way = Way::stored;
      if (arithmetic == Arithmetic::fixed) stored.fraction_bits[0] = sizeof(T) == 4 ? 22 : 44;
      if (dampable(m) && dice.coin()) stored.halve_every = 1 + dice.below(4);
      if (estimate_of(m).by != Estimator::none && dice.coin())
        stored.control.rtol = stored.control.atol = static_cast<T>(dice.between(1e-3, 1e-2));
      stored.control.most_steps = 1000;
      const long steps = stored.control.adaptive() ? stored.control.most_steps : p.grid.total();
      stored.stored_steps = steps;
      const std::string name = "seed " + std::to_string(seed) + ", " + m.name + " over " + m.base.name;
      const auto oracle = attempt(p, stored);
      ASSERT_EQ(oracle.forward, Status::ok) << name << (arithmetic == Arithmetic::fixed ? ", fixed" : "");
      ASSERT_EQ(oracle.back, Status::ok) << name;
      for (const Plan<T>& plan : others(dice, stored, p.y0.size(), steps)) {
        const auto o = attempt(p, plan);
        const std::string way = name + ", way " + std::to_string(static_cast<int>(plan.way));
        ASSERT_EQ(o.forward, Status::ok) << way;
        ASSERT_EQ(o.back, Status::ok) << way;
        ASSERT_EQ(o.strayed, 0) << way;
        ASSERT_TRUE(same(oracle, o)) << way;
      }
    }
}

/// Lanes from `first` on of a problem, as a tile of their own.
template <class T>
Problem<T> part(const Problem<T>& p, int first, int lanes) {
  Problem<T> q = p;
  const auto from = static_cast<std::size_t>(first), n = static_cast<std::size_t>(lanes),
             all = static_cast<std::size_t>(p.lanes);
  q.lanes = lanes, q.y0.clear(), q.y1_bar.clear();
  for (std::size_t row = 0; row < p.y0.size() / all; ++row)
    for (std::size_t l = 0; l < n; ++l)
      q.y0.push_back(p.y0[row * all + from + l]), q.y1_bar.push_back(p.y1_bar[row * all + from + l]);
  return q;
}
template <class T>
void expect_part(const std::vector<T>& whole, const std::vector<T>& tile, int first, int lanes, int all,
                 const char* what) {
  for (std::size_t i = 0; i < tile.size(); ++i) {
    const std::size_t row = i / static_cast<std::size_t>(lanes), lane = i % static_cast<std::size_t>(lanes);
    const T expected = whole[row * static_cast<std::size_t>(all) + static_cast<std::size_t>(first) + lane];
    ASSERT_TRUE(std::memcmp(&tile[i], &expected, sizeof(T)) == 0) << what << ' ' << i;
  }
}
/// On equal steps, cut anywhere into tiles.
template <class T>
void check_tiling(std::uint32_t seed) {
  Dice dice(seed);
  const Drawn<T> drawn(dice);
  Problem<T> p = drawn.problem;
  p.leaf = 1;
  for (const Method<T>& m : draw_methods<T>(dice)) {
    Plan<T> plan;
    plan.method = m, plan.way = Way::checkpointed, plan.arithmetic = Arithmetic::real, plan.slots = 4;
    if (bijective(m))
      plan.way = Way::reversed, plan.arithmetic = Arithmetic::fixed, plan.fraction_bits[0] = sizeof(T) == 4 ? 22 : 44;
    const auto whole = attempt(p, plan);
    if (whole.forward == Status::range) continue;  // undamped, a coupled method may leave it
    ASSERT_EQ(whole.back, Status::ok) << m.name;
    for (int first = 0; first < p.lanes;) {
      const int lanes = 1 + dice.below(p.lanes - first);
      const auto tile = attempt(part(p, first, lanes), plan);
      ASSERT_EQ(tile.back, Status::ok) << m.name;
      expect_part(whole.y1, tile.y1, first, lanes, p.lanes, m.name);
      expect_part(whole.y0_bar, tile.y0_bar, first, lanes, p.lanes, m.name);
      expect_part(whole.theta_bar, tile.theta_bar, first, lanes, p.lanes, m.name);
      first += lanes;
    }
  }
}

constexpr std::uint32_t cases = sanitized ? 3 : 25;
TEST(Properties, EveryWayHasTheBitsOfEverythingStored) {
  for (std::uint32_t seed = 1; seed <= cases && !HasFatalFailure(); ++seed) check_ways<float>(seed);
  for (std::uint32_t seed = 1; seed <= cases && !HasFatalFailure(); ++seed) check_ways<double>(1000 + seed);
}
TEST(Properties, NoLaneKnowsItsNeighbours) {
  for (std::uint32_t seed = 1; seed <= cases && !HasFatalFailure(); ++seed) check_tiling<float>(2000 + seed);
  for (std::uint32_t seed = 1; seed <= cases && !HasFatalFailure(); ++seed) check_tiling<double>(3000 + seed);
}
}  // namespace
