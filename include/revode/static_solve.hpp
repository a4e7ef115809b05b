/// StaticSolve: the walk of a plan that is a constant, over a field whose sizes are, on one lane: what a device
/// instantiates. The bits are those of Solve; a plan that does not exist is a compile error, and its bytes are a
/// constant expression.
///
///   constexpr Plan<float> plan{.method = reversible_heun<float>()};
///   using Net = FixedMlp<float, Activation::tanh, 2, 16, 2>;
///   StaticSolve<Net, plan> solve;   solve.place(arena, net);   run(solve, grid, theta, y0);
///
/// On a host it is also the fastest training of one sample (tests/bench/dwarf.cpp). A system that is a formula, steps
/// by tolerance, ensembles: inlined.hpp.
#pragma once
#include "revode/impl/near_number.hpp"
#include "revode/impl/solve_impl.hpp"

namespace revode {
namespace detail {
template <class F, const auto& P>
struct StaticWalk {
  using T = typename F::Scalar;
  static_assert(fits(P) == Status::ok, "this method has no such way back, or the plan is not valid: see fits()");
  static_assert(P.method.multistep == 0 && !P.control.adaptive(),
                "equal steps of one-step methods; Solve has the rest");
  using Settings = Known<P, F>;
  template <class N, template <class> class W>
  using Over = Walk<N, W, F, Flow<N, F, Settings>>;
  template <class N>
  static auto kept() {
    if constexpr (P.way == Way::none)
      return static_cast<Over<N, Forgotten>*>(nullptr);
    else if constexpr (P.way == Way::stored)
      return static_cast<Over<N, Stored>*>(nullptr);
    else if constexpr (P.way == Way::checkpointed)
      return static_cast<Over<N, Checkpointed>*>(nullptr);
    else if constexpr (P.way == Way::taped)
      return static_cast<Over<N, Taped>*>(nullptr);
    else if constexpr (!N::exact)
      return static_cast<Over<N, Retraced>*>(nullptr);
    else if constexpr (P.halves())
      return static_cast<Over<N, Reversed>*>(nullptr);
    else
      return static_cast<Over<N, Undone>*>(nullptr);
  }
  static auto chosen() {
    using Number = std::conditional_t<P.arithmetic == Arithmetic::fixed, Fixed<T>, Real<T>>;
    return kept<std::conditional_t<Settings::near, Near<Number>, Number>>();
  }
};
template <class W>
W pointed(W*);
}  // namespace detail

template <class F, const auto& P>
using StaticSolve = decltype(detail::pointed(detail::StaticWalk<F, P>::chosen()));
}  // namespace revode
