#include "common/updater.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "common/error.hpp"

namespace revode::host {
namespace {
Schedule schedule(const Options& options, long updates) {
  Schedule s;
  s.rate = options.number("training.rate");
  s.floor = std::min(s.rate, options.number("training.final_rate"));
  s.warmup = options.integer("training.warmup"), s.period = updates;
  const std::string& kind = options.text("training.schedule");
  if (kind == "cosine") s.kind = Schedule::Kind::cosine;
  if (kind == "one_cycle") s.kind = Schedule::Kind::one_cycle, s.warmup = 0;  // it has a rise of its own
  if (kind == "drops") {
    s.kind = Schedule::Kind::drops, s.factor = 0.1;
    for (const long eighths : {3, 5, 7}) s.drop[(eighths - 3) / 2] = updates / 8 * eighths + updates % 8 * eighths / 8;
  }
  if (kind != "exponential") return s;
  if (!(s.floor > 0))
    throw Failure(Exit::usage, "--final-rate", "an exponential schedule never reaches 0: give a rate above it");
  s.kind = Schedule::Kind::exponential;
  s.factor = std::pow(s.floor / s.rate, 1 / static_cast<double>(updates));
  return s;
}
}  // namespace

Updater::Updater(const Options& options, std::size_t params, long updates)
    : params_(params), schedule_(schedule(options, updates)), bytes_(2 * params * sizeof(float) + 2 * REVODE_ALIGN) {
  const double clip = options.number("training.clip");
  clip_ = clip > 0 ? static_cast<float>(clip) : INFINITY;
  void* at = bytes_.data();
  std::size_t space = bytes_.size();
  std::align(REVODE_ALIGN, 2 * params * sizeof(float), at, space);
  Arena arena(at, space);
  const std::string& name = options.text("training.optimizer");
  kind_ = name == "sgd" ? Kind::sgd : name == "adamax" ? Kind::adamax : Kind::adam;
  const auto decay = static_cast<float>(options.number("training.weight_decay"));
  sgd_.momentum = static_cast<float>(options.number("training.momentum"));
  adam_.decoupled = name == "adamw";
  sgd_.weight_decay = adam_.weight_decay = adamax_.weight_decay = decay;
  if (kind_ == Kind::sgd) sgd_.place(arena, params), sgd_.reset();
  if (kind_ == Kind::adam) adam_.place(arena, params), adam_.reset();
  if (kind_ == Kind::adamax) adamax_.place(arena, params), adamax_.reset();
}

std::span<float> Updater::moments() {
  if (kind_ == Kind::sgd) return {sgd_.moments(), sgd_.size()};
  if (kind_ == Kind::adam) return {adam_.moments(), adam_.size()};
  return {adamax_.moments(), adamax_.size()};
}

float Updater::update(long done, float* theta_bar, float* theta) {
  const float norm = clip_by_norm(params_, clip_, theta_bar);
  if (!std::isfinite(norm)) return norm;
  const auto rate_now = static_cast<float>(rate(done));
  if (kind_ == Kind::sgd) sgd_.update(rate_now, theta_bar, theta);
  if (kind_ == Kind::adam) adam_.update(rate_now, theta_bar, theta);
  if (kind_ == Kind::adamax) adamax_.update(rate_now, theta_bar, theta);
  return norm;
}
}  // namespace revode::host
