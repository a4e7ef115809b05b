// Events: found where closed forms say, each sample its own, differentiated against closed forms and differences.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "numerics/fields.hpp"
#include "numerics/trial.hpp"
#include "revode/event.hpp"

namespace {
using namespace trial;

/// y = (height, speed): the cubic interpolant of a parabola is the parabola, so what is found is exact but for
/// rounding.
struct Falling {
  static constexpr int dim = 2, params = 1;
  template <class S>
  constexpr void operator()(S, const S* y, const S* p, S* dy) const {
    dy[0] = y[1];
    dy[1] = S(0.) - p[0];
  }
};
struct Level {  // height above p0
  static constexpr int dim = 2, params = 1;
  template <class S>
  constexpr void operator()(S, const S* y, const S* p, S* c) const {
    c[0] = y[0] - p[0];
    c[1] = 0. * y[1];
  }
};
/// The first row of an automatic map.
template <class T>
class First final : public Map<T> {
 public:
  constexpr explicit First(const Map<T>& m) : map_(&m) {}
  constexpr Shape shape(Extent e) const override {
    Shape s = map_->shape(e);
    s.work = padded(s.work) + tile_bytes<T>(s.out, e), s.out = 1;
    return s;
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override {
    T* all = rows(call);
    map_->eval(call, x, all, tape);
    for (int l = 0; l < call.extent.lanes; ++l) y[l] = all[l];
  }
  void vjp(const Call<T>& call, const T* x, const T*, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override {
    std::vector<T> all_bar(static_cast<std::size_t>(2 * call.extent.lanes));
    for (int l = 0; l < call.extent.lanes; ++l) all_bar[static_cast<std::size_t>(l)] = y_bar[l];
    std::vector<T> sink(all_bar.size());
    map_->vjp(call, x, rows(call), tape, all_bar.data(), x_bar ? x_bar : sink.data(), bar);
  }

 private:
  T* rows(const Call<T>& call) const { return reinterpret_cast<T*>(call.work + padded(map_->shape(call.extent).work)); }
  const Map<T>* map_;
};
template <class T>
constexpr Automatic<T, Falling> falling;
template <class T>
constexpr Automatic<T, Level> level;
struct Cubed {  // crosses zero where Level does, at no speed
  static constexpr int dim = 2, params = 1;
  template <class S>
  constexpr void operator()(S, const S* y, const S* p, S* c) const {
    const S above = y[0] - p[0];
    c[0] = above * above * above;
    c[1] = 0. * y[1];
  }
};
template <class T>
constexpr Automatic<T, Cubed> cubed;
template <class T>
constexpr First<T> height{level<T>};
template <class T>
constexpr First<T> flat{cubed<T>};

template <class T>
struct Trial {
  const Map<T>*field = &falling<T>, *function = &height<T>;
  Plan<T> plan;
  Grid<T> grid{0, 3, 30};
  typename Event<T>::Crossing crossing = Event<T>::Crossing::either;
  int lanes = 3;
  std::vector<T> theta{T(9.81)}, level{T(.25)}, y0{1, 2, T(.5), 0, 1, 3};
};
template <class T>
struct Found {
  Status status = Status::ok;
  std::vector<T> time, at, y0_bar, theta_bar, level_bar;
  long nodes = 0;
};
/// With a loss: the sum over samples of at_bar . y* + time_bar t*.
template <class T>
Found<T> find(const Trial<T>& p, const std::vector<T>* at_bar = nullptr, const std::vector<T>* time_bar = nullptr) {
  Found<T> o;
  Arena measure;
  Event<T> event;
  event.place(measure, *p.field, *p.function, p.lanes, p.crossing);
  Bytes bytes(measure.bytes()), solver(Solve<T>::bytes(*p.field, p.plan, p.lanes));
  Arena arena = bytes.arena(), other = solver.arena();
  event.place(arena, *p.field, *p.function, p.lanes, p.crossing);
  Solve<T> solve;
  EXPECT_EQ(solve.init(other, *p.field, p.plan, p.lanes), Status::ok);
  EXPECT_EQ(event.begin(p.level.data()), Status::ok);
  EXPECT_EQ(solve->begin(p.grid, p.theta.data(), p.y0.data()), Status::ok);
  do {
    if (event.look(*solve)) break;
  } while (solve->advance());
  const auto n = static_cast<std::size_t>(p.lanes);
  o.nodes = solve->n();
  o.time.assign(event.time(), event.time() + n);
  o.at.assign(event.at(), event.at() + 2 * n);
  if (at_bar || time_bar) {
    o.y0_bar.resize(2 * n), o.theta_bar.resize(p.theta.size() * n), o.level_bar.resize(n);
    EXPECT_EQ(solve->turn({o.theta_bar.data(), 1, 0}), Status::ok);
    o.status = event.turn(*solve, at_bar ? at_bar->data() : nullptr, time_bar ? time_bar->data() : nullptr,
                          {o.level_bar.data(), 1, 0});
    if (o.status != Status::ok) return o;
    do event.pull(*solve);
    while (solve->retreat());
    o.status = solve->finish(o.y0_bar.data());
  }
  return o;
}
template <class T>
Plan<T> stored(const Method<T>& method) {
  Plan<T> p;
  p.method = method, p.way = Way::stored, p.arithmetic = Arithmetic::real, p.stored_steps = 30;
  return p;
}

/// Exact but for the rounding of 30 steps of some ten operations on values of up to 10.
template <class T>
T rounding() {
  return 300 * 10 * std::numeric_limits<T>::epsilon();
}

template <class T>
class Events : public testing::Test {};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(Events, Numbers);

TYPED_TEST(Events, EachSampleMeetsItsOwn) {
  using T = TypeParam;
  Trial<T> p;
  p.plan = stored(runge_kutta(tableau::rk4<T>));
  const std::vector<T> at_bar{0, 0, 0, 1, 1, 1}, time_bar{1, 2, 3};
  const auto o = find(p, &at_bar, &time_bar);
  ASSERT_EQ(o.status, Status::ok);
  const T g = p.theta[0];
  for (std::size_t l = 0; l < 3; ++l) {
    const T drop = p.y0[l] - p.level[0], v = p.y0[3 + l], root = std::sqrt(v * v + 2 * g * drop);
    EXPECT_NEAR(o.time[l], (v + root) / g, rounding<T>());
    EXPECT_NEAR(o.at[l], p.level[0], rounding<T>());
    EXPECT_NEAR(o.at[3 + l], -root, rounding<T>());
    // L = v* + w t*: dL/dheight = -g / root + w / root, dL/dspeed = -v / root + w (1 + v / root) / g
    const T w = time_bar[l];
    EXPECT_NEAR(o.y0_bar[l], (w - g) / root, 10 * rounding<T>());
    EXPECT_NEAR(o.y0_bar[3 + l], -v / root + w * (1 + v / root) / g, 10 * rounding<T>());
    EXPECT_NEAR(o.level_bar[l], -(w - g) / root, 10 * rounding<T>());
    EXPECT_NEAR(o.theta_bar[l], -drop / root + w * (drop / root / g - (v + root) / (g * g)), 10 * rounding<T>());
  }
  EXPECT_LT(o.nodes, 30) << "the solve ends with the last event";
}

TYPED_TEST(Events, OnlyTheWantedDirection) {
  using T = TypeParam;
  Trial<T> p;
  p.plan = stored(runge_kutta(tableau::rk4<T>));
  p.level = {T(2)};
  p.y0 = {1, 1, 1, 5, 5, 1};  // the third stays below
  const T g = p.theta[0], root = std::sqrt(25 - 2 * g);
  const auto any = find(p);
  p.crossing = Event<T>::Crossing::rising;
  const auto up = find(p);
  p.crossing = Event<T>::Crossing::falling;
  const auto down = find(p);
  EXPECT_NEAR(any.time[0], (5 - root) / g, rounding<T>());
  EXPECT_EQ(any.time, up.time);
  EXPECT_NEAR(down.time[1], (5 + root) / g, rounding<T>());
  EXPECT_TRUE(std::isinf(any.time[2]) && std::isinf(down.time[2]));
  EXPECT_EQ(any.nodes, 30);
}

/// Undone in fixed point, from where the event ended it, has the bits of what was stored.
TYPED_TEST(Events, EveryWayFromTheMiddle) {
  using T = TypeParam;
  Trial<T> p;
  const std::vector<T> at_bar{1, 2, 1, 1, 1, 1}, time_bar{1, 2, 3};
  p.plan.method = mccallum_foster(tableau::heun<T>);
  p.plan.stored_steps = 30, p.plan.slots = 4;
  const auto exact = find(p, &at_bar, &time_bar);
  ASSERT_EQ(exact.status, Status::ok);
  EXPECT_LT(exact.nodes, 30);
  for (const Way way : {Way::stored, Way::checkpointed}) {
    p.plan.way = way;
    const auto o = find(p, &at_bar, &time_bar);
    EXPECT_EQ(o.status, Status::ok);
    EXPECT_TRUE(same_bits(o.y0_bar, exact.y0_bar) && same_bits(o.theta_bar, exact.theta_bar));
  }
}

TYPED_TEST(Events, GrazingIsAStatus) {
  using T = TypeParam;
  Trial<T> p;
  p.plan = stored(runge_kutta(tableau::rk4<T>));
  const std::vector<T> at_bar(6, 1);
  EXPECT_EQ(find(p, &at_bar).status, Status::ok);
  p.function = &flat<T>;
  EXPECT_NEAR(find(p).time[0], find(Trial<T>{.plan = p.plan}).time[0], .01) << "found, though without a derivative";
  EXPECT_EQ(find(p, &at_bar).status, Status::grazing);
}

/// A pendulum's first return through zero, forwards and backwards in time, against differences of fourth order with
/// e = 1e-3: truncation 3e-14 times a fifth derivative of 1e3, rounding 1.5e3 times 1e-13.
struct Swinging {
  static constexpr int dim = 2, params = 1;
  template <class S>
  constexpr void operator()(S t, const S* y, const S* p, S* dy) const {
    dy[0] = y[1];
    dy[1] = S(0.) - p[0] * sin(y[0]) + .1 * cos(3. * t);
  }
};
constexpr Automatic<double, Swinging> swinging;
TEST(EventGradients, AgainstDifferences) {
  for (const double end : {3., -3.}) {
    Trial<double> p;
    p.field = &swinging, p.theta = {2.5}, p.level = {.05}, p.grid = {0, end, 30};
    p.plan = stored(runge_kutta(tableau::dormand_prince5<double>));
    p.y0 = {1, .8, .6, .2, -.3, .1};
    const std::vector<double> at_bar{.3, .2, .1, 1, -1, .5}, time_bar{1, .5, 2};
    const auto loss = [&] {
      const auto o = find(p);
      double sum = 0;
      for (std::size_t i = 0; i < 6; ++i) sum += at_bar[i] * o.at[i];
      for (std::size_t l = 0; l < 3; ++l) sum += time_bar[l] * o.time[l];
      return sum;
    };
    const auto o = find(p, &at_bar, &time_bar);
    ASSERT_EQ(o.status, Status::ok);
    const auto check = [&](double& v, double gradient) {
      const double keep = v, e = 1e-3;
      const auto at = [&](double offset) {
        v = keep + offset;
        const double l = loss();
        v = keep;
        return l;
      };
      EXPECT_NEAR(gradient, (8 * (at(e) - at(-e)) - (at(2 * e) - at(-2 * e))) / (12 * e), 5e-10) << end;
    };
    for (std::size_t i = 0; i < 6; ++i) check(p.y0[i], o.y0_bar[i]);
    check(p.theta[0], o.theta_bar[0] + o.theta_bar[1] + o.theta_bar[2]);
    check(p.level[0], o.level_bar[0] + o.level_bar[1] + o.level_bar[2]);
  }
}
}  // namespace
