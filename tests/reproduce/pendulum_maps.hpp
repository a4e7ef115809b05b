// Maps of the pendulum: what its energy may depend on, and linear friction on a field over (q, v) whose v may be read
// in another unit than q's rate.
#pragma once
#include <cmath>

#include "revode/map.hpp"

namespace reproduce {
using namespace revode;

/// (q, rest) -> (cos(q - d), rest^2), theta = (d): what a network makes of it is periodic in the angle (as that of
/// Zhong et al., arXiv 1909.12077, by cosine and sine), even about the angle of rest d and even in each momentum, as
/// the energy of a pendulum is that hangs and may be run backwards in time.
class Mirror final : public Map<double> {
 public:
  explicit Mirror(int rows) : rows_(rows) {}
  Shape shape(Extent e) const override { return {rows_, rows_, 1, 0, tile_bytes<double>(1, e)}; }
  void eval(const Call<double>& call, const double* x, double* y, std::byte*) const override {
    const std::size_t lanes = count(call), tile = lanes * static_cast<std::size_t>(rows_);
    for (std::size_t i = 0; i < tile; ++i) {
      const Curve f = curve(call, i < lanes, x[i]);
      y[i] = f.value;
      for (std::size_t j = tile + i; j < tiles(call) * tile; j += tile) y[j] = f.slope * x[j];
    }
  }
  void vjp(const Call<double>& call, const double* x, const double*, std::byte*, const double* y_bar, double* x_bar,
           const Bar<double>& bar) const override {
    const std::size_t lanes = count(call), tile = lanes * static_cast<std::size_t>(rows_);
    double* d_bar = reinterpret_cast<double*>(call.work);  // [lanes]
    for (std::size_t i = 0; i < tile; ++i) {
      const Curve f = curve(call, i < lanes, x[i]);
      double of_value = f.slope * y_bar[i];
      for (std::size_t j = tile + i; j < tiles(call) * tile; j += tile) {
        of_value += f.bend * x[j] * y_bar[j];
        if (x_bar) x_bar[j] += f.slope * y_bar[j];
      }
      if (x_bar) x_bar[i] += of_value;
      if (i < lanes) d_bar[i] = -of_value;
    }
    if (bar.theta.at) add_rows(bar.theta, 0, 1, call.extent.lanes, d_bar);
  }

 private:
  struct Curve {
    double value, slope, bend;
  };
  static Curve curve(const Call<double>& call, bool angle, double x) {
    if (!angle) return {x * x, 2 * x, 2};
    const double c = std::cos(x - *call.theta), s = std::sin(x - *call.theta);
    return {c, -s, -c};
  }
  static std::size_t count(const Call<double>& call) { return static_cast<std::size_t>(call.extent.lanes); }
  static std::size_t tiles(const Call<double>& call) { return 1 + static_cast<std::size_t>(call.extent.tangents); }
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
