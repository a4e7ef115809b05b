/// Arrays of few numbers, how many being known where they are used.
#pragma once
#include <utility>

#include "revode/impl/pack.hpp"

namespace revode::detail {
struct Nothing {};
/// Code may grow so that few numbers stay in registers; not where flash is what counts.
#if defined(__OPTIMIZE_SIZE__)
template <class T>
inline constexpr bool in_registers = false;
#else
template <class T>
inline constexpr bool in_registers = kernel::width<T> > 1;
#endif
/// body<0>() to body<count - 1>()
template <int count, class Body>
REVODE_INLINE void unrolled(const Body& body) {
  [&]<int... i>(std::integer_sequence<int, i...>) REVODE_INLINED {
    (body.template operator()<i>(), ...);
  }
  (std::make_integer_sequence<int, count>{});
}
/// body(0) to body(count - 1): of few no loop, which would take what it copies through memory
template <int count, class Body>
REVODE_INLINE void each(const Body& body) {
  if constexpr (count <= 8)
    unrolled<count>([&]<int i>() REVODE_INLINED { body(i); });
  else
    for (int i = 0; i < count; ++i) body(i);
}
/// All n of them in packs.
template <class T, class F>
REVODE_INLINE void in_packs(std::size_t n, const F& f) {
  kernel::sweep_from<T, kernel::width<T>>(std::size_t{0}, n, f);
}
/// A pack of n numbers that may have been stored one by one just now: a load wider than those stores would wait until
/// they have reached the cache, behind all that was begun before them. So it is taken one by one, and volatile, for a
/// compiler would join the loads.
template <int W, class T>
REVODE_INLINE kernel::Pack<T, W> pieces(std::size_t n, const T* from) {
  if (W == 1 || n > kernel::width<T>) return kernel::On<T, W>::load(from);
  kernel::Pack<T, W> v{};
  if constexpr (W > 1)
    for (int l = 0; l < W; ++l) v[l] = *static_cast<const volatile T*>(from + l);
  return v;
}
}  // namespace revode::detail
