// The latent ODE of torchdiffeq's examples/latent_ode.py, put together from maps of the core: data, loss and gradient
// of tests/peers/latent_model.py, where the settings come from.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <vector>

#include "bytes.hpp"
#include "revode/gru.hpp"
#include "revode/optimizer.hpp"
#include "revode/random.hpp"
#include "revode/readout.hpp"
#include "revode/sequential.hpp"

namespace bench {
using namespace revode;

inline std::size_t size(int n) {
  return static_cast<std::size_t>(n);
}

/// A part of one of two spirals of 500 points over 6 pi, with noise: seen[points][2].
inline std::vector<double> spiral(int sample, int points, double noise) {
  constexpr int total = 500;
  constexpr double turns = 6 * std::numbers::pi;
  Random random(1, 0, static_cast<std::uint64_t>(sample));
  const bool clockwise = random.below(2) == 0;
  const int start = points + static_cast<int>(random.below(static_cast<std::uint32_t>(total - 2 * points)));
  std::vector<double> seen;
  for (int i = start; i < start + points; ++i) {
    const double along = i * turns / (total - 1), angle = clockwise ? turns + 1 - along : along;
    const double radius = clockwise ? 0.3 * 50 / angle : 0.3 * angle;
    seen.push_back(radius * std::cos(angle) + (clockwise ? -5 : 5) + noise * static_cast<double>(random.normal()));
    seen.push_back(radius * std::sin(angle) + noise * static_cast<double>(random.normal()));
  }
  return seen;
}

template <class T>
class LatentModel {
 public:
  static constexpr int points = 100, latent = 4, channels = 2, hidden = 20, rnn_hidden = 25;
  static constexpr double noise = 0.3, end = (points - 1) * 6 * std::numbers::pi / 499;

  LatentModel(int samples, int lanes, long most_steps)
      : samples_(samples), lanes_(lanes), tiles_((samples + lanes - 1) / lanes) {
    plan_.method = runge_kutta(tableau::rk4<T>);
    plan_.way = Way::stored;
    plan_.arithmetic = Arithmetic::real;
    plan_.stored_steps = most_steps;
    plan_.keep_stages = true;
    head_at_ = rows(recurrent_), field_at_ = head_at_ + rows(head_), decoder_at_ = field_at_ + rows(field_);
    theta.resize(params());
    Arena measure;
    place(measure);
    bytes_ = Bytes(measure.bytes());
    Arena arena = bytes_.arena();
    place(arena);
    good_ = status_ == Status::ok && arena.ok();
    adam_.reset();
    draw_parameters();
    draw_data();
    redraw(0);
  }

  std::size_t params() const { return decoder_at_ + rows(decoder_); }
  bool good() const { return good_; }
  Accounting accounting() const { return solve_->accounting(); }
  /// The mean loss; its gradient is gradient()[0 .. params()).
  T loss(long steps) {
    std::memset(slices_, 0, size(tiles_) * stride() * sizeof(T));
    for (int tile = 0; tile < tiles_; ++tile) good_ &= add_tile(tile, steps) == Status::ok;
    kernel::tree_slices(stride(), tiles_, stride(), slices_);
    return slices_[params()];
  }
  const T* gradient() const { return slices_; }
  T iterate(long steps) {
    const T value = loss(steps);
    adam_.update(T(.01), slices_, theta.data());
    return value;
  }
  /// Another sample of the standard normal numbers behind z0.
  void redraw(int iteration) {
    Random random(3, 1, static_cast<std::uint64_t>(iteration));
    for (std::size_t i = 0; i < size(tiles_ * latent * lanes_); ++i) epsilon_[i] = static_cast<T>(random.normal());
  }
  /// The latent paths of the first tile at all times, [points][latent][lanes].
  std::vector<T> paths(long steps) {
    good_ &= encode(0) == Status::ok && follow(steps) == Status::ok;
    return {z_, z_ + size(points * latent * lanes_)};
  }

  std::vector<T> theta;

 private:
  static std::size_t rows(const Map<T>& map) { return size(map.shape({}).params); }
  std::size_t stride() const { return params() + 1; }  // the loss comes last
  void place(Arena& arena);
  void draw_parameters();
  void draw_data();
  Call<T> call(std::size_t at) {
    Call<T> c;
    c.extent = {lanes_, 0}, c.theta = theta.data() + at, c.work = work_, c.status = &status_;
    return c;
  }
  Bar<T> bar(int tile, std::size_t at = 0) const {
    return {{slices_ + size(tile) * stride() + at, lanes_, stride()}, nullptr};
  }
  Status encode(int tile);
  Status follow(long steps);
  void decode(int tile);
  void add_kl(int tile);
  Status add_tile(int tile, long steps);

