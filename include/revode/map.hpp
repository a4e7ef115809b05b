/// Map: the one differentiable concept, y = m(t, x; theta) on a tile of samples. A layer is a map that ignores t, a
/// vector field a map with in == out; a network, a GRU, a whole ODE solve (block.hpp) and a user's right-hand side are
/// maps.
///
/// A tile is row-major [rows][lanes], lanes innermost, one sample a lane. Tangents: with Extent::tangents = k every
/// tile is a jet [1 + k][rows][lanes], the value and then k tangents; linear layers see tangents as more tiles, only
/// nonlinearities need their second derivative. Traces, Jacobian norms and Hessian-vector products are "eval with k,
/// then vjp with k". Cost of a jet: about 1 + k evaluations.
#pragma once
#include <cstddef>
#include <cstdint>

#include "revode/arena.hpp"
#include "revode/status.hpp"

namespace revode {
/// How much travels together.
struct Extent {
  int lanes = 1;     ///< samples in a tile: 1 on a device and for C callers, 16 to 64 on a host
  int tangents = 0;  ///< k
};

/// Bytes of a tile [rows][lanes] in scratch, the next object aligned.
template <class T>
constexpr std::size_t tile_bytes(int rows, Extent e) {
  return padded(static_cast<std::size_t>(rows) * static_cast<std::size_t>(e.lanes) * sizeof(T));
}

/// Sizes of a map at one extent.
struct Shape {
  int in = 0, out = 0;   ///< rows
  int params = 0;        ///< scalars of theta
  std::size_t tape = 0;  ///< bytes eval leaves for vjp, one evaluation
  std::size_t work = 0;  ///< bytes of scratch, valid inside one call only and shared by everybody
};

/// Where the cotangents of the parameters go. A gradient *leaf* is the sum over time of `leaf` samples; above the
/// leaves stands one binary tree (tree.hpp), so lanes, threads and ranks never show in a gradient. leaf 1:
/// at[params][lanes], each sample its own; else at[ceil(lanes / leaf)][stride]. One lane: simply at[params].
template <class T>
struct ThetaBar {
  T* at = nullptr;         ///< null: not wanted
  int leaf = 1;            ///< samples a leaf: 1 or 16 (any multiple of 16 up to 64 works, and is another experiment)
  std::size_t stride = 0;  ///< scalars between leaves: params of the whole theta; unused at leaf 1

  /// The part that belongs to a sub-map whose parameters begin at p.
  ThetaBar from(int p, int lanes) const {
    ThetaBar part = *this;
    if (at) part.at += static_cast<std::size_t>(p) * static_cast<std::size_t>(leaf == 1 ? lanes : 1);
    return part;
  }
};

/// Where the cotangents that are not a tile go. Everything is ADDED to; null means "not wanted".
template <class T>
struct Bar {
  ThetaBar<T> theta;
  T* t = nullptr;       ///< [1], summed over lanes
  bool writes = false;  ///< x_bar holds nothing yet: it is written instead. Asked only of a map that writes().
};

/// What stays the same during an evaluation.
template <class T>
struct Call {
  Extent extent;
  T t = 0;
  const T* theta = nullptr;   ///< [params]
  std::byte* work = nullptr;  ///< [Shape::work], aligned to REVODE_ALIGN
  const T* t_dot = nullptr;   ///< [tangents]; null: zero
  Status* status = nullptr;   ///< the first failure stays; a failing map also writes NaN
};

template <class T>
class Map {
 public:
  /// Sizes at an extent. Constant for an object; constexpr for a constexpr object.
  constexpr virtual Shape shape(Extent) const { return {}; }
  /// y[1+k][out][lanes] = m(t, x[1+k][in][lanes]). Always records the tape: both passes call this one body. x and y do
  /// not overlap. `tape` is aligned to REVODE_ALIGN.
  virtual void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const = 0;
  /// Adds to x_bar[1+k][in][lanes] (null: not wanted) and to bar. call, x, y and tape are those of eval.
  virtual void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
                   const Bar<T>& bar) const = 0;
  /// True where vjp obeys Bar::writes, which spares a chain of maps that it clears x_bar and reads it again.
  constexpr virtual bool writes() const { return false; }

 protected:
  constexpr Map() = default;  // said, because clang 14 does not find the implicit ones constexpr
  constexpr Map(const Map&) = default;
  constexpr Map& operator=(const Map&) = default;
  ~Map() = default;  // never deleted through a Map: no operator delete is linked
};

/// For a map that has no tangents: true when it is asked for some; the status says so and y[1+k][rows][lanes] is NaN.
template <class T>
bool refuses_tangents(const Call<T>& call, int rows, T* y) {
  if (call.extent.tangents == 0) return false;
  fail(call.status, Status::unsupported);
  const auto n = static_cast<std::size_t>(1 + call.extent.tangents) * static_cast<std::size_t>(rows) *
                 static_cast<std::size_t>(call.extent.lanes);
  for (std::size_t i = 0; i < n; ++i) y[i] = static_cast<T>(__builtin_nanf(""));
  return true;
}

/// True when every cotangent of `params` parameters is finite, or none are wanted.
template <class T>
bool finite(const ThetaBar<T>& theta, int params, int lanes);

/// Adds the per-sample cotangents rows_bar[rows][lanes] of `rows` parameters that begin at p.
template <class T>
void add_rows(const ThetaBar<T>& theta, int p, int rows, int lanes, const T* rows_bar);

/// Adds the cotangent of a weight matrix W[out][in] at p_weight and, if p_bias >= 0, of a bias [out], for y = W x + b.
template <class T>
void add_outer(const ThetaBar<T>& theta, int p_weight, int p_bias, int out, int in, int lanes, const T* y_bar,
               const T* x);
}  // namespace revode
