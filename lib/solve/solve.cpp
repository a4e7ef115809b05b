#include "revode/solve.hpp"

#include <new>

#include "revode/impl/adams_impl.hpp"
#include "revode/impl/low_storage_impl.hpp"
#include "revode/impl/solve_impl.hpp"
#include "scalars.hpp"
#include "solve/walks.hpp"

namespace revode {
long binomial_advance(long steps, std::size_t slots) {
  if (slots == 0 || steps <= 1) return steps;
  using Count = std::uint64_t;
  const Count all = static_cast<Count>(steps), c = slots + Count{1};  // c: states in hand, this one included
  Count reach = 1, one_less = 0, two_less = 0, side = 1;  // beta(c, r), beta(c, r - 1), beta(c, r - 2), beta(c - 1, r)
  for (Count r = 1; reach < all; ++r) {
    two_less = one_less, one_less = reach;
    if (__builtin_mul_overflow(reach, c + r, &reach)) return steps - 1;  // more slots than steps
    reach /= r;
    side = side * (c - 1 + r) / r;
  }
  const long ahead = static_cast<long>(side < all && all - side > two_less ? all - side : two_less);
  return ahead < 1 ? 1 : ahead > steps - 1 ? steps - 1 : ahead;
}

namespace {
/// Nothing of a walk that is not built is compiled.
template <unsigned parts, class W, class T>
Trajectory<T>* put(Arena& arena, const Map<T>& field, const Plan<T>& plan, int lanes) {
  if constexpr (!walks::built(parts)) {
    return nullptr;
  } else {
    W* walk = arena.take<W>(1);
    W measured;
    if (walk) walk = new (walk) W;
    (walk ? *walk : measured).place(arena, field, plan, lanes);
    return arena.ok() ? walk : nullptr;
  }
}
/// Ways that any flow G can be walked.
template <unsigned parts, class N, class G, class T>
Trajectory<T>* choose(Arena& arena, const Map<T>& field, const Plan<T>& plan, int lanes) {
  using F = Map<T>;
  if (plan.way == Way::stored) return put<parts | walks::stored, Walk<N, Stored, F, G>>(arena, field, plan, lanes);
  if (plan.way == Way::none) return put<parts | walks::none, Walk<N, Forgotten, F, G>>(arena, field, plan, lanes);
  return put<parts | walks::checkpointed, Walk<N, Checkpointed, F, G>>(arena, field, plan, lanes);
}
}  // namespace

template <class T>
Trajectory<T>* Solve<T>::place(Arena& arena, const Map<T>& field, const Plan<T>& plan, int lanes) {
  using R = Real<T>;
  using X = Fixed<T>;
  using Low = LowStorage<R>;
  const bool undone = plan.way == Way::reversed;
  if (plan.method.multistep > 0)
    return choose<walks::real | walks::several_steps, R, Adams<R>>(arena, field, plan, lanes);
  if (plan.method.low_storage && undone)
    return put<walks::real | walks::two_registers | walks::reversed, Walk<R, Retraced, Map<T>, Low>>(arena, field, plan,
                                                                                                     lanes);
  if (plan.method.low_storage) return choose<walks::real | walks::two_registers, R, Low>(arena, field, plan, lanes);
  if (plan.way == Way::taped) return put<walks::real | walks::taped, Walk<R, Taped>>(arena, field, plan, lanes);
  if (plan.arithmetic == Arithmetic::real)
    return undone ? put<walks::real | walks::reversed, Walk<R, Retraced>>(arena, field, plan, lanes)
                  : choose<walks::real, R, Flow<R>>(arena, field, plan, lanes);
  return undone ? put<walks::fixed | walks::reversed, Walk<X, Reversed>>(arena, field, plan, lanes)
                : choose<walks::fixed, X, Flow<X>>(arena, field, plan, lanes);
}

template <class T>
Status Solve<T>::init(Arena& arena, const Map<T>& field, const Plan<T>& plan, int lanes) {
  trajectory_ = nullptr;
  if (Status s = fits(field, plan, lanes); s != Status::ok) return s;
  if (!walks::built(walks::needed(plan))) return Status::unsupported;
  trajectory_ = place(arena, field, plan, lanes);
  return trajectory_ ? Status::ok : Status::arena_too_small;
}

template <class T>
std::size_t Solve<T>::bytes(const Map<T>& field, const Plan<T>& plan, int lanes) {
  if (fits(plan) != Status::ok || !walks::built(walks::needed(plan))) return 0;
  Arena measure;
  place(measure, field, plan, lanes);
  return measure.bytes();
}

template class Solve<float>;
REVODE_DOUBLE(template class Solve<double>;)
}  // namespace revode
