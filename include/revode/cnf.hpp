/// Cnf: a continuous normalizing flow as a field (Chen et al. 2018; Grathwohl et al., FFJORD, arXiv 1810.01367). Rows
///   z[d] | l | costs | noise[d]        dz/dt = f(t, z), dl/dt = -tr J, J = df/dz
/// so that l, from 0, is what log p gains on the way, and log p(z0) = log p(z1) - l1 either way in time. The noise of
/// Hutchinson's estimate eps^T J eps stands in the state with derivative zero: it is drawn once a solve and is the same
/// on the way back by construction. Costs integrate along, from 0:
///   kinetic   |f|^2                     (RNODE: Finlay et al., arXiv 2002.02798)
///   jacobian  |J eps|^2, or |J|_F^2 with the exact trace; E |J eps|^2 = E |eps^T J|^2 = |J|_F^2
///   taylor    |d^2 z / dt^2|^2 = |f_t + J f|^2   (TayNODE, order 2: Kelly et al., arXiv 2007.04504)
/// All from "eval with tangents, then vjp": no double backpropagation. No tangents.
#pragma once
#include "revode/kernels.hpp"
#include "revode/map.hpp"

namespace revode {
enum class Trace : unsigned char {
  exact,       ///< d tangents
  hutchinson,  ///< one tangent, the noise
  closed       ///< the field gives it: a map of d rows in and d + 1 out (time_mlp.hpp); costs by tangents of `field`
};
struct Costs {
  bool kinetic = false, jacobian = false, taylor = false;
  constexpr int count() const { return kinetic + jacobian + taylor; }
};

template <class T>
class Cnf final : public Map<T> {
 public:
  /// `field`: d rows in and out, with tangents; `traced`: the same map with its trace, for Trace::closed, of the same
  /// theta or a longer one that begins with it (traced_mlp.hpp); where no cost asks for tangents, of its own. Both
  /// outlive this; what does not fit makes a map of zero rows, which every init refuses.
  constexpr explicit Cnf(const Map<T>& field, Trace trace = Trace::exact, Costs costs = {},
                         const Map<T>* traced = nullptr)
      : field_(&field), traced_(traced), trace_(trace), costs_(costs), dim_(field.shape({}).in) {}
  constexpr Shape shape(Extent e) const override {
    const Shape s = field_->shape({e.lanes, 0});
    if (s.in != s.out || s.in < 1) return {};
    if (trace_ == Trace::closed && (!traced_ || traced_->shape({}).in != s.in || traced_->shape({}).out != s.in + 1))
      return {};
    Arena tape, work;
    keep(tape, e.lanes), scratch(work, e.lanes);
    int params = jet() ? s.params : 0;
    if (trace_ == Trace::closed && traced_->shape({}).params > params) params = traced_->shape({}).params;
    return {rows(), rows(), params, tape.bytes(), work.bytes()};
  }
  void eval(const Call<T>& call, const T* x, T* y, std::byte* tape) const override;
  void vjp(const Call<T>& call, const T* x, const T* y, std::byte* tape, const T* y_bar, T* x_bar,
           const Bar<T>& bar) const override;

  constexpr int dim() const { return dim_; }
  constexpr bool noisy() const { return trace_ == Trace::hutchinson || (trace_ == Trace::closed && costs_.jacobian); }
  constexpr int rows() const { return dim() + 1 + costs_.count() + (noisy() ? dim() : 0); }
  constexpr int cost_row() const { return dim() + 1; }                    ///< the first
  constexpr int noise_row() const { return dim() + 1 + costs_.count(); }  ///< the first, where noisy()

 private:
  struct Kept {
    T *y = nullptr, *traced = nullptr, *f = nullptr;  ///< jet of the field; [d + 1]; [d], the direction of taylor
    std::byte *y_tape = nullptr, *traced_tape = nullptr, *f_tape = nullptr;
  };
  struct Scratch {
    T *x = nullptr, *y_bar = nullptr, *x_bar = nullptr;  ///< jets
    T* traced_bar = nullptr;                             ///< [d + 1]
    T* t_dot = nullptr;                                  ///< [k]
    std::byte* inner = nullptr;
  };
  /// Tangents that the trace and the Jacobian's norm share, and all of them.
  constexpr int directions() const { return trace_ == Trace::exact ? dim() : noisy() ? 1 : 0; }
  constexpr int tangents() const { return directions() + (costs_.taylor ? 1 : 0); }
  constexpr bool jet() const { return trace_ != Trace::closed || tangents() > 0; }
  /// Only what stands behind it need know how large the last one is: an evaluation does not ask.
  template <class F>
  static constexpr std::byte* take_last(Arena& a, const F& bytes) {
    return a.take<std::byte>(a.measuring() ? bytes() : 0);
  }
  constexpr Kept keep(Arena& a, int lanes) const {
    Kept kept;
    const auto tile = static_cast<std::size_t>(dim()) * static_cast<std::size_t>(lanes);
    if (jet()) {
      kept.y = a.take<T>(static_cast<std::size_t>(1 + tangents()) * tile);
      kept.y_tape = a.take<std::byte>(field_->shape({lanes, tangents()}).tape);
    }
    if (costs_.taylor) {
      kept.f = a.take<T>(tile);
      kept.f_tape = a.take<std::byte>(field_->shape({lanes, 0}).tape);
    }
    if (trace_ == Trace::closed) {
      kept.traced = a.take<T>(tile + static_cast<std::size_t>(lanes));
      kept.traced_tape = take_last(a, [&] { return traced_->shape({lanes, 0}).tape; });
    }
    return kept;
  }
  constexpr Scratch scratch(Arena& a, int lanes) const {
    Scratch s;
    const auto k = static_cast<std::size_t>(tangents());
    const auto tile = static_cast<std::size_t>(dim()) * static_cast<std::size_t>(lanes);
    s.x = a.take<T>((1 + k) * tile), s.y_bar = a.take<T>((1 + k) * tile), s.x_bar = a.take<T>((1 + k) * tile);
    s.traced_bar = a.take<T>(tile + static_cast<std::size_t>(lanes)), s.t_dot = a.take<T>(k);
    s.inner = take_last(a, [&] {
      std::size_t inner = field_->shape({lanes, 0}).work, other = field_->shape({lanes, tangents()}).work;
      if (other > inner) inner = other;
      if (trace_ == Trace::closed && traced_->shape({lanes, 0}).work > inner) inner = traced_->shape({lanes, 0}).work;
      return inner;
    });
    return s;
  }
  Call<T> inside(const Call<T>& call, const Scratch& s, int k) const;
  void fill(const Call<T>& call, const Kept& kept, const Scratch& s, const T* x) const;
  void cotangents(const Call<T>& call, const Kept& kept, const Scratch& s, const T* x, const T* y_bar) const;
  void add_x(const Call<T>& call, const Kept& kept, const Scratch& s, const T* y_bar, T* x_bar) const;

  const Map<T>*field_, *traced_;
  Trace trace_;
  Costs costs_;
  int dim_;
};
}  // namespace revode
