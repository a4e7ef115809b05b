/// Networks that name images, in memory known beforehand: one Sequential of convolutions, residual blocks and ODE
/// blocks over tiles of samples.
///
///   odenet       stem, ODE block of f = norm relu conv norm relu conv norm (convolutions with time), head: the network
///                of Chen et al. 2018 as torchdiffeq/examples/odenet_mnist.py has it, 208,266 parameters on MNIST
///   resnet       the same stem and head around six residual blocks, 576,778 parameters on MNIST
///   mlp_odenet   f = sigmoid dense sigmoid dense over the pixels themselves, head sigmoid dense (Kelly et al. 2020)
///
/// stem: conv 3x3, then for each halving of the image norm relu conv 4x4 of stride 2. head: norm relu, global mean,
/// dense. More than one ODE block: one after another; with anode each is run again from its input on the way back.
#pragma once
#include <deque>
#include <string>
#include <vector>

#include "models/tensors.hpp"
#include "revode/adjoint_block.hpp"
#include "revode/block.hpp"
#include "revode/conv.hpp"
#include "revode/group_norm.hpp"
#include "revode/layers.hpp"
#include "revode/pool.hpp"
#include "revode/winograd.hpp"

namespace revode::host {
class OdeNet {
 public:
  enum class Kind { odenet, resnet, mlp_odenet };
  struct Config {
    Kind kind = Kind::odenet;
    int channels = 1, height = 28, width = 28, classes = 10;
    int filters = 64, groups = 32, halvings = 2;
    int augment = 0;         ///< channels (of mlp_odenet: rows) of zeros beside the state
    int blocks = 1;          ///< ODE blocks; of resnet residual ones
    bool anode = false;      ///< ODE blocks keep nothing but their input
    bool backsolve = false;  ///< ODE blocks come back by the continuous adjoint, with the plan's method and control
    int hidden = 100;        ///< of mlp_odenet
    int lanes = 16;
    Plan<float> plan;
    long steps = 2;
  };
  /// Failure (Exit::usage) where the sizes do not fit each other, naming the flag.
  explicit OdeNet(const Config& config);
  OdeNet(const OdeNet&) = delete;
  OdeNet& operator=(const OdeNet&) = delete;

  int rows_in() const { return network_->shape({}).in; }
  int params() const { return network_->shape({}).params; }
  std::vector<Part> tensors() const;
  /// Weights uniform in +-1/sqrt(inputs of one output), as are their biases (PyTorch's default); norms begin as 1 and
  /// 0.
  void initialise(std::uint64_t seed, float* theta) const;
  std::size_t bytes() const;
  Status init(Arena& arena);

  /// logits[classes][lanes] of x[rows_in][lanes]
  Status predict(const float* theta, const float* x, float* logits);
  /// Adds to theta_bar, whose stride counts params() + 3 behind which stand loss, wrong answers and samples, summed
  /// over the lanes whose label[lanes] is not negative.
  Status loss(const float* theta, const float* x, const int* label, const ThetaBar<float>& theta_bar);
  Accounting accounting() const { return tally_; }  ///< of the last call, all blocks together
  const Config& config() const { return config_; }
  /// Bytes that one ODE block holds from its way forward to its way back.
  std::size_t block_bytes() const;

 private:
  template <class Layer>
  const Map<float>& keep(std::deque<Layer>& all, const Layer& layer);
  const Sequential<float>& chain(std::vector<const Map<float>*> maps);
  const Map<float>& conv(int in, int out, int kernel, int stride, int padding, bool time, bool bias);
  const Map<float>& norm(int channels, bool relu);
  const Map<float>& dense(int in, int out, Activation act, bool time);
  void begin(const std::string& prefix) { prefix_ = prefix, index_ = 0; }
  void name(const std::string& what, std::vector<std::size_t> shape);
  void stem(std::vector<const Map<float>*>& all);
  void ode_blocks(std::vector<const Map<float>*>& all, const std::string& name);
  const Map<float>& field();
  void head(std::vector<const Map<float>*>& all);
  void place(Arena& arena);

  Config config_;
  int channels_ = 0, height_ = 0, width_ = 0;  // where the network under construction stands
  std::deque<Conv<float>> convs_;
  std::deque<WinogradConv<float>> winograds_;
  std::deque<GroupNorm<float>> norms_;
  std::deque<Dense<float>> denses_;
  std::deque<Activate<float>> activations_;
  std::deque<Augment<float>> augments_;
  std::deque<Residual<float>> residuals_;
  std::deque<Pool<float>> pools_;
  std::deque<Block<float>> blocks_;
  std::deque<AdjointBlock<float>> adjoint_blocks_;
  std::deque<Sequential<float>> chains_;
  std::deque<std::vector<const Map<float>*>> maps_;
  const Sequential<float>* network_ = nullptr;
  std::vector<Part> parts_;
  std::string prefix_;
  int index_ = 0;
  std::size_t offset_ = 0;
  Accounting tally_;
  Status status_ = Status::ok;
  float *logits_ = nullptr, *logits_bar_ = nullptr, *losses_ = nullptr;
  std::byte *tape_ = nullptr, *work_ = nullptr;
};
}  // namespace revode::host
