/// Adams: predictor and corrector over past slopes (Adams and Bashforth 1883, Moulton 1926; Hairer et al., III.5), of
/// order q = 1 to 6, with steps of any size. With nodes x_j = (t_{n-j} - t_n) / h, so x_{-1} = 1 and x_0 = 0, and f_j
/// the slope at x_j,
///
///   p = y_n + h sum_{j=0}^{q-1} beta_j f_j,  beta_j = int_0^1 prod_{i != j} (x - x_i) / (x_j - x_i) dx,
///   y_{n+1} = y_n + h sum_{j=-1}^{q-2} gamma_j f_j,  f_{-1} = f(t_{n+1}, p), gamma over the nodes -1 .. q-2,
///
/// and f(t_{n+1}, y_{n+1}) is evaluated when the next step begins (PECE: two evaluations a step, whatever the order).
/// When to choose it, and where it is stable: adams() of word.hpp. Equal steps give the classical coefficients, to the
/// last bit. Milne's error estimate: with A and B the integrals of prod (x - x_j) over
/// the predictor's and the corrector's nodes, (y_{n+1} - p) B / (A - B).
///
/// The state is (y, f_1 .. f_{q-1}, h_1 .. h_{q-1}), h_j the step that ended j - 1 steps ago, so whoever recalls states
/// recalls the past with them. The first q - 1 steps are the base tableau's. pull() is the transpose of all of it; the
/// past's cotangents wait in its registers for the steps that made it. It uses that the derivative of an interpolant p
/// with respect to its node x_m is -p'(x_m) l_m. Memory: Flow's with words() = q d + q - 1.
#pragma once
#include "revode/flow.hpp"

namespace revode {
/// The integrals over [0, 1] of the Lagrange polynomials of `count` nodes, and of the product of all (x - x_j).
template <class T>
struct Quadrature {
  T weight[most_multistep], product;
};
template <class T>
Quadrature<T> integrate(int count, const T* nodes);
/// The derivative at node m of the polynomial with these values at the nodes.
template <class T>
T derivative(int count, const T* nodes, const T* values, int m);

template <class N, class F = Map<typename N::Scalar>>
class Adams : public Flow<N, F> {
 public:
  using T = typename N::Scalar;
  using Word = typename N::Word;
  using Base = Flow<N, F>;
  using Base::state, Base::bar, Base::times, Base::t_bar, Base::h_bar;
  static_assert(!N::exact, "slopes have another scale than y");

  void lift(T t0, const T* y0);
  void step(const Step<T>& s, BitLog* log);
  void pull(const Step<T>& s);

 private:
  using Base::delta_, Base::desk_, Base::fresh_, Base::method_, Base::n_, Base::w_;
  /// Nodes of the predictor begin at x_0, those of the corrector at x_{-1}.
  struct Stencil {
    int order;
    T x[most_multistep + 1];         // x_{-1}, x_0, .., x_{q-1}
    const T* f[most_multistep + 1];  // f_{-1}, f_0, .., f_{q-1}
    Quadrature<T> predictor, corrector;
  };
  bool starts(const Step<T>& s) const { return s.n < method_.past(); }
  Word* past(int j) const { return state + static_cast<std::size_t>(j) * n_; }
  T* past_bar(int j) const { return bar + static_cast<std::size_t>(j) * n_; }
  /// h_1 .. h_{q-1} behind the registers, in the state or in its cotangent.
  T* steps(T* registers) const { return registers + static_cast<std::size_t>(method_.multistep) * n_; }
  Stencil stencil(const Step<T>& s);
  Stencil arrange_both(const Step<T>& s);
  void remember(const Step<T>& s);
  void pull_past(const Stencil& e, const Step<T>& s, const T* p_bar);
  void pull_times(const Stencil& e, const T* p_bar);
  void pull_nodes(int count, const T* x, const T* const* f, const T* weight, const T* w, T* x_bar);
};
}  // namespace revode
