/// The models of irregular series as what Training trains: batches of tiles, gradients by leaf and tree, held-out
/// errors.
#pragma once
#include <memory>

#include "common/batches.hpp"
#include "common/training.hpp"
#include "models/rnn_baseline.hpp"
#include "models/series_data.hpp"

namespace revode::host {
/// What both models share: the order of samples, which is a function of (seed, epoch), and tiles of them.
class SeriesTrainee : public Trainee {
 public:
  struct Batches {
    int tiles = 4, lanes = 16;
    std::uint64_t seed = 1;
    double least_part = 1;  ///< of the window that the encoder sees in training, see TilePacker::pack_noisy
  };
  SeriesTrainee(const SeriesData& data, const Batches& batches, int latent);
  long iterations_per_epoch() const override;
  int held_out_tiles() const override;
  Status held_out(int tile, const float* theta, double& squares, double& values) override;
  Status gradient(long iteration, int tile, const float* theta, float* leaf, TileWork& work) override;
  bool same_bits() const override;
  /// Predictions for held-out samples of a tile, [reading][channel][lane], at their test times.
  virtual Status predict(const std::size_t* index, std::size_t count, const float* theta, std::vector<float>& x) = 0;
  std::size_t lanes() const { return static_cast<std::size_t>(batches_.lanes); }
  virtual std::vector<Part> tensors() const = 0;

 protected:
  virtual Status tile_gradient(long iteration, const float* theta, const ThetaBar<float>& theta_bar,
                               TileWork& work) = 0;
  std::vector<std::byte> memory_;
  const SeriesData& data_;
  Batches batches_;
  TilePacker<float> packer_, test_packer_;

 private:
  Tiling tiling() const { return {batches_.tiles, lanes()}; }
  std::vector<float> leaves_, predictions_;
  SampleOrder order_;
};

class LatentOdeTrainee final : public SeriesTrainee {
 public:
  struct Settings {
    long steps = 8;           ///< of the solver over the window, where tolerances do not choose them
    int tape_bits = 8;        ///< of the taped way, a step and number
    double kl_weight = 1;     ///< of the KL term; 1: the evidence lower bound
    double kl_warmup = 4000;  ///< updates over which it rises from 0
  };
  LatentOdeTrainee(const SeriesData& data, const Batches& batches, LatentOde<float>::Config config,
                   const Settings& settings);
  std::size_t params() const override { return static_cast<std::size_t>(model_->params()); }
  void initialise(float* theta) const override { model_->initialise(batches_.seed, theta); }
  std::vector<Part> tensors() const override { return model_->tensors(); }
  std::size_t bytes() const override { return bytes_; }
  Status predict(const std::size_t* index, std::size_t count, const float* theta, std::vector<float>& x) override;
  /// The same at any times, ascending and the same for all samples.
  Status predict_at(const std::vector<double>& times, const std::size_t* index, std::size_t count, const float* theta,
                    std::vector<float>& x);

 private:
  Status tile_gradient(long iteration, const float* theta, const ThetaBar<float>& theta_bar, TileWork& work) override;
  Grid<float> grid_, long_grid_;
  Settings settings_;
  std::unique_ptr<LatentOde<float>> model_;
  std::size_t bytes_ = 0;
};

class RnnTrainee final : public SeriesTrainee {
 public:
  RnnTrainee(const SeriesData& data, const Batches& batches, RnnBaseline<float>::Config config);
  std::size_t params() const override { return static_cast<std::size_t>(model_.params()); }
  void initialise(float* theta) const override { initialise_uniform(model_.tensors(), batches_.seed, theta); }
  std::vector<Part> tensors() const override { return model_.tensors(); }
  std::size_t bytes() const override { return bytes_; }
  Status predict(const std::size_t* index, std::size_t count, const float* theta, std::vector<float>& x) override;

 private:
  Status tile_gradient(long iteration, const float* theta, const ThetaBar<float>& theta_bar, TileWork& work) override;
  RnnBaseline<float> model_;
  std::size_t bytes_ = 0;
};
}  // namespace revode::host
