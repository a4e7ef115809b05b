/// Kernels: the arithmetic floor. Tiles are row-major [rows][lanes]; W is row-major [out][in]; pointers never overlap
/// unless said; any alignment works, 64 bytes is fastest. No kernel allocates, and none depends on the instruction set:
///
/// L1  Rounding. Only + - * / sqrt, fma, comparisons, integers and exact conversions; every multiply-add is one fma.
/// L2  Chains. The order of roundings of each element is the "Chain" of its comment; blocking and width cannot change
/// it. L3  Lanes are independent: a lane's result does not depend on the number of lanes, its place or its neighbours.
/// L4  A gradient leaf is a chain over its samples; above it stands one neighbour-first binary tree (tree.hpp).
/// L5  A norm over a tile: per lane eight chains, over rows eight apart, then one over them; the worst lane counts.
/// L6  Undefined symbols: memcpy, memset, and fma/fmaf only where the processor has no such instruction.
#pragma once
#include <cstddef>
#include <cstdint>

namespace revode {
enum class Activation : std::uint8_t { identity, tanh, elu, softplus, relu, silu, sigmoid };
}  // namespace revode

namespace revode::kernel {
// ---- dense layer
// -----------------------------------------------------------------------------------------------------
/// y[o][l] = b[o] + sum_i W[o][i] x[i][l], or y[o][l] += sum_i ... when add. b may be null. Chain: fma over i = 0, 1,
/// ...
template <class T>
void dense(int out, int in, int lanes, const T* W /*[out][in]*/, const T* b /*[out]*/, const T* x /*[in][lanes]*/,
           T* y /*[out][lanes]*/, bool add = false);
/// x_bar[i][l] = sum_o W[o][i] y_bar[o][l], or += when add. Chain: fma over o = 0, 1, ...
template <class T>
void dense_vjp_input(int out, int in, int lanes, const T* W /*[out][in]*/, const T* y_bar /*[out][lanes]*/,
                     T* x_bar /*[in][lanes]*/, bool add = false);
/// One leaf: W_bar[o][i] += sum_l y_bar[o][l] x[i][l], b_bar[o] += sum_l y_bar[o][l] (b_bar may be null) over the first
/// `samples` lanes. Chain: fma (for b_bar: +) over l = 0, 1, ...
template <class T>
void dense_vjp_weight(int out, int in, int lanes, int samples /*1 .. 64*/, const T* y_bar /*[out][lanes]*/,
                      const T* x /*[in][lanes]*/, T* W_bar /*[out][in]*/, T* b_bar /*[out]*/);
/// Leaves of one sample: W_bar[o][i][l] += y_bar[o][l] x[i][l], b_bar[o][l] += y_bar[o][l] (b_bar may be null). One fma
/// each.
template <class T>
void dense_vjp_weight_lanes(int out, int in, int lanes, const T* y_bar /*[out][lanes]*/, const T* x /*[in][lanes]*/,
                            T* W_bar /*[out][in][lanes]*/, T* b_bar /*[out][lanes]*/);
/// One leaf of rows: sum[r] += sum_l rows[r][l] over the first `samples` lanes. Chain: + over l = 0, 1, ...
template <class T>
void sum_rows(int count, int lanes, int samples, const T* rows /*[count][lanes]*/, T* sum /*[count]*/);

/// False for layers so wide that a BLAS computes them (built with REVODE_BLAS=openblas): its order of roundings is its
/// own, and the promise of equal bits ends there. A run says so.
bool same_bits(int out, int in);

// ---- elementwise, on n numbers; an output may be the same array as an input -----------------------------------------
/// y = a(x)
template <class T>
void activate(Activation a, std::size_t n, const T* x, T* y);
/// x_bar = a'(x) y_bar. Only silu reads x (else x may be null); the others go by y.
template <class T>
void activate_vjp(Activation a, std::size_t n, const T* x, const T* y, const T* y_bar, T* x_bar);
/// x_bar += a''(x) x_dot y_dot_bar: the curvature term of a jet's VJP. x as above.
template <class T>
void activate_curve(Activation a, std::size_t n, const T* x, const T* y, const T* x_dot, const T* y_dot_bar, T* x_bar);
/// out = base + sum_j c[j] v[j]; base may be null (zero: the chain then starts with the product c[0] v[0]).
/// Chain: fma over j = 0, 1, ...
template <class T>
void combine(std::size_t n, T* out, const T* base, int terms, const T* c, const T* const* v);
/// out = a b, or out += a b when add
template <class T>
void multiply(std::size_t n, const T* a, const T* b, T* out, bool add = false);
/// y = exp(x), log(x), sin(x), cos(x), sqrt(x), x^-1. Errors in ulp: see tests/unit/elementary.cpp, which pins them.
/// sin and cos of |x| > 2^22 (2^51 in double) are NaN.
enum class Function : std::uint8_t { exp, log, sin, cos, sqrt, reciprocal };
template <class T>
void evaluate(Function f, std::size_t n, const T* x, T* y);

// ---- fixed point: Z/2^w acts on the state, so subtraction undoes addition for any increment
// ---------------------------
template <class T>
struct Integer;
template <>
struct Integer<float> {
  using type = std::int32_t;
};
template <>
struct Integer<double> {
  using type = std::int64_t;
};
template <class T>
using Word = typename Integer<T>::type;

/// state = rint(scale * x). False when |scale x| >= 2^(w-2) or x is NaN somewhere (such elements become 0). Round half
/// to even.
template <class T>
bool quantise(std::size_t n, T scale, const T* x, Word<T>* state);
/// state += rint(scale * increment), wrapping; elements that do not fit add 0 and make the result false.
template <class T>
bool quantise_add(std::size_t n, T scale, const T* increment, Word<T>* state);
/// state -= rint(scale * increment): the exact inverse of quantise_add.
template <class T>
bool quantise_subtract(std::size_t n, T scale, const T* increment, Word<T>* state);
/// x = T(state) * unit, unit = 1 / scale, a power of two
template <class T>
void dequantise(std::size_t n, T unit, const Word<T>* state, T* x);
/// True when every |state| <= 2^(w-2).
template <class T>
bool in_range(std::size_t n, const Word<T>* state);

// ---- leaves to gradient, and sums
// ------------------------------------------------------------------------------------
/// sum[r] = the neighbour-first tree ((0+1)+(2+3))+... over the lanes of rows[r][lanes]. An odd one out moves up
/// unchanged.
template <class T>
void tree_lanes(std::size_t count, int lanes, const T* rows /*[count][lanes]*/, T* sum /*[count]*/);
/// The same tree over slices[leaves][n], in place; the result is slices[0].
template <class T>
void tree_slices(std::size_t n, int leaves, std::size_t stride, T* slices);
/// Sum of squares in a fixed order that no pack width can change: 16 interleaved chains, then the tree.
template <class T>
T sum_of_squares(std::size_t n, const T* x);
/// True when every element is finite.
template <class T>
bool finite(std::size_t n, const T* x);
}  // namespace revode::kernel
