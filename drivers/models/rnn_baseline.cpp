#include "models/rnn_baseline.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace revode::host {
template <class T>
RnnBaseline<T>::RnnBaseline(const Config& c)
    : config_(c), gru_(c.hidden, c.channels + 1), head_(c.hidden, c.channels) {}

template <class T>
std::vector<Part> RnnBaseline<T>::tensors() const {
  std::vector<Part> all;
  name_layer(head_, "head", name_gru(gru_, "gru", 0, all), all);
  return all;
}

template <class T>
void RnnBaseline<T>::place(Arena& arena) {
  const Extent e{config_.lanes, 0};
  const auto steps = static_cast<std::size_t>(config_.observations) + 1;
  inputs_ = arena.take<T>(steps * rows(gru_.shape(e).in)), states_ = arena.take<T>((steps + 1) * rows(config_.hidden));
  tapes_ = arena.take<std::byte>(steps * gru_.shape(e).tape);
  x_ = arena.take<T>(rows(config_.channels)), x_bar_ = arena.take<T>(rows(config_.channels));
  h_bar_ = arena.take<T>(rows(config_.hidden)), in_bar_ = arena.take<T>(rows(gru_.shape(e).in));
  sums_ = arena.take<T>(rows(LatentOde<T>::statistics)), last_ = arena.take<T>(rows(config_.channels + 2));
  head_tape_ = arena.take<std::byte>(head_.shape(e).tape);
  work_ = arena.take<std::byte>(std::max(gru_.shape(e).work, head_.shape(e).work));
}
template <class T>
std::size_t RnnBaseline<T>::bytes() {
  Arena measure;
  place(measure);
  return measure.bytes();
}
template <class T>
Status RnnBaseline<T>::init(Arena& arena) {
  place(arena);
  return arena.ok() ? Status::ok : Status::arena_too_small;
}
template <class T>
Call<T> RnnBaseline<T>::call(const T* theta) {
  Call<T> c;
  c.extent = {config_.lanes, 0};
  c.theta = theta, c.work = work_, c.status = &status_;
  return c;
}

template <class T>
void RnnBaseline<T>::feed(int step, const T* x, const T* t, const T* next, const T* seen) {
  T* in = cell_in(step) + rows(config_.hidden);
  std::memcpy(cell_in(step), h(step), rows(config_.hidden) * sizeof(T));
  std::memcpy(in, x, rows(config_.channels) * sizeof(T));
  T *gap = in + rows(config_.channels), *mask = gap + rows(1);
  for (std::size_t l = 0; l < rows(1); ++l) {
    mask[l] = seen[l];
    gap[l] = seen[l] > 0 ? next[l] - t[l] : T(0);
  }
}

template <class T>
Status RnnBaseline<T>::loss(const SeriesTile<T>& tile, const T* theta, const ThetaBar<T>& theta_bar) {
  const std::size_t lanes = rows(1), d = rows(config_.channels), hidden = rows(config_.hidden);
  const std::size_t tape = gru_.shape({config_.lanes, 0}).tape;
  const int head_at = gru_.shape({}).params, steps = tile.readings - 1;
  const T precision = 1 / (config_.noise * config_.noise), constant = std::log(config_.noise) + T(0.918938533204672742);
  status_ = Status::ok;
  std::memset(sums_, 0, rows(LatentOde<T>::statistics) * sizeof(T));
  std::memset(h(0), 0, hidden * sizeof(T));
  for (int i = 0; i < steps; ++i) {  // a step is taken where the next observation exists
    const std::size_t at = static_cast<std::size_t>(i);
    feed(i, tile.targets + at * d, tile.times + at * lanes, tile.times + (at + 1) * lanes, tile.weights + (at + 1) * d);
    gru_.eval(call(theta), cell_in(i), h(i + 1), tapes_ + at * tape);
  }
  std::memset(h_bar_, 0, hidden * sizeof(T));
  for (int i = steps; i-- > 0;) {
    const std::size_t next = static_cast<std::size_t>(i) + 1;
    head_.eval(call(theta + head_at), h(i + 1), x_, head_tape_);
    for (std::size_t k = 0; k < d; ++k) {
      const T weight = tile.weights[next * d + k], residual = weight * (x_[k] - tile.targets[next * d + k]);
      x_bar_[k] = precision * residual;
      sums_[k % lanes] += weight * constant + T(.5) * precision * residual * residual;
      sums_[lanes + k % lanes] += residual * residual;
      sums_[2 * lanes + k % lanes] += weight;
    }
    head_.vjp(call(theta + head_at), h(i + 1), x_, head_tape_, x_bar_, h_bar_,
              {theta_bar.from(head_at, config_.lanes), nullptr});
    std::memset(in_bar_, 0, rows(gru_.shape({}).in) * sizeof(T));
    gru_.vjp(call(theta), cell_in(i), h(i + 1), tapes_ + static_cast<std::size_t>(i) * tape, h_bar_, in_bar_,
             {theta_bar, nullptr});
    std::memcpy(h_bar_, in_bar_, hidden * sizeof(T));
  }
  add_rows(theta_bar, params(), LatentOde<T>::statistics, config_.lanes, sums_);
  return status_;
}

template <class T>
Status RnnBaseline<T>::predict(const SeriesTile<T>& tile, const SeriesTile<T>& asked, const T* theta, T* x) {
  const std::size_t lanes = rows(1), d = rows(config_.channels), hidden = rows(config_.hidden);
  const int head_at = gru_.shape({}).params;
  status_ = Status::ok;
  T *seen = last_, *t = last_ + d, *one = t + lanes;
  std::memset(h(0), 0, hidden * sizeof(T));
  for (int i = 0; i < tile.readings; ++i) {
    const std::size_t at = static_cast<std::size_t>(i);
    const bool more = i + 1 < tile.readings;
    for (std::size_t k = 0; k < d; ++k)
      if (tile.weights[at * d + k] > 0) seen[k] = tile.targets[at * d + k];
    for (std::size_t l = 0; l < lanes; ++l)
      if (tile.weights[at * d + l] > 0) t[l] = tile.times[at * lanes + l];
    if (!more) break;
    feed(0, tile.targets + at * d, tile.times + at * lanes, tile.times + (at + 1) * lanes, tile.weights + (at + 1) * d);
    gru_.eval(call(theta), cell_in(0), h(1), tapes_);
    std::memcpy(h(0), h(1), hidden * sizeof(T));
  }
  for (std::size_t l = 0; l < lanes; ++l) one[l] = tile.active[l];
  for (int i = 0; i < asked.readings; ++i) {
    T* out = x + static_cast<std::size_t>(i) * d;
    feed(0, seen, t, asked.times + static_cast<std::size_t>(i) * lanes, one);
    gru_.eval(call(theta), cell_in(0), h(1), tapes_);
    std::memcpy(h(0), h(1), hidden * sizeof(T));
    head_.eval(call(theta + head_at), h(0), out, head_tape_);
    std::memcpy(seen, out, d * sizeof(T));
    std::memcpy(t, asked.times + static_cast<std::size_t>(i) * lanes, lanes * sizeof(T));
  }
  return status_;
}

template class RnnBaseline<float>;
template class RnnBaseline<double>;
}  // namespace revode::host
