// Vector fields written in Eigen: right gradients, independent lanes, and training while both the allocator and Eigen's
// own guard are watched.
namespace {
int eigen_complaints = 0;
}
// Eigen asserts before it allocates while set_is_malloc_allowed(false); counted, so that it also tells in a release.
#define EIGEN_RUNTIME_NO_MALLOC
#define eigen_assert(condition) ((condition) ? (void)0 : (void)++eigen_complaints)

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "revode/automatic.hpp"
#include "revode/eigen.hpp"
#include "revode/gradient_check.hpp"
#include "revode/optimizer.hpp"
#include "revode/solve.hpp"

#include "numerics/heap_trap.hpp"  // last: clang declares posix_memalign anew in <mm_malloc.h>

namespace {
using namespace revode;

/// dy/dt = tanh(A y + b cos t), theta = A (column-major) | b.
template <class T>
struct Driven {
  static constexpr int dim = 3, params = 12;
  using Matrix = Eigen::Matrix<T, 3, 3>;
  using Vector = Eigen::Matrix<T, 3, 1>;
  static auto A(const auto& theta) { return Eigen::Map<const Matrix>(theta.data()); }
  static auto b(const auto& theta) { return Eigen::Map<const Vector>(theta.data() + 9); }

  void f(T t, const auto& y, const auto& theta, auto& dy) const {
    dy = (A(theta) * y + std::cos(t) * b(theta)).array().tanh().matrix();
  }
  T vjp(T t, const auto& y, const auto& theta, const auto& w, auto& y_bar, auto& theta_bar) const {
    Vector dy;
    f(t, y, theta, dy);
    const Vector a_bar = w.array() * (T(1) - dy.array().square());
    y_bar += A(theta).transpose() * a_bar;
    Eigen::Map<Matrix>(theta_bar.data()) += a_bar * y.transpose();
    Eigen::Map<Vector>(theta_bar.data() + 9) += std::cos(t) * a_bar;
    return -std::sin(t) * b(theta).dot(a_bar);
  }
};
/// The same for the tracer.
struct DrivenText {
  static constexpr int dim = 3, params = 12;
  template <class S>
  constexpr void operator()(S t, const S* y, const S* p, S* dy) const {
    for (int r = 0; r < 3; ++r) dy[r] = tanh(p[r] * y[0] + p[3 + r] * y[1] + p[6 + r] * y[2] + cos(t) * p[9 + r]);
  }
};

/// A map of one's own on whole tiles, sizes known at run time: dy/dt = tanh(W y).
template <class T>
class TileLayer final : public Map<T> {
 public:
  explicit TileLayer(int dim) : dim_(dim) {}
  Shape shape(Extent e) const override {
    const auto n = static_cast<std::size_t>(dim_) * static_cast<std::size_t>(e.lanes);
    return {dim_, dim_, dim_ * dim_, 0, n * sizeof(T)};
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte*) const override {
    const int lanes = call.extent.lanes;
    as_tile(y, dim_, lanes) = as_tile(call.theta, dim_, dim_).lazyProduct(as_tile(x, dim_, lanes)).array().tanh();
  }
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte*, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override {
    const int lanes = call.extent.lanes;
    auto a_bar = as_tile(reinterpret_cast<T*>(call.work), dim_, lanes);
    a_bar = as_tile(y_bar, dim_, lanes).array() * (T(1) - as_tile(y, dim_, lanes).array().square());
    if (x_bar) as_tile(x_bar, dim_, lanes) += as_tile(call.theta, dim_, dim_).transpose().lazyProduct(a_bar);
    add_outer(bar.theta, 0, -1, dim_, dim_, lanes, a_bar.data(), x);
  }

