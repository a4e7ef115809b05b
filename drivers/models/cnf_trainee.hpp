/// The normalizing flow as what Training trains, and what else one asks of it: log p of points, samples, and the way
/// between data and base.
#pragma once
#include "common/batches.hpp"
#include "common/training.hpp"
#include "models/cnf.hpp"
#include "models/density_data.hpp"

namespace revode::host {
class CnfTrainee final : public Trainee {
 public:
  struct Batches {
    int tiles = 4;
    long per_epoch = 50;  ///< iterations, where every batch is drawn anew
    std::uint64_t seed = 1;
    bool gaussian = false;  ///< the noise of Hutchinson's estimate; else Rademacher's
  };
  /// Failure (Exit::usage) where the model cannot be made, or the data have fewer rows than a tile.
  CnfTrainee(const DensityData& data, const Batches& batches, const CnfModel<float>::Config& config);
  std::size_t params() const override { return static_cast<std::size_t>(model_.params()); }
  std::size_t buffers() const override { return static_cast<std::size_t>(model_.buffers()); }
  void initialise(float* theta) const override { model_.initialise(batches_.seed, theta); }
  std::size_t summed() const override { return static_cast<std::size_t>(model_.summed()); }
  Status prepare(const float* theta) override { return model_.prepare(theta); }
  float* gather(const float* theta, float* sums, Status& status) override { return model_.gather(theta, sums, status); }
  void track(const float* means, float* buffers) const override;
  long iterations_per_epoch() const override;
  Status gradient(long iteration, int tile, const float* theta, float* leaf, TileWork& work) override;
  int held_out_tiles() const override;
  Status held_out(int tile, const float* theta, double& sum, double& count) override;
  const char* metric() const override { return "nll"; }
  double score(double sum, double count) const override { return sum / count; }
  bool same_bits() const override;

  /// From position a to b of the model (cnf.hpp), points[row][dim] in place, and what log p gains, gain[row].
  Status carry(float a, float b, const float* theta, std::vector<float>& points, std::vector<double>& gain);
  /// log p of points[row][dim], in their own units.
  Status log_density(const float* theta, std::vector<float> points, std::vector<double>& log_p);
  /// Samples `first` to first + count - 1 of a seed, points[row][dim].
  Status sample(const float* theta, std::uint64_t seed, std::size_t first, std::size_t count,
                std::vector<float>& points);
  float base() const { return static_cast<float>(model_.config().flows); }  ///< its position
  std::vector<Part> tensors() const { return model_.tensors(); }
  std::size_t bytes() const override { return bytes_; }
  float drift() const { return drift_; }  ///< the worst of this rank's tiles so far, of reversal in floats

 private:
  std::size_t lanes() const { return static_cast<std::size_t>(model_.config().lanes); }
  Tiling tiling() const { return {batches_.tiles, lanes()}; }
  std::size_t dim() const { return static_cast<std::size_t>(data_.dim); }
  const DensityData& data_;
  Batches batches_;
  CnfModel<float> model_;
  std::vector<std::byte> memory_;
  std::vector<float> tile_, noise_, leaves_, gain_;
  SampleOrder order_;
  std::size_t bytes_ = 0;
  float drift_ = 0;
};
}  // namespace revode::host
