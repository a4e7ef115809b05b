/// Learns the dynamics of a sensor while it listens, in a static arena of a few kilobytes, notices when they change and
/// learns them anew.
///
/// Build: cmake --preset cortex-m4f && cmake --build --preset cortex-m4f --target microcontroller
/// Run:   ctest --preset cortex-m4f -R microcontroller -V      (or, on the host: build/drivers/microcontroller)
///
/// Samples (y_0, y_1) come in at equal intervals. The model is dy/dt = net(y, u(t)), u what the device itself does to
/// the system. Twenty samples are a window: the model starts at the first one, predicts the others with reversible
/// Heun, and goes the same steps back, undone bit for bit, for the gradient; nothing is stored but the state. Each new
/// window is predicted before it is learnt from, so its error is an honest measure: where it stands at four times its
/// level of the last minutes, the system has changed, and everything that was remembered of it is dropped.
///
/// Expect: the loss falls to that of the sensor's noise in a few minutes of its time. At half time the pendulum's
/// damping doubles: a flag within a few swings, and the loss is back where it was. The same bits on every target; the
/// last line counts bytes, which do not depend on how long it ran.
#include "revode/fixed_mlp.hpp"
#include "revode/optimizer.hpp"
#include "revode/static_solve.hpp"
#include "sensors.hpp"
#include "text.hpp"

#ifndef REVODE_SENSOR
#define REVODE_SENSOR Pendulum
#endif
#ifndef REVODE_WINDOWS
#define REVODE_WINDOWS 1200  // 40 minutes of the pendulum
#endif
#ifndef REVODE_CHANGES
#define REVODE_CHANGES true
#endif

namespace {
using namespace revode;
using Sensor = sensors::REVODE_SENSOR;

constexpr int samples = 20, steps_a_sample = 2, steps = samples * steps_a_sample;
constexpr unsigned long windows = REVODE_WINDOWS;

// ---- the model
// --------------------------------------------------------------------------------------------------------
/// dy/dt = net(y, u(t)); a unit of time is half a window.
struct Driven {
  using Scalar = float;
  using Net = FixedMlp<float, Activation::tanh, 3, 16, 2>;
  static constexpr int params = Net::params;
  static constexpr float span = 2;  // of a window
  static constexpr std::size_t head = padded(3 * sizeof(float));
  unsigned long phase = 0;  // of the window's first sample in the push

  static constexpr Shape shape(Extent e) {
    Shape s = Net::shape(e);
    s.in = 2, s.tape += head;
    return s;
  }
  void eval(const Call<float>& call, const float* y, float* dy, std::byte* tape) const {
    auto* in = reinterpret_cast<float*>(tape);
    in[0] = y[0], in[1] = y[1];
    in[2] = Sensor::push(static_cast<float>(phase) + call.t * (samples / span));
    Net::eval(call, in, dy, tape + head);
  }
  void vjp(const Call<float>& call, const float*, const float* dy, std::byte* tape, const float* dy_bar, float* y_bar,
           const Bar<float>& bar) const {
    float in_bar[3] = {};
    Net::vjp(call, reinterpret_cast<const float*>(tape), dy, tape + head, dy_bar, in_bar, bar);
    for (int d = 0; d < 2; ++d) y_bar[d] += in_bar[d];
  }
};
constexpr Plan<float> plan{.method = reversible_heun<float>(), .fraction_bits = {27, 0}};  // |y| < 8
using Solver = StaticSolve<Driven, plan>;

// ---- all the memory there is
// ------------------------------------------------------------------------------------------
struct Window {
  float y[samples + 1][2];
  unsigned long phase;
};
constexpr std::size_t remembered = 8;  // windows that are learnt from again

constinit Driven field;
constinit Solver solver;
Adam<float> adam;
float theta[Driven::params], theta_bar[Driven::params];
Window fresh, memory[remembered];
consteval std::size_t bytes() {
  Arena moments;
  Adam<float>().place(moments, Driven::params);
  return padded(Solver::bytes()) + moments.bytes();
}
alignas(REVODE_ALIGN) std::byte arena_bytes[bytes()];

// ---- learning
// ---------------------------------------------------------------------------------------------------------
/// The mean square error of the model's prediction of a window, and one update by its gradient.
float learn(const Window& window, float rate, Status& status) {
  for (float& v : theta_bar) v = 0;
  field.phase = window.phase;
  const auto seen = [&] { return solver.n() > 0 && solver.n() % steps_a_sample == 0; };
  const auto miss = [&](int d) { return solver.y()[d] - window.y[solver.n() / steps_a_sample][d]; };
  float loss = 0;
  status = solver.begin({0, Driven::span, steps}, theta, window.y[0]);
  while (solver.advance())
    if (seen())
      for (int d = 0; d < 2; ++d) loss += miss(d) * miss(d) / (2 * samples);
  if (status == Status::ok) status = solver.turn({theta_bar});
  if (status != Status::ok) return loss;
  do {
    if (seen())
      for (int d = 0; d < 2; ++d) solver.y_bar()[d] += miss(d) / samples;
  } while (solver.retreat());
  status = solver.finish(nullptr);
  (void)clip_by_norm(Driven::params, 1.f, theta_bar);
  if (status == Status::ok) adam.update(rate, theta_bar, theta);
  return loss;
}

/// Judges the error of predictions: that of the last few windows against that of the last minutes.
class Watch {
 public:
  /// True when the system is another one than before.
  bool changed(float error) {
    ++seen_;
    few_ += (error - few_) / static_cast<float>(seen_ < 5 ? seen_ : 5);
    level_ += (error - level_) / static_cast<float>(seen_ < 64 ? seen_ : 64);
    if (seen_ < 128 || !(few_ > 4 * level_)) return false;
    *this = {};
    return true;
  }
  /// Large at first and after a change, a tenth of that in the long run.
  float rate() const { return Sensor::rate * (.1f + 1 / (1 + .01f * static_cast<float>(seen_))); }
  float level() const { return level_; }

