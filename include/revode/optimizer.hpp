/// Optimisers, learning-rate schedules and gradient clipping over flat arrays; they know neither maps nor solves. Each
/// holds its moments in the caller's bytes; moments() and count are all there is to checkpoint. update() adds nothing
/// to theta_bar.
#pragma once
#include <cstddef>

#include "revode/arena.hpp"
#include "revode/status.hpp"

namespace revode {
/// v = momentum v + g, theta -= rate v; g = theta_bar + weight_decay theta (Sutskever et al. 2013, as PyTorch writes
/// it).
template <class T>
struct Sgd {
  T momentum = 0, weight_decay = 0;
  constexpr void place(Arena& arena, std::size_t params) { params_ = params, v_ = arena.take<T>(params); }
  void reset();
  void update(T rate, const T* theta_bar, T* theta);
  T* moments() { return v_; }
  std::size_t size() const { return params_; }
  long count = 0;  ///< updates done

 private:
  std::size_t params_ = 0;
  T* v_ = nullptr;
};

/// Kingma and Ba 2015; decoupled: AdamW (Loshchilov and Hutter 2019), theta shrinks by rate * weight_decay first.
template <class T>
struct Adam {
  T beta1 = T(.9), beta2 = T(.999), epsilon = T(1e-8), weight_decay = 0;
  bool decoupled = false;
  constexpr void place(Arena& arena, std::size_t params) { params_ = params, m_ = arena.take<T>(2 * params); }
  void reset();
  void update(T rate, const T* theta_bar, T* theta);
  T* moments() { return m_; }  ///< [2][params]
  std::size_t size() const { return 2 * params_; }
  long count = 0;

 private:
  std::size_t params_ = 0;
  T* m_ = nullptr;
};

/// The infinity-norm variant (Kingma and Ba 2015, Algorithm 2).
template <class T>
struct Adamax {
  T beta1 = T(.9), beta2 = T(.999), epsilon = T(1e-8), weight_decay = 0;
  constexpr void place(Arena& arena, std::size_t params) { params_ = params, m_ = arena.take<T>(2 * params); }
  void reset();
  void update(T rate, const T* theta_bar, T* theta);
  T* moments() { return m_; }
  std::size_t size() const { return 2 * params_; }
  long count = 0;

 private:
  std::size_t params_ = 0;
  T* m_ = nullptr;
};

/// A rate as a function of the number of updates done.
/// one_cycle (Smith 2018, arXiv 1803.09820, in PyTorch's form): half a cosine from rate / 25 up to rate over three
/// tenths of the period, then half a cosine down to the floor.
struct Schedule {
  enum class Kind : unsigned char { constant, exponential, step, cosine, drops, one_cycle };
  Kind kind = Kind::constant;
  double rate = 1e-3;
  double factor = 1;         ///< exponential: each update; step: every `period` updates; drops: at each of `drop`
  long period = 1;           ///< step: updates between drops; cosine: updates to the floor; one_cycle: all updates
  double floor = 0;          ///< the rate never falls below it
  long warmup = 0;           ///< the first updates rise linearly to the schedule
  long drop[3] = {0, 0, 0};  ///< drops: after how many updates; 0: none
  double at(long count) const;
};

/// Scales g so that its Euclidean norm is at most max_norm; returns the norm it had. Not finite: g is left as it is.
template <class T>
T clip_by_norm(std::size_t n, T max_norm, T* g);
}  // namespace revode
