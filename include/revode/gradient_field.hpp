/// GradientField: a field that is the gradient of a learned scalar E(t, x; theta), a map of one row out. With d rows in
/// it is read as a jet of d unit tangents, so no second differentiation is written anywhere (jets: map.hpp).
///   descent      y = -dE/dx: a potential's force, the acceleration of methods of positions and velocities (word.hpp)
///   hamiltonian  x = (q, p), y = (dE/dp, -dE/dq) (Greydanus et al., arXiv 1906.01563)
/// Tape: E's own and its jet. Cost about 1 + d evaluations of E, and as many VJPs. No tangents.
#pragma once
#include "revode/kernels.hpp"
#include "revode/map.hpp"

namespace revode {
enum class Gradient : unsigned char { descent, hamiltonian };

template <class T>
class GradientField final : public Map<T> {
 public:
  /// `energy` has tangents and outlives this; more rows out than one, or a hamiltonian of an odd number of rows in,
  /// make a map of zero rows, which every init refuses.
  constexpr explicit GradientField(const Map<T>& energy, Gradient kind = Gradient::descent)
      : energy_(&energy), kind_(kind) {}
  constexpr Shape shape(Extent e) const override {
    const Shape s = energy_->shape(inner(e));
    if (s.out != 1 || (kind_ == Gradient::hamiltonian && s.in % 2)) return {};
    return {s.in, s.in, s.params, jet(1, e) + s.tape, 2 * jet(s.in, e) + jet(1, e) + s.work};
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;

 private:
  constexpr int rows() const { return energy_->shape({}).in; }
  constexpr Extent inner(Extent e) const { return {e.lanes, rows()}; }
  constexpr std::size_t jet(int count, Extent e) const {
    return padded(static_cast<std::size_t>(1 + rows()) * static_cast<std::size_t>(count) *
                  static_cast<std::size_t>(e.lanes) * sizeof(T));
  }
  /// The row of E's jet that goes into row i of the field, and with what sign.
  int source(int i, int d) const { return kind_ == Gradient::descent ? i : (i + d / 2) % d; }
  bool negative(int i, int d) const { return kind_ == Gradient::descent || i >= d / 2; }
  T* unit_jet(const Call<T>& call, const T* x) const;
  Call<T> inside(const Call<T>& call) const;

  const Map<T>* energy_;
  Gradient kind_;
};
}  // namespace revode
