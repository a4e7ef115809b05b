#include "models/latent_ode.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace revode::host {
namespace {
std::vector<int> field_widths(int in, int width, int layers, int out) {
  std::vector<int> widths{in};
  for (int i = 0; i < layers; ++i) widths.push_back(width);
  widths.push_back(out);
  return widths;
}
template <class T>
Mlp<T> mlp(const std::vector<int>& widths, Activation activation) {
  return Mlp<T>(widths.data(), static_cast<int>(widths.size()), activation, false);
}
/// Between two observations the encoder's ODE takes two steps of RK4; so few states are cheapest kept.
template <class T>
Plan<T> encoder_plan() {
  Plan<T> plan;
  plan.method = runge_kutta(tableau::rk4<T>);
  plan.way = Way::stored;
  plan.arithmetic = Arithmetic::real;
  plan.stored_steps = 2;
  return plan;
}
template <class T>
int input_rows(const typename LatentOde<T>::Config& c) {
  return 2 + c.channels * (c.channel_masks ? 2 : 1);
}
}  // namespace

template <class T>
LatentOde<T>::LatentOde(const Config& c)
    : config_(c),
      gru_(c.hidden, host::input_rows<T>(c)),
      encoder_field_(mlp<T>({c.hidden, c.field_width, c.hidden}, Activation::tanh)),
      paced_(encoder_field_),
      block_(paced_, encoder_plan<T>(), {0, 1, 2}),
      ode_rnn_(block_, gru_),
      recurrent_(c.ode_rnn ? static_cast<const Map<T>&>(ode_rnn_) : gru_, c.encoder_steps),
      head_(c.hidden, 2 * c.latent),
      field_(mlp<T>(field_widths(c.latent, c.field_width, c.field_layers, c.latent), c.field_activation)),
      decoder_(mlp<T>({c.latent, c.decoder_width, c.channels}, Activation::relu)) {
  head_at_ = recurrent_.shape({c.lanes, 0}).params;
  field_at_ = head_at_ + head_.shape({}).params;
  decoder_at_ = field_at_ + field_.shape({}).params;
}

template <class T>
std::vector<Part> LatentOde<T>::tensors() const {
  std::vector<Part> all;
  std::size_t at = 0;
  if (config_.ode_rnn) at = name_layers(encoder_field_, "encoder.field", at, all);
  at = name_gru(gru_, "encoder.gru", at, all);
  at = name_layer(head_, "encoder.head", at, all);
  at = name_layers(field_, "field", at, all);
  name_layers(decoder_, "decoder", at, all);
  return all;
}

template <class T>
void LatentOde<T>::initialise(std::uint64_t seed, T* theta) const {
  initialise_uniform(tensors(), seed, theta);
}

template <class T>
void LatentOde<T>::place(Arena& arena) {
  const Extent e{config_.lanes, 0};
  const Plan<T>& plan = config_.plan;
  if (arena.measuring())
    Solve<T>::place(arena, field_, plan, config_.lanes);
  else
    status_ = solve_.init(arena, field_, plan, config_.lanes);
  readout_.place(arena, field_, config_.lanes, config_.readings);
  h_ = arena.take<T>(rows(config_.hidden)), h_bar_ = arena.take<T>(rows(config_.hidden));
  code_ = arena.take<T>(rows(2 * config_.latent)), code_bar_ = arena.take<T>(rows(2 * config_.latent));
  sigma_ = arena.take<T>(rows(config_.latent)), z0_ = arena.take<T>(rows(config_.latent));
  z_ = arena.take<T>(rows(config_.readings * config_.latent));
  z_bar_ = arena.take<T>(rows(config_.readings * config_.latent));
  x_ = arena.take<T>(rows(config_.channels)), x_bar_ = arena.take<T>(rows(config_.channels));
  sums_ = arena.take<T>(rows(statistics));
  recurrent_tape_ = arena.take<std::byte>(recurrent_.shape(e).tape);
  head_tape_ = arena.take<std::byte>(head_.shape(e).tape);
  decoder_tape_ = arena.take<std::byte>(decoder_.shape(e).tape);
  work_ = arena.take<std::byte>(std::max({recurrent_.shape(e).work, head_.shape(e).work, decoder_.shape(e).work}));
}

template <class T>
std::size_t LatentOde<T>::bytes() {
  Arena measure;
  place(measure);
  return measure.bytes();
}

template <class T>
Status LatentOde<T>::init(Arena& arena) {
  status_ = Status::ok;
  place(arena);
  if (status_ != Status::ok) return status_;
  return arena.ok() ? Status::ok : Status::arena_too_small;
}

template <class T>
Call<T> LatentOde<T>::call(const T* theta) {
  Call<T> c;
  c.extent = {config_.lanes, 0};
  c.theta = theta, c.work = work_, c.status = &status_;
  return c;
}

template <class T>
Status LatentOde<T>::encode(const SeriesTile<T>& tile, const T* theta) {
  const std::size_t n = rows(config_.latent);
  recurrent_.eval(call(theta), tile.inputs, h_, recurrent_tape_);
  head_.eval(call(theta + head_at_), h_, code_, head_tape_);
  const T half = T(.5);
  const T* log_var = code_ + n;
  kernel::combine(n, sigma_, static_cast<const T*>(nullptr), 1, &half, &log_var);
  kernel::evaluate(kernel::Function::exp, n, sigma_, sigma_);
  std::memcpy(z0_, code_, n * sizeof(T));
  if (tile.noise) kernel::multiply(n, sigma_, tile.noise, z0_, true);
  return status_;
}

