// KL(q || p) of a continuous flow of M hidden units and of K planar flows (Rezende and Mohamed 2015) against
// potentials, one training:
//   reproduce_planar cnf|planar POTENTIAL WIDTH SEED RATE UPDATES     prints ...,validation,kl: inf where it failed
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <numbers>
#include <string_view>
#include <vector>

#include "experiment.hpp"
#include "potentials.hpp"
#include "revode/cnf.hpp"
#include "revode/kernels.hpp"
#include "revode/optimizer.hpp"
#include "revode/random.hpp"
#include "revode/solve.hpp"
#include "revode/time_mlp.hpp"
#include "revode/time_weights.hpp"

namespace {
using namespace revode;
using reproduce::Bytes, reproduce::Potential;
constexpr int lanes = 256;
constexpr std::size_t batch = lanes;
constexpr double never = std::numeric_limits<double>::infinity();
/// What draws are for: streams of one seed.
enum Use : std::uint32_t { training = 1, initial = 2, validation = 3, test = 4 };

/// Draws of the base, [2][lanes]: not independent ones but a net of 256 points, each with a radius and an angle (Box
/// and Muller) of its own 256th, shifted at random (Hammersley's net, digitally shifted): the mean is unbiased, its
/// noise a fraction.
void draw(std::uint64_t seed, Use use, std::uint64_t index, std::vector<double>& z) {
  static_assert(batch == 256);
  z.resize(2 * batch);
  Random random(seed, use, index);
  const std::uint32_t shift[2] = {random.next(), random.next()};
  for (std::uint32_t i = 0; i < batch; ++i) {
    std::uint32_t reversed = 0;
    for (int bit = 0; bit < 8; ++bit) reversed |= (i >> bit & 1) << (31 - bit);
    const double radius = std::sqrt(-2 * std::log(((i << 24 ^ shift[0]) + .5) * 0x1p-32));
    const double angle = 2 * std::numbers::pi * ((reversed ^ shift[1]) + .5) * 0x1p-32;
    z[i] = radius * std::cos(angle), z[batch + i] = radius * std::sin(angle);
  }
}
double log_base(double x, double y) {
  return -.5 * (x * x + y * y) - std::log(2 * std::numbers::pi);
}

/// K planar flows z + u tanh(w z + b) with the paper's u that keeps them invertible. theta: u[2] w[2] b of each.
class Planar {
 public:
  static constexpr double annealed = .5;  ///< of a training
  explicit Planar(int layers) : layers_(static_cast<std::size_t>(layers)), kept_(layers_) {}
  std::size_t params() const { return 5 * layers_; }
  void initialise(std::uint64_t seed, std::vector<double>& theta) const {
    Random random(seed, initial);
    for (double& v : theta) v = .1 * static_cast<double>(random.normal());
  }
  /// The mean of log q + beta U over z; its gradient is added.
  double loss(int which, const std::vector<double>& theta, const std::vector<double>& z, double* theta_bar,
              double beta = 1) {
    Lanes x[2], det;
    for (std::size_t i = 0; i < 2; ++i) std::copy_n(z.data() + i * batch, batch, x[i].data());
    det.fill(1);
    for (std::size_t k = 0; k < layers_; ++k) kept_[k].forward(theta.data() + 5 * k, x, det);
    double sum = 0;
    for (std::size_t l = 0; l < batch; ++l) {
      const Potential p = reproduce::annealed(beta, which, x[0][l], x[1][l]);
      sum += log_base(z[l], z[batch + l]) - std::log(std::abs(det[l])) + p.u;
      x[0][l] = p.by[0], x[1][l] = p.by[1];
    }
    if (theta_bar)
      for (std::size_t k = layers_; k-- > 0;) kept_[k].backward(theta.data() + 5 * k, x, theta_bar + 5 * k);
    return sum / static_cast<double>(batch);
  }

 private:
  using Lanes = std::array<double, batch>;
  struct Layer {
    Lanes x[2], h;                     ///< what went in; tanh
    double dot, norm, m, u[2], along;  ///< w u, |w|^2; u as it is used, and w u by it

