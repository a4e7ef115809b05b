// Every map: its VJP against central differences, its tangents against directional ones, float against double.
#include <gtest/gtest.h>

#include <cmath>

#include "unit/every_map.hpp"

namespace {
using namespace trial;
using every::Trial, every::worst;

// With e = 1e-5: truncation e^2 / 6 times a third derivative of some 10^2 at most, 2e-9; rounding, 2^-53 in each of
// some 100 terms of the loss over 2e, 6e-10; a block in fixed point moves by quanta of 2^-52: 10 steps of those over
// 2e, 1e-10. A wrong term is of order 1.
constexpr double tolerance = 1e-8;

TEST(Maps, CotangentsAreThoseOfCentralDifferences) {
  const every::Maps<double> maps;
  for (const auto& [name, map, has_tangents] : maps.cases)
    for (const int lanes : {1, 3, 17})
      for (const int k : {0, 1, 2}) {
        if (k && (!has_tangents || lanes == 17)) continue;
        Status status = Status::ok;
        EXPECT_LT(worst(*map, {lanes, k}, &status), tolerance) << name << ", " << lanes << " lanes, " << k;
        EXPECT_EQ(status, Status::ok) << name;
      }
}

/// Right but for one thing: an entry of x_bar, of its tangents or of theta_bar, or the cotangent of t.
class Wrong final : public Map<double> {
 public:
  enum Fault { none, x_entry, theta_entry, forgotten_t, tangent };
  Wrong(const Map<double>& map, Fault fault) : map_(map), fault_(fault) {}
  constexpr Shape shape(Extent e) const override { return map_.shape(e); }
  void eval(const Call<double>& call, const double* x, double* y, std::byte* tape) const override {
    map_.eval(call, x, y, tape);
  }
  void vjp(const Call<double>& call, const double* x, const double* y, std::byte* tape, const double* y_bar,
           double* x_bar, const Bar<double>& bar) const override {
    Bar<double> passed = bar;
    if (fault_ == forgotten_t) passed.t = nullptr;
    map_.vjp(call, x, y, tape, y_bar, x_bar, passed);
    const Shape s = map_.shape(call.extent);
    // The analyzer thinks of maps without rows.
    if (fault_ == x_entry) x_bar[0] = -x_bar[0];  // NOLINT(clang-analyzer-core.uninitialized.Assign)
    if (fault_ == theta_entry) bar.theta.at[(s.params - 1) * call.extent.lanes] *= 1.01;
    if (fault_ == tangent) x_bar[s.in * call.extent.lanes] += .01;
  }

 private:
  static void shift(double* v) {
    const double by = .01, one = 1, *const ones = &one;
    kernel::combine(1, v, v, 1, &by, &ones);
  }
  const Map<double>& map_;
  Fault fault_;
};
TEST(Maps, TheCheckerFindsAWrongVjp) {
  const int widths[] = {3, 6, 3};
  const Mlp<double> mlp(widths, Activation::tanh, true);
  Status status = Status::ok;
  EXPECT_LT(worst(Wrong(mlp, Wrong::none), {3, 1}, &status), tolerance);
  for (const auto fault : {Wrong::x_entry, Wrong::theta_entry, Wrong::forgotten_t, Wrong::tangent})
    EXPECT_GT(worst(Wrong(mlp, fault), {3, 1}, &status), 1e-3) << fault;
}

/// The checker differentiates jets too, but would believe a jet that is not a derivative.
TEST(Maps, TangentsAreDirectionalDifferences) {
  const every::Maps<double> maps;
  const double e = 1e-5;  // as above, for outputs instead of a loss
  for (const auto& [name, map, has_tangents] : maps.cases) {
    if (!has_tangents) continue;
    Trial<double> jet(*map, {3, 2});
    jet.eval();
    const Shape s = map->shape({3, 0});
    const auto in = static_cast<std::size_t>(s.in) * 3, out = static_cast<std::size_t>(s.out) * 3;
    for (std::size_t j = 1; j <= 2; ++j) {
      std::vector<double> ends[2];
      for (const int side : {0, 1}) {
        Trial<double> moved(*map, {3, 0});
        const double by = side ? e : -e;
        for (std::size_t i = 0; i < in; ++i) moved.x[i] = jet.x[i] + by * jet.x[j * in + i];
        moved.eval();
        moved.call.t += by * jet.t_dot[j - 1];
        ends[side].resize(out);
        Bytes aligned(map->shape({3, 0}).tape);
        map->eval(moved.call, moved.x.data(), ends[side].data(), aligned.data());
      }
      for (std::size_t i = 0; i < out; ++i)
        ASSERT_NEAR(jet.y[j * out + i], (ends[1][i] - ends[0][i]) / (2 * e), tolerance) << name;
    }
    Trial<double> value(*map, {3, 0});
    value.x.assign(jet.x.begin(), jet.x.begin() + static_cast<std::ptrdiff_t>(in));
    value.eval();
    jet.y.resize(out);
    EXPECT_TRUE(same_bits(value.y, jet.y)) << name << ": the value of a jet is the value without";
  }
}

TEST(Maps, NoTimeDirectionIsADirectionOfZero) {
  const every::Maps<double> maps;
  for (const auto& [name, map, has_tangents] : maps.cases) {
    if (!has_tangents) continue;
    Trial<double> with(*map, {3, 2}), without(*map, {3, 2});
    with.t_dot.assign(2, 0.);
    with.both();
    without.both();  // to have the call filled in
    without.call.t_dot = nullptr;
    Bytes tape(map->shape({3, 2}).tape);
    std::vector<double> y(without.y.size());
    map->eval(without.call, without.x.data(), y.data(), tape.data());
    for (std::size_t i = 0; i < y.size(); ++i) ASSERT_EQ(y[i], with.y[i]) << name;
  }
}

/// eval and vjp in float against double at the same numbers: eps of each of the some 10^2 roundings, of terms of
/// order 1; blocks in fixed point add 30 roundings to 2^-24.
TEST(Maps, FloatAgreesWithDouble) {
  const every::Maps<float> narrow;
  const every::Maps<double> wide;
  ASSERT_EQ(narrow.cases.size(), wide.cases.size());
  const double bound = 100 * 0x1p-24;
  for (std::size_t c = 0; c < wide.cases.size(); ++c)
    for (const int k : {0, 1}) {
      if (k && !wide.cases[c].tangents) continue;
      Trial<float> f(*narrow.cases[c].map, {5, k});
      Trial<double> d(*wide.cases[c].map, {5, k});
      const auto copy = [](const std::vector<float>& from, std::vector<double>& to) {
        to.assign(from.begin(), from.end());
      };
      copy(f.theta, d.theta), copy(f.x, d.x), copy(f.y_bar, d.y_bar), copy(f.t_dot, d.t_dot);
      f.both();
      d.both();
      const std::string& name = wide.cases[c].name;
      const auto near = [&](const std::vector<float>& a, const std::vector<double>& b) {
        ASSERT_EQ(a.size(), b.size());
        for (std::size_t i = 0; i < a.size(); ++i)
          ASSERT_NEAR(static_cast<double>(a[i]), b[i], bound * (1 + std::abs(b[i]))) << name << " at " << i;
      };
      near(f.y, d.y);
      near(f.x_bar, d.x_bar);
      near(f.theta_bar, d.theta_bar);
      near({f.t_bar}, {d.t_bar});
    }
}

}  // namespace
