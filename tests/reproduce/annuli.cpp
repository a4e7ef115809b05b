// Augmented neural ODEs on concentric annuli (Dupont et al. 2019): trains with p rows of zeros beside the plane and
// prints, epoch by epoch, loss, accuracy and evaluations of the field; at the end the answers on a grid.
//   reproduce_annuli P SEED
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <utility>
#include <vector>

#include "experiment.hpp"
#include "revode/block.hpp"
#include "revode/layers.hpp"
#include "revode/optimizer.hpp"
#include "revode/random.hpp"
#include "revode/sequential.hpp"

namespace {
using namespace experiment;
constexpr int inner = 500, outer = 1500, samples = inner + outer, batch = 64, lanes = 64, epochs = 30, width = 32;

struct Points {
  std::vector<float> x, y, target;
};
/// Radius (most - least) u^(1/2) + least, as the authors draw it, in a direction drawn as two normals.
Points annuli(std::uint64_t seed) {
  Points p;
  for (int i = 0; i < samples; ++i) {
    Random random(seed, 40, static_cast<std::uint64_t>(i));
    const float least = i < inner ? 0 : 1, most = i < inner ? .5f : 1.5f;
    const float a = random.normal(), b = random.normal(), r = (most - least) * std::sqrt(random.uniform()) + least;
    const float scale = r / std::max(std::sqrt(a * a + b * b), 1e-6f);
    p.x.push_back(a * scale), p.y.push_back(b * scale), p.target.push_back(i < inner ? -1.f : 1.f);
  }
  return p;
}

/// An augmented ODE and a linear head, with dopri5 at 1e-3 as published; the gradient is that of the steps taken.
class Network {
 public:
  Network(int p, std::uint64_t seed)
      : widths_{2 + p, width, width, 2 + p},
        field_(widths_, Activation::relu, true),
        augment_(2, p),
        block_(field_, plan(), {0, 1, 1}, false, &tally),
        head_(2 + p, 1),
        tape_(network_.shape({lanes}).tape),
        work_(network_.shape({lanes}).work),
        theta(count(network_.shape({lanes}).params)),
        adam_bytes_(2 * theta.size() * sizeof(float) + REVODE_ALIGN) {
    Arena arena = adam_bytes_.arena();
    adam_.place(arena, theta.size()), adam_.reset();
    initialise(seed);
  }
  /// Answers of some points; null theta_bar: no gradient. Returns the summed smooth-L1 loss and counts right answers.
  double pass(const float* x, const float* target, int n, bool train, int& right) {
    std::vector<float> answer(lanes), answer_bar(lanes), theta_bar(theta.size() * lanes / 16);
    Status status = Status::ok;
    Call<float> call;
    call.extent = {lanes}, call.theta = theta.data(), call.work = work_.data(), call.status = &status;
    network_.eval(call, x, answer.data(), tape_.data());
    expect(status, "forward");
    double loss = 0;
    for (int l = 0; l < n; ++l) {
      const float d = answer[count(l)] - target[l], size = std::abs(d);
      loss += static_cast<double>(size < 1 ? .5f * d * d : size - .5f);
      answer_bar[count(l)] = (size < 1 ? d : d > 0 ? 1.f : -1.f) / static_cast<float>(n);
      right += (answer[count(l)] > 0) == (target[l] > 0);
    }
    if (!train) return loss;
    network_.vjp(call, x, answer.data(), tape_.data(), answer_bar.data(), nullptr,
                 {{theta_bar.data(), 16, theta.size()}, nullptr});
    expect(status, "back");
    kernel::tree_slices(theta.size(), lanes / 16, theta.size(), theta_bar.data());
    adam_.update(1e-3f, theta_bar.data(), theta.data());
    return loss;
  }
  /// Of points (x, y), as many as there are.
  std::vector<float> answers(const std::vector<std::pair<float, float>>& points) {
    std::vector<float> all, in(2 * lanes), out(lanes);
    for (std::size_t from = 0; from < points.size(); from += lanes) {
      const std::size_t n = std::min<std::size_t>(lanes, points.size() - from);
      for (std::size_t l = 0; l < n; ++l) in[l] = points[from + l].first, in[lanes + l] = points[from + l].second;
      Status status = Status::ok;
      Call<float> call;
      call.extent = {lanes}, call.theta = theta.data(), call.work = work_.data(), call.status = &status;
      network_.eval(call, in.data(), out.data(), tape_.data());
      expect(status, "answers");
      all.insert(all.end(), out.begin(), out.begin() + static_cast<std::ptrdiff_t>(n));
    }
    return all;
  }
  Accounting tally;