 private:
  int dim_;
};

alignas(REVODE_ALIGN) std::byte memory[1 << 18];

std::vector<double> draws(std::size_t n, std::uint32_t stream) {
  std::vector<double> values(n);
  Random random(11, stream);
  for (double& v : values) v = static_cast<double>(random.uniform()) - .5;
  return values;
}

/// The worst error of a map's VJP against central differences; 1 when it fails.
double worst(const Map<double>& map, int lanes) {
  GradientCheck<double> check;
  Arena arena(memory, sizeof memory);
  check.place(arena, map, {lanes, 0});
  if (!arena.ok()) return 1;
  const Shape s = map.shape({lanes, 0});
  const auto theta = draws(static_cast<std::size_t>(s.params), 1),
             x = draws(static_cast<std::size_t>(s.in) * static_cast<std::size_t>(lanes), 2);
  const double error = check.worst(.7, theta.data(), x.data(), 1e-6);
  return check.status == Status::ok ? error : 1;
}

TEST(EigenFields, HaveRightGradients) {
  for (const int lanes : {1, 2, 7}) {  // 1e-9 is gradient_check.hpp's own figure for a right VJP, times a margin of 2
    EXPECT_LT(worst(EigenField<double, Driven<double>>(), lanes), 2e-9);
    EXPECT_LT(worst(TileLayer<double>(5), lanes), 2e-9);
  }
}

/// eval and vjp of a map over `lanes` columns of the same draws; leaves of `leaf` samples.
struct Outcome {
  std::vector<double> y, x_bar, theta_bar;
};
Outcome outcome(const Map<double>& map, const std::vector<double>& x, int lanes, int leaf) {
  const Shape s = map.shape({lanes, 0});
  const auto theta = draws(static_cast<std::size_t>(s.params), 1);
  const auto params = static_cast<std::size_t>(s.params),
             n = static_cast<std::size_t>(s.in) * static_cast<std::size_t>(lanes);
  const auto leaves = static_cast<std::size_t>(leaf == 1 ? lanes : (lanes + leaf - 1) / leaf);
  Outcome out{std::vector<double>(n), std::vector<double>(n), std::vector<double>(params * leaves)};
  Status status = Status::ok;
  Arena arena(memory, sizeof memory);
  Call<double> call;
  call.extent = {lanes, 0}, call.t = .7, call.theta = theta.data(), call.status = &status;
  call.work = arena.take<std::byte>(s.work);
  auto* tape = arena.take<std::byte>(s.tape);
  map.eval(call, x.data(), out.y.data(), tape);
  map.vjp(call, x.data(), out.y.data(), tape, x.data(), out.x_bar.data(),
          {{out.theta_bar.data(), leaf, params}, nullptr});
  EXPECT_EQ(status, Status::ok);
  return out;
}

TEST(EigenFields, AgreeWithTheTracer) {
  const auto x = draws(3 * 5, 3);
  const Outcome a = outcome(EigenField<double, Driven<double>>(), x, 5, 1);
  const Outcome b = outcome(Automatic<double, DrivenText>(), x, 5, 1);
  // A sum of four products and a tanh, each of order 1: some ten roundings of 1e-16.
  for (std::size_t i = 0; i < a.y.size(); ++i) EXPECT_NEAR(a.y[i], b.y[i], 2e-15);
  for (std::size_t i = 0; i < a.x_bar.size(); ++i) EXPECT_NEAR(a.x_bar[i], b.x_bar[i], 4e-15);
  for (std::size_t i = 0; i < a.theta_bar.size(); ++i) EXPECT_NEAR(a.theta_bar[i], b.theta_bar[i], 4e-15);
}

TEST(EigenFields, LanesAreIndependentAndLeavesAreChains) {
  constexpr std::size_t lanes = 20, leaf = 16, params = Driven<double>::params;
  const EigenField<double, Driven<double>> field;
  const auto x = draws(3 * lanes, 3);
  const Outcome each = outcome(field, x, lanes, 1), leaves = outcome(field, x, lanes, leaf);
  for (std::size_t l = 0; l < lanes; ++l) {
    const Outcome alone = outcome(field, {x[l], x[lanes + l], x[2 * lanes + l]}, 1, 1);
    for (std::size_t i = 0; i < 3; ++i) ASSERT_EQ(alone.y[i], each.y[i * lanes + l]);
    for (std::size_t i = 0; i < 3; ++i) ASSERT_EQ(alone.x_bar[i], each.x_bar[i * lanes + l]);
    for (std::size_t p = 0; p < params; ++p) ASSERT_EQ(alone.theta_bar[p], each.theta_bar[p * lanes + l]);
  }
  for (std::size_t p = 0; p < params; ++p) {
    double sum[2] = {};
    for (std::size_t l = 0; l < lanes; ++l) sum[l / leaf] += each.theta_bar[p * lanes + l];
    EXPECT_EQ(leaves.theta_bar[p], sum[0]);
    EXPECT_EQ(leaves.theta_bar[params + p], sum[1]);
  }
}

TEST(EigenFields, HaveNoTangents) {
  const EigenField<double, Driven<double>> field;
  Status status = Status::ok;
  double x[6] = {}, y[6] = {}, theta[12] = {};
  Call<double> call;
  call.extent = {1, 1}, call.theta = theta, call.status = &status, call.work = memory;
  field.eval(call, x, y, nullptr);
  EXPECT_EQ(status, Status::unsupported);
  EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[5]));
}