 private:
  unsigned long seen_ = 0;
  float few_ = 0, level_ = 0;
};

/// The next window begins where the last one ended, or where the sensor begins anew.
void listen(Sensor& sensor, unsigned long& at) {
  for (int d = 0; d < 2; ++d) fresh.y[0][d] = fresh.y[samples][d];
  for (int i = 1; i <= samples; ++i, ++at)
    if (float* y = fresh.y[i]; sensor.next(y)) fresh.y[0][0] = y[0], fresh.y[0][1] = y[1], i = 0;
  fresh.phase = (at - samples) % Sensor::period;
}

Status run_for(unsigned long count) {
  Sensor sensor;
  Watch watch;
  Random random(3, 0);
  Status status = Status::ok;
  unsigned long at = 0, known = 0;  // samples so far; windows remembered
  for (float& v : theta) v = random.uniform() - .5f;
  (void)sensor.next(fresh.y[samples]);
  for (unsigned long i = 0; i < count && status == Status::ok; ++i) {
    if (REVODE_CHANGES && i == count / 2) {
      text::line("loss ", watch.level(), " before");
      text::line("changed at ", at);
      sensor.wear_out();
    }
    listen(sensor, at);
    const float error = learn(fresh, watch.rate(), status);
    if (watch.changed(error)) {
      text::line("flagged at ", at);
      known = 0;
    }
    for (int again = 0; again < 3 && known > 0 && status == Status::ok; ++again)
      learn(memory[random.below(static_cast<std::uint32_t>(known < remembered ? known : remembered))], watch.rate(),
            status);
    memory[known++ % remembered] = fresh;
    if (i % 100 == 99) text::line("samples ", at, " loss ", watch.level());
  }
  text::line("loss ", watch.level(), " after");
  return status;
}
}  // namespace

int main() {
  board::paint_stack();
  Arena arena(arena_bytes, sizeof arena_bytes);
  solver.place(arena, field);
  adam.place(arena, Driven::params);
  adam.reset();
  const Status status = arena.ok() ? run_for(windows) : Status::arena_too_small;
  const std::size_t fixed = sizeof arena_bytes + sizeof solver + sizeof adam + sizeof theta + sizeof theta_bar +
                            sizeof fresh + sizeof memory + sizeof field;
  text::line("# ", sentence(status), ": ", static_cast<unsigned long>(fixed), " bytes, stack ",
             static_cast<unsigned long>(board::stack_used()));
  return static_cast<int>(status);
}
