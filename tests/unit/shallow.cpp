// An Mlp that does both its layers at once gives the bits of its layers one after another.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "revode/random.hpp"
#include "revode/sequential.hpp"

namespace {
using namespace revode;

std::size_t size(int n) {
  return static_cast<std::size_t>(n);
}

template <class T>
std::vector<T> uniform(std::uint32_t stream, std::size_t n) {
  Random random(11, stream);
  std::vector<T> values(n);
  for (T& v : values) v = static_cast<T>(4 * random.uniform() - 2);
  return values;
}

template <class T>
struct Passed {
  std::vector<T> y, x_bar, theta_bar;
};

/// One evaluation and its cotangents, added to what stands there already.
template <class T>
Passed<T> pass(const Map<T>& map, int lanes, int leaf) {
  const Shape s = map.shape({lanes, 0});
  const std::size_t stride = size(s.params), rows = size(s.in * lanes);
  struct alignas(REVODE_ALIGN) Line {
    std::byte byte[REVODE_ALIGN];
  };
  std::vector<Line> tape(s.tape / REVODE_ALIGN + 1), work(s.work / REVODE_ALIGN + 1);
  const std::vector<T> theta = uniform<T>(1, stride), x = uniform<T>(2, rows), y_bar = uniform<T>(3, rows);
  Passed<T> p{std::vector<T>(rows), uniform<T>(4, rows), uniform<T>(5, stride * size(lanes))};
  Status status = Status::ok;
  Call<T> call;
  call.extent = {lanes, 0}, call.theta = theta.data(), call.work = work.data()->byte, call.status = &status;
  map.eval(call, x.data(), p.y.data(), tape.data()->byte);
  map.vjp(call, x.data(), p.y.data(), tape.data()->byte, y_bar.data(), p.x_bar.data(),
          {{p.theta_bar.data(), leaf, stride}, nullptr});
  EXPECT_EQ(status, Status::ok);
  return p;
}

template <class T>
void compare(int dim, int hidden, int lanes, int leaf) {
  const Mlp<T> both({dim, hidden, dim}, Activation::tanh);
  const Dense<T> first(dim, hidden, Activation::tanh), second(hidden, dim);
  const Map<T>* const layers[] = {&first, &second};
  const Sequential<T> apart(layers);
  const Passed<T> a = pass<T>(both, lanes, leaf), b = pass<T>(apart, lanes, leaf);
  const auto same = [](const std::vector<T>& u, const std::vector<T>& v) {
    return u.size() == v.size() && std::memcmp(u.data(), v.data(), u.size() * sizeof(T)) == 0;
  };
  ASSERT_TRUE(same(a.y, b.y)) << dim << " rows, " << hidden << " hidden, " << lanes << " lanes";
  ASSERT_TRUE(same(a.x_bar, b.x_bar)) << dim << " rows, " << hidden << " hidden, " << lanes << " lanes";
  ASSERT_TRUE(same(a.theta_bar, b.theta_bar)) << dim << " rows, " << hidden << " hidden, " << lanes << " lanes";
}

template <class T>
class Shallow : public testing::Test {};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(Shallow, Scalars);

TYPED_TEST(Shallow, BothLayersAtOnceKeepTheBits) {
  for (const int dim : {1, 2, 3, 4, 5})
    for (const int hidden : {1, 3, 17, 50})
      for (const int lanes : {1, 2, 7, 16, 20, 32, 45, 64}) compare<TypeParam>(dim, hidden, lanes, 1);
}

TYPED_TEST(Shallow, SoDoLeavesOfSixteen) {
  for (const int dim : {2, 4}) compare<TypeParam>(dim, 20, 32, 16);
}
}  // namespace
