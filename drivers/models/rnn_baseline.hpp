/// The baseline of Chen et al. 2018, Table 2: a recurrent network run forwards in time that predicts each next
/// observation from the one before and the gap to it; beyond the window it is fed its own predictions. Trained on the
/// same Gaussian likelihood as the latent ODE. theta = GRU | head. Series must be observed in every channel.
#pragma once
#include "models/latent_ode.hpp"

namespace revode::host {
template <class T>
class RnnBaseline {
 public:
  struct Config {
    int lanes = 16, channels = 2, hidden = 25, observations = 100;
    T noise = T(.3);
  };
  explicit RnnBaseline(const Config& config);
  int params() const { return gru_.shape({}).params + head_.shape({}).params; }
  std::vector<Part> tensors() const;
  std::size_t bytes();
  Status init(Arena& arena);

  /// As LatentOde::loss; reads times, targets and weights of the tile.
  Status loss(const SeriesTile<T>& tile, const T* theta, const ThetaBar<T>& theta_bar);
  /// x[readings of asked][channels][lanes]: after the observations of `tile`, predictions at the times of `asked`.
  Status predict(const SeriesTile<T>& tile, const SeriesTile<T>& asked, const T* theta, T* x);

 private:
  void place(Arena& arena);
  Call<T> call(const T* theta);
  std::size_t rows(int count) const {
    return static_cast<std::size_t>(count) * static_cast<std::size_t>(config_.lanes);
  }
  T* cell_in(int step) const { return inputs_ + static_cast<std::size_t>(step) * rows(gru_.shape({}).in); }
  T* h(int step) const { return states_ + static_cast<std::size_t>(step) * rows(config_.hidden); }
  /// Input of a step: h of the step before, the value seen, the gap to the next time, 1 where there is one.
  void feed(int step, const T* x, const T* t, const T* next, const T* seen);
  Config config_;
  Gru<T> gru_;
  Dense<T> head_;
  Status status_ = Status::ok;
  T *inputs_ = nullptr, *states_ = nullptr, *x_ = nullptr, *x_bar_ = nullptr, *h_bar_ = nullptr, *in_bar_ = nullptr;
  T *sums_ = nullptr, *last_ = nullptr;
  std::byte *tapes_ = nullptr, *head_tape_ = nullptr, *work_ = nullptr;
};
}  // namespace revode::host
