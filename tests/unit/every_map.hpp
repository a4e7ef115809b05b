// One of each map, in either number, and one evaluation of any, for tests that hold for all of them.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "numerics/trial.hpp"
#include "revode/automatic.hpp"
#include "revode/block.hpp"
#include "revode/conv.hpp"
#include "revode/evolving.hpp"
#include "revode/gradient_check.hpp"
#include "revode/gradient_field.hpp"
#include "revode/group_norm.hpp"
#include "revode/gru.hpp"
#include "revode/layers.hpp"
#include "revode/moving_norm.hpp"
#include "revode/pool.hpp"
#include "revode/running_cost.hpp"
#include "revode/second_order.hpp"
#include "revode/sequential.hpp"
#include "revode/traced_mlp.hpp"
#include "revode/winograd.hpp"
#include "unit/flow_maps.hpp"

namespace every {
using namespace trial;

inline constexpr std::pair<Activation, const char*> activations[] = {
    {Activation::identity, "identity"}, {Activation::tanh, "tanh"}, {Activation::elu, "elu"},
    {Activation::softplus, "softplus"}, {Activation::relu, "relu"}, {Activation::silu, "silu"},
    {Activation::sigmoid, "sigmoid"}};

/// Every operation of the tracer, each operand order, and t in several places.
struct AllOperations {
  static constexpr int dim = 2, params = 3;
  template <class S>
  constexpr void operator()(S t, const S* y, const S* p, S* dy) const {
    dy[0] = y[1] + exp(p[1] * y[0]) / (3.0 + y[1] * y[1]) * cos(t);
    dy[1] = -sin(y[0] + t) - p[0] * y[1] + tanh(y[0] * p[2]) + log(2. + y[0] * y[0]) * sqrt(1. + y[1] * y[1]) / 2.;
  }
};

template <class T>
Plan<T> plan(Way way, const Method<T>& method) {
  Plan<T> p;
  p.way = way, p.method = method;
  p.arithmetic = way == Way::reversed ? Arithmetic::fixed : Arithmetic::real;
  p.stored_steps = 10, p.slots = 3;
  p.fraction_bits[0] = sizeof(T) == 8 ? 52 : 24;  // states stay below 2^8; differences see the quantum
  return p;
}

/// They refer to each other, so they live in one place.
template <class T>
class Maps {
 public:
  struct Case {
    std::string name;
    const Map<T>* map;
    bool tangents;
  };
  std::vector<Case> cases;

  Maps() {
    dense_.reserve(16), mlp_.reserve(16), block_.reserve(32);
    for (const auto& [act, name] : activations)
      for (const bool time : {false, true}) {
        const std::string text = std::string(name) + (time ? ", time" : "");
        add("dense, " + text, dense_.emplace_back(3, 4, act, time), true);
        add("mlp, " + text, mlp_.emplace_back(widths_, act, time), true);
      }
    add("sequence", chain_, true);
    add("automatic", automatic_, true);
    add("gru", gru_, false);
    add("unrolled gru", unroll_, false);
    add("paced", paced_, false);
    add("running cost", running_, false);
    add("sequence with a gru", mixed_, false);
    add("gradient field, descent", descent_, false);
    add("gradient field, hamiltonian", hamiltonian_, false);
    add("second order", second_order_, false);
    add("second order with friction", friction_, false);
    add("second order of a gradient field", mechanics_, false);
    add("moving norm", moving_norm_, false);
    add("traced mlp, one hidden layer", traced_one_, false);
    add("traced mlp, two hidden layers", traced_two_, false);
    cnf_.reserve(16);
    for (const auto& field : flow_fields_) {
      add(field.name, *field.plain, true);
      add(field.name + ", traced", *field.traced, false);
      for (const Trace trace : {Trace::exact, Trace::hutchinson, Trace::closed})
        add("cnf of " + field.name, cnf_.emplace_back(*field.plain, trace, Costs{true, true, true}, field.traced.get()),
            false);
    }
    for (const bool recompute : {false, true}) {
      const char* text = recompute ? ", recomputed" : "";
      for (const Way way : {Way::stored, Way::checkpointed})
        add_block(way, runge_kutta(tableau::tsitouras5<T>), recompute, std::string("runge_kutta") + text);
      for (const Way way : {Way::stored, Way::checkpointed, Way::reversed}) {
        add_block(way, alf<T>(), recompute, std::string("alf") + text);
        add_block(way, mccallum_foster(tableau::rk4<T>), recompute, std::string("mccallum_foster") + text);
        add_block(way, reversible_heun<T>(), recompute, std::string("reversible_heun") + text);
      }
    }
    add("sequence through a solve", around_, false);
    add_images();
  }
  Maps(const Maps&) = delete;
  Maps& operator=(const Maps&) = delete;

