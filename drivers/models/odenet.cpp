#include "models/odenet.hpp"

#include <cmath>

#include "common/casts.hpp"
#include "common/error.hpp"
#include "revode/random.hpp"

namespace revode::host {
namespace {
constexpr std::uint32_t weight_stream = 21;
/// Sizes that the user's options make impossible.
void require(bool good, const char* flag, const std::string& what) {
  if (!good) throw Failure(Exit::usage, flag, what);
}
}  // namespace

OdeNet::OdeNet(const Config& config)
    : config_(config), channels_(config.channels), height_(config.height), width_(config.width) {
  std::vector<const Map<float>*> all;
  if (config.kind == Kind::mlp_odenet) {
    channels_ *= height_ * width_, height_ = width_ = 1;  // rows of a state without space
    ode_blocks(all, "ode");
    begin("head");
    all.push_back(&keep(activations_, Activate<float>(channels_, Activation::sigmoid)));
    all.push_back(&dense(channels_, config.classes, Activation::identity, false));
  } else {
    require(config.filters % config.groups == 0, "--groups", "must divide --filters");
    stem(all);
    if (config.kind == Kind::odenet) ode_blocks(all, "ode");
    for (int i = 0; config.kind == Kind::resnet && i < config.blocks; ++i) {
      begin("residual." + std::to_string(i));
      std::vector<const Map<float>*> path;
      for (int j = 0; j < 2; ++j) {
        path.push_back(&norm(channels_, true));
        path.push_back(&conv(channels_, channels_, 3, 1, 1, false, false));
      }
      all.push_back(&keep(residuals_, Residual<float>(chain(std::move(path)))));
    }
    head(all);
  }
  network_ = &chain(std::move(all));
}

template <class Layer>
const Map<float>& OdeNet::keep(std::deque<Layer>& all, const Layer& layer) {
  all.push_back(layer);
  return all.back();
}
const Sequential<float>& OdeNet::chain(std::vector<const Map<float>*> maps) {
  maps_.push_back(std::move(maps));
  chains_.emplace_back(maps_.back().data(), static_cast<int>(maps_.back().size()));
  return chains_.back();
}
void OdeNet::name(const std::string& what, std::vector<std::size_t> shape) {
  parts_.push_back({prefix_ + "." + std::to_string(index_) + "." + what, std::move(shape), offset_});
  offset_ += parts_.back().count();
}

const Map<float>& OdeNet::conv(int in, int out, int kernel, int stride, int padding, bool time, bool bias) {
  const Conv<float>::Sizes sizes{in, out, height_, width_, kernel, stride, padding, time};
  require(sizes.valid(), "--halvings",
          "leave nothing of images of " + std::to_string(config_.width) + " x " + std::to_string(config_.height) +
              ": lower it");
  name("weight", {size(out), size(in + (time ? 1 : 0)), size(kernel), size(kernel)});
  if (bias) name("bias", {size(out)});
  ++index_;
  height_ = sizes.out_height(), width_ = sizes.out_width(), channels_ = out;
  if (kernel::winograd_pays(sizes)) return keep(winograds_, WinogradConv<float>(sizes, bias));
  return keep(convs_, Conv<float>(sizes, bias));
}
const Map<float>& OdeNet::norm(int channels, bool relu) {
  name("gamma", {size(channels)});
  name("beta", {size(channels)});
  ++index_;
  const int groups = channels % config_.groups == 0 ? config_.groups : 1;  // augmented channels may not divide
  return keep(norms_, GroupNorm<float>({channels, groups, height_ * width_}, relu));
}
const Map<float>& OdeNet::dense(int in, int out, Activation act, bool time) {
  name("weight", {size(out), size(in)});
  if (time) name("time_weight", {size(out)});
  name("bias", {size(out)});
  ++index_;
  return keep(denses_, Dense<float>(in, out, act, time));
}

void OdeNet::stem(std::vector<const Map<float>*>& all) {
  begin("stem");
  all.push_back(&conv(channels_, config_.filters, 3, 1, 0, false, true));
  for (int i = 0; i < config_.halvings; ++i) {
    all.push_back(&norm(channels_, true));
    all.push_back(&conv(channels_, channels_, 4, 2, 1, false, true));
  }
}

const Map<float>& OdeNet::field() {
  if (config_.kind == Kind::mlp_odenet)
    return chain({&keep(activations_, Activate<float>(channels_, Activation::sigmoid)),
                  &dense(channels_, config_.hidden, Activation::sigmoid, true),
                  &dense(config_.hidden, channels_, Activation::identity, true)});
  std::vector<const Map<float>*> layers;
  for (int i = 0; i < 2; ++i) {
    layers.push_back(&norm(channels_, true));
    layers.push_back(&conv(channels_, channels_, 3, 1, 1, true, true));
  }
  layers.push_back(&norm(channels_, false));
  return chain(std::move(layers));
}

void OdeNet::ode_blocks(std::vector<const Map<float>*>& all, const std::string& prefix) {
  if (config_.augment > 0) {
    const int area = height_ * width_;
    all.push_back(&keep(augments_, Augment<float>(channels_ * area, config_.augment * area)));
    channels_ += config_.augment;
  }
  for (int i = 0; i < config_.blocks; ++i) {
    begin(prefix + "." + std::to_string(i));
    const Grid<float> grid{0, 1, config_.steps};
    if (config_.backsolve) {
      BacksolvePlan<float> plan;
      plan.method = plan.method_back = config_.plan.method;
      plan.control = plan.control_back = config_.plan.control;
      all.push_back(&keep(adjoint_blocks_, AdjointBlock<float>(field(), plan, grid, &tally_)));
    } else {
      all.push_back(&keep(blocks_, Block<float>(field(), config_.plan, grid, config_.anode, &tally_)));
    }
  }
}

void OdeNet::head(std::vector<const Map<float>*>& all) {
  begin("head");
  all.push_back(&norm(channels_, true));
  all.push_back(&keep(pools_, Pool<float>::global(channels_, height_, width_)));
  all.push_back(&dense(channels_, config_.classes, Activation::identity, false));
}

std::vector<Part> OdeNet::tensors() const {
  return parts_;
}

void OdeNet::initialise(std::uint64_t seed, float* theta) const {
  double bound = 1;
  std::uint64_t index = 0;
  for (const Part& part : parts_) {
    std::size_t count = 1, inputs = 1;
    for (std::size_t i = 0; i < part.shape.size(); ++i) count *= part.shape[i], inputs *= i ? part.shape[i] : 1;
    if (part.shape.size() > 1) bound = 1 / std::sqrt(static_cast<double>(inputs));
    Random random(seed, weight_stream, index++);
    const bool gamma = part.name.ends_with("gamma"), fixed = gamma || part.name.ends_with("beta");
    for (std::size_t i = 0; i < count; ++i) {
      const double drawn = bound * (2 * static_cast<double>(random.uniform()) - 1);
      theta[part.offset + i] = static_cast<float>(fixed ? (gamma ? 1 : 0) : drawn);
    }
  }
}

void OdeNet::place(Arena& arena) {
  const Extent extent{config_.lanes, 0};
  const Shape shape = network_->shape(extent);
  const std::size_t logits = size(config_.classes) * size(config_.lanes);
  logits_ = arena.take<float>(logits), logits_bar_ = arena.take<float>(logits);
  losses_ = arena.take<float>(size(config_.lanes));
  tape_ = arena.take<std::byte>(shape.tape), work_ = arena.take<std::byte>(shape.work);
}
std::size_t OdeNet::bytes() const {
  OdeNet* self = const_cast<OdeNet*>(this);
  Arena measure;
  self->place(measure);
  return measure.bytes();
}
Status OdeNet::init(Arena& arena) {
  for (const Block<float>& block : blocks_)
    if (block.shape({config_.lanes, 0}).in == 0) return Status::bad_argument;
  if (!blocks_.empty())
    if (const Status s = fits(config_.plan); s != Status::ok) return s;
  place(arena);
  return arena.ok() ? Status::ok : Status::bad_argument;
}
std::size_t OdeNet::block_bytes() const {
  const Extent extent{config_.lanes, 0};
  if (!adjoint_blocks_.empty()) return adjoint_blocks_.front().shape(extent).tape;
  return blocks_.empty() ? 0 : blocks_.front().shape(extent).tape;
}

Status OdeNet::predict(const float* theta, const float* x, float* logits) {
  status_ = Status::ok, tally_ = {};
  Call<float> call;
  call.extent = {config_.lanes, 0}, call.theta = theta, call.work = work_, call.status = &status_;
  network_->eval(call, x, logits, tape_);
  return status_;
}

Status OdeNet::loss(const float* theta, const float* x, const int* label, const ThetaBar<float>& theta_bar) {
  if (const Status s = predict(theta, x, logits_); s != Status::ok) return s;
  const int lanes = config_.lanes, classes = config_.classes;
  kernel::softmax_loss(classes, lanes, logits_, label, losses_, logits_bar_);
  for (int l = 0; l < lanes; ++l) {
    if (label[l] < 0) continue;
    float* statistics = theta_bar.at + size(l / theta_bar.leaf) * theta_bar.stride + params();
    int best = 0;
    for (int c = 1; c < classes; ++c)
      if (logits_[c * lanes + l] > logits_[best * lanes + l]) best = c;
    statistics[0] += losses_[l], statistics[1] += best == label[l] ? 0.0f : 1.0f, statistics[2] += 1;
  }
  Call<float> call;
  call.extent = {lanes, 0}, call.theta = theta, call.work = work_, call.status = &status_;
  network_->vjp(call, x, logits_, tape_, logits_bar_, nullptr, {theta_bar, nullptr});
  return status_;
}
}  // namespace revode::host
