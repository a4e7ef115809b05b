/// HyperTable: the weights that a hypernetwork gives (time_weights.hpp) at every time of a grid, as the parameters of a
/// TracedMlp d, width, d over those times. The net is evaluated once, its lanes the times, and pulled back once,
/// whatever the samples: an update of torchdiffeq's cnf.py by 20 steps of RK4 takes 41 of them.
#pragma once
#include "revode/traced_mlp.hpp"

namespace revode {
template <class T>
class HyperTable {
 public:
  /// `net`: one row in and 3 d width + width rows out, as HyperWeights'; `field`: d, width, d over `times`. All outlive
  /// this.
  constexpr HyperTable(const Map<T>& net, const TracedMlp<T>& field, int dim, int width, const Times<T>& times)
      : net_(&net), field_(&field), times_(&times), dim_(dim), width_(width) {}
  constexpr void place(Arena& arena) {
    const Extent e{times_->count, 0};
    const Shape s = net_->shape(e);
    const auto k = static_cast<std::size_t>(e.lanes), params = static_cast<std::size_t>(s.params);
    t_ = arena.take<T>(k);
    out_ = arena.take<T>(static_cast<std::size_t>(raw()) * k);
    out_bar_ = arena.take<T>(static_cast<std::size_t>(raw()) * k);
    gates_ = arena.take<T>(static_cast<std::size_t>(dim_ * width_) * k);
    slices_ = arena.take<T>((k + leaf - 1) / leaf * params);
    row_bar_ = arena.take<T>(static_cast<std::size_t>(field_->row()));
    tape_ = arena.take<std::byte>(s.tape), work_ = arena.take<std::byte>(s.work);
  }
  /// phi[field's params] of theta[net's params] at the times as they stand.
  Status fill(const T* theta, T* phi);
  /// Adds to theta_bar[net's params], after fill(); phi_bar is that of all samples.
  Status pull(const T* theta, const T* phi, const T* phi_bar, T* theta_bar);

 private:
  static constexpr int leaf = 64;  // times in a leaf of the net's gradient
  constexpr int raw() const { return (3 * dim_ + 1) * width_; }
  Call<T> call(const T* theta, Status* status) const;
  const Map<T>* net_;
  const TracedMlp<T>* field_;
  const Times<T>* times_;
  int dim_, width_;
  T *t_ = nullptr, *out_ = nullptr, *out_bar_ = nullptr, *gates_ = nullptr;  // [times], [raw][times], [d width][times]
  T *slices_ = nullptr, *row_bar_ = nullptr;                                 // [leaves][params], [row]
  std::byte *tape_ = nullptr, *work_ = nullptr;
};
}  // namespace revode
