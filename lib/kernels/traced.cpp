#include "kernels/traced.hpp"

#include "constant.hpp"
#include "scalars.hpp"
#include "shallow.hpp"
#include "undivided.hpp"

namespace revode::kernel {
namespace {
inline constexpr int together = register_bytes ? to_a_divider : 1;  // packs

/// f.template operator()<W, P>(lane) of P packs side by side; then of single and narrower ones.
template <class T, class F>
REVODE_INLINE void by_packs(Index lanes, const F& f) {
  constexpr int W = width<T>;
  Index lane = 0;
  if constexpr (together > 1)
    for (; lane + together * W <= lanes; lane += together * W) f.template operator()<W, together>(lane);
  sweep_from<T, W>(lane, lanes, [&]<int V>(Index at) REVODE_INLINED { f.template operator()<V, 1>(at); });
}

/// sum[p] + A x for one row of A, A[in] `stride` apart, and P packs of x[in][lanes].
template <class T, int W, int P>
REVODE_INLINE void add_row(Index in, const T* A, Index stride, const T* x, Index lanes, Pack<T, W> (&sum)[P]) {
  for (Index i = 0; i < in; ++i, A += stride, x += lanes)
    REVODE_UNROLL for (Index p = 0; p < P; ++p) sum[p] =
        On<T, W>::fma(On<T, W>::all(*A), On<T, W>::load(x + p * W), sum[p]);
}

/// Products over so few rows are made in the sweep beside them; others have gone before, into what it sweeps over.
constexpr bool few(int rows) {
  return register_bytes > 0 && rows <= most_shallow_rows;
}
}  // namespace

template <class T>
void dense_and_slope(Activation a, int out, int in, int lanes, const T* weights, const T* b, const T* x, T* before,
                     T* y, T* slope) {
  const Index terms = few(in) ? in : 0, row = lanes;
  if (!terms) dense(out, in, lanes, weights, b, x, before);
  with_constant(a, [&]<Activation A>() REVODE_INLINED {
    by_packs<T>(lanes, [&]<int W, int P>(Index lane) REVODE_INLINED {
      using O = On<T, W>;
      for (Index o = 0, k = lane; o < out; ++o, k += row) {
        typename O::V argument[P];
        REVODE_UNROLL for (Index p = 0; p < P; ++p) argument[p] = terms ? O::all(b[o]) : O::load(before + k + p * W);
        add_row<T, W, P>(terms, weights + o * terms, 1, x + lane, row, argument);
        typename O::V value[P];
        REVODE_UNROLL for (Index p = 0; p < P; ++p) value[p] = argument[p];
        activate_abreast<A, T, W>(value);
        REVODE_UNROLL for (Index p = 0; p < P; ++p) {
          if constexpr (A == Activation::silu) O::store(before + k + p * W, argument[p]);
          O::store(y + k + p * W, value[p]);
          O::store(slope + k + p * W, Slopes<T, W>::first(A, argument[p], value[p]));
        }
      }
    });
  });
}

namespace {
template <Activation A, class T, int W>
REVODE_INLINE Pack<T, W> both_vjp(Pack<T, W> argument, Pack<T, W> value, Pack<T, W> y_bar, Pack<T, W> slope_bar) {
  const auto through = Slopes<T, W>::first(A, argument, value) * y_bar;
  if constexpr (A == Activation::identity || A == Activation::relu)
    return through;
  else
    return On<T, W>::fma(Slopes<T, W>::second(A, argument, value), slope_bar, through);
}
}  // namespace

template <class T>
void activate_and_slope_vjp(Activation a, std::size_t n, const T* x, const T* y, const T* y_bar, const T* slope_bar,
                            T* x_bar) {
  with_constant(a, [&]<Activation A>() REVODE_INLINED {
    sweep<T>(n, [&]<int W>(std::size_t k) REVODE_INLINED {
      using O = On<T, W>;
      const auto value = O::load(y + k), argument = A == Activation::silu ? O::load(x + k) : value;
      O::store(x_bar + k, both_vjp<A, T, W>(argument, value, O::load(y_bar + k), O::load(slope_bar + k)));
    });
  });
}

template <class T>
void dense_and_slope_vjp(Activation a, int rows, int d, int lanes, const T* x, const T* y, const T* weights,
                         const T* y_bar, const T* by, const T* u, T* x_bar, T* e) {
  const Index terms = few(d) ? d : 0, row = lanes;
  if (!terms) dense_vjp_input(d, rows, lanes, weights, y_bar, x_bar);
  with_constant(a, [&]<Activation A>() REVODE_INLINED {
    by_packs<T>(lanes, [&]<int W, int P>(Index lane) REVODE_INLINED {
      using O = On<T, W>;
      for (Index r = 0, k = lane; r < rows; ++r, k += row) {
        typename O::V through[P];
        REVODE_UNROLL for (Index p = 0; p < P; ++p) through[p] = terms ? O::all(T(0)) : O::load(x_bar + k + p * W);
        add_row<T, W, P>(terms, weights + r, rows, y_bar + lane, row, through);
        REVODE_UNROLL for (Index p = 0; p < P; ++p) {
          const auto scale = O::load(by + lane + p * W), y_p = O::load(y + k + p * W);
          const auto argument = A == Activation::silu ? O::load(x + k + p * W) : y_p;
          O::store(x_bar + k + p * W, both_vjp<A, T, W>(argument, y_p, through[p], scale * O::load(u + k + p * W)));
          O::store(e + k + p * W, scale * Slopes<T, W>::first(A, argument, y_p));
        }
      }
    });
  });
}

template <class T>
void activate_and_dot(Activation a, int rows, int lanes, const T* x, T* y, const T* u, T* sum) {
  const Index row = lanes;
  with_constant(a, [&]<Activation A>() REVODE_INLINED {
    by_packs<T>(lanes, [&]<int W, int P>(Index lane) REVODE_INLINED {
      using O = On<T, W>;
      typename O::V total[P] = {};
      for (Index r = 0, k = lane; r < rows; ++r, k += row) {
        typename O::V argument[P], value[P];
        REVODE_UNROLL for (Index p = 0; p < P; ++p) value[p] = argument[p] = O::load(x + k + p * W);
        activate_abreast<A, T, W>(value);
        REVODE_UNROLL for (Index p = 0; p < P; ++p) {
          O::store(y + k + p * W, value[p]);
          total[p] = O::fma(Slopes<T, W>::first(A, argument[p], value[p]), O::load(u + k + p * W), total[p]);
        }
      }
      REVODE_UNROLL for (Index p = 0; p < P; ++p) O::store(sum + lane + p * W, total[p]);
    });
  });
}

#define REVODE_INSTANTIATE(T)                                                                                       \
  template void dense_and_slope<T>(Activation, int, int, int, const T*, const T*, const T*, T*, T*, T*);            \
  template void activate_and_slope_vjp<T>(Activation, std::size_t, const T*, const T*, const T*, const T*, T*);     \
  template void dense_and_slope_vjp<T>(Activation, int, int, int, const T*, const T*, const T*, const T*, const T*, \
                                       const T*, T*, T*);                                                           \
  template void activate_and_dot<T>(Activation, int, int, const T*, T*, const T*, T*);
REVODE_INSTANTIATE(float)
REVODE_DOUBLE(REVODE_INSTANTIATE(double))
}  // namespace revode::kernel