 private:
  static std::size_t count(int n) { return static_cast<std::size_t>(n); }
  static Plan<float> plan() {
    Plan<float> p = stored(runge_kutta(tableau::dormand_prince5<float>), 1000);
    p.control.rtol = p.control.atol = 1e-3f;
    p.control.most_steps = 1000;
    return p;
  }
  /// PyTorch's default for dense layers, weights and biases uniform in 1 / sqrt(inputs).
  void initialise(std::uint64_t seed) {
    std::size_t at = 0;
    const auto fill = [&](const Dense<float>& layer, std::uint32_t stream) {
      Random random(seed, stream);
      const float bound = 1 / std::sqrt(static_cast<float>(layer.in() + (layer.time() ? 1 : 0)));
      for (int i = 0; i < layer.shape({}).params; ++i) theta[at++] = bound * (2 * random.uniform() - 1);
    };
    for (int i = 0; i < field_.size(); ++i) fill(field_.layer(i), 41 + static_cast<std::uint32_t>(i));
    fill(head_, 50);
  }
  int widths_[4];
  Mlp<float> field_;
  Augment<float> augment_;
  Block<float> block_;
  Dense<float> head_;
  const Map<float>* maps_[3] = {&augment_, &block_, &head_};
  Sequential<float> network_{maps_};
  reproduce::Bytes tape_, work_;

 public:
  std::vector<float> theta;

 private:
  reproduce::Bytes adam_bytes_;
  Adam<float> adam_;
};

void epoch(Network& network, const Points& points, std::uint64_t seed, int number) {
  std::vector<std::size_t> order(samples);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random random(seed, 60, static_cast<std::uint64_t>(number));
  for (std::size_t i = samples; i > 1; --i) std::swap(order[i - 1], order[random.below(static_cast<std::uint32_t>(i))]);
  double loss = 0;
  int right = 0, passes = 0;
  network.tally = {};
  for (std::size_t from = 0; from < samples; from += batch, ++passes) {
    const std::size_t n = std::min<std::size_t>(batch, samples - from);
    std::vector<float> x(2 * lanes), target(lanes);
    for (std::size_t l = 0; l < n; ++l) {
      const std::size_t k = order[from + l];
      x[l] = points.x[k], x[lanes + l] = points.y[k], target[l] = points.target[k];
    }
    loss += network.pass(x.data(), target.data(), static_cast<int>(n), true, right);
  }
  std::printf("epoch,%d,%.9g,%.6f,%.2f\n", number, loss / samples, static_cast<double>(right) / samples,
              static_cast<double>(network.tally.evaluations_forward) / passes);
}
/// On a fine polar grid over disk and ring: the share named wrongly. In the plane it cannot be none.
void whole(Network& network) {
  constexpr int radii = 26, angles = 720;
  int wrong = 0;
  for (const bool ring : {false, true}) {
    std::vector<std::pair<float, float>> points;
    for (int i = 0; i < radii; ++i)
      for (int j = 0; j < angles; ++j) {
        const double r = (ring ? 1 : 0) + .5 * i / (radii - 1), angle = 2 * 3.14159265358979323846 * j / angles;
        points.emplace_back(static_cast<float>(r * std::cos(angle)), static_cast<float>(r * std::sin(angle)));
      }
    for (const float v : network.answers(points)) wrong += (v > 0) != ring;
  }
  std::printf("whole,%.9g,0,0,0\n", wrong / (2.0 * radii * angles));
}
}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) give_up("annuli P SEED");
  const int p = std::atoi(argv[1]);
  const auto seed = static_cast<std::uint64_t>(std::atoi(argv[2]));
  const Points points = annuli(seed);
  Network network(p, seed);
  std::printf("kind,a,b,c,d\n");
  for (int i = 1; i <= epochs; ++i) epoch(network, points, seed, i);
  whole(network);
  std::vector<std::pair<float, float>> grid;
  for (int i = 0; i <= 40; ++i)
    for (int j = 0; j <= 40; ++j) grid.emplace_back(-2 + .1f * static_cast<float>(j), -2 + .1f * static_cast<float>(i));
  const std::vector<float> answers = network.answers(grid);
  for (std::size_t k = 0; k < grid.size(); ++k)
    std::printf("grid,%.1f,%.1f,%.5f,0\n", static_cast<double>(grid[k].first), static_cast<double>(grid[k].second),
                static_cast<double>(answers[k]));
}
