/// Kernels of images: maps are row-major [channel][height][width][lanes], weights [out][in][kernel][kernel] as every
/// framework writes them. The laws of kernels.hpp hold: the Chain of a comment is the order of an element's roundings,
/// whatever the instruction set. Taps that fall outside of the image are absent, not zeros.
#pragma once
#include "revode/kernels.hpp"

namespace revode::kernel {
/// Sizes of a convolution.
struct Convolution {
  int in = 1, out = 1;        ///< channels
  int height = 1, width = 1;  ///< of x
  int kernel = 3, stride = 1, padding = 1;
  bool time = false;  ///< before x's channels stands one that is t everywhere: W[out][1 + in][kernel][kernel]

  constexpr int out_height() const { return (height + 2 * padding - kernel) / stride + 1; }
  constexpr int out_width() const { return (width + 2 * padding - kernel) / stride + 1; }
  constexpr int rows_in() const { return in * height * width; }
  constexpr int rows_out() const { return out * out_height() * out_width(); }
  constexpr int weights() const { return out * (in + (time ? 1 : 0)) * kernel * kernel; }
  constexpr bool valid() const {
    return in > 0 && out > 0 && height > 0 && width > 0 && kernel > 0 && stride > 0 && padding >= 0 &&
           padding < kernel && height + 2 * padding >= kernel && width + 2 * padding >= kernel;
  }
};
/// y[o][pixel][l] = b[o] + sum W[o][c][ky][kx] x[c][at][l], or += the sum when add. b may be null. Chain: fma over the
/// taps of t, then over c, ky, kx.
template <class T>
void convolve(const Convolution& c, int lanes, const T* W, const T* b /*[out]*/, T t, const T* x, T* y,
              bool add = false);
/// x_bar[i][pixel][l] = sum W[o][i][ky][kx] y_bar[o][at][l], or += when add. Chain: fma over o, ky, kx.
template <class T>
void convolve_vjp_input(const Convolution& c, int lanes, const T* W, const T* y_bar, T* x_bar, bool add = false);
/// One leaf: W_bar[o][i][ky][kx] += sum over the first `samples` lanes and over pixels of y_bar x, b_bar[o] (may be
/// null) += sum of y_bar. x null: of t's channel and b alone. Chain: y's pixels lie in runs, a line cut into as few of
/// at most 8 as will do, and runs in pieces, as few as will do of at most 640 / (samples of the longest run) runs, the
/// n-th of m parts of s beginning at s n / m rounded down. Of a run fma over its pixels and their samples, from 0; +
/// over a piece's runs that meet the tap; W_bar + that, piece after piece. Of t and b: + over a pixel's samples, a
/// run's pixels and a piece's runs, each from 0; then fma(t, that, W_bar), b_bar + that.
template <class T>
void convolve_vjp_weight(const Convolution& c, int lanes, int samples /*1 .. 64*/, T t, const T* y_bar, const T* x,
                         T* W_bar, T* b_bar);
/// Leaves of one sample: W_bar[o][i][ky][kx][l] and b_bar[o][l] (may be null). Chain: fma over pixels from what is
/// there.
template <class T>
void convolve_vjp_weight_lanes(const Convolution& c, int lanes, T t, const T* y_bar, const T* x, T* W_bar, T* b_bar);
/// s[o][pixel] = sum over taps of t of W[o][0][ky][kx]: dy/dt. Chain: + over ky, kx.
template <class T>
void convolve_time(const Convolution& c, const T* W, T* s /*[out][out_height][out_width]*/);

/// Sizes of a group normalisation (Wu and He 2018): each sample's channels in groups of neighbours.
struct Grouping {
  int channels = 1, groups = 1, pixels = 1;
  constexpr int size() const { return channels / groups; }  ///< channels of a group
  constexpr bool valid() const { return channels > 0 && groups > 0 && pixels > 0 && channels % groups == 0; }
};
/// y = gamma (x - mean) / sqrt(variance + epsilon) + beta over a group's channels and pixels, then max(0, y) where
/// relu. Chain: sums over rows in four interleaved chains, (0+1)+(2+3), times 1/n.
template <class T>
void group_norm(const Grouping& g, int lanes, bool relu, T epsilon, const T* gamma /*[channels]*/,
                const T* beta /*[channels]*/, const T* x, T* y, T* moments /*[groups][2][lanes]: mean, 1/deviation*/);
/// x_bar (may be null) = what y_bar asks for, or add; overwrites gamma_bar and beta_bar, samples apart. y is read where
/// relu.
template <class T>
void group_norm_vjp(const Grouping& g, int lanes, bool relu, const T* gamma, const T* x, const T* y, const T* moments,
                    const T* y_bar, T* x_bar, bool add, T* gamma_bar /*[channels][lanes]*/,
                    T* beta_bar /*[channels][lanes]*/);

/// Sizes of a pooling without padding; pixels that no window reaches are left out.
struct Pooling {
  int channels = 1, height = 1, width = 1;
  int window_height = 2, window_width = 2, stride = 2;
  constexpr int out_height() const { return (height - window_height) / stride + 1; }
  constexpr int out_width() const { return (width - window_width) / stride + 1; }
  constexpr bool valid() const {
    return channels > 0 && window_height > 0 && window_width > 0 && stride > 0 && height >= window_height &&
           width >= window_width;
  }
};
/// Mean of a window. Chain: + over its rows and columns, times 1/n.
template <class T>
void pool_average(const Pooling& p, int lanes, const T* x, T* y);
template <class T>
void pool_average_vjp(const Pooling& p, int lanes, const T* y_bar, T* x_bar);  ///< adds
/// Greatest of a window; a NaN stays only where it comes first.
template <class T>
void pool_max(const Pooling& p, int lanes, const T* x, T* y);
/// Adds to the first pixel of a window that has its maximum.
template <class T>
void pool_max_vjp(const Pooling& p, int lanes, const T* x, const T* y, const T* y_bar, T* x_bar);

/// loss[l] = log sum_c exp(y[c][l]) - y[label[l]][l], y_bar[c][l] = softmax - 1 at the label (y_bar may be null). A
/// label below 0: a lane without a sample, loss and cotangent 0. Chain: the greatest first, + over c = 0, 1, ...
template <class T>
void softmax_loss(int classes, int lanes, const T* y /*[classes][lanes]*/, const int* label /*[lanes]*/,
                  T* loss /*[lanes]*/, T* y_bar /*[classes][lanes]*/);
}  // namespace revode::kernel
