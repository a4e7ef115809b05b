/// What a flow, its clock and its walk know of the plan. Chosen: at run time, so that one body serves all plans (the
/// library's solves). Known: while they compile; sizes and word are constants, and what the plan does not ask for
/// leaves neither code nor bytes. The bits are the same.
#pragma once
#include <type_traits>

#include "revode/control.hpp"
#include "revode/impl/few.hpp"
#include "revode/map.hpp"

namespace revode {
template <class T>
struct Chosen {
  static constexpr bool known = false;
  static constexpr bool plain = false;        ///< equal steps from t0 to t1, no damping, no cotangents of times
  static constexpr bool near = false;         ///< a register's numbers fit a pack and stay there through a letter
  static constexpr std::size_t few = 1;       ///< how many they are, if near
  static constexpr bool one_pack = false;     ///< near, and they fill a pack
  static constexpr bool keeps = true;         ///< stages, for pull_kept()
  static constexpr bool serves_twice = true;  ///< an evaluation may be that of two letters
  static constexpr bool drifts = true, relaxes = true, slopes = true;  ///< letters of the word; slopes: relax to f

  constexpr void choose(const Shape& shape, const Method<T>& method, int lanes, bool measures, bool returns) {
    method_ = method;
    stages_ = method.base.advancing();
    if (measures) estimate_ = estimate_of(method);
    const bool pair = estimate_.by == Estimator::pair;
    stored_slopes_ = (pair ? method.base.stages : stages_) + 1;
    n_ = static_cast<std::size_t>(shape.out) * static_cast<std::size_t>(lanes);
    tape_bytes_ = padded(shape.tape), one_tape_ = !returns;
    reuses_ = pair && method.registers == 1 && first_same_as_last(method.base);
  }

  Method<T> method_{};
  Estimate<T> estimate_{};
  std::size_t n_ = 0, tape_bytes_ = 0;  // scalars of a register; bytes of one evaluation's tape
  int stages_ = 1, stored_slopes_ = 2;  // slopes: one more than stages, for pull_increment(); those of a pair
  bool one_tape_ = false;               // nobody comes back to them
  bool reuses_ = false;                 // the estimate's last stage may be the next step's first
};

/// P: a constexpr Plan; F: a field whose shape() is static constexpr. One lane.
template <const auto& P, class F>
struct Known {
  static constexpr bool known = true;
  static constexpr const auto& plan = P;
  static constexpr bool plain = !P.control.adaptive() && !P.halves() && !(P.lambda < 1), keeps = P.keep_stages;
  static constexpr bool serves_twice =
      P.method.shares_ends() || P.control.adaptive() || P.way == std::remove_cvref_t<decltype(P.way)>::taped;

  template <class... Arguments>
  static constexpr void choose(const Arguments&...) {}

 private:
  static constexpr bool has(Kind kind, bool field) {
    for (int i = 0; i < P.method.letters; ++i)
      if (P.method.word[i].kind == kind && P.method.word[i].field == field) return true;
    return P.method.lifts() && P.method.lift.kind == kind && P.method.lift.field == field;
  }
  static constexpr auto chosen = [] {
    Chosen<typename F::Scalar> c;
    c.choose(F::shape({1, 0}), P.method, 1, P.control.adaptive(), P.returns());
    return c;
  }();

 public:
  static constexpr bool drifts = has(Kind::drift, false), slopes = has(Kind::relax, true);
  static constexpr bool relaxes = slopes || has(Kind::relax, false);
  static constexpr auto method_ = chosen.method_;
  static constexpr auto estimate_ = chosen.estimate_;
  static constexpr std::size_t n_ = chosen.n_, tape_bytes_ = chosen.tape_bytes_;
  static constexpr int stages_ = chosen.stages_, stored_slopes_ = chosen.stored_slopes_;
  static constexpr bool one_tape_ = chosen.one_tape_, reuses_ = chosen.reuses_;
  static constexpr bool near = detail::in_registers<typename F::Scalar> && n_ <= kernel::width<typename F::Scalar>;
  static constexpr std::size_t few = near ? n_ : 1;
  static constexpr bool one_pack =
      near && (few & (few - 1)) == 0 && (few == 1 || few * sizeof(typename F::Scalar) >= 16);
};
}  // namespace revode