 private:
  void add_images() {
    add("convolution", conv_, true);
    add("convolution with time", conv_time_, true);
    add("convolution, strided, without bias", conv_strided_, true);
    add("convolution by Winograd", winograd_, true);
    add("convolution by Winograd with time", winograd_time_, true);
    add("strided convolution by Winograd", winograd_strided_, true);
    add("group norm", norm_, false);
    add("group norm with relu", norm_relu_, false);
    add("average pool", average_, true);
    add("max pool", greatest_, false);
    add("global pool", global_, true);
    add("activation", activate_, false);
    add("augmented", augment_, true);
    add("residual", residual_, true);
    add("evolving dense", evolving_, false);
    add("evolving convolution", evolving_conv_, false);
    add("image field", image_field_, false);
    add("classifier of two blocks", classifier_, false);
  }
  void add(std::string name, const Map<T>& map, bool tangents) { cases.push_back({std::move(name), &map, tangents}); }
  void add_block(Way way, const Method<T>& method, bool recompute, const std::string& text) {
    const char* ways[] = {"stored, ", "checkpointed, ", "reversed, "};
    add("block, " + std::string(ways[static_cast<int>(way)]) + text,
        block_.emplace_back(field_, plan(way, method), Grid<T>{0, 1, 10}, recompute), false);
  }

  static constexpr int widths_[] = {3, 6, 5, 2}, field_widths_[] = {3, 6, 3};
  std::vector<Dense<T>> dense_;
  std::vector<Mlp<T>> mlp_;
  std::vector<Block<T>> block_;
  Mlp<T> field_{field_widths_, Activation::tanh, true};
  Automatic<T, AllOperations> automatic_;
  Gru<T> gru_{4, 3};
  Unroll<T> unroll_{gru_, 5};
  Paced<T> paced_{field_};
  Dense<T> cost_{3, 1, Activation::tanh, true};
  RunningCost<T> running_{field_, cost_};
  Dense<T> first_{5, 8, Activation::silu, true}, second_{4, 2, Activation::tanh}, third_{2, 3, Activation::elu};
  const Map<T>* const chained_[3] = {&third_, &field_, &third_wide_};
  Dense<T> third_wide_{3, 7, Activation::softplus, true};
  Sequential<T> chain_{chained_};
  const Map<T>* const mixing_[3] = {&first_, &gru_, &second_};
  Sequential<T> mixed_{mixing_};
  static constexpr int energy_widths_[] = {3, 6, 1}, phase_widths_[] = {4, 5, 1}, force_widths_[] = {4, 6, 2};
  Mlp<T> energy_{energy_widths_, Activation::tanh, true}, phase_{phase_widths_, Activation::softplus, true};
  Mlp<T> force_{force_widths_, Activation::tanh, true};
  GradientField<T> descent_{energy_}, hamiltonian_{phase_, Gradient::hamiltonian};
  SecondOrder<T> second_order_{force_}, friction_{field_, true}, mechanics_{descent_, true};
  std::vector<flows::Field<T>> flow_fields_ = flows::fields<T>(Activation::tanh, "tanh");
  std::vector<Cnf<T>> cnf_;
  static constexpr T moving_mean_[2] = {T(.5), T(-1)}, moving_var_[2] = {T(.3), T(2)};
  MovingNorm<T> moving_norm_{2, 4, moving_mean_, moving_var_};
  static constexpr int traced_widths_[] = {3, 5, 4, 3};
  TracedMlp<T> traced_one_{field_widths_, 3, Activation::tanh}, traced_two_{traced_widths_, 4, Activation::silu};
  Dense<T> enter_{2, 3, Activation::tanh}, leave_{3, 1};
  Block<T> inside_{field_, plan(Way::checkpointed, runge_kutta(tableau::rk4<T>)), Grid<T>{1, 0, 10}};
  const Map<T>* const through_[3] = {&enter_, &inside_, &leave_};
  Sequential<T> around_{through_};
  Conv<T> conv_{{2, 3, 3, 4}}, conv_time_{{2, 2, 3, 3, 3, 1, 1, true}}, conv_strided_{{2, 3, 5, 4, 2, 2, 1}, false};
  WinogradConv<T> winograd_{{2, 3, 3, 4}}, winograd_time_{{2, 2, 3, 3, 3, 1, 1, true}};
  WinogradConv<T> winograd_strided_{{2, 3, 5, 6, 4, 2, 1}};
  Evolving<T> evolving_{third_wide_, 7, 3, 3}, evolving_conv_{conv_time_, 6, 9, 2, Activation::identity};
  GroupNorm<T> norm_{{4, 2, 6}}, norm_relu_{{4, 2, 9}, true};
  Pool<T> average_{{2, 3, 5, 2, 3, 1}}, greatest_{{2, 4, 5, 2, 2, 1}, Pooled::max}, global_{Pool<T>::global(3, 2, 3)};
  Activate<T> activate_{5, Activation::silu};
  Augment<T> augment_{3, 2};
  Dense<T> bend_{3, 3, Activation::tanh};
  Residual<T> residual_{bend_};
  GroupNorm<T> soft_norm_{{2, 1, 9}};
  Activate<T> soft_{18, Activation::tanh};
  const Map<T>* const image_layers_[4] = {&soft_norm_, &soft_, &conv_time_, &soft_norm_};
  Sequential<T> image_field_{image_layers_};
  Conv<T> stem_{{1, 2, 3, 3}};
  Block<T> image_a_{image_field_, plan(Way::reversed, mccallum_foster(tableau::rk4<T>)), Grid<T>{0, 1, 4}, true};
  Block<T> image_b_{image_field_, plan(Way::stored, runge_kutta(tableau::rk4<T>)), Grid<T>{0, 1, 3}};
  Pool<T> mean_ = Pool<T>::global(2, 3, 3);
  Dense<T> head_{2, 3};
  const Map<T>* const classifying_[6] = {&stem_, &image_a_, &soft_, &image_b_, &mean_, &head_};
  Sequential<T> classifier_{classifying_};
};
/// One evaluation of a map with its cotangents.
template <class T>
struct Trial {
  Trial(const Map<T>& map, Extent extent)
      : map_(map),
        extent_(extent),
        shape_(map.shape(extent)),
        tape_(shape_.tape),
        work_(shape_.work),
        theta(uniform<T>(1, count(shape_.params), -.7, .7)),
        x(uniform<T>(2, jet(shape_.in), -1, 1)),
        y_bar(uniform<T>(3, jet(shape_.out), -1, 1)),
        t_dot(uniform<T>(4, count(extent.tangents), -1, 1)),
        y(jet(shape_.out)),
        x_bar(x.size()),
        theta_bar(theta.size() * count(extent.lanes)) {}

