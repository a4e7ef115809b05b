#include "revode/kernels.hpp"
#include "revode/map.hpp"
#include "scalars.hpp"

namespace revode {
namespace {
/// Visits the leaves of a tile: first sample, samples and where the leaf's gradient stands.
template <class T, class Visit>
void each_leaf(const ThetaBar<T>& theta, int lanes, Visit visit) {
  for (int l = 0, g = 0; l < lanes; l += theta.leaf, ++g)
    visit(l, lanes - l < theta.leaf ? lanes - l : theta.leaf, theta.at + static_cast<std::size_t>(g) * theta.stride);
}
}  // namespace

template <class T>
void add_rows(const ThetaBar<T>& theta, int p, int rows, int lanes, const T* rows_bar) {
  if (!theta.at) return;
  if (theta.leaf == 1) {
    const std::size_t n = static_cast<std::size_t>(rows) * static_cast<std::size_t>(lanes);
    T* at = theta.from(p, lanes).at;
    const T one = 1;
    return kernel::combine(n, at, at, 1, &one, &rows_bar);
  }
  each_leaf(theta, lanes,
            [&](int l, int samples, T* leaf) { kernel::sum_rows(rows, lanes, samples, rows_bar + l, leaf + p); });
}

template <class T>
void add_outer(const ThetaBar<T>& theta, int p_weight, int p_bias, int out, int in, int lanes, const T* y_bar,
               const T* x) {
  if (!theta.at) return;
  if (theta.leaf == 1) {
    T* bias = p_bias < 0 ? nullptr : theta.from(p_bias, lanes).at;
    return kernel::dense_vjp_weight_lanes(out, in, lanes, y_bar, x, theta.from(p_weight, lanes).at, bias);
  }
  each_leaf(theta, lanes, [&](int l, int samples, T* leaf) {
    kernel::dense_vjp_weight(out, in, lanes, samples, y_bar + l, x + l, leaf + p_weight,
                             p_bias < 0 ? nullptr : leaf + p_bias);
  });
}

template <class T>
bool finite(const ThetaBar<T>& theta, int params, int lanes) {
  if (!theta.at) return true;
  const auto n = static_cast<std::size_t>(params);
  if (theta.leaf == 1) return kernel::finite(n * static_cast<std::size_t>(lanes), theta.at);
  bool good = true;
  each_leaf(theta, lanes, [&](int, int, const T* leaf) { good &= kernel::finite(n, leaf); });
  return good;
}

template bool finite<float>(const ThetaBar<float>&, int, int);
REVODE_DOUBLE(template bool finite<double>(const ThetaBar<double>&, int, int);)
template void add_rows<float>(const ThetaBar<float>&, int, int, int, const float*);
REVODE_DOUBLE(template void add_rows<double>(const ThetaBar<double>&, int, int, int, const double*);)
template void add_outer<float>(const ThetaBar<float>&, int, int, int, int, int, const float*, const float*);
REVODE_DOUBLE(template void add_outer<double>(const ThetaBar<double>&, int, int, int, int, int, const double*,
                                              const double*);)
}  // namespace revode