template <class T>
Status LatentOde<T>::decode_forward(const SeriesTile<T>& tile, const Grid<T>& grid, const T* theta) {
  if (Status s = readout_.begin(tile.readings, tile.times, z_); s != Status::ok) return s;
  if (Status s = solve_->begin(grid, theta + field_at_, z0_); s != Status::ok) return s;
  do readout_.look(*solve_);
  while (solve_->advance());
  return solve_->status();
}

/// Gaussian log-likelihood of one reading; x_bar = d(-log p)/dx. Statistics a lane: sums_[0] loss, [1] squares, [2]
/// values.
template <class T>
void LatentOde<T>::likelihood(const SeriesTile<T>& tile, int reading, T* x_bar) {
  const std::size_t lanes = rows(1), d = rows(config_.channels), at = static_cast<std::size_t>(reading) * d;
  const T precision = 1 / (config_.noise * config_.noise);
  const T constant = std::log(config_.noise) + T(0.918938533204672742);  // log sqrt(2 pi)
  for (std::size_t i = 0; i < d; ++i) {
    const std::size_t l = i % lanes;
    const T weight = tile.weights[at + i], residual = weight * (x_[i] - tile.targets[at + i]);
    x_bar[i] = precision * residual;
    sums_[l] += weight * constant + T(.5) * precision * residual * residual;
    sums_[lanes + l] += residual * residual;
    sums_[2 * lanes + l] += weight;
  }
}

/// KL(N(mean, sigma^2) || N(0, 1)) = (mean^2 + sigma^2 - 1 - log sigma^2) / 2 a dimension.
template <class T>
void LatentOde<T>::add_kl(const SeriesTile<T>& tile, T kl_weight) {
  const std::size_t n = rows(config_.latent), lanes = rows(1);
  for (std::size_t i = 0; i < n; ++i) {
    const T mean = code_[i], log_var = code_[n + i], variance = sigma_[i] * sigma_[i];
    const T weight = kl_weight * tile.active[i % lanes];
    sums_[i % lanes] += weight * T(.5) * (mean * mean + variance - 1 - log_var);
    code_bar_[i] += weight * mean;
    code_bar_[n + i] += weight * T(.5) * (variance - 1);
  }
}

template <class T>
Status LatentOde<T>::loss(const SeriesTile<T>& tile, const Grid<T>& grid, const T* theta, T kl_weight,
                          const ThetaBar<T>& theta_bar) {
  const std::size_t n = rows(config_.latent);
  status_ = Status::ok;
  std::memset(sums_, 0, rows(statistics) * sizeof(T));
  std::memset(code_bar_, 0, 2 * n * sizeof(T));
  std::memset(h_bar_, 0, rows(config_.hidden) * sizeof(T));
  std::memset(z_bar_, 0, rows(tile.readings * config_.latent) * sizeof(T));
  if (Status s = encode(tile, theta); s != Status::ok) return s;
  if (Status s = decode_forward(tile, grid, theta); s != Status::ok) return s;
  for (int o = 0; o < tile.readings; ++o) {
    const std::size_t at = rows(o * config_.latent);
    decoder_.eval(call(theta + decoder_at_), z_ + at, x_, decoder_tape_);
    likelihood(tile, o, x_bar_);
    decoder_.vjp(call(theta + decoder_at_), z_ + at, x_, decoder_tape_, x_bar_, z_bar_ + at,
                 {theta_bar.from(decoder_at_, config_.lanes), nullptr});
  }
  if (Status s = solve_->turn(theta_bar.from(field_at_, config_.lanes)); s != Status::ok) return s;
  do readout_.pull(*solve_, z_bar_);
  while (solve_->retreat());
  if (Status s = solve_->finish(code_bar_); s != Status::ok) return s;
  if (tile.noise)  // z0 = mean + sigma noise: d/d log_var = sigma noise / 2
    for (std::size_t i = 0; i < n; ++i) code_bar_[n + i] += T(.5) * code_bar_[i] * sigma_[i] * tile.noise[i];
  add_kl(tile, kl_weight);
  head_.vjp(call(theta + head_at_), h_, code_, head_tape_, code_bar_, h_bar_,
            {theta_bar.from(head_at_, config_.lanes), nullptr});
  recurrent_.vjp(call(theta), tile.inputs, h_, recurrent_tape_, h_bar_, nullptr, {theta_bar, nullptr});
  add_rows(theta_bar, params(), statistics, config_.lanes, sums_);
  return status_;
}

template <class T>
Status LatentOde<T>::predict(const SeriesTile<T>& tile, const Grid<T>& grid, const T* theta, T* x) {
  status_ = Status::ok;
  if (Status s = encode(tile, theta); s != Status::ok) return s;
  if (Status s = decode_forward(tile, grid, theta); s != Status::ok) return s;
  for (int o = 0; o < tile.readings; ++o)
    decoder_.eval(call(theta + decoder_at_), z_ + rows(o * config_.latent), x + rows(o * config_.channels),
                  decoder_tape_);
  return status_;
}

template class LatentOde<float>;
template class LatentOde<double>;
}  // namespace revode::host
