/// A network of images as what Training trains: batches of tiles with images shifted at random, gradients by leaf and
/// tree, the share of held-out images that it names wrongly.
#pragma once
#include <memory>

#include "common/batches.hpp"
#include "common/images.hpp"
#include "common/training.hpp"
#include "models/odenet.hpp"

namespace revode::host {
class ImageTrainee final : public Trainee {
 public:
  struct Batches {
    int tiles = 8;
    std::uint64_t seed = 1;
    int shift = 0;  ///< most pixels by which a training image is moved, each way (a random crop of the padded image)
  };
  /// `set` outlives it. Failure (Exit::usage) where network and images do not fit each other or the machine.
  ImageTrainee(const ImageSet& set, const Batches& batches, const OdeNet::Config& config);
  std::size_t params() const override { return static_cast<std::size_t>(network_.params()); }
  void initialise(float* theta) const override { network_.initialise(batches_.seed, theta); }
  long iterations_per_epoch() const override;
  Status gradient(long iteration, int tile, const float* theta, float* leaf, TileWork& work) override;
  int held_out_tiles() const override;
  /// Wrong answers, and answers.
  Status held_out(int tile, const float* theta, double& wrong, double& answers) override;
  const char* metric() const override { return "error"; }
  double score(double wrong, double answers) const override { return wrong / answers; }
  std::vector<Part> tensors() const { return network_.tensors(); }
  std::size_t bytes() const override { return bytes_; }
  std::size_t block_bytes() const { return network_.block_bytes(); }

  struct Answer {
    int digit = 0;
    float probability = 0;
  };
  /// What the network makes of images [first, first + count), count at most lanes.
  Status answers(const Images& images, std::size_t first, std::size_t count, const float* theta,
                 std::vector<Answer>& out);
  std::size_t lanes() const { return static_cast<std::size_t>(network_.config().lanes); }

 private:
  void load(const Images& images, std::size_t image, std::size_t lane, int down, int right);
  Tiling tiling() const { return {batches_.tiles, lanes()}; }
  const ImageSet& set_;
  Batches batches_;
  OdeNet network_;
  std::size_t bytes_ = 0;
  std::vector<std::byte> memory_;
  std::vector<float> x_, logits_, leaves_;  // x [rows][lanes]
  std::vector<int> label_;
  SampleOrder order_;
};
}  // namespace revode::host
