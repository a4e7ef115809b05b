// Linear combinations, products and the elementary functions over arrays.
#include "revode/impl/elementary.hpp"
#include "revode/impl/roots.hpp"
#include "scalars.hpp"
#include "sweep.hpp"
#include "trigonometry.hpp"

namespace revode::kernel {
namespace {
template <class T, int terms>
[[maybe_unused]] void combine_terms(std::size_t n, T* out, const T* base, const T* c, const T* const* v) {
  const T* at[terms];
  T by[terms];
  for (int j = 0; j < terms; ++j) {
    at[j] = v[j];
    by[j] = c[j];
  }
  sweep<T>(n, [&]<int W>(std::size_t k) REVODE_INLINED {
    using O = On<T, W>;
    auto sum = base ? O::fma(O::all(by[0]), O::load(at[0] + k), O::load(base + k)) : O::all(by[0]) * O::load(at[0] + k);
    REVODE_UNROLL for (int j = 1; j < terms; ++j) sum = O::fma(O::all(by[j]), O::load(at[j] + k), sum);
    O::store(out + k, sum);
  });
}
template <class T>
void combine_none(std::size_t n, T* out, const T* base) {
  sweep<T>(n, [&]<int W>(std::size_t k) REVODE_INLINED {
    using O = On<T, W>;
    O::store(out + k, base ? O::load(base + k) : O::all(T(0)));
  });
}
}  // namespace

template <class T>
void combine(std::size_t n, T* out, const T* base, int terms, const T* c, const T* const* v) {
  if (terms == 0) return combine_none(n, out, base);
#if !defined(__OPTIMIZE_SIZE__)
  switch (terms) {
    case 1:
      return combine_terms<T, 1>(n, out, base, c, v);
    case 2:
      return combine_terms<T, 2>(n, out, base, c, v);
    case 3:
      return combine_terms<T, 3>(n, out, base, c, v);
    case 4:
      return combine_terms<T, 4>(n, out, base, c, v);
    default:
      break;
  }
#endif
  sweep<T>(n, [&]<int W>(std::size_t k) REVODE_INLINED {
    using O = On<T, W>;
    auto sum = base ? O::fma(O::all(c[0]), O::load(v[0] + k), O::load(base + k)) : O::all(c[0]) * O::load(v[0] + k);
    for (int j = 1; j < terms; ++j) sum = O::fma(O::all(c[j]), O::load(v[j] + k), sum);
    O::store(out + k, sum);
  });
}

template <class T>
void multiply(std::size_t n, const T* a, const T* b, T* out, bool add) {
  const auto run = [&]<bool sum>() REVODE_INLINED {
    sweep<T>(n, [&]<int W>(std::size_t k) REVODE_INLINED {
      using O = On<T, W>;
      if constexpr (sum)
        O::store(out + k, O::fma(O::load(a + k), O::load(b + k), O::load(out + k)));
      else
        O::store(out + k, O::load(a + k) * O::load(b + k));
    });
  };
  return add ? run.template operator()<true>() : run.template operator()<false>();
}

template <class T>
void evaluate(Function f, std::size_t n, const T* x, T* y) {
  const auto run = [&](const auto& g) REVODE_INLINED {
    sweep<T>(n, [&]<int W>(std::size_t k)
                    REVODE_INLINED { On<T, W>::store(y + k, g.template operator()<W>(On<T, W>::load(x + k))); });
  };
  switch (f) {
    case Function::exp:
      return run([]<int W>(Pack<T, W> v) REVODE_INLINED { return Elementary<T, W>::exp(v); });
    case Function::log:
      return run([]<int W>(Pack<T, W> v) REVODE_INLINED { return Elementary<T, W>::log(v); });
    case Function::sin:
      return run([]<int W>(Pack<T, W> v) REVODE_INLINED { return Trigonometry<T, W>::sin(v); });
    case Function::cos:
      return run([]<int W>(Pack<T, W> v) REVODE_INLINED { return Trigonometry<T, W>::cos(v); });
    case Function::sqrt:
      return run([]<int W>(Pack<T, W> v) REVODE_INLINED { return kernel::sqrt<T, W>(v); });
    case Function::reciprocal:
      return run([]<int W>(Pack<T, W> v) REVODE_INLINED { return T(1) / v; });
  }
}

#define REVODE_INSTANTIATE(T)                                                          \
  template void combine<T>(std::size_t, T*, const T*, int, const T*, const T* const*); \
  template void multiply<T>(std::size_t, const T*, const T*, T*, bool);                \
  template void evaluate<T>(Function, std::size_t, const T*, T*);
REVODE_INSTANTIATE(float)
REVODE_DOUBLE(REVODE_INSTANTIATE(double))
}  // namespace revode::kernel
