// Very wide layers through OpenBLAS (built with REVODE_BLAS=openblas only). Tiles are row-major and go as they are. The
// sums are the same, the order of their roundings is OpenBLAS's own: same_bits() says so.
#include <cblas.h>

#include "revode/impl/pack.hpp"
#include "wide.hpp"

namespace revode::kernel::wide {
namespace {
void gemm(CBLAS_TRANSPOSE a, CBLAS_TRANSPOSE b, int m, int n, int k, const float* A, int lda, const float* B, int ldb,
          bool add, float* C, int ldc) {
  cblas_sgemm(CblasRowMajor, a, b, m, n, k, 1.0f, A, lda, B, ldb, add ? 1.0f : 0.0f, C, ldc);
}
void gemm(CBLAS_TRANSPOSE a, CBLAS_TRANSPOSE b, int m, int n, int k, const double* A, int lda, const double* B, int ldb,
          bool add, double* C, int ldc) {
  cblas_dgemm(CblasRowMajor, a, b, m, n, k, 1.0, A, lda, B, ldb, add ? 1.0 : 0.0, C, ldc);
}
}  // namespace

template <class T>
bool dense(int out, int in, int lanes, const T* W, const T* b, const T* x, T* y, bool add) {
  if (!takes(out, in)) return false;
  if (b && !add)
    for (int o = 0; o < out; ++o)
      for (int l = 0; l < lanes; ++l) y[static_cast<Index>(o) * lanes + l] = b[o];
  gemm(CblasNoTrans, CblasNoTrans, out, lanes, in, W, in, x, lanes, add || b, y, lanes);
  return true;
}
template <class T>
bool dense_vjp_input(int out, int in, int lanes, const T* W, const T* y_bar, T* x_bar, bool add) {
  if (!takes(out, in)) return false;
  gemm(CblasTrans, CblasNoTrans, in, lanes, out, W, in, y_bar, lanes, add, x_bar, lanes);
  return true;
}
template <class T>
bool dense_vjp_weight(int out, int in, int lanes, int samples, const T* y_bar, const T* x, T* W_bar) {
  if (!takes(out, in)) return false;
  gemm(CblasNoTrans, CblasTrans, out, in, samples, y_bar, lanes, x, lanes, true, W_bar, in);
  return true;
}

#define REVODE_INSTANTIATE(T)                                                    \
  template bool dense<T>(int, int, int, const T*, const T*, const T*, T*, bool); \
  template bool dense_vjp_input<T>(int, int, int, const T*, const T*, T*, bool); \
  template bool dense_vjp_weight<T>(int, int, int, int, const T*, const T*, T*);
REVODE_INSTANTIATE(float)
REVODE_INSTANTIATE(double)
}  // namespace revode::kernel::wide