/// Teaches a field where it should go; the losses of the first and the last iteration.
struct Report {
  Status status = Status::ok;
  double first = 0, last = 0;
};
Report train(const Map<double>& field, int dim) {
  constexpr int lanes = 4, iterations = 30;
  const std::size_t n = static_cast<std::size_t>(dim) * lanes;
  const auto params = static_cast<std::size_t>(field.shape({lanes, 0}).params);
  Arena arena(memory, sizeof memory);
  Solve<double> solve;
  Report report;
  if ((report.status = solve.init(arena, field, Plan<double>{}, lanes)) != Status::ok) return report;
  Adam<double> adam;
  adam.place(arena, params);
  auto *theta = arena.take<double>(params), *g = arena.take<double>(params), *y0 = arena.take<double>(n),
       *y_bar = arena.take<double>(n);
  if (!arena.ok()) return {Status::arena_too_small};
  adam.reset();
  Random random(5, 0);
  for (std::size_t i = 0; i < params; ++i) theta[i] = static_cast<double>(random.uniform()) - .5;
  for (std::size_t i = 0; i < n; ++i) y0[i] = static_cast<double>(random.uniform());
  for (int k = 0; k < iterations && report.status == Status::ok; ++k) {
    if ((report.status = run(*solve, {0, 1, 20}, theta, y0)) != Status::ok) break;
    auto bar = as_tile(y_bar, dim, lanes);
    bar = as_tile(solve->y(), dim, lanes) + .5 * as_tile(static_cast<const double*>(y0), dim, lanes);
    (k == 0 ? report.first : report.last) = bar.squaredNorm();
    memset(g, 0, params * sizeof(double));
    report.status = run_back(*solve, y_bar, static_cast<double*>(nullptr), {g, 16, params});
    adam.update(.05, g, theta);
  }
  return report;
}
struct Calls {
  long heap, complaints;
};
template <class Body>
Calls calls(Body&& body) {
  eigen_complaints = 0;
  Eigen::internal::set_is_malloc_allowed(false);
  long heap = 0;
  {
    const heap::Trap trap;
    body();
    heap = trap.calls();
  }
  Eigen::internal::set_is_malloc_allowed(true);
  return {heap, eigen_complaints};
}

TEST(EigenFields, TrainWithoutHeap) {
  const EigenField<double, Driven<double>> fixed;
  const TileLayer<double> tile(6);
  for (const Map<double>* field : {static_cast<const Map<double>*>(&fixed), static_cast<const Map<double>*>(&tile)}) {
    Report report;
    const Calls seen = calls([&] { report = train(*field, field->shape({}).in); });
    EXPECT_EQ(report.status, Status::ok) << sentence(report.status);
    EXPECT_LT(report.last, .5 * report.first);
    EXPECT_GT(report.first, 0);
    EXPECT_EQ(seen.heap, 0);
    EXPECT_EQ(seen.complaints, 0);
  }
}

TEST(EigenFields, TheTrapsSnap) {
  const Eigen::MatrixXd a = Eigen::MatrixXd::Ones(9, 9);
  Eigen::MatrixXd b(9, 9);
  Calls seen = calls([&] { b.noalias() = a.lazyProduct(a); });
  EXPECT_EQ(b(0, 0), 9);
  EXPECT_TRUE(seen.heap == 0 && seen.complaints == 0);
  seen = calls([&] { b = a * a; });  // a product with Dynamic sizes makes a temporary
  EXPECT_GT(seen.heap, 0);
  EXPECT_GT(seen.complaints, 0);
}
}  // namespace