    /// u + m w = u + (softplus(w u) - 1 - w u) w / |w|^2, so that w u >= -1. Moves the points and multiplies det.
    void forward(const double* p, Lanes (&at)[2], Lanes& det) {
      const double* w = p + 2;
      dot = p[0] * w[0] + p[1] * w[1], norm = w[0] * w[0] + w[1] * w[1] + 1e-9;
      m = (std::log1p(std::exp(-std::abs(dot))) + std::max(dot, 0.) - 1 - dot) / norm;
      for (std::size_t i = 0; i < 2; ++i) u[i] = p[i] + m * w[i], x[i] = at[i];
      along = u[0] * w[0] + u[1] * w[1];
      for (std::size_t l = 0; l < batch; ++l) h[l] = w[0] * at[0][l] + w[1] * at[1][l] + p[4];
      kernel::activate(Activation::tanh, batch, h.data(), h.data());
      for (std::size_t l = 0; l < batch; ++l) {
        det[l] *= 1 + (1 - h[l] * h[l]) * along;
        at[0][l] += u[0] * h[l], at[1][l] += u[1] * h[l];
      }
    }
    /// `bar` of what comes out to that of what went in, log q's -log |det| included.
    void backward(const double* p, Lanes (&bar)[2], double* p_bar) const {
      const double *w = p + 2, part = 1 / static_cast<double>(batch);
      double u_bar[2] = {}, w_bar[2] = {}, b_bar = 0;
      for (std::size_t l = 0; l < batch; ++l) {
        const double slope = 1 - h[l] * h[l], det_bar = -1 / (1 + slope * along), along_bar = det_bar * slope;
        const double a_bar = (bar[0][l] * u[0] + bar[1][l] * u[1] - 2 * h[l] * along * det_bar) * slope;
        for (std::size_t i = 0; i < 2; ++i) {
          u_bar[i] += bar[i][l] * h[l] + along_bar * w[i], w_bar[i] += along_bar * u[i] + a_bar * x[i][l];
          bar[i][l] += a_bar * w[i];
        }
        b_bar += a_bar;
      }
      const double m_bar = u_bar[0] * w[0] + u_bar[1] * w[1], norm_bar = -m_bar * m / norm;
      const double dot_bar = m_bar * (1 / (1 + std::exp(-dot)) - 1) / norm;
      for (std::size_t i = 0; i < 2; ++i) {
        p_bar[i] += part * (u_bar[i] + dot_bar * w[i]);
        p_bar[2 + i] += part * (w_bar[i] + u_bar[i] * m + dot_bar * p[i] + 2 * norm_bar * w[i]);
      }
      p_bar[4] += part * b_bar;
    }
  };
  std::size_t layers_;
  std::vector<Layer> kept_;
};

/// The paper's continuous flow from the base at t = 0: M gated units whose weights a hypernetwork gives as functions of
/// time.
class Continuous {
 public:
  static constexpr double annealed = .8;  ///< of a training
  Continuous(const Continuous&) = delete;
  explicit Continuous(int units)
      : widths_{2, units, 2},
        net_widths_{1, 32, 32, 7 * units},
        net_(net_widths_, Activation::tanh),
        weights_(net_, 2, units),
        field_(widths_, Activation::tanh, weights_),
        traced_(widths_, Activation::tanh, weights_, true),
        flow_(field_, Trace::closed, {}, &traced_),
        solve_(flow_, plan(1e-3, Way::stored), lanes),
        fine_(flow_, plan(1e-6, Way::none), lanes) {}
  std::size_t params() const { return static_cast<std::size_t>(flow_.shape({}).params); }
  void initialise(std::uint64_t seed, std::vector<double>& theta) const {
    Random random(seed, initial);
    double* at = theta.data();
    for (int l = 0; l < 3; ++l)
      for (double* end = at + net_widths_[l + 1] * (net_widths_[l] + 1); at != end; ++at)
        *at = static_cast<double>(2 * random.uniform() - 1) / std::sqrt(static_cast<double>(net_widths_[l]));
  }
  /// Without a gradient by the finer solve: what a coarse one gains by its own error does not count. NaN, once the
  /// field is too stiff for a solve.
  double loss(int which, const std::vector<double>& theta, const std::vector<double>& z, double* theta_bar,
              double beta = 1) {
    std::vector<double> y0(z);
    y0.resize(3 * batch);
    Trajectory<double>& solve = theta_bar ? *solve_ : *fine_;
    if (failed(run(solve, {0, 1, 1}, theta.data(), y0.data()))) return std::numeric_limits<double>::quiet_NaN();
    const double *y = solve.y(), part = 1 / static_cast<double>(batch);
    std::vector<double> y_bar(3 * batch);
    double sum = 0;
    for (std::size_t l = 0; l < batch; ++l) {
      const Potential p = reproduce::annealed(beta, which, y[l], y[batch + l]);
      sum += log_base(z[l], z[batch + l]) + y[2 * batch + l] + p.u;
      y_bar[l] = part * p.by[0], y_bar[batch + l] = part * p.by[1], y_bar[2 * batch + l] = part;
    }
    if (theta_bar) {
      constexpr std::size_t leaves = lanes / 64;
      const std::size_t stride = theta.size();
      std::vector<double> all(leaves * stride);
      if (failed(run_back(*solve_, y_bar.data(), static_cast<double*>(nullptr), {all.data(), 64, stride})))
        return std::numeric_limits<double>::quiet_NaN();
      for (std::size_t i = 0; i < all.size(); ++i) theta_bar[i % stride] += all[i];
    }
    return sum * part;
  }

