/// Block: a whole ODE solve as a map, x = y(t0) to y(t1), so networks contain solves. recompute is ANODE (Gholami et
/// al. 2019): nothing is kept but x, which the container has, and the solve is run again on the way back; all its
/// memory is then shared work. Paced: a field whose last row is each sample's own speed, dy/ds = pace f(s, y), d
/// pace/ds = 0, so that one solve over s in [0, 1] carries every sample over its own duration. Neither has tangents.
#pragma once
#include "revode/solve.hpp"

namespace revode {
template <class T>
class Block final : public Map<T> {
 public:
  /// `field` outlives the block. A plan that does not fit makes eval fail with its status. Each solve adds its
  /// evaluations, VJPs and steps to `tally` (null: nobody counts), which keeps the greatest drift; evaluations of a
  /// solve run again count as backward.
  constexpr Block(const Map<T>& field, const Plan<T>& plan, const Grid<T>& grid, bool recompute = false,
                  Accounting* tally = nullptr)
      : field_(&field), plan_(plan), grid_(grid), recompute_(recompute), tally_(tally) {}
  Shape shape(Extent e) const override;
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;

 private:
  struct Kept {
    Solve<T> solve;
    Status status = Status::ok;
  };
  Kept* forward(const Call<T>& call, const T* x, std::byte* bytes) const;
  std::size_t bytes(int lanes) const;
  int rows() const { return field_->shape({}).out * plan_.method.read; }
  const Map<T>* field_;
  Plan<T> plan_;
  Grid<T> grid_;
  bool recompute_;
  Accounting* tally_;
};

template <class T>
class Paced final : public Map<T> {
 public:
  constexpr explicit Paced(const Map<T>& field) : field_(&field) {}
  constexpr Shape shape(Extent e) const override {
    Shape s = field_->shape(e);
    s.work = padded(s.work) + tile_bytes<T>(s.out, e);
    s.tape = tile_bytes<T>(s.out, e) + s.tape;
    s.in += 1, s.out += 1;
    return s;
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;

 private:
  const Map<T>* field_;
};
}  // namespace revode
