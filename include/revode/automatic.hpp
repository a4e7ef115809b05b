/// Automatic right-hand sides: f written once for any scalar,
///
///   struct Pendulum {
///     static constexpr int dim = 2, params = 1;
///     template <class S> constexpr void operator()(S t, const S* y, const S* theta, S* dy) const {
///       dy[0] = y[1];
///       dy[1] = -sin(y[0]) - theta[0] * y[1];
///     }
///   };
///   constexpr Automatic<float, Pendulum> field;
///
/// is traced AT COMPILE TIME into a straight-line program; eval and vjp walk it with lanes innermost, tangents
/// included. The tape holds values only, [operations][lanes] (each tangent as much again), so its bytes are known to
/// the compiler. A branch on the state does not compile. Operations: + - * / and exp log sin cos tanh sqrt; a / b is a
/// * (1 / b).
#pragma once
#include "revode/kernels.hpp"
#include "revode/map.hpp"

namespace revode {
namespace trace {
enum class Op : unsigned char {
  input,
  parameter,
  time,
  constant,
  add,
  subtract,
  multiply,
  reciprocal,
  exp,
  log,
  sin,
  cos,
  tanh,
  sqrt
};
struct Instruction {
  Op op = Op::constant;
  int a = 0, b = 0;  // operands
  double value = 0;  // of a constant
};
/// The same as a device keeps it: of its own number type, and small.
template <class T>
struct Stored {
  Op op = Op::constant;
  short a = 0, b = 0;
  T value = 0;
};
struct Recorder {
  Instruction* program;
  int size;
  bool counts;  // only: a null test of program is no constant expression under GCC's sanitizers
};

/// The scalar that records. A constant enters the program when it meets a recorded value.
class Scalar {
 public:
  constexpr Scalar(double value = 0) : value_(value) {}
  constexpr Scalar(Recorder& recorder, Instruction instruction) : recorder_(&recorder), id_(recorder.size) {
    if (!recorder.counts) recorder.program[recorder.size] = instruction;
    ++recorder.size;
  }
  constexpr int id(Recorder& recorder) const {
    return recorder_ ? id_ : Scalar(recorder, {Op::constant, 0, 0, value_}).id_;
  }
  friend constexpr Scalar operator+(Scalar a, Scalar b) { return binary(Op::add, a, b, a.value_ + b.value_); }
  friend constexpr Scalar operator-(Scalar a, Scalar b) { return binary(Op::subtract, a, b, a.value_ - b.value_); }
  friend constexpr Scalar operator*(Scalar a, Scalar b) { return binary(Op::multiply, a, b, a.value_ * b.value_); }
  friend constexpr Scalar operator/(Scalar a, Scalar b) {
    if (!b.recorder_) return a * Scalar(1 / b.value_);
    return a * unary(Op::reciprocal, b);
  }
  friend constexpr Scalar operator-(Scalar a) { return Scalar(0.) - a; }
  constexpr Scalar& operator+=(Scalar b) { return *this = *this + b; }
  constexpr Scalar& operator-=(Scalar b) { return *this = *this - b; }
  constexpr Scalar& operator*=(Scalar b) { return *this = *this * b; }
  friend constexpr Scalar exp(Scalar a) { return unary(Op::exp, a); }
  friend constexpr Scalar log(Scalar a) { return unary(Op::log, a); }
  friend constexpr Scalar sin(Scalar a) { return unary(Op::sin, a); }
  friend constexpr Scalar cos(Scalar a) { return unary(Op::cos, a); }
  friend constexpr Scalar tanh(Scalar a) { return unary(Op::tanh, a); }
  friend constexpr Scalar sqrt(Scalar a) { return unary(Op::sqrt, a); }

 private:
  static constexpr Scalar binary(Op op, Scalar a, Scalar b, double folded) {
    Recorder* r = a.recorder_ ? a.recorder_ : b.recorder_;
    if (!r) return Scalar(folded);
    const int i = a.id(*r), j = b.id(*r);
    return Scalar(*r, {op, i, j, 0});
  }
  static Scalar function_of_a_constant();  // not constexpr: a compile error by its name; write the number instead
  static constexpr Scalar unary(Op op, Scalar a) {
    if (a.recorder_ == nullptr) return function_of_a_constant();
    Recorder& r = *a.recorder_;
    const int i = a.id(r);
    return Scalar(r, {op, i, i, 0});
  }
  Recorder* recorder_ = nullptr;
  int id_ = 0;
  double value_ = 0;
};

/// Inputs come first, then parameters, then t: their cotangents are then neighbours.
template <class F>
constexpr void record(Recorder& r, int* outputs) {
  Scalar y[F::dim], p[F::params > 0 ? F::params : 1], dy[F::dim];
  for (int i = 0; i < F::dim; ++i) y[i] = Scalar(r, {Op::input, i, 0, 0});
  for (int i = 0; i < F::params; ++i) p[i] = Scalar(r, {Op::parameter, i, 0, 0});
  const Scalar t(r, {Op::time, 0, 0, 0});
  F{}(t, static_cast<const Scalar*>(y), static_cast<const Scalar*>(p), dy);
  for (int i = 0; i < F::dim; ++i) outputs[i] = dy[i].id(r);
}
template <class F>
consteval int length() {
  Recorder r{nullptr, 0, true};
  int outputs[F::dim]{};
  record<F>(r, outputs);
  return r.size;
}
template <class T, class F>
struct Program {
  static_assert(length<F>() <= 32767, "operands are short");
  Stored<T> instruction[length<F>()]{};
  int output[F::dim]{};
  consteval Program() {
    Instruction recorded[length<F>()]{};
    Recorder r{recorded, 0, false};
    record<F>(r, output);
    for (int i = 0; i < r.size; ++i) {
      const Instruction& from = recorded[i];
      instruction[i] = {from.op, static_cast<short>(from.a), static_cast<short>(from.b), static_cast<T>(from.value)};
    }
  }
};
}  // namespace trace

/// A recorded program as a map; Automatic is the one that owns its program.
template <class T>
class Traced : public Map<T> {
 public:
  constexpr Traced(const trace::Stored<T>* program, int size, const int* outputs, int dim, int params)
      : program_(program), outputs_(outputs), size_(size), dim_(dim), params_(params) {}
  constexpr Shape shape(Extent e) const override {
    const auto rows = static_cast<std::size_t>(size_) * static_cast<std::size_t>(e.lanes) * sizeof(T);
    const auto bytes = static_cast<std::size_t>(1 + e.tangents) * rows;
    return {dim_, dim_, params_, bytes, bytes + 2 * static_cast<std::size_t>(e.lanes) * sizeof(T)};
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;

 protected:
  ~Traced() = default;

 private:
  const trace::Stored<T>* program_;
  const int* outputs_;
  int size_, dim_, params_;
};

template <class T, class F>
class Automatic final : public Traced<T> {
  static constexpr trace::Program<T, F> program{};

 public:
  using Rule = F;
  static constexpr int operations = trace::length<F>();
  constexpr Automatic() : Traced<T>(program.instruction, operations, program.output, F::dim, F::params) {}
};
}  // namespace revode