 private:
  static Plan<double> plan(double tolerance, Way way) {
    Plan<double> p;
    p.method = runge_kutta(tableau::dormand_prince5<double>), p.arithmetic = Arithmetic::real, p.way = way;
    p.control.rtol = p.control.atol = tolerance;
    p.stored_steps = p.control.most_steps = way == Way::stored ? 1000 : 100000;
    return p;
  }
  static bool failed(Status s) {
    if (s != Status::ok) std::fprintf(stderr, "planar: %s\n", sentence(s));
    return s != Status::ok;
  }
  int widths_[3], net_widths_[4];
  Mlp<double> net_;
  HyperWeights<double> weights_;
  TimeMlp<double> field_, traced_;
  Cnf<double> flow_;
  experiment::Solver<double> solve_, fine_;
};

/// The mean KL over draws, 256 a batch: inf where a solve fails.
template <class Model>
double measure(Model& model, int which, const std::vector<double>& theta, std::uint64_t seed, Use use, int batches) {
  std::vector<double> z;
  double sum = 0;
  for (int i = 0; i < batches && std::isfinite(sum); ++i) {
    draw(seed, use, static_cast<std::uint64_t>(i), z);
    sum += model.loss(which, theta, z, nullptr);
  }
  return std::isfinite(sum) ? sum / batches + reproduce::log_normalisation(which) : never;
}

/// Trains by Adam with a cosine schedule, U annealed over a first part as in the planar flows' paper (equation 20).
/// False where a loss or a gradient is not finite: that training is lost.
template <class Model>
bool train(Model& model, int which, std::uint64_t seed, double rate, long updates, std::vector<double>& theta) {
  theta.resize(model.params());
  model.initialise(seed, theta);
  std::vector<double> bar(theta.size()), z;
  Adam<double> adam;
  Arena size;
  adam.place(size, theta.size());
  const Bytes bytes(size.bytes());
  Arena arena = bytes.arena();
  adam.place(arena, theta.size());
  adam.reset();
  for (long i = 0; i < updates; ++i) {
    draw(seed, training, static_cast<std::uint64_t>(i), z);
    std::fill(bar.begin(), bar.end(), 0.);
    const double done = static_cast<double>(i) / static_cast<double>(updates);
    const double loss = model.loss(which, theta, z, bar.data(), std::min(1., .01 + done / Model::annealed));
    double norm = 0;
    for (const double v : bar) norm += v * v;
    if (!std::isfinite(loss + norm)) return false;
    for (double& v : bar) v *= std::min(1., 1 / (std::sqrt(norm) + 1e-12));
    adam.update(rate * .5 * (1 + std::cos(std::numbers::pi * done)), bar.data(), theta.data());
  }
  return true;
}

struct Kl {
  double validation, test;
};
/// Over 25,600 fresh draws, and 204,800 others.
template <class Model>
Kl fit(Model&& model, int which, std::uint64_t seed, double rate, long updates) {
  std::vector<double> theta;
  if (!train(model, which, seed, rate, updates, theta)) return {never, never};
  return {measure(model, which, theta, seed, validation, 100), measure(model, which, theta, seed, test, 800)};
}
}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) return std::fputs("planar cnf|planar POTENTIAL WIDTH SEED RATE UPDATES\n", stderr), 2;
  const bool continuous = std::string_view(argv[1]) == "cnf";
  const int which = std::atoi(argv[2]), width = std::atoi(argv[3]);
  const auto seed = static_cast<std::uint64_t>(std::atoll(argv[4]));
  const double rate = std::atof(argv[5]);
  const long updates = std::atol(argv[6]);
  const Kl kl =
      continuous ? fit(Continuous(width), which, seed, rate, updates) : fit(Planar(width), which, seed, rate, updates);
  std::printf("potential,width,model,seed,rate,updates,validation,kl\n%d,%d,%s,%s,%s,%ld,%.6f,%.6f\n", which, width,
              argv[1], argv[4], argv[5], updates, kl.validation, kl.test);
  return 0;
}
