#include "models/cnf_trainee.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "common/batches.hpp"
#include "common/casts.hpp"
#include "common/error.hpp"
#include "revode/random.hpp"

namespace revode::host {
namespace {
constexpr std::uint32_t order_stream = 14, noise_stream = 15, sample_stream = 16;
constexpr float tracked = 0.1f;  // part of a moving moment that a batch renews, as in FFJORD
}  // namespace

CnfTrainee::CnfTrainee(const DensityData& data, const Batches& batches, const CnfModel<float>::Config& config)
    : data_(data), batches_(batches), model_(config), order_(batches.seed, order_stream, data.rows(data.train)) {
  if (!data.fresh && data.rows(data.train) < lanes())
    throw Failure(Exit::usage, "--lanes",
                  std::to_string(data.rows(data.train)) + " training rows do not fill a tile of " +
                      std::to_string(lanes()) + ": lower it, or give more rows");
  bytes_ = model_.bytes();
  Arena arena(reserve(memory_, bytes_, "--lanes"), bytes_);
  if (const Status s = model_.init(arena); s != Status::ok) throw Failure(Exit::usage, "--method", sentence(s));
  tile_.resize(dim() * lanes()), gain_.resize(lanes());
  if (model_.noisy()) noise_.resize(size(config.flows) * dim() * lanes());
}

long CnfTrainee::iterations_per_epoch() const {
  return data_.fresh ? batches_.per_epoch : tiling().batches(data_.rows(data_.train));
}
int CnfTrainee::held_out_tiles() const {
  return tiling().held_out_tiles(data_.rows(data_.held_out));
}

void CnfTrainee::track(const float* means, float* buffers) const {
  const std::size_t d = dim();
  for (std::size_t k = 0; k < this->buffers(); k += 2 * d)
    for (std::size_t i = 0; i < d; ++i) {
      const float mean = means[k + i], var = std::max(0.f, means[k + d + i] - mean * mean);
      buffers[k + i] += tracked * (mean - buffers[k + i]);
      buffers[k + d + i] += tracked * (var - buffers[k + d + i]);
    }
}

Status CnfTrainee::gradient(long iteration, int tile, const float* theta, float* out, TileWork& work) {
  const std::size_t stride = summed() + statistics + buffers();
  const long per_epoch = iterations_per_epoch(), epoch = iteration / per_epoch;
  const std::size_t batch = tiling().batch();
  const std::size_t total = data_.fresh ? static_cast<std::size_t>(per_epoch) * batch : data_.rows(data_.train);
  const std::size_t* order = data_.fresh ? nullptr : order_.of(epoch).data();
  const auto [from, count] = tiling().share(iteration % per_epoch, tile, total);
  work.samples = static_cast<double>(count);
  std::fill(out, out + stride, 0.0f);
  if (count == 0) return Status::ok;
  std::fill(tile_.begin(), tile_.end(), 0.0f);
  std::vector<float> point(dim());
  for (std::size_t l = 0; l < count; ++l) {
    // A sample's number in the whole run: what is drawn for it depends on nothing else.
    const std::uint64_t index = static_cast<std::uint64_t>(iteration) * batch + size(tile) * lanes() + l;
    if (data_.fresh)
      data_.draw(index, point.data());
    else
      std::copy_n(data_.train.begin() + static_cast<std::ptrdiff_t>(order[from + l] * dim()), dim(), point.begin());
    for (std::size_t i = 0; i < dim(); ++i) tile_[i * lanes() + l] = point[i];
    Random random(batches_.seed, noise_stream, index);
    for (std::size_t i = l; i < noise_.size(); i += lanes())
      noise_[i] = batches_.gaussian ? random.normal() : random.below(2) ? 1.f : -1.f;
  }
  leaves_.assign(stride * (lanes() / size(model_.leaf())), 0.0f);
  const Status status =
      model_.loss(tile_.data(), noise_.data(), static_cast<int>(count), theta, {leaves_.data(), model_.leaf(), stride});
  work.evaluations_forward = static_cast<double>(model_.accounting().evaluations_forward);
  work.evaluations_backward = static_cast<double>(model_.accounting().evaluations_backward);
  drift_ = worse(drift_, model_.accounting().drift);
  sum_leaves(leaves_, stride, out);
  return status;
}

bool CnfTrainee::same_bits() const {
  return host::same_bits(tensors());
}

Status CnfTrainee::held_out(int tile, const float* theta, double& sum, double& count) {
  const std::size_t from = size(tile) * lanes() * dim();
  const std::size_t end = std::min(from + lanes() * dim(), data_.held_out.size());
  std::vector<float> points(data_.held_out.begin() + static_cast<std::ptrdiff_t>(from),
                            data_.held_out.begin() + static_cast<std::ptrdiff_t>(end));
  std::vector<double> log_p;
  const Status status = log_density(theta, std::move(points), log_p);
  for (const double v : log_p) sum -= v, count += 1;
  return status;
}

Status CnfTrainee::carry(float a, float b, const float* theta, std::vector<float>& points, std::vector<double>& gain) {
  const std::size_t rows = points.size() / dim();
  gain.assign(rows, 0);
  for (std::size_t from = 0; from < rows; from += lanes()) {
    const std::size_t count = std::min(lanes(), rows - from);
    std::fill(tile_.begin(), tile_.end(), 0.0f);
    for (std::size_t l = 0; l < count; ++l)
      for (std::size_t i = 0; i < dim(); ++i) tile_[i * lanes() + l] = points[(from + l) * dim() + i];
    if (const Status s = model_.carry(a, b, theta, tile_.data(), gain_.data()); s != Status::ok) return s;
    for (std::size_t l = 0; l < count; ++l) {
      for (std::size_t i = 0; i < dim(); ++i) points[(from + l) * dim() + i] = tile_[i * lanes() + l];
      gain[from + l] = static_cast<double>(gain_[l]);
    }
  }
  return Status::ok;
}

Status CnfTrainee::log_density(const float* theta, std::vector<float> points, std::vector<double>& log_p) {
  std::vector<double> gain;
  if (const Status s = carry(0, base(), theta, points, gain); s != Status::ok) return s;
  log_p.resize(gain.size());
  const auto variance = static_cast<double>(model_.config().base_variance);
  for (std::size_t r = 0; r < gain.size(); ++r) {
    log_p[r] = -gain[r] - .5 * static_cast<double>(dim()) * std::log(2 * std::numbers::pi * variance);
    for (std::size_t i = 0; i < dim(); ++i) {
      const auto z = static_cast<double>(points[r * dim() + i]);
      log_p[r] -= .5 * z * z / variance;
    }
  }
  return Status::ok;
}

Status CnfTrainee::sample(const float* theta, std::uint64_t seed, std::size_t first, std::size_t count,
                          std::vector<float>& points) {
  points.resize(count * dim());
  const float deviation = std::sqrt(model_.config().base_variance);
  for (std::size_t r = 0; r < count; ++r) {
    Random random(seed, sample_stream, first + r);
    for (std::size_t i = 0; i < dim(); ++i) points[r * dim() + i] = deviation * random.normal();
  }
  std::vector<double> gain;
  return carry(base(), 0, theta, points, gain);
}
}  // namespace revode::host
