// The C interface held wrong: every misuse and every failure on the way is a status, and the solver can be used again.
#include <cstring>
#include <limits>

#include "unit/c_pendulum.hpp"

namespace {
using namespace pendulum;

class Refusals : public testing::Test {
 protected:
  /// What bytes and init say of a field and a plan; both must say the same.
  int told(const revode_field& f, const revode_plan& p) {
    std::size_t bytes = 1;
    const int status = revode_solver_bytes(&f, &p, &bytes);
    EXPECT_EQ(revode_solver_init(memory.byte.data(), memory.byte.size(), &f, &p, &solver), status);
    EXPECT_EQ(solver == nullptr, status != REVODE_OK);
    EXPECT_EQ(bytes == 0, status != REVODE_OK);
    return status;
  }
  int forward(long steps = 40) { return revode_forward(solver, theta, 0, 3, steps, start, nullptr); }
  int backward() { return revode_backward(solver, one, y0_bar, theta_bar); }

  Orders orders;
  revode_solver* solver = nullptr;
  const double one[2] = {1, 1};
  double y0_bar[2] = {}, theta_bar[2] = {};
};

TEST_F(Refusals, Fields) {
  const auto wrong = [&](auto change) {
    revode_field f = field<1>(orders);
    change(f);
    return told(f, reversed);
  };
  EXPECT_EQ(wrong([](revode_field&) {}), REVODE_OK);
  EXPECT_EQ(wrong([](revode_field& f) { f.size = 0; }), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(wrong([](revode_field& f) { f.size += 8; }), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(wrong([](revode_field& f) { f.dim = 0; }), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(wrong([](revode_field& f) { f.params = -1; }), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(wrong([](revode_field& f) { f.lanes = 0; }), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(wrong([](revode_field& f) { f.tape = -1; }), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(wrong([](revode_field& f) { f.rhs = nullptr; }), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(wrong([](revode_field& f) { f.vjp = nullptr; }), REVODE_BAD_ARGUMENT);
  constexpr int huge = std::numeric_limits<int>::max();
  EXPECT_EQ(wrong([](revode_field& f) { f.dim = huge, f.lanes = huge; }), REVODE_BAD_ARGUMENT);
}

TEST_F(Refusals, Plans) {
  const auto wrong = [&](auto change) {
    revode_plan p = reversed;
    change(p);
    return told(field<1>(orders), p);
  };
  EXPECT_EQ(wrong([](revode_plan& p) { p.size = 0; }), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(wrong([](revode_plan& p) { p.method = -1; }), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(wrong([](revode_plan& p) { p.method = REVODE_LOW_STORAGE + 1; }), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(wrong([](revode_plan& p) { p.base = -1; }), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(wrong([](revode_plan& p) { p.base = REVODE_DORMAND_PRINCE8 + 1; }), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(wrong([](revode_plan& p) { p.way = REVODE_TAPED + 1; }), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(wrong([](revode_plan& p) { p.arithmetic = REVODE_FIXED + 1; }), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(wrong([](revode_plan& p) { p.arithmetic = REVODE_REAL; }), REVODE_OK);  // drifts, and says how far
  EXPECT_EQ(wrong([](revode_plan& p) { p.method = REVODE_RUNGE_KUTTA; }), REVODE_NOT_REVERSIBLE);
  EXPECT_EQ(wrong([](revode_plan& p) { p.way = REVODE_TAPED; }), REVODE_UNSUPPORTED);
  EXPECT_EQ(wrong([](revode_plan& p) { p.lambda = .9; }), REVODE_UNSUPPORTED);
  EXPECT_EQ(wrong([](revode_plan& p) { p.rtol = -1; }), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(wrong([](revode_plan& p) { p.rtol = 1e-3, p.most_steps = -1; }), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(wrong([](revode_plan& p) { p.rtol = 1e-3, p.method = REVODE_VERLET; }), REVODE_UNSUPPORTED);
  EXPECT_EQ(wrong([](revode_plan& p) { p.way = REVODE_STORED; }), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(wrong([](revode_plan& p) { p.way = REVODE_CHECKPOINTED; }), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(wrong([](revode_plan& p) { p.keep_stages = 1; }), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(wrong([](revode_plan& p) { p.slots = -1; }), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(wrong([](revode_plan& p) { p.fraction_bits[0] = 63; }), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(wrong([](revode_plan& p) { p.halve_every = 4; }), REVODE_CAPACITY);
  EXPECT_EQ(wrong([](revode_plan& p) { p.halve_every = 4, p.log_bits = 2; }), REVODE_OK);
  // A product of sizes that wraps around must not come out as a small number of bytes.
  constexpr long most = std::numeric_limits<long>::max();
  EXPECT_EQ(wrong([](revode_plan& p) { p.way = REVODE_STORED, p.stored_steps = most / 16 + 1; }), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(wrong([](revode_plan& p) { p.halve_every = 1, p.log_bits = ~std::size_t{0}; }), REVODE_BAD_ARGUMENT);
}

TEST_F(Refusals, NullPointers) {
  const revode_field f = field<1>(orders);
  std::size_t bytes = 0;
  unsigned char* at = memory.byte.data();
  EXPECT_EQ(revode_solver_bytes(nullptr, &reversed, &bytes), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(revode_solver_bytes(&f, nullptr, &bytes), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(revode_solver_bytes(&f, &reversed, nullptr), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(revode_solver_init(nullptr, 9999, &f, &reversed, &solver), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(revode_solver_init(at, 9999, &f, &reversed, nullptr), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(forward(), REVODE_BAD_ARGUMENT);  // of no solver
  EXPECT_EQ(backward(), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(revode_advance(nullptr, nullptr), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(revode_finish(nullptr, y0_bar), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(revode_accounting(nullptr, nullptr), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(revode_sum_lanes(1, 1, nullptr, y0_bar), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(revode_sum_lanes(1, 0, one, y0_bar), REVODE_BAD_ARGUMENT);
  ASSERT_TRUE(make(f, reversed, &solver));
  EXPECT_EQ(revode_forward(solver, theta, 0, 1, 10, nullptr, nullptr), REVODE_BAD_ARGUMENT);
  ASSERT_EQ(forward(), REVODE_OK);
  EXPECT_EQ(revode_backward(solver, nullptr, y0_bar, theta_bar), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(revode_backward(solver, one, nullptr, nullptr), REVODE_OK);
  revode_counts counts{};
  EXPECT_EQ(revode_accounting(solver, &counts), REVODE_BAD_ARGUMENT);  // size not set
}

TEST_F(Refusals, Order) {
  int moved = 1;
  ASSERT_TRUE(make(field<1>(orders), reversed, &solver));
  EXPECT_EQ(backward(), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(revode_advance(solver, &moved), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(moved, 0);
  EXPECT_EQ(revode_turn(solver, theta_bar), REVODE_BAD_ARGUMENT);
  ASSERT_EQ(revode_begin(solver, theta, 0, 3, 40, start), REVODE_OK);
  EXPECT_EQ(revode_retreat(solver, &moved), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(backward(), REVODE_BAD_ARGUMENT);  // not at the end
  ASSERT_EQ(revode_advance(solver, &moved), REVODE_OK);
  ASSERT_EQ(revode_turn(solver, theta_bar), REVODE_OK);
  EXPECT_EQ(revode_finish(solver, y0_bar), REVODE_BAD_ARGUMENT);  // not at step 0
  EXPECT_EQ(revode_advance(solver, &moved), REVODE_BAD_ARGUMENT);
  ASSERT_EQ(revode_retreat(solver, &moved), REVODE_OK);
  EXPECT_EQ(revode_finish(solver, y0_bar), REVODE_OK);
  EXPECT_EQ(backward(), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(forward(), REVODE_OK);
  EXPECT_EQ(backward(), REVODE_OK);
  EXPECT_EQ(backward(), REVODE_BAD_ARGUMENT);  // once
}

TEST_F(Refusals, Grids) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  ASSERT_TRUE(make(field<1>(orders), reversed, &solver));
  EXPECT_EQ(forward(0), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(forward(-3), REVODE_BAD_ARGUMENT);
  for (const double end : {0., inf, -inf, std::nan("")})
    EXPECT_EQ(revode_forward(solver, theta, 0, end, 40, start, nullptr), REVODE_BAD_ARGUMENT) << end;
  EXPECT_EQ(backward(), REVODE_BAD_ARGUMENT);
  EXPECT_EQ(revode_forward(solver, theta, 3, 0, 40, start, nullptr), REVODE_OK);  // backwards in time is a grid
}

TEST_F(Refusals, CallbacksThatFailEndTheSolve) {
  ASSERT_TRUE(make(field<1>(orders), reversed, &solver));
  orders.rhs_fails_at = 100;
  EXPECT_EQ(forward(), REVODE_CALLBACK_FAILED);
  EXPECT_EQ(orders.rhs, 100);  // and is not asked again
  EXPECT_EQ(backward(), REVODE_CALLBACK_FAILED);
  orders = {};
  orders.vjp_fails_at = 5;
  ASSERT_EQ(forward(), REVODE_OK);
  EXPECT_EQ(backward(), REVODE_CALLBACK_FAILED);
  EXPECT_EQ(orders.vjp, 5);
  orders = {};
  ASSERT_EQ(forward(), REVODE_OK);
  EXPECT_EQ(backward(), REVODE_OK);
}

TEST_F(Refusals, FailuresOnTheWay) {
  ASSERT_TRUE(make(field<1>(orders), reversed, &solver));
  orders.lies_at = 200;  // the field adds a constant once, forwards only
  ASSERT_EQ(forward(), REVODE_OK);
  EXPECT_EQ(backward(), REVODE_IRREVERSIBLE);
  orders = {};
  const double far[] = {0, 63.9}, outside[] = {0, 1e4};
  EXPECT_EQ(revode_forward(solver, theta, 0, 3, 40, far, nullptr), REVODE_RANGE);
  EXPECT_EQ(revode_forward(solver, theta, 0, 3, 40, outside, nullptr), REVODE_RANGE);
  EXPECT_EQ(backward(), REVODE_RANGE);

  const revode_plan stored = plan(REVODE_RUNGE_KUTTA, REVODE_RK4, REVODE_STORED, REVODE_REAL);
  ASSERT_TRUE(make(field<1>(orders), stored, &solver));
  EXPECT_EQ(forward(41), REVODE_CAPACITY);
  const double growing[] = {2, -1e4};
  EXPECT_EQ(revode_forward(solver, growing, 0, 3e4, 40, start, nullptr), REVODE_NOT_FINITE);
  ASSERT_EQ(forward(40), REVODE_OK);
  EXPECT_EQ(backward(), REVODE_OK);
}

TEST(CApi, Sentences) {
  EXPECT_STREQ(revode_sentence(REVODE_OK), "no error");
  EXPECT_NE(std::strstr(revode_sentence(REVODE_CALLBACK_FAILED), "non-zero"), nullptr);
  EXPECT_STREQ(revode_sentence(-1), "unknown status");
  EXPECT_EQ(revode_version(), REVODE_VERSION);
}
}  // namespace
