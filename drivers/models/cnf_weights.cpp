// The parameters of a flow: what they are, how they begin, and what of them is computed once an update.
#include <algorithm>
#include <cmath>

#include "models/cnf.hpp"

namespace revode::host {
namespace {
template <class T>
std::vector<int> widths_of(const typename CnfModel<T>::Config& c) {
  std::vector<int> widths{c.dim};
  widths.insert(widths.end(), c.hidden.begin(), c.hidden.end());
  widths.push_back(c.dim);
  return widths;
}
template <class T>
Mlp<T> hyper_net(const typename CnfModel<T>::Config& c) {
  const int width = c.hidden.front(), widths[] = {1, c.hyper_hidden, c.hyper_hidden, 3 * width * c.dim + width};
  return Mlp<T>(widths, Activation::tanh);
}

/// Evaluations of the field stand at this many equal parts of a step; 0: at none, or at too many.
template <class T>
int parts_of_step(const Method<T>& m) {
  if (m.multistep > 0) return 0;
  const auto on_grid = [&](int parts) {
    bool all = true;
    const auto look = [&](T at) {
      all &= std::abs(at * static_cast<T>(parts) - std::round(at * static_cast<T>(parts))) < T(1e-4);
    };
    for (int i = -1; i < m.letters; ++i) {
      const Letter& l = i < 0 ? m.lift : m.word[i];
      look(static_cast<T>(l.tau));
      for (int s = 0; l.kind == Kind::push && s < m.base.stages; ++s)
        look(static_cast<T>(l.tau) + static_cast<T>(l.c) * m.base.c(s));
    }
    return all;
  };
  for (const int parts : {1, 2, 3, 4, 6})
    if (on_grid(parts)) return parts;
  return 0;
}

/// Times of a table of rows of so many numbers; 0: there is none. It belongs to equal steps that are not learned and to
/// costs without tangents, and is no larger than a megabyte of float.
template <class T>
int times_of(const typename CnfModel<T>::Config& c, int row) {
  constexpr long most_numbers = 1 << 18;
  const bool fits = c.layer == CnfModel<T>::Layer::hyper && c.trace == Trace::closed && !c.learn_time &&
                    !(c.jacobian > 0) && !(c.taylor > 0) && !c.plan.control.adaptive();
  const long parts = fits ? parts_of_step(c.plan.method) : 0;
  return parts > 0 && c.steps < most_numbers / (parts * row) ? static_cast<int>(parts * c.steps + 1) : 0;
}
}  // namespace

template <class T>
CnfModel<T>::CnfModel(const Config& config)
    : config_(config),
      widths_(widths_of<T>(config)),
      hyper_net_(hyper_net<T>(config)),
      layer_weights_(widths_.data(), static_cast<int>(widths_.size()),
                     config.layer == Layer::concat ? TimeLayer::concat : TimeLayer::concat_squash),
      hyper_weights_(hyper_net_, config.dim, config.hidden.front()),
      plain_(widths_.data(), static_cast<int>(widths_.size()), config.activation,
             config.layer == Layer::hyper ? static_cast<const Map<T>&>(hyper_weights_) : layer_weights_, false),
      traced_(widths_.data(), static_cast<int>(widths_.size()), config.activation,
              config.layer == Layer::hyper ? static_cast<const Map<T>&>(hyper_weights_) : layer_weights_, true),
      times_{0, 1, times_of<T>(config, 2 * widths_[1] * (config.dim + 1) + config.dim)},
      derived_(widths_.data(), config.trace == Trace::closed ? static_cast<int>(widths_.size()) : 0, config.activation,
               config.layer == Layer::hyper ? &times_ : nullptr),
      table_(hyper_net_, derived_, config.dim, config.hidden.front(), times_),
      train_field_(plain_, config.trace, {config.kinetic > 0, config.jacobian > 0, config.taylor > 0},
                   derives() ? static_cast<const Map<T>*>(&derived_) : &traced_),
      test_field_(plain_, widths_.size() <= 4 ? Trace::closed : Trace::exact, {}, &traced_),
      moments_(2 * static_cast<std::size_t>(config.dim)),
      norm_(config.dim, train_field_.rows(), moments_.data(), moments_.data() + config.dim),
      test_norm_(config.dim, test_field_.rows(), moments_.data(), moments_.data() + config.dim),
      solves_(static_cast<std::size_t>(config.flows)) {}

template <class T>
std::vector<Part> CnfModel<T>::tensors() const {
  std::vector<Part> all;
  const auto d = static_cast<std::size_t>(config_.dim);
  const auto add = [&](const std::string& name, std::vector<std::size_t> shape, std::size_t& at) {
    all.push_back({name, std::move(shape), at});
    at += all.back().count();
  };
  std::size_t at = 0;
  for (int f = 0; f < config_.flows; ++f) {
    const std::string flow = "flow." + std::to_string(f);
    if (config_.layer == Layer::hyper) at = name_layers(hyper_net_, flow + ".hyper", at, all);
    for (std::size_t l = 0; l + 1 < widths_.size() && config_.layer != Layer::hyper; ++l) {
      const std::string layer = flow + ".layer." + std::to_string(l);
      const auto out = static_cast<std::size_t>(widths_[l + 1]);
      add(layer + ".weight", {out, static_cast<std::size_t>(widths_[l])}, at);
      if (config_.layer == Layer::concat) add(layer + ".time_weight", {out}, at);
      add(layer + ".bias", {out}, at);
      if (config_.layer == Layer::concat) continue;
      add(layer + ".gate_weight", {out}, at), add(layer + ".gate_bias", {out}, at);
      add(layer + ".shift_weight", {out}, at);
    }
    if (config_.learn_time) add(flow + ".root_of_time", {1}, at);
  }
  for (int n = 0; n <= config_.flows && config_.norm; ++n) {
    add("norm." + std::to_string(n) + ".log_scale", {d}, at);
    add("norm." + std::to_string(n) + ".shift", {d}, at);
  }
  for (int n = 0; n <= config_.flows && config_.norm; ++n) {
    add("norm." + std::to_string(n) + ".moving_mean", {d}, at);
    add("norm." + std::to_string(n) + ".moving_variance", {d}, at);
  }
  return all;
}

template <class T>
void CnfModel<T>::initialise(std::uint64_t seed, T* theta) const {
  const std::vector<Part> parts = tensors();
  initialise_uniform(parts, seed, theta);
  for (const Part& part : parts) {
    const bool bias = part.name.ends_with(".layer.0.bias");
    const T factor = config_.first_scale * (bias ? config_.first_reach : T(1));
    if (!bias && !part.name.ends_with(".layer.0.weight")) continue;
    for (std::size_t i = 0; i < part.count(); ++i) theta[part.offset + i] *= factor;
  }
  for (int f = 0; f < config_.flows && config_.learn_time; ++f) theta[root_at(f)] = std::sqrt(config_.end_time);
  std::fill(theta + norm_at(0), theta + params() + buffers(), T(0));
  for (int n = 0; n <= config_.flows && config_.norm; ++n)
    std::fill_n(theta + params() + (2 * n + 1) * config_.dim, config_.dim, T(1));
}

template <class T>
Status CnfModel<T>::prepare(const T* theta) {
  if (!derives()) return Status::ok;
  if (tabulated()) times_.spacing = config_.end_time / static_cast<T>(times_.count - 1);
  for (int f = 0; f < config_.flows; ++f) {
    const T* from = theta + f * flow_params();
    if (tabulated()) {
      if (const Status s = table_.fill(from, phi(f)); s != Status::ok) return s;
    } else {
      std::copy_n(from, plain_.shape({}).params, phi(f));
      derived_.complete(phi(f));
    }
  }
  return Status::ok;
}

template <class T>
T* CnfModel<T>::gather(const T* theta, T* sums, Status& status) {
  if (!derives()) return sums;
  std::fill_n(gradient_, params(), T(0));
  for (int f = 0; f < config_.flows; ++f) {
    const T *from = theta + f * flow_params(), *bar = sums + f * flow_sums();
    T* to = gradient_ + f * flow_params();
    if (tabulated()) {
      if (status == Status::ok && config_.flows > 1) status = table_.fill(from, phi(f));  // the tape is the last flow's
      if (status == Status::ok) status = table_.pull(from, phi(f), bar, to);
    } else {
      std::copy_n(bar, plain_.shape({}).params, to);
      derived_.fold(phi(f), bar, to);
    }
    if (config_.learn_time) gradient_[root_at(f)] = bar[flow_sums() - 1];
  }
  std::copy_n(sums + summed() - norm_params(), norm_params(), gradient_ + norm_at(0));
  return gradient_;
}

template class CnfModel<float>;
template class CnfModel<double>;
}  // namespace revode::host
