// One evaluation and its VJP of every kind of map, and what looks at a solve from outside: readings at times of their
// own, events, the continuous adjoint.
#include "fixture.hpp"
#include "revode/automatic.hpp"
#include "revode/backsolve.hpp"
#include "revode/cnf.hpp"
#include "revode/conv.hpp"
#include "revode/event.hpp"
#include "revode/gradient_field.hpp"
#include "revode/group_norm.hpp"
#include "revode/gru.hpp"
#include "revode/moving_norm.hpp"
#include "revode/running_cost.hpp"
#include "revode/second_order.hpp"
#include "revode/time_mlp.hpp"
#include "revode/time_weights.hpp"

namespace device {
namespace {
struct Operations {
  static constexpr int dim = 2, params = 3;
  template <class S>
  constexpr void operator()(S t, const S* y, const S* p, S* dy) const {
    dy[0] = y[1] + exp(p[1] * y[0]) / (3.0 + y[1] * y[1]) * cos(t);
    dy[1] = -sin(y[0] + t) - p[0] * y[1] + tanh(y[0] * p[2]) + log(2. + y[0] * y[0]) * sqrt(1. + y[1] * y[1]) / 2.;
  }
};
constexpr Automatic<float, Operations> automatic;

void one(const char* name, const Map<float>& map, int lanes, int tangents = 0) {
  const Extent e{lanes, tangents};
  const Shape s = map.shape(e);
  const auto jet = product(1 + tangents, lanes);
  const auto in = static_cast<std::size_t>(s.in) * jet, out = static_cast<std::size_t>(s.out) * jet;
  const auto params = static_cast<std::size_t>(s.params), all = params * static_cast<std::size_t>(lanes);
  Arena arena = whole_arena();
  float *theta = arena.take<float>(params), *theta_bar = arena.take<float>(all), *x = arena.take<float>(in);
  float *x_bar = arena.take<float>(in), *y = arena.take<float>(out), *y_bar = arena.take<float>(out);
  std::byte *tape = arena.take<std::byte>(s.tape), *work = arena.take<std::byte>(s.work);
  CHECK(arena.ok() && s.out > 0);
  if (!arena.ok()) return;
  fill(50, params, 0.5f, theta), fill(51, in, 1, x), fill(52, out, 1, y_bar), fill(53, all, 1, theta_bar);
  fill(54, in, 1, x_bar);
  Status status = Status::ok;
  float t_bar = 0;
  Call<float> call;
  call.extent = e, call.t = 0.3f, call.theta = theta, call.work = work, call.status = &status;
  map.eval(call, x, y, tape);
  map.vjp(call, x, y, tape, y_bar, x_bar, {{theta_bar}, &t_bar});
  CHECK(status == Status::ok);
  print(name, Hash().add(out, y).add(in, x_bar).add(all, theta_bar).add(t_bar));
}

void every() {
  constexpr int deep[] = {2, 5, 4, 2}, scalar[] = {2, 6, 1};
  const Mlp<float> mlp(deep, Activation::silu, true), energy(scalar, Activation::softplus);
  one("mlp", mlp, 3, 1);
  one("gru", Gru<float>(4, 3), 2);
  one("automatic", automatic, 3, 1);
  one("second_order", SecondOrder<float>(network, true), 1);
  one("hamiltonian", GradientField<float>(energy, Gradient::hamiltonian), 2);
  one("running_cost", RunningCost<float>(network, energy), 1);
  one("conv", Conv<float>({2, 3, 4, 3, 3, 1, 1, true}), 2);
  constexpr int flow[] = {2, 5, 2};
  constexpr float mean[] = {0.5f, -1}, var[] = {2, 0.25f};
  const LayerWeights<float> weights(flow, TimeLayer::concat_squash);
  const TimeMlp<float> plain(flow, Activation::tanh, weights), traced(flow, Activation::tanh, weights, true);
  const Costs costs{.kinetic = true, .jacobian = true, .taylor = true};
  one("cnf_exact", Cnf<float>(plain, Trace::exact, costs), 2);
  one("cnf_closed", Cnf<float>(plain, Trace::closed, {}, &traced), 2);
  one("cnf_hutchinson", Cnf<float>(plain, Trace::hutchinson, costs), 2);
  one("moving_norm", MovingNorm<float>(2, 3, mean, var), 2);
  one("group_norm", GroupNorm<float>({4, 2, 6}, true), 2);
}

Plan<float> plan() {
  Plan<float> p;
  p.method = runge_kutta(tableau::dormand_prince5<float>), p.arithmetic = Arithmetic::real;
  p.way = Way::checkpointed, p.slots = 3;
  return p;
}
constexpr float y0[] = {1, -0.5f}, parameters[] = {0.3f, 0.5f, -0.7f};

void readings() {
  const float times[] = {0.1f, 0.55f, 1.3f};
  float at[6], rate[6], at_bar[6], y0_bar[2] = {}, theta_bar[3] = {};
  fill(55, 6, 1, at_bar);
  const Plan<float> p = plan();
  Arena arena = whole_arena();
  Solve<float> solve;
  Readout<float> readout;
  readout.place(arena, automatic, 1, 3, &tableau::dormand_prince5<float>);
  CHECK(solve.init(arena, automatic, p, 1) == Status::ok);
  CHECK(readout.begin(3, times, at, rate) == Status::ok);
  CHECK(solve->begin({0, 1.5f, 12}, parameters, y0) == Status::ok);
  do readout.look(*solve);
  while (solve->advance());
  CHECK(solve->turn({theta_bar}) == Status::ok);
  do readout.pull(*solve, at_bar);
  while (solve->retreat());
  CHECK(solve->finish(y0_bar) == Status::ok);
  print("readings", Hash().add(6, at).add(6, rate).add(2, y0_bar).add(3, theta_bar));
}

void crossing() {
  constexpr int line[] = {2, 1};
  const Mlp<float> function(line, Activation::identity);
  const float theta[] = {1, 0, 0}, at_bar[] = {1, 0.5f}, time_bar = 0.25f;
  float y0_bar[2] = {}, theta_bar[3] = {}, function_bar[3] = {};
  Arena arena = whole_arena();
  Solve<float> solve;
  Event<float> event;
  event.place(arena, automatic, function, 1);
  CHECK(solve.init(arena, automatic, plan(), 1) == Status::ok);
  CHECK(event.begin(theta) == Status::ok);
  CHECK(solve->begin({0, 6, 60}, parameters, y0) == Status::ok);
  bool met = false;
  do met = event.look(*solve);
  while (!met && solve->advance());
  CHECK(met);
  CHECK(solve->turn({theta_bar}) == Status::ok);
  CHECK(event.turn(*solve, at_bar, &time_bar, {function_bar}) == Status::ok);
  do event.pull(*solve);
  while (solve->retreat());
  CHECK(solve->finish(y0_bar) == Status::ok);
  print("event", Hash().add(*event.time()).add(2, event.at()).add(2, y0_bar).add(3, theta_bar).add(3, function_bar));
}

void adjoint() {
  float y0_bar[2] = {}, theta_bar[3] = {};
  BacksolvePlan<float> p;
  p.method_back = runge_kutta(tableau::bogacki_shampine<float>);
  p.control_back.rtol = 1e-4f, p.control_back.atol = 1e-6f;
  p.control_back.most_steps = 200, p.control_back.most_jumps = 20;
  Arena arena = whole_arena();
  Backsolve<float> solve;
  CHECK(solve.init(arena, automatic, p, 1) == Status::ok);
  CHECK(solve.begin({0, 1.5f, 12}, parameters, y0) == Status::ok);
  while (solve.advance()) {
  }
  CHECK(solve.turn({theta_bar}) == Status::ok);
  for (int i = 0; i < 2; ++i) solve.y_bar()[i] += 1;
  while (solve.retreat()) {
  }
  CHECK(solve.finish(y0_bar) == Status::ok);
  print("backsolve", Hash().add(2, solve.y()).add(2, y0_bar).add(3, theta_bar));
}
}  // namespace

void maps() {
  every(), readings(), crossing(), adjoint();
}
}  // namespace device
