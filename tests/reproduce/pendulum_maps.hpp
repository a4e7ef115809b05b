// Maps of the pendulum: an angle as a point of the circle, and linear friction on a field over (q, v) whose v may be
// read in another unit than q's rate.
#pragma once
#include <cmath>
#include <cstring>

#include "revode/map.hpp"

namespace reproduce {
using namespace revode;

/// (q, rest) -> (cos q, sin q, rest): what a network of it gives is periodic in q (Zhong et al., arXiv 1909.12077).
class Circle final : public Map<double> {
 public:
  explicit Circle(int rows) : rows_(rows) {}
  Shape shape(Extent) const override { return {rows_, rows_ + 1, 0, 0, 0}; }
  void eval(const Call<double>& call, const double* x, double* y, std::byte*) const override {
    const auto lanes = static_cast<std::size_t>(call.extent.lanes), in = in_tile(lanes), out = in + lanes;
    for (std::size_t l = 0; l < lanes; ++l) y[l] = std::cos(x[l]), y[lanes + l] = std::sin(x[l]);
    for (std::size_t j = 1; j <= static_cast<std::size_t>(call.extent.tangents); ++j)
      for (std::size_t l = 0; l < lanes; ++l) {
        y[j * out + l] = -(y[lanes + l] * x[j * in + l]);
        y[j * out + lanes + l] = y[l] * x[j * in + l];
      }
    for (std::size_t j = 0; j <= static_cast<std::size_t>(call.extent.tangents); ++j)
      std::memcpy(y + j * out + 2 * lanes, x + j * in + lanes, (in - lanes) * sizeof(double));
  }
  void vjp(const Call<double>& call, const double* x, const double* y, std::byte*, const double* y_bar, double* x_bar,
           const Bar<double>&) const override {
    if (!x_bar) return;
    const auto lanes = static_cast<std::size_t>(call.extent.lanes), in = in_tile(lanes), out = in + lanes;
    const double *cosine = y, *sine = y + lanes;
    for (std::size_t j = 0; j <= static_cast<std::size_t>(call.extent.tangents); ++j) {
      const double *bar = y_bar + j * out, *dot = x + j * in;
      for (std::size_t l = 0; l < lanes; ++l) {
        x_bar[j * in + l] += cosine[l] * bar[lanes + l] - sine[l] * bar[l];
        if (j > 0) x_bar[l] -= dot[l] * (cosine[l] * bar[l] + sine[l] * bar[lanes + l]);
      }
      for (std::size_t i = lanes; i < in; ++i) x_bar[j * in + i] += bar[lanes + i];
    }
  }

 private:
  std::size_t in_tile(std::size_t lanes) const { return static_cast<std::size_t>(rows_) * lanes; }
  int rows_;
};

/// (q', v') = (r f_q, f_v - c v) for a field f of two rows; theta = f's | c | r where `scaled`, and r = 1 otherwise.
/// Tape: f's rows and f's own.
class Friction final : public Map<double> {
 public:
  explicit Friction(const Map<double>& field, bool scaled) : field_(&field), scaled_(scaled) {}
  Shape shape(Extent e) const override {
    const Shape f = field_->shape(e);
    if (f.in != 2 || f.out != 2) return {};
    const std::size_t rows = tile_bytes<double>(2, e);
    return {2, 2, f.params + (scaled_ ? 2 : 1), rows + f.tape, rows + f.work};
  }
  void eval(const Call<double>& call, const double* x, double* y, std::byte* tape) const override {
    if (refuses_tangents(call, 2, y)) return;
    const auto lanes = static_cast<std::size_t>(call.extent.lanes);
    double* f = reinterpret_cast<double*>(tape);  // [2][lanes]
    field_->eval(inside(call), x, f, tape + tile_bytes<double>(2, call.extent));
    const double c = call.theta[first()], r = rate(call);
    for (std::size_t l = 0; l < lanes; ++l) {
      y[l] = r * f[l];
      y[lanes + l] = f[lanes + l] - c * x[lanes + l];
    }
  }
  void vjp(const Call<double>& call, const double* x, const double*, std::byte* tape, const double* y_bar,
           double* x_bar, const Bar<double>& bar) const override {
    if (call.extent.tangents) return;
    const auto lanes = static_cast<std::size_t>(call.extent.lanes);
    const double* f = reinterpret_cast<const double*>(tape);
    double* rows = reinterpret_cast<double*>(call.work);  // [2][lanes]: cotangents of (c, r), then of f
    for (std::size_t l = 0; l < lanes; ++l) {
      rows[l] = -(x[lanes + l] * y_bar[lanes + l]);
      rows[lanes + l] = f[l] * y_bar[l];
    }
    if (bar.theta.at) add_rows(bar.theta, first(), scaled_ ? 2 : 1, call.extent.lanes, rows);
    const double c = call.theta[first()], r = rate(call);
    for (std::size_t l = 0; l < lanes; ++l) {
      if (x_bar) x_bar[lanes + l] -= c * y_bar[lanes + l];
      rows[l] = r * y_bar[l];
      rows[lanes + l] = y_bar[lanes + l];
    }
    field_->vjp(inside(call), x, f, tape + tile_bytes<double>(2, call.extent), rows, x_bar, bar);
  }

 private:
  int first() const { return field_->shape({}).params; }
  double rate(const Call<double>& call) const { return scaled_ ? call.theta[first() + 1] : 1; }
  static Call<double> inside(const Call<double>& call) {
    Call<double> inner = call;
    inner.work += tile_bytes<double>(2, call.extent);
    return inner;
  }
  const Map<double>* field_;
  bool scaled_;
};
}  // namespace reproduce
