/// AdjointBlock: a block (block.hpp) whose way back is the continuous adjoint (backsolve.hpp), so that a network can be
/// trained by it beside the exact ways. Its gradient is off by what backsolve.hpp says it is off by.
#pragma once
#include "revode/backsolve.hpp"

namespace revode {
template <class T>
class AdjointBlock final : public Map<T> {
 public:
  /// `field` outlives the block. A plan that does not fit makes eval fail with its status. `tally` as a block's, with
  /// the greatest drift.
  constexpr AdjointBlock(const Map<T>& field, const BacksolvePlan<T>& plan, const Grid<T>& grid,
                         Accounting* tally = nullptr)
      : field_(&field), plan_(plan), grid_(grid), tally_(tally) {}
  Shape shape(Extent e) const override;
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;

 private:
  struct Kept {
    Backsolve<T> solve;
    Status status = Status::ok;
  };
  int rows() const { return field_->shape({}).out; }
  const Map<T>* field_;
  BacksolvePlan<T> plan_;
  Grid<T> grid_;
  Accounting* tally_;
};
}  // namespace revode
