// The laws of a map, for every map: cotangents are added, null means not wanted, lanes do not see each other, a map
// that cannot says so and writes NaN.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "unit/every_map.hpp"

namespace {
using namespace trial;
using every::Trial;

template <class T>
class MapLaws : public testing::Test {};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(MapLaws, Numbers);

/// Twice is twice, and on top of what was there; but for the roundings of a sum that begins elsewhere.
TYPED_TEST(MapLaws, CotangentsAreAdded) {
  using T = TypeParam;
  const every::Maps<T> maps;
  const double bound = 64 * static_cast<double>(std::numeric_limits<T>::epsilon());
  for (const auto& [name, map, has_tangents] : maps.cases) {
    const Extent extent{3, has_tangents ? 1 : 0};
    Trial<T> once(*map, extent), twice(*map, extent);
    once.both();
    twice.x_bar.assign(twice.x_bar.size(), T(1));
    twice.theta_bar.assign(twice.theta_bar.size(), T(-1));
    twice.t_bar = T(2);
    twice.both();
    twice.both();
    const auto near = [&, what = name](T more, T less, double start) {
      const double want = start + 2 * static_cast<double>(less);
      ASSERT_NEAR(static_cast<double>(more), want, bound * (2 + std::abs(want))) << what;
    };
    for (std::size_t i = 0; i < once.x_bar.size(); ++i) near(twice.x_bar[i], once.x_bar[i], 1);
    for (std::size_t i = 0; i < once.theta_bar.size(); ++i) near(twice.theta_bar[i], once.theta_bar[i], -1);
    near(twice.t_bar, once.t_bar, 2);
  }
}

/// What is written is what would be added to zeros, whatever was there before.
TYPED_TEST(MapLaws, WhoWritesNeedsNoZeros) {
  using T = TypeParam;
  const every::Maps<T> maps;
  int write = 0;
  for (const auto& [name, map, has_tangents] : maps.cases) {
    if (!map->writes()) continue;
    ++write;
    for (const int lanes : {1, 3, 20})
      for (const int tangents : {0, 2}) {
        Trial<T> adds(*map, {lanes, tangents}), writes(*map, {lanes, tangents});
        writes.writes = true;
        writes.x_bar.assign(writes.x_bar.size(), std::numeric_limits<T>::quiet_NaN());
        adds.both();
        writes.both();
        EXPECT_TRUE(same_bits(writes.x_bar, adds.x_bar)) << name << ", " << lanes << " lanes, " << tangents;
        EXPECT_TRUE(same_bits(writes.theta_bar, adds.theta_bar)) << name << ", " << lanes << " lanes, " << tangents;
      }
  }
  EXPECT_GT(write, 3);  // layers, by which chains are spared their zeros
}

TYPED_TEST(MapLaws, NullIsNotWantedAndChangesNothingElse) {
  using T = TypeParam;
  const every::Maps<T> maps;
  for (const auto& [name, map, has_tangents] : maps.cases) {
    const Extent extent{3, has_tangents ? 2 : 0};
    Trial<T> all(*map, extent), no_x(*map, extent), no_theta(*map, extent), no_t(*map, extent), none(*map, extent);
    all.both();
    no_x.both(false, true, true);
    no_theta.both(true, false, true);
    no_t.both(true, true, false);
    none.both(false, false, false);
    EXPECT_TRUE(all.theta_bar.empty() || same_bits(no_x.theta_bar, all.theta_bar)) << name;
    EXPECT_TRUE(same_bits(no_theta.x_bar, all.x_bar)) << name;
    EXPECT_TRUE(same_bits(no_t.x_bar, all.x_bar)) << name;
    EXPECT_TRUE(all.theta_bar.empty() || same_bits(no_t.theta_bar, all.theta_bar)) << name;
    EXPECT_EQ(no_x.t_bar, all.t_bar) << name;
    EXPECT_EQ(no_theta.t_bar, all.t_bar) << name;
    EXPECT_EQ(none.status, Status::ok) << name;
    EXPECT_TRUE(same_bits(none.y, all.y)) << name;
  }
}

/// Lane 2 of 5 equals the sample alone, in value and cotangents.
TYPED_TEST(MapLaws, LanesAreIndependent) {
  using T = TypeParam;
  const every::Maps<T> maps;
  for (const auto& [name, map, has_tangents] : maps.cases) {
    const int k = has_tangents ? 1 : 0;
    Trial<T> five(*map, {5, k}), one(*map, {1, k});
    for (std::size_t i = 0; i < one.x.size(); ++i) one.x[i] = five.x[5 * i + 2];
    for (std::size_t i = 0; i < one.y_bar.size(); ++i) one.y_bar[i] = five.y_bar[5 * i + 2];
    five.both();
    one.both();
    for (std::size_t i = 0; i < one.y.size(); ++i) ASSERT_EQ(one.y[i], five.y[5 * i + 2]) << name;
    for (std::size_t i = 0; i < one.x_bar.size(); ++i) ASSERT_EQ(one.x_bar[i], five.x_bar[5 * i + 2]) << name;
    for (std::size_t i = 0; i < one.theta_bar.size(); ++i)
      ASSERT_EQ(one.theta_bar[i], five.theta_bar[5 * i + 2]) << name;
  }
}

TYPED_TEST(MapLaws, AMapWithoutTangentsSaysSoAndWritesNaN) {
  using T = TypeParam;
  const every::Maps<T> maps;
  for (const auto& [name, map, has_tangents] : maps.cases) {
    if (has_tangents) continue;
    Trial<T> jet(*map, {3, 2});
    jet.both();
    EXPECT_EQ(jet.status, Status::unsupported) << name;
    for (const T v : jet.y) ASSERT_TRUE(std::isnan(v)) << name;
    jet.eval();
    jet.call.status = nullptr;  // nobody to tell
    Bytes tape(map->shape({3, 2}).tape);
    map->eval(jet.call, jet.x.data(), jet.y.data(), tape.data());
    for (const T v : jet.y) ASSERT_TRUE(std::isnan(v)) << name;
  }
}

TYPED_TEST(MapLaws, ABlockWhosePlanDoesNotFitSaysSoAndWritesNaN) {
  using T = TypeParam;
  const int widths[] = {3, 6, 3};
  const Mlp<T> field(widths, Activation::tanh);
  for (const bool recompute : {false, true}) {
    const Block<T> block(field, every::plan(Way::reversed, runge_kutta(tableau::rk4<T>)), {0, 1, 10}, recompute);
    Trial<T> solve(block, {3, 0});
    solve.both();
    EXPECT_EQ(solve.status, Status::not_reversible);
    for (const T v : solve.y) ASSERT_TRUE(std::isnan(v));
    for (const T v : solve.x_bar) ASSERT_EQ(v, T(0));
  }
}

TYPED_TEST(MapLaws, ChainsThatDoNotFitAreMapsOfNoRows) {
  using T = TypeParam;
  const Dense<T> a(2, 3), b(3, 4), c(4, 2), wrong(5, 4);
  const Map<T>*good[] = {&a, &b, &c}, *torn[] = {&a, &wrong, &c};
  EXPECT_TRUE(Sequential<T>(good).consistent());
  EXPECT_EQ(Sequential<T>(good).shape({}).in, 2);
  EXPECT_EQ(Sequential<T>(good).shape({}).out, 2);
  EXPECT_EQ(Sequential<T>(good).shape({}).params, 9 + 16 + 10);
  EXPECT_FALSE(Sequential<T>(torn).consistent());
  EXPECT_EQ(Sequential<T>(torn).shape({}).in, 0);
  EXPECT_FALSE(Sequential<T>(good, 0).consistent());
  const int most[] = {2, 2, 2, 2, 2, 2, 2, 2, 2}, more[] = {2, 2, 2, 2, 2, 2, 2, 2, 2, 2};
  EXPECT_EQ(Mlp<T>(most, Activation::tanh).shape({}).in, 2);
  EXPECT_EQ(Mlp<T>(more, Activation::tanh).shape({}).in, 0);
  EXPECT_EQ(Mlp<T>(most, 1, Activation::tanh, false).shape({}).in, 0);
}
}  // namespace
