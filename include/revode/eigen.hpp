/// Eigen at the border, opt-in: matrices handed over and received as tiles, and vector fields written as Eigen
/// expressions. Nothing here allocates, and neither does Eigen for fixed sizes; with Eigen::Dynamic write products as
/// a.lazyProduct(b) or m.noalias() += a.lazyProduct(b), since any other product with a Dynamic size makes a temporary
/// on the heap. Eigen orders its roundings by instruction set: samples stay independent of their neighbours in an
/// EigenField, but the promise of equal bits on every machine ends here.
///
/// A tile [rows][lanes] is the row-major matrix rows x lanes, and, as it lies in memory, the column-major matrix
/// lanes x rows: Eigen's default for a data set with one sample a row.
#pragma once
#include <Eigen/Core>
#include <type_traits>

#include "revode/kernels.hpp"
#include "revode/map.hpp"

namespace revode {
namespace eigen {
/// Matrix, const where T is.
template <class T, int rows, int cols, int order>
using View =
    Eigen::Map<std::conditional_t<std::is_const_v<T>, const Eigen::Matrix<std::remove_const_t<T>, rows, cols, order>,
                                  Eigen::Matrix<T, rows, cols, order>>>;
}  // namespace eigen
template <class T, int rows = Eigen::Dynamic>
using TileView = eigen::View<T, rows, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using SampleView = eigen::View<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor>;

/// x[rows][lanes] as a matrix rows x lanes; as_tile<rows>(x, lanes) with the rows fixed.
template <class T>
TileView<T> as_tile(T* x, int rows, int lanes) {
  return {x, rows, lanes};
}
template <int rows, class T>
TileView<T, rows> as_tile(T* x, int lanes) {
  return {x, rows, lanes};
}
/// x[rows][lanes] as a matrix lanes x rows, a sample a row.
template <class T>
SampleView<T> as_samples(T* x, int rows, int lanes) {
  return {x, lanes, rows};
}

/// The tile that a row-major matrix (or map) rows x lanes, or a column-major one lanes x rows, already is; null when it
/// has gaps, like a block of a larger one: copy that.
template <class M>
auto* tile_of(M& m) {
  static_assert(M::InnerStrideAtCompileTime == 1, "an expression or a strided map is no tile: use copy_to_tile()");
  return m.outerStride() == m.innerSize() || m.outerSize() <= 1 ? m.data() : nullptr;
}
/// Any matrix or expression rows x lanes (its .transpose() for samples a row) into x[rows][lanes]; bad_argument when it
/// has another shape.
template <class M, class T>
Status copy_to_tile(const Eigen::DenseBase<M>& m, T* x, int rows, int lanes) {
  if (m.rows() != rows || m.cols() != lanes) return Status::bad_argument;
  as_tile(x, rows, lanes) = m.derived();
  return Status::ok;
}
/// x[rows][lanes] into a matrix, map or block that has that shape; bad_argument when it has another.
template <class T, class M>
Status copy_from_tile(const T* x, int rows, int lanes, M&& m) {
  if (m.rows() != rows || m.cols() != lanes) return Status::bad_argument;
  m = as_tile(x, rows, lanes);
  return Status::ok;
}

/// A vector field on one sample, in Eigen's fixed-size vectors; EigenField applies it to every lane of a tile.
///
///   struct Spiral {  // dy/dt = A y, theta = A
///     static constexpr int dim = 2, params = 4;
///     using Matrix = Eigen::Matrix2f;
///     void f(float, const auto& y, const auto& theta, auto& dy) const {
///       dy = Eigen::Map<const Matrix>(theta.data()) * y;
///     }
///     void vjp(float, const auto& y, const auto& theta, const auto& w, auto& y_bar, auto& theta_bar) const {
///       y_bar += Eigen::Map<const Matrix>(theta.data()).transpose() * w;
///       Eigen::Map<Matrix>(theta_bar.data()) += w * y.transpose();
///     }
///   };
///   const EigenField<float, Spiral> field;
///
/// Every argument is a contiguous Eigen::Map of a fixed size, [dim] or [params]. f writes all of dy; vjp adds
/// (df/dy)' w and (df/dtheta)' w, and returns w' df/dt, or nothing when f does not know t. The cotangents of one sample
/// enter their gradient leaf as a whole, in the order of samples. No tangents.
template <class T, class F>
class EigenField final : public Map<T> {
 public:
  constexpr explicit EigenField(const F& field = F{}) : field_(field) {}
  constexpr Shape shape(Extent e) const override {
    const std::size_t work = 3 * pad(F::dim) + pad(F::params) + pad(static_cast<std::size_t>(e.lanes));
    return {F::dim, F::dim, F::params, 0, work};
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte*) const override {
    if (call.extent.tangents) fail(call.status, Status::unsupported);
    T* const sample = array(call, 0);
    Vector<T> dy(array(call, 1));
    for (std::size_t l = 0, lanes = count(call); l < lanes; ++l) {
      for (std::size_t i = 0; i < dim; ++i) sample[i] = x[i * lanes + l];
      field_.f(call.t, Vector<const T>(sample), Theta<const T>(call.theta), dy);
      for (std::size_t i = 0; i < dim; ++i) y[i * lanes + l] = dy.data()[i];
    }
    const std::size_t n = dim * count(call), all = n * static_cast<std::size_t>(1 + call.extent.tangents);
    for (std::size_t i = all > n ? 0 : all; i < all; ++i) y[i] = static_cast<T>(__builtin_nanf(""));
  }
  void vjp(const Call<T>& call, const T* x, const T*, std::byte*, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override {
    T *const sample = array(call, 0), *const w = array(call, 1), *const t_bar = array(call, 4);
    Vector<T> sample_bar(array(call, 2));
    Theta<T> theta_bar(array(call, 3));
    for (std::size_t l = 0, lanes = count(call); l < lanes; ++l) {
      for (std::size_t i = 0; i < dim; ++i) sample[i] = x[i * lanes + l], w[i] = y_bar[i * lanes + l];
      sample_bar.setZero(), theta_bar.setZero();
      const auto pull = [&] {
        return field_.vjp(call.t, Vector<const T>(sample), Theta<const T>(call.theta), Vector<const T>(w), sample_bar,
                          theta_bar);
      };
      if constexpr (std::is_void_v<decltype(pull())>) {
        pull();
        t_bar[l] = 0;
      } else {
        t_bar[l] = pull();
      }
      for (std::size_t i = 0; x_bar && i < dim; ++i) x_bar[i * lanes + l] += sample_bar.data()[i];
      if (bar.theta.at) add(bar.theta, l, lanes, theta_bar.data());
    }
    if (!bar.t) return;
    T sum;
    kernel::tree_lanes(1, call.extent.lanes, t_bar, &sum);
    *bar.t += sum;
  }

 private:
  template <class S>
  using Vector = eigen::View<S, F::dim, 1, Eigen::ColMajor>;
  template <class S>
  using Theta = eigen::View<S, F::params, 1, Eigen::ColMajor>;
  static constexpr std::size_t dim = F::dim;

  static constexpr std::size_t pad(std::size_t scalars) { return revode::padded(scalars * sizeof(T)); }
  static std::size_t count(const Call<T>& call) { return static_cast<std::size_t>(call.extent.lanes); }
  /// Of work: y, w or dy, y_bar (0, 1, 2: [dim]), theta_bar (3: [params]), t_bar (4: [lanes]).
  static T* array(const Call<T>& call, std::size_t i) {
    return reinterpret_cast<T*>(call.work + (i < 4 ? i * pad(dim) : 3 * pad(dim) + pad(F::params)));
  }
  static void add(const ThetaBar<T>& theta, std::size_t l, std::size_t lanes, const T* sample) {
    const auto leaf = static_cast<std::size_t>(theta.leaf), step = leaf == 1 ? lanes : 1;
    T* const at = leaf == 1 ? theta.at + l : theta.at + l / leaf * theta.stride;
    for (std::size_t p = 0; p < static_cast<std::size_t>(F::params); ++p) at[p * step] += sample[p];
  }
  F field_;
};
}  // namespace revode