  void eval() {
    call.extent = extent_, call.t = T(.3), call.theta = theta.data(), call.work = work_.data(), call.status = &status;
    call.t_dot = extent_.tangents ? t_dot.data() : nullptr;
    map_.eval(call, x.data(), y.data(), tape_.data());
  }
  /// eval, and cotangents added to what stands there.
  void both(bool with_x = true, bool with_theta = true, bool with_t = true) {
    eval();
    map_.vjp(call, x.data(), y.data(), tape_.data(), y_bar.data(), with_x ? x_bar.data() : nullptr,
             {{with_theta ? theta_bar.data() : nullptr, 1, 0}, with_t ? &t_bar : nullptr, writes});
  }

 private:
  static std::size_t count(int n) { return static_cast<std::size_t>(n); }
  std::size_t jet(int rows) const { return count(1 + extent_.tangents) * count(rows) * count(extent_.lanes); }
  const Map<T>& map_;
  Extent extent_;
  Shape shape_;
  Bytes tape_, work_;

 public:
  Call<T> call;
  std::vector<T> theta, x, y_bar, t_dot, y, x_bar, theta_bar;
  T t_bar = 0;
  bool writes = false;  ///< Bar's
  Status status = Status::ok;
};

/// The worst of a map's cotangents against central differences; of one that moves also the time's tangent.
inline double worst(const Map<double>& map, Extent extent, Status* status, bool moves = true) {
  Trial<double> trial(map, extent);
  GradientCheck<double> check;
  Arena measure;
  check.place(measure, map, extent);
  trial::Bytes bytes(measure.bytes());
  Arena arena = bytes.arena();
  check.place(arena, map, extent);
  EXPECT_TRUE(arena.ok());
  const double w = check.worst(.3, trial.theta.data(), trial.x.data(), 1e-5, moves ? trial.t_dot.data() : nullptr);
  *status = check.status;
  return w;
}
}  // namespace every
