// One training iteration at the settings of torchdiffeq's examples/latent_ode.py: 1000 spirals of 100 regular points,
// recognition network, reparameterised sample, solve, decoder, ELBO, all gradients, Adam.
// tests/peers/bench_latent_ode.py is its peer. Observations are read from shared steps of RK4 by Hermite interpolation.
#include <benchmark/benchmark.h>

#include "latent_model.hpp"

namespace {
using bench::LatentModel;

constexpr int samples = 1000, lanes = 32, warm = 20;
constexpr long steps = 8;

/// The worst difference between the gradient in double and central differences, relative to 1 + the cotangent. Where a
/// step crosses a kink of ReLU its difference is spoiled: of two steps the better counts.
double gradient_error() {
  constexpr long few = 3;
  LatentModel<double> model(4, 4, few);
  model.loss(few);
  const std::vector<double> gradient(model.gradient(), model.gradient() + model.params());
  double worst = 0;
  for (std::size_t i = 0; i < model.params(); i += 7) {
    const double was = model.theta[i];
    double best = 1;
    for (const double e : {1e-6, 1e-7}) {
      model.theta[i] = was + e;
      const double above = model.loss(few);
      model.theta[i] = was - e;
      const double below = model.loss(few);
      best = std::min(best, std::abs((above - below) / (2 * e) - gradient[i]) / (1 + std::abs(gradient[i])));
    }
    model.theta[i] = was;
    worst = std::max(worst, best);
  }
  return model.good() ? worst : 1;
}

/// The worst distance of the latent paths from those of a fine solve, relative to the largest coordinate.
double path_error(const LatentModel<float>& trained) {
  constexpr long fine = 400;
  LatentModel<double> model(32, 32, fine);
  model.theta.assign(trained.theta.begin(), trained.theta.end());
  const std::vector<double> coarse = model.paths(steps), truth = model.paths(fine);
  double worst = model.good() ? 0.0 : 1.0, largest = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    worst = std::max(worst, std::abs(coarse[i] - truth[i]));
    largest = std::max(largest, std::abs(truth[i]));
  }
  return worst / largest;
}

void latent_iteration(benchmark::State& state) {
  // Losses of some 1e4 in double: rounding 1e-12 / e leaves 1e-6 of a cotangent; a wrong one is off by its own size.
  if (!(gradient_error() < 1e-5)) return state.SkipWithError("the gradient differs from central differences");
  LatentModel<float> model(samples, lanes, steps);
  for (int i = 0; i < warm; ++i) {
    model.redraw(i);
    model.iterate(steps);
  }
  const double error = path_error(model);
  if (!(error < 1e-3)) return state.SkipWithError("too few steps: latent paths are off by more than 0.001");
  const std::vector<float> trained = model.theta;
  float loss = 0;
  for (auto _ : state) {
    std::copy(trained.begin(), trained.end(), model.theta.begin());
    loss = model.iterate(steps);
  }
  if (!model.good()) return state.SkipWithError("the solve failed");
  state.counters["loss"] = static_cast<double>(loss);
  state.counters["nfe"] = static_cast<double>(model.accounting().evaluations_forward);
  state.counters["path_error"] = error;
}
BENCHMARK(latent_iteration)->Unit(benchmark::kMillisecond);
}  // namespace
