#include "models/series_trainee.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "common/batches.hpp"
#include "common/casts.hpp"
#include "common/error.hpp"
#include "models/solver_options.hpp"
#include "revode/random.hpp"

namespace revode::host {
namespace {
constexpr std::uint32_t order_stream = 6;
/// A model that cannot be made: an option that made it is wrong.
void require(Status status, const char* flag) {
  if (status != Status::ok) throw Failure(Exit::usage, flag, sentence(status));
}
}  // namespace

SeriesTrainee::SeriesTrainee(const SeriesData& data, const Batches& batches, int latent)
    : data_(data),
      batches_(batches),
      packer_(data, batches.lanes, latent),
      test_packer_(data, batches.lanes, latent),
      order_(batches.seed, order_stream, data.train.size()) {}

long SeriesTrainee::iterations_per_epoch() const {
  return tiling().batches(data_.train.size());
}
int SeriesTrainee::held_out_tiles() const {
  return tiling().held_out_tiles(data_.held_out.size());
}

Status SeriesTrainee::gradient(long iteration, int tile, const float* theta, float* out, TileWork& work) {
  const std::size_t stride = params() + statistics, lanes = size(batches_.lanes);
  const long per_epoch = iterations_per_epoch();
  const std::vector<std::size_t>& order = order_.of(iteration / per_epoch);
  const auto [from, count] = tiling().share(iteration % per_epoch, tile, order.size());
  work.samples = static_cast<double>(count);
  std::fill(out, out + stride, 0.0f);
  if (count == 0) return Status::ok;
  leaves_.assign(stride * (lanes / leaf), 0.0f);
  packer_.pack_noisy(data_.train, order.data() + from, count, batches_.least_part, batches_.seed,
                     static_cast<std::uint64_t>(iteration));
  const Status status = tile_gradient(iteration, theta, {leaves_.data(), static_cast<int>(leaf), stride}, work);
  sum_leaves(leaves_, stride, out);
  return status;
}

bool SeriesTrainee::same_bits() const {
  return host::same_bits(tensors());
}

Status SeriesTrainee::held_out(int tile, const float* theta, double& squares, double& values) {
  const std::size_t lanes = size(batches_.lanes), from = size(tile) * lanes;
  const std::size_t count = std::min(lanes, data_.held_out.size() - from);
  std::vector<std::size_t> index(count);
  std::iota(index.begin(), index.end(), from);
  if (const Status s = predict(index.data(), count, theta, predictions_); s != Status::ok) return s;
  for (std::size_t lane = 0; lane < count; ++lane) {
    const Points& test = data_.held_out[from + lane].test;
    for (std::size_t k = 0; k < test.values.size(); ++k) {
      if (std::isnan(test.values[k])) continue;
      const double error = static_cast<double>(predictions_[k * lanes + lane]) - test.values[k];
      squares += error * error, values += 1;
    }
  }
  return Status::ok;
}

LatentOdeTrainee::LatentOdeTrainee(const SeriesData& data, const Batches& batches, LatentOde<float>::Config config,
                                   const Settings& settings)
    : SeriesTrainee(data, batches, config.latent), settings_(settings) {
  const long further =
      static_cast<long>(std::ceil(static_cast<double>(settings.steps) * data.horizon / data.window - 1e-9));
  const double h = data.window / static_cast<double>(settings.steps);
  grid_ = {0, static_cast<float>(data.window), settings.steps};
  // The last test time is inside, however its product was rounded.
  long_grid_ = {0, static_cast<float>(std::max(h * static_cast<double>(further), data.horizon)), further};
  config.lanes = batches.lanes, config.channels = data.channels, config.channel_masks = data.channel_masks();
  config.encoder_steps = packer_.encoder_steps(), config.readings = packer_.readings();
  make_room(config.plan, std::max(settings.steps, further), config.latent, batches.lanes, settings.tape_bits);
  model_ = std::make_unique<LatentOde<float>>(config);
  bytes_ = model_->bytes();
  Arena arena(reserve(memory_, bytes_,
                      config.plan.way != Way::stored   ? "--lanes"
                      : config.plan.control.adaptive() ? "--most-steps"
                                                       : "--steps"),
              bytes_);
  require(model_->init(arena), "--method");
}

Status LatentOdeTrainee::tile_gradient(long iteration, const float* theta, const ThetaBar<float>& theta_bar,
                                       TileWork& work) {
  const double risen = settings_.kl_warmup > 0 ? static_cast<double>(iteration) / settings_.kl_warmup : 1.0;
  const double kl = settings_.kl_weight * std::min(1.0, risen);
  const Status status = model_->loss(packer_.tile(), grid_, theta, static_cast<float>(kl), theta_bar);
  const Accounting done = model_->accounting();
  work.evaluations_forward = static_cast<double>(done.evaluations_forward);
  work.evaluations_backward = static_cast<double>(done.evaluations_backward);
  return status;
}

Status LatentOdeTrainee::predict(const std::size_t* index, std::size_t count, const float* theta,
                                 std::vector<float>& x) {
  test_packer_.pack(data_.held_out, index, count, TilePacker<float>::Ask::tests);
  x.resize(size(test_packer_.readings()) * size(data_.channels) * size(batches_.lanes));
  return model_->predict(test_packer_.tile(), long_grid_, theta, x.data());
}

Status LatentOdeTrainee::predict_at(const std::vector<double>& times, const std::size_t* index, std::size_t count,
                                    const float* theta, std::vector<float>& x) {
  test_packer_.pack(data_.held_out, index, count, TilePacker<float>::Ask::tests);
  SeriesTile<float> tile = test_packer_.tile();
  std::vector<float> at;
  const std::size_t room = size(test_packer_.readings()), one = size(data_.channels) * size(batches_.lanes);
  x.clear();
  for (std::size_t from = 0; from < times.size();
       from += room) {  // as many readings at a time as the model has room for
    const std::size_t n = std::min(room, times.size() - from);
    at.clear();
    for (std::size_t i = 0; i < n; ++i) at.insert(at.end(), size(batches_.lanes), static_cast<float>(times[from + i]));
    tile.readings = static_cast<int>(n), tile.times = at.data();
    x.resize((from + n) * one);
    if (const Status s = model_->predict(tile, long_grid_, theta, x.data() + from * one); s != Status::ok) return s;
  }
  return Status::ok;
}

RnnTrainee::RnnTrainee(const SeriesData& data, const Batches& batches, RnnBaseline<float>::Config config)
    : SeriesTrainee(data, batches, 1), model_([&] {
        config.lanes = batches.lanes, config.channels = data.channels;
        config.observations = static_cast<int>(std::max(data.most_targets(), data.most_observations()));
        return config;
      }()) {
  bytes_ = model_.bytes();
  Arena arena(reserve(memory_, bytes_, "--lanes"), bytes_);
  require(model_.init(arena), "--model");
}

Status RnnTrainee::tile_gradient(long, const float* theta, const ThetaBar<float>& theta_bar, TileWork&) {
  return model_.loss(packer_.tile(), theta, theta_bar);
}

Status RnnTrainee::predict(const std::size_t* index, std::size_t count, const float* theta, std::vector<float>& x) {
  packer_.pack(data_.held_out, index, count, TilePacker<float>::Ask::observed);
  test_packer_.pack(data_.held_out, index, count, TilePacker<float>::Ask::tests);
  x.resize(size(test_packer_.readings()) * size(data_.channels) * size(batches_.lanes));
  return model_.predict(packer_.tile(), test_packer_.tile(), theta, x.data());
}
}  // namespace revode::host
