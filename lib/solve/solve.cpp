#include "revode/solve.hpp"

#include <new>

#include "revode/impl/adams_impl.hpp"
#include "revode/impl/solve_impl.hpp"

namespace revode {
long binomial_advance(long steps, std::size_t slots) {
  if (slots == 0 || steps <= 1) return steps;
  const auto c = static_cast<double>(slots) + 1;           // states in hand, this one included
  double reach = 1, one_less = 0, two_less = 0, side = 1;  // beta(c, r), beta(c, r - 1), beta(c, r - 2), beta(c - 1, r)
  for (int r = 0; reach < static_cast<double>(steps);) {
    ++r;
    two_less = one_less, one_less = reach;
    reach = reach * (c + r) / r;
    side = side * (c - 1 + r) / r;
  }
  const double rest = static_cast<double>(steps) - side;
  const long ahead = static_cast<long>(rest > two_less ? rest : two_less);
  return ahead < 1 ? 1 : ahead > steps - 1 ? steps - 1 : ahead;
}

namespace {
template <class W, class T>
Trajectory<T>* put(Arena& arena, const Map<T>& field, const Plan<T>& plan, int lanes) {
  W* walk = arena.take<W>(1);
  W measured;
  if (walk) walk = new (walk) W;
  (walk ? *walk : measured).place(arena, field, plan, lanes);
  return arena.ok() ? walk : nullptr;
}
template <class N, class T>
Trajectory<T>* choose(Arena& arena, const Map<T>& field, const Plan<T>& plan, int lanes) {
  if (plan.way == Way::stored) return put<Walk<N, Stored>>(arena, field, plan, lanes);
  if (plan.way == Way::none) return put<Walk<N, Forgotten>>(arena, field, plan, lanes);
  return put<Walk<N, Checkpointed>>(arena, field, plan, lanes);
}
template <template <class> class W, class T>
using AdamsWalk = Walk<Real<T>, W, Map<T>, Adams<Real<T>, Map<T>>>;
template <class T>
Trajectory<T>* choose_adams(Arena& arena, const Map<T>& field, const Plan<T>& plan, int lanes) {
  if (plan.way == Way::stored) return put<AdamsWalk<Stored, T>>(arena, field, plan, lanes);
  if (plan.way == Way::none) return put<AdamsWalk<Forgotten, T>>(arena, field, plan, lanes);
  return put<AdamsWalk<Checkpointed, T>>(arena, field, plan, lanes);
}
}  // namespace

template <class T>
Trajectory<T>* Solve<T>::place(Arena& arena, const Map<T>& field, const Plan<T>& plan, int lanes) {
  if (plan.method.multistep > 0) return choose_adams(arena, field, plan, lanes);
  if (plan.way == Way::taped) return put<Walk<Real<T>, Taped>>(arena, field, plan, lanes);
  if (plan.way == Way::reversed)
    return plan.arithmetic == Arithmetic::fixed ? put<Walk<Fixed<T>, Reversed>>(arena, field, plan, lanes)
                                                : put<Walk<Real<T>, Retraced>>(arena, field, plan, lanes);
  return plan.arithmetic == Arithmetic::fixed ? choose<Fixed<T>>(arena, field, plan, lanes)
                                              : choose<Real<T>>(arena, field, plan, lanes);
}

template <class T>
Status Solve<T>::init(Arena& arena, const Map<T>& field, const Plan<T>& plan, int lanes) {
  trajectory_ = nullptr;
  if (Status s = fits(field, plan, lanes); s != Status::ok) return s;
  trajectory_ = place(arena, field, plan, lanes);
  return trajectory_ ? Status::ok : Status::arena_too_small;
}

template <class T>
std::size_t Solve<T>::bytes(const Map<T>& field, const Plan<T>& plan, int lanes) {
  if (fits(plan) != Status::ok) return 0;
  Arena measure;
  place(measure, field, plan, lanes);
  return measure.bytes();
}

template class Solve<float>;
template class Solve<double>;
}  // namespace revode
