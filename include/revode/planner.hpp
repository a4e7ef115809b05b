/// Planner: before a run, which ways to the gradient fit a byte budget, and what each costs in evaluations of the
/// field. Costs are counted from the words (and the binomial formula of Griewank and Walther), not estimated: a solve's
/// Accounting comes out at these very numbers. As a rule of thumb a VJP costs two evaluations.
#pragma once
#include "revode/solve.hpp"

namespace revode {
/// What one whole gradient on equal steps costs, all lanes of a tile together.
struct Cost {
  long evaluations_forward = 0, evaluations_backward = 0, vjps = 0;
  long recomputed = 0;  ///< steps run again on the way back, whose evaluations are in evaluations_backward
  long work() const { return evaluations_forward + evaluations_backward + 2 * vjps; }
};
/// Of a plan that fits(), over `steps` steps; rows: the field's dim times lanes. Exact, but for a word that shares its
/// ends, and of Adams, under the checkpointed way: there it is the most. Taped: while the tape holds the whole run.
template <class T>
Cost cost(const Plan<T>& plan, long steps, std::size_t rows);

template <class T>
struct Need {
  const Map<T>* field = nullptr;
  int lanes = 1;
  long steps = 1;
  std::size_t budget = 0;             ///< bytes for the solve; parameters and optimiser are beside it
  Tableau<T> base = tableau::rk4<T>;  ///< of Runge-Kutta and of McCallum-Foster
  int halve_every = 4;                ///< K of the damped exact ways, <= ln 2 / (h |mu|)
  int fraction_bits[2] = {0, 0};      ///< as in Plan
};
template <class T>
struct Offer {
  Plan<T> plan;
  std::size_t bytes = 0;
  Cost cost;
  /// Keeps its footing where the field contracts: coupled methods without halving events do not (their parasitic root
  /// grows like e^{h |mu|} a step), and end with Status::range or a large separation there.
  bool contracting = false;
  /// The tape's length depends on the trajectory: its log holds `tape_bits_a_scalar` a step; where that is too little
  /// the way forward ends with Status::capacity.
  bool estimated = false;
};
inline constexpr int most_offers = 9;
/// Measured tapes of fourth order take .1 to 2 in float, 4 to 11 in double, at steps that resolve the solution.
template <class T>
inline constexpr std::size_t tape_bits_a_scalar = sizeof(T) == 4 ? 3 : 14;

/// Fills offers[most_offers] with the ways that fit the budget, the cheapest first, and says how many there are.
template <class T>
int plan_ways(const Need<T>& need, Offer<T>* offers);
/// The default: the cheapest of them that is safe on contracting fields and not estimated. Status::capacity when none
/// fits.
template <class T>
Status choose_way(const Need<T>& need, Offer<T>& offer);
}  // namespace revode
