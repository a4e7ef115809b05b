#include "models/image_trainee.hpp"

#include <algorithm>

#include "common/casts.hpp"
#include "common/error.hpp"
#include "revode/random.hpp"

namespace revode::host {
namespace {
constexpr std::uint32_t order_stream = 22, shift_stream = 23;
}  // namespace

ImageTrainee::ImageTrainee(const ImageSet& set, const Batches& batches, const OdeNet::Config& config)
    : set_(set),
      batches_(batches),
      network_(config),
      bytes_(network_.bytes()),
      order_(batches.seed, order_stream, set.train.size()) {
  Arena arena(reserve(memory_, bytes_, "--lanes"), bytes_);
  if (const Status s = network_.init(arena); s != Status::ok) throw Failure(Exit::usage, "--method", sentence(s));
  x_.resize(size(network_.rows_in()) * lanes());
  logits_.resize(size(config.classes) * lanes());
  label_.resize(lanes());
}

long ImageTrainee::iterations_per_epoch() const {
  return tiling().batches(set_.train.size());
}
int ImageTrainee::held_out_tiles() const {
  return tiling().held_out_tiles(set_.test.size());
}

/// An image, moved, into a lane of x; what comes from outside is 0.
void ImageTrainee::load(const Images& images, std::size_t image, std::size_t lane, int down, int right) {
  const std::uint8_t* pixels = images.at(image);
  float* to = x_.data() + lane;
  for (int c = 0; c < images.channels; ++c, pixels += images.height * images.width)
    for (int i = 0; i < images.height; ++i)
      for (int j = 0; j < images.width; ++j, to += lanes()) {
        const int y = i - down, x = j - right;
        const bool inside = y >= 0 && y < images.height && x >= 0 && x < images.width;
        *to = inside ? static_cast<float>(pixels[y * images.width + x]) * (1.0f / 255) : 0.0f;
      }
}

Status ImageTrainee::gradient(long iteration, int tile, const float* theta, float* out, TileWork& work) {
  const std::size_t stride = params() + statistics;
  const long per_epoch = iterations_per_epoch(), epoch = iteration / per_epoch;
  const std::vector<std::size_t>& samples = order_.of(epoch);
  const auto [from, count] = tiling().share(iteration % per_epoch, tile, samples.size());
  work.samples = static_cast<double>(count);
  std::fill(out, out + stride, 0.0f);
  if (count == 0) return Status::ok;
  std::fill(x_.begin(), x_.end(), 0.0f);
  std::fill(label_.begin(), label_.end(), -1);
  for (std::size_t lane = 0; lane < count; ++lane) {
    const std::size_t sample = samples[from + lane];
    Random random(batches_.seed, shift_stream, static_cast<std::uint64_t>(epoch) * samples.size() + sample);
    const auto moved = [&] {
      return batches_.shift
                 ? static_cast<int>(random.below(static_cast<std::uint32_t>(2 * batches_.shift + 1))) - batches_.shift
                 : 0;
    };
    const int down = moved(), right = moved();
    load(set_.train, sample, lane, down, right);
    label_[lane] = set_.train.labels[sample];
  }
  leaves_.assign(stride * (lanes() / leaf), 0.0f);
  const Status status =
      network_.loss(theta, x_.data(), label_.data(), {leaves_.data(), static_cast<int>(leaf), stride});
  const Accounting done = network_.accounting();
  work.evaluations_forward = static_cast<double>(done.evaluations_forward);
  work.evaluations_backward = static_cast<double>(done.evaluations_backward);
  sum_leaves(leaves_, stride, out);
  return status;
}

Status ImageTrainee::answers(const Images& images, std::size_t first, std::size_t count, const float* theta,
                             std::vector<Answer>& out) {
  std::fill(x_.begin(), x_.end(), 0.0f);
  for (std::size_t lane = 0; lane < count; ++lane) load(images, first + lane, lane, 0, 0);
  if (const Status s = network_.predict(theta, x_.data(), logits_.data()); s != Status::ok) return s;
  out.assign(count, {});
  const int classes = network_.config().classes;
  for (std::size_t lane = 0; lane < count; ++lane) {
    const auto logit = [&](int c) { return logits_[size(c) * lanes() + lane]; };
    int best = 0;
    for (int c = 1; c < classes; ++c)
      if (logit(c) > logit(best)) best = c;
    float sum = 0;
    for (int c = 0; c < classes; ++c) {
      const float over = logit(c) - logit(best);
      float e;
      kernel::evaluate(kernel::Function::exp, 1, &over, &e);
      sum += e;
    }
    out[lane] = {best, 1 / sum};
  }
  return Status::ok;
}

Status ImageTrainee::held_out(int tile, const float* theta, double& wrong, double& answers_) {
  const std::size_t from = size(tile) * lanes(), count = std::min(lanes(), set_.test.size() - from);
  std::vector<Answer> out;
  if (const Status s = answers(set_.test, from, count, theta, out); s != Status::ok) return s;
  for (std::size_t lane = 0; lane < count; ++lane) wrong += out[lane].digit != set_.test.labels[from + lane];
  answers_ += static_cast<double>(count);
  return Status::ok;
}
}  // namespace revode::host
