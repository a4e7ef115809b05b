// What word.hpp says of each method's memory is what a solve takes.
#include <gtest/gtest.h>

#include "revode/solve.hpp"

namespace {
using namespace revode;

/// Any number of rows, and a tape of so many bytes.
class Sized final : public Map<double> {
 public:
  Sized(int rows, std::size_t tape) : rows_(rows), tape_(tape) {}
  Shape shape(Extent) const override { return {rows_, rows_, 0, tape_, 0}; }
  void eval(const Call<double>&, const double*, double*, std::byte*) const override {}
  void vjp(const Call<double>&, const double*, const double*, std::byte*, const double*, double*,
           const Bar<double>&) const override {}

 private:
  int rows_;
  std::size_t tape_;
};
/// What word.hpp says that methods take: `registers` d and `tapes`, of d rows on one lane, with a way that keeps
/// `kept` d beside.
TEST(Memory, OfEveryMethodIsWhatItsHeaderSays) {
  constexpr auto& rk4 = tableau::rk4<double>;
  Plan<double> exact, slot;
  slot.way = Way::checkpointed, slot.arithmetic = Arithmetic::real, slot.slots = 1;
  const auto of = [](Plan<double> plan, const Method<double>& method) { return plan.method = method, plan; };
  const struct {
    Plan<double> plan;
    int registers, kept, tapes;
  } rows[] = {
      {of(slot, runge_kutta(rk4)), 7 + 2 * 4, 1, 4},
      {of(slot, runge_kutta(tableau::dormand_prince8<double>)), 7 + 2 * 13, 1, 13},
      {of(slot, low_storage(tableau::ees27<double>)), 6, 1, 1},
      {of(exact, mccallum_foster(rk4)), 9 + 2 * 4, 0, 4},
      {of(exact, mccallum_foster(tableau::euler<double>)), 9 + 2 * 1, 0, 1},
      {of(exact, alf<double>()), 11, 0, 1},
      {of(exact, reversible_heun<double>()), 12, 0, 1},
      {of(exact, leapfrog<double>()), 12, 0, 1},
      {of(exact, verlet<double>()), 12, 0, 1},
      {of(exact, symplectic_euler<double>()), 12, 0, 1},
      {of(slot, adams<double>(2)), 16 + 3 * 2, 2, 6},
      {of(slot, adams<double>(6)), 16 + 3 * 6, 6, 6},
  };
  constexpr std::size_t d = 1024, tape = 1 << 16;  // multiples of a line: nothing is rounded up
  for (const auto& row : rows) {
    const std::size_t bytes = Solve<double>::bytes(Sized(d, 0), row.plan, 1);
    EXPECT_EQ(Solve<double>::bytes(Sized(2 * d, 0), row.plan, 1) - bytes,
              static_cast<std::size_t>(row.registers + row.kept) * d * sizeof(double))
        << row.plan.method.name;
    EXPECT_EQ(Solve<double>::bytes(Sized(d, tape), row.plan, 1) - bytes, static_cast<std::size_t>(row.tapes) * tape)
        << row.plan.method.name;
  }
}
}  // namespace
