// Reversible Heun (Kidger et al., arXiv 2105.13493, algorithms 1 and 2) with Eigen's fixed-size matrices, tanh its own.
#pragma once
#define eigen_assert(condition)
#include <Eigen/Core>

namespace bench {
constexpr int steps = 100, params = 82;
constexpr float start[] = {2, 0}, target[] = {.5f, -1};
constexpr float parameter(int i) {
  return static_cast<float>((i * 37) % 64 - 32) * (1.f / 64);
}

using State = Eigen::Vector2f;
using Hidden = Eigen::Matrix<float, 16, 1>;
struct Net {  // the layout of revode's theta
  Eigen::Matrix<float, 16, 2, Eigen::RowMajor> w1;
  Hidden b1;
  Eigen::Matrix<float, 2, 16, Eigen::RowMajor> w2;
  State b2;
};
Net net, bar;

inline State field(const State& y, Hidden& h) {
  h = (net.w1 * y + net.b1).array().tanh().matrix();
  return net.w2 * h + net.b2;
}
/// Adds to bar; the cotangent of y.
inline State field_vjp(const State& y, const Hidden& h, const State& f_bar) {
  const Hidden a_bar = (net.w2.transpose() * f_bar).cwiseProduct(Hidden::Ones() - h.cwiseProduct(h));
  bar.w2 += f_bar * h.transpose();
  bar.b2 += f_bar;
  bar.w1 += a_bar * y.transpose();
  bar.b1 += a_bar;
  return net.w1.transpose() * a_bar;
}

inline void prepare() {
  float* theta = net.w1.data();
  for (int i = 0; i < params; ++i) theta[i] = parameter(i);
}
inline float gradient() {
  constexpr float dt = .5f / steps;
  State y(start[0], start[1]), z = y;
  Hidden h;
  State f = field(z, h);
  for (int n = 0; n < steps; ++n) {
    z = 2 * y - z + dt * f;
    const State next = field(z, h);
    y += dt / 2 * (f + next);
    f = next;
  }
  const State miss = y - State(target[0], target[1]);
  State y_bar = miss, z_bar = State::Zero(), f_bar = State::Zero();
  for (int n = 0; n < steps; ++n) {  // f is that at z
    f_bar += dt / 2 * y_bar;
    z_bar += field_vjp(z, h, f_bar);
    const State back = 2 * y - z - dt * f;
    const State before = field(back, h);
    y -= dt / 2 * (before + f);
    z = back, f = before;
    f_bar = dt / 2 * y_bar + dt * z_bar;
    y_bar += 2 * z_bar;
    z_bar = -z_bar;
  }
  z_bar += field_vjp(z, h, f_bar);
  return miss.squaredNorm() / 2;
}
inline float theta_bar(int i) {
  return bar.w1.data()[i];
}
}  // namespace bench
