// Fields of continuous normalizing flows: every form of weights, depth and activation, with their traces.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "revode/cnf.hpp"
#include "revode/time_mlp.hpp"
#include "revode/time_weights.hpp"

namespace flows {
using namespace revode;

/// One field with all it refers to.
template <class T>
struct Field {
  static constexpr int dim = 3, width = 5;
  std::string name;
  std::unique_ptr<Mlp<T>> net;  // of the hypernetwork
  std::unique_ptr<Map<T>, void (*)(Map<T>*)> weights{nullptr, nullptr};
  std::unique_ptr<TimeMlp<T>> plain, traced;
};

template <class T, class W, class... Arguments>
void set_weights(Field<T>& field, Arguments&&... arguments) {
  field.weights = {new W(std::forward<Arguments>(arguments)...), [](Map<T>* map) { delete static_cast<W*>(map); }};
}

template <class T>
void finish(Field<T>& field, const std::vector<int>& widths, Activation act) {
  const int count = static_cast<int>(widths.size());
  field.plain = std::make_unique<TimeMlp<T>>(widths.data(), count, act, *field.weights, false);
  field.traced = std::make_unique<TimeMlp<T>>(widths.data(), count, act, *field.weights, true);
}

/// concat and concatsquash of one and two hidden layers, and the hypernetwork, of an activation.
template <class T>
std::vector<Field<T>> fields(Activation act, const char* act_name) {
  constexpr int d = Field<T>::dim, width = Field<T>::width;
  std::vector<Field<T>> all;
  for (const int hidden : {1, 2})
    for (const TimeLayer kind : {TimeLayer::concat, TimeLayer::concat_squash}) {
      std::vector<int> widths{d};
      for (int i = 0; i < hidden; ++i) widths.push_back(width - i);
      widths.push_back(d);
      Field<T>& field = all.emplace_back();
      field.name = std::string(kind == TimeLayer::concat ? "concat" : "concatsquash") + ", " + std::to_string(hidden) +
                   " hidden, " + act_name;
      set_weights<T, LayerWeights<T>>(field, widths.data(), hidden + 2, kind);
      finish(field, widths, act);
    }
  Field<T>& field = all.emplace_back();
  field.name = std::string("hypernetwork, ") + act_name;
  const int net[] = {1, 4, 3 * width * d + width};
  field.net = std::make_unique<Mlp<T>>(net, Activation::tanh);
  set_weights<T, HyperWeights<T>>(field, *field.net, d, width);
  finish(field, {d, width, d}, act);
  return all;
}
}  // namespace flows
