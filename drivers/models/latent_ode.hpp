/// The latent ODE (Chen et al. 2018; Rubanova et al. 2019) of one tile of irregular series, in memory known beforehand.
///
///   encoder   recurrent, run backwards in time over each sample's own observations: a GRU with the gap as an input, or
///   an
///             ODE-RNN, whose state also follows an ODE over the gap; its last state gives q(z0) = N(mean,
///             exp(log_var))
///   z0        mean + exp(log_var / 2) noise
///   dz/dt     = field(z), one solve for the tile, read at each sample's own times (readout.hpp)
///   decoder   z(t) to the mean of a Gaussian with standard deviation `noise`
///   loss      -E log p(x | z0) + kl_weight KL(q || N(0, I)), summed over the samples of a leaf
///
/// theta = encoder | head | field | decoder.
#pragma once
#include <string>
#include <vector>

#include "models/tensors.hpp"
#include "revode/block.hpp"
#include "revode/gru.hpp"
#include "revode/readout.hpp"
#include "revode/sequential.hpp"

namespace revode::host {
/// What a tile of samples brings along. Rows of inputs: gap to the observation handled before, time since the window's
/// beginning, channels, channel masks where the data have empty cells, and last 1 (observed) or 0 (padding). The
/// encoder takes them in order, so they stand latest first; the last step is the way to the window's beginning, without
/// observation.
template <class T>
struct SeriesTile {
  const T* inputs = nullptr;   // [encoder_steps][input_rows][lanes]
  int readings = 0;            // at most Config::readings
  const T* times = nullptr;    // [readings][lanes], ascending; padding: beyond the end
  const T* targets = nullptr;  // [readings][channels][lanes]
  const T* weights = nullptr;  // [readings][channels][lanes]: 1 where the target counts, else 0
  const T* active = nullptr;   // [lanes]: 1 a sample, 0 padding
  const T* noise = nullptr;    // [latent][lanes] standard normal; null: z0 = mean
};

/// One ODE-RNN step: rows [h | gap, inputs | mask] to h; the ODE carries h over the gap, the GRU takes the observation
/// in.
template <class T>
class OdeRnnCell final : public Map<T> {
 public:
  OdeRnnCell(const Map<T>& paced_block, const Gru<T>& gru) : block_(&paced_block), gru_(&gru) {}
  Shape shape(Extent e) const override;
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;

 private:
  const Map<T>* block_;  // [h | pace] to [h | pace]
  const Gru<T>* gru_;
};

template <class T>
class LatentOde {
 public:
  struct Config {
    int lanes = 32, channels = 2;
    bool channel_masks = false;
    int latent = 4, hidden = 25;
    int field_width = 20, field_layers = 1, decoder_width = 20;
    Activation field_activation = Activation::elu;
    bool ode_rnn = false;
    int encoder_steps = 101;  // observations of the longest series, and one
    int readings = 200;
    long most_steps = 64;  // of a solve
    Plan<T> plan;
    T noise = T(.3);
  };
  static constexpr int statistics = 3;  // loss, sum of squared errors, number of values: reduced with the gradient

  explicit LatentOde(const Config& config);
  LatentOde(const LatentOde&) = delete;
  LatentOde& operator=(const LatentOde&) = delete;

  int params() const { return decoder_at_ + decoder_.shape({}).params; }
  int input_rows() const { return gru_.input() + 1; }
  std::vector<Part> tensors() const;
  void initialise(std::uint64_t seed, T* theta) const;
  std::size_t bytes();
  Status init(Arena& arena);

  /// Adds to theta_bar, whose stride counts params() + statistics: the statistics come last.
  Status loss(const SeriesTile<T>& tile, const Grid<T>& grid, const T* theta, T kl_weight,
              const ThetaBar<T>& theta_bar);
  /// x[readings][channels][lanes]: decoded means at the tile's times; z0 from its noise.
  Status predict(const SeriesTile<T>& tile, const Grid<T>& grid, const T* theta, T* x);
  Accounting accounting() const { return solve_->accounting(); }
  const Config& config() const { return config_; }

 private:
  void place(Arena& arena);
  Status encode(const SeriesTile<T>& tile, const T* theta);
  Status decode_forward(const SeriesTile<T>& tile, const Grid<T>& grid, const T* theta);
  void likelihood(const SeriesTile<T>& tile, int reading, T* x_bar);
  void add_kl(const SeriesTile<T>& tile, T kl_weight);
  Call<T> call(const T* theta);
  std::size_t rows(int count) const {
    return static_cast<std::size_t>(count) * static_cast<std::size_t>(config_.lanes);
  }

  Config config_;
  Gru<T> gru_;
  Mlp<T> encoder_field_;
  Paced<T> paced_;
  Block<T> block_;
  OdeRnnCell<T> ode_rnn_;
  Unroll<T> recurrent_;
  Dense<T> head_;
  Mlp<T> field_, decoder_;
  int head_at_ = 0, field_at_ = 0, decoder_at_ = 0;
  Solve<T> solve_;
  Readout<T> readout_;
  Status status_ = Status::ok;
  T *h_ = nullptr, *h_bar_ = nullptr, *code_ = nullptr, *code_bar_ = nullptr, *sigma_ = nullptr, *z0_ = nullptr;
  T *z_ = nullptr, *z_bar_ = nullptr, *x_ = nullptr, *x_bar_ = nullptr, *sums_ = nullptr;
  std::byte *recurrent_tape_ = nullptr, *head_tape_ = nullptr, *decoder_tape_ = nullptr, *work_ = nullptr;
};
}  // namespace revode::host