  int samples_, lanes_, tiles_;
  const Dense<T> cell_{rnn_hidden + channels, rnn_hidden, Activation::tanh}, head_{rnn_hidden, 2 * latent};
  const Unroll<T> recurrent_{cell_, points};
  const Mlp<T> field_{{latent, hidden, hidden, latent}, Activation::elu};
  const Mlp<T> decoder_{{latent, hidden, channels}, Activation::relu};
  std::size_t head_at_, field_at_, decoder_at_;
  Plan<T> plan_;
  Bytes bytes_{0};
  Solve<T> solve_;
  Readout<T> readout_;
  Adam<T> adam_;
  Status status_ = Status::ok;
  bool good_ = false;
  T *seen_, *epsilon_, *active_, *times_, *slices_, *h_, *h_bar_, *code_, *code_bar_, *sigma_, *z0_, *z_, *z_bar_, *x_,
      *x_bar_, *loss_;
  std::byte *recurrent_tape_, *head_tape_, *decoder_tape_, *work_;
};

template <class T>
void LatentModel<T>::place(Arena& arena) {
  const auto take = [&](int count) { return arena.take<T>(size(count) * size(lanes_)); };
  if (arena.measuring())
    Solve<T>::place(arena, field_, plan_, lanes_);
  else
    status_ = solve_.init(arena, field_, plan_, lanes_);
  readout_.place(arena, field_, lanes_, points);
  adam_.place(arena, params());
  slices_ = arena.take<T>(size(tiles_) * stride());
  seen_ = take(tiles_ * points * channels), epsilon_ = take(tiles_ * latent), active_ = take(tiles_);
  times_ = take(points), h_ = take(rnn_hidden), h_bar_ = take(rnn_hidden), code_ = take(2 * latent);
  code_bar_ = take(2 * latent), sigma_ = take(latent), z0_ = take(latent), z_ = take(points * latent);
  z_bar_ = take(points * latent), x_ = take(channels), x_bar_ = take(channels), loss_ = take(1);
  const Extent e{lanes_, 0};
  recurrent_tape_ = arena.take<std::byte>(recurrent_.shape(e).tape);
  head_tape_ = arena.take<std::byte>(head_.shape(e).tape);
  decoder_tape_ = arena.take<std::byte>(decoder_.shape(e).tape);
  work_ = arena.take<std::byte>(std::max({recurrent_.shape(e).work, head_.shape(e).work, decoder_.shape(e).work}));
}

/// As torch.nn.Linear draws: uniform within 1 / sqrt(inputs).
template <class T>
void LatentModel<T>::draw_parameters() {
  Random random(2, 0);
  std::size_t at = 0;
  const auto draw = [&](const Dense<T>& layer) {
    const double bound = 1 / std::sqrt(static_cast<double>(layer.in()));
    for (std::size_t end_at = at + rows(layer); at < end_at; ++at)
      theta[at] = static_cast<T>(bound * (2 * static_cast<double>(random.uniform()) - 1));
  };
  draw(cell_), draw(head_);
  for (int i = 0; i < field_.size(); ++i) draw(field_.layer(i));
  for (int i = 0; i < decoder_.size(); ++i) draw(decoder_.layer(i));
}

/// seen_[tile][point, latest first][channel][lane]; lanes without a sample see a spiral too, but nobody asks for it.
template <class T>
void LatentModel<T>::draw_data() {
  for (int sample = 0; sample < tiles_ * lanes_; ++sample) {
    const std::vector<double> all = spiral(sample, points, noise);
    const std::size_t tile = size(sample / lanes_), lane = size(sample % lanes_), lanes = size(lanes_);
    T* const to = seen_ + tile * size(points * channels) * lanes + lane;
    for (std::size_t p = 0; p < points; ++p)
      for (std::size_t c = 0; c < channels; ++c)
        to[((points - 1 - p) * channels + c) * lanes] = static_cast<T>(all[p * channels + c]);
    active_[size(sample)] = sample < samples_ ? T(1) / static_cast<T>(samples_) : T(0);
  }
  for (int p = 0; p < points; ++p)
    std::fill_n(times_ + size(p * lanes_), lanes_, p + 1 < points ? static_cast<T>(p * end / (points - 1)) : T(end));
}

template <class T>
Status LatentModel<T>::encode(int tile) {
  const std::size_t n = size(latent * lanes_);
  recurrent_.eval(call(0), seen_ + size(tile * points * channels * lanes_), h_, recurrent_tape_);
  head_.eval(call(head_at_), h_, code_, head_tape_);
  const T half = T(.5);
  const T* log_variance = code_ + n;
  kernel::combine(n, sigma_, static_cast<const T*>(nullptr), 1, &half, &log_variance);
  kernel::evaluate(kernel::Function::exp, n, sigma_, sigma_);
  std::memcpy(z0_, code_, n * sizeof(T));
  kernel::multiply(n, sigma_, epsilon_ + size(tile) * n, z0_, true);
  return status_;
}

template <class T>
Status LatentModel<T>::follow(long steps) {
  if (Status s = readout_.begin(points, times_, z_); s != Status::ok) return s;
  if (Status s = solve_->begin({0, T(end), steps}, theta.data() + field_at_, z0_); s != Status::ok) return s;
  do readout_.look(*solve_);
  while (solve_->advance());
  return solve_->status();
}

/// Gaussian likelihood of every point and what it asks of the path.
template <class T>
void LatentModel<T>::decode(int tile) {
  const std::size_t lanes = size(lanes_);
  const T* const share = active_ + size(tile) * lanes;
  const T precision = T(1 / (noise * noise)), constant = T(std::log(noise) + 0.5 * std::log(2 * std::numbers::pi));
  std::memset(z_bar_, 0, size(points * latent) * lanes * sizeof(T));
  for (int p = 0; p < points; ++p) {
    const T* const seen = seen_ + size((tile * points + points - 1 - p) * channels) * lanes;
    const std::size_t at = size(p * latent) * lanes;
    decoder_.eval(call(decoder_at_), z_ + at, x_, decoder_tape_);
    for (std::size_t row = 0; row < channels * lanes; row += lanes)
      for (std::size_t l = 0; l < lanes; ++l) {
        const T miss = x_[row + l] - seen[row + l];
        x_bar_[row + l] = precision * share[l] * miss;
        loss_[l] += share[l] * (constant + T(.5) * precision * miss * miss);
      }
    decoder_.vjp(call(decoder_at_), z_ + at, x_, decoder_tape_, x_bar_, z_bar_ + at, bar(tile, decoder_at_));
  }
}

template <class T>
void LatentModel<T>::add_kl(int tile) {
  const std::size_t lanes = size(lanes_), n = latent * lanes;
  for (std::size_t i = 0; i < n; ++i) {
    const T mean = code_[i], log_variance = code_[n + i], variance = sigma_[i] * sigma_[i];
    const T share = active_[size(tile) * lanes + i % lanes];
    loss_[i % lanes] += share * T(.5) * (mean * mean + variance - 1 - log_variance);
    code_bar_[n + i] +=
        T(.5) * code_bar_[i] * sigma_[i] * epsilon_[size(tile) * n + i] + share * T(.5) * (variance - 1);
    code_bar_[i] += share * mean;
  }
}

template <class T>
Status LatentModel<T>::add_tile(int tile, long steps) {
  const std::size_t lanes = size(lanes_);
  std::memset(loss_, 0, lanes * sizeof(T));
  std::memset(code_bar_, 0, size(2 * latent) * lanes * sizeof(T));
  std::memset(h_bar_, 0, size(rnn_hidden) * lanes * sizeof(T));
  if (Status s = encode(tile); s != Status::ok) return s;
  if (Status s = follow(steps); s != Status::ok) return s;
  decode(tile);
  if (Status s = solve_->turn(bar(tile, field_at_).theta); s != Status::ok) return s;
  do readout_.pull(*solve_, z_bar_);
  while (solve_->retreat());
  if (Status s = solve_->finish(code_bar_); s != Status::ok) return s;
  add_kl(tile);
  head_.vjp(call(head_at_), h_, code_, head_tape_, code_bar_, h_bar_, bar(tile, head_at_));
  recurrent_.vjp(call(0), seen_ + size(tile * points * channels) * lanes, h_, recurrent_tape_, h_bar_, nullptr,
                 bar(tile));
  add_rows(bar(tile).theta, static_cast<int>(params()), 1, lanes_, loss_);
  return status_;
}
}  // namespace bench
