/// A continuous normalizing flow as a density: several flows in a row, normalisation between them, learned end times.
/// All memory is an arena's, its size known before the run.
///
/// Position s in [0, flows] along the model: 0 is the data, `flows` the base, N(0, base_variance I).
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/tensors.hpp"
#include "revode/cnf.hpp"
#include "revode/hyper_table.hpp"
#include "revode/moving_norm.hpp"
#include "revode/solve.hpp"
#include "revode/time_mlp.hpp"
#include "revode/time_weights.hpp"

namespace revode::host {
/// The larger, where NaN is the largest.
inline float worse(float a, float b) {
  return a >= b || a != a ? a : b;
}

template <class T>
class CnfModel {
 public:
  enum class Layer { concat, concat_squash, hyper };
  struct Config {
    int dim = 2, lanes = 64;
    Layer layer = Layer::concat_squash;
    std::vector<int> hidden{64, 64};  ///< hyper: one, the width
    int hyper_hidden = 32;            ///< units of the hypernetwork's two hidden layers
    Activation activation = Activation::tanh;
    int flows = 1;
    bool norm = false;
    Trace trace = Trace::closed;
    T kinetic = 0, jacobian = 0, taylor = 0;  ///< weights of the costs; 0: not carried along
    T first_scale = 1;  ///< of the first layer's initial weights and biases: above 1 it sees finer detail
    T first_reach = 1;  ///< of the biases once more: how far from the origin its units bend
    T base_variance = 1;
    T end_time = 1;
    bool learn_time = false;
    Plan<T> plan, test_plan;
    long steps = 10, test_steps = 40;  ///< of each flow
  };
  static constexpr int statistics = 3;  // loss, sum of -log p, samples: reduced with the gradient

  explicit CnfModel(const Config& config);
  CnfModel(const CnfModel&) = delete;
  CnfModel& operator=(const CnfModel&) = delete;

  int params() const { return config_.flows * flow_params() + norm_params(); }
  /// Moving mean[dim] and variance[dim] of each normalisation.
  int buffers() const { return norm_params(); }
  std::vector<Part> tensors() const;
  void initialise(std::uint64_t seed, T* theta) const;  ///< theta[params + buffers]
  std::size_t bytes();
  Status init(Arena& arena);
  bool noisy() const { return train_field_.noisy(); }

  /// Samples of a leaf: the most that the kernels take and lanes are a multiple of.
  int leaf() const { return config_.lanes % 64 == 0 ? 64 : config_.lanes % 32 == 0 ? 32 : 16; }
  /// What theta alone decides is computed once an update: the trace's matrix, and a hypernetwork's weights at the times
  /// of equal steps (traced_mlp.hpp). Training solves in these; so what it sums over samples has summed() numbers.
  int summed() const { return config_.flows * flow_sums() + norm_params(); }
  Status prepare(const T* theta);
  /// Of prepare()'s theta: x[dim][lanes] of which the first `count` count, noise[flows][dim][lanes] where noisy(). The
  /// stride of sums counts summed() + statistics + buffers(); what they stand on is added to.
  Status loss(const T* x, const T* noise, int count, const T* theta, const ThetaBar<T>& sums);
  /// The gradient, [params()], of prepare()'s theta from the sum of all leaves, sums[summed()]; valid until the next.
  T* gather(const T* theta, T* sums, Status& status);
  /// From position a to b, either way: z[dim][lanes], and what log p gains on the way, gain[lanes], both overwritten.
  Status carry(T a, T b, const T* theta, T* z, T* gain);
  Accounting accounting() const { return accounting_; }
  const Config& config() const { return config_; }

 private:
  std::size_t flows() const { return static_cast<std::size_t>(config_.flows); }
  std::size_t rows(int count) const {
    return static_cast<std::size_t>(count) * static_cast<std::size_t>(config_.lanes);
  }
  int norm_params() const { return config_.norm ? (config_.flows + 1) * 2 * config_.dim : 0; }
  int flow_params() const { return plain_.shape({}).params + (config_.learn_time ? 1 : 0); }
  int flow_sums() const { return derives() ? phi_params() + (config_.learn_time ? 1 : 0) : flow_params(); }
  bool derives() const { return tabulated() || (config_.layer == Layer::concat && derived_.row() > 0); }
  bool tabulated() const { return config_.layer == Layer::hyper && times_.count > 0; }
  int root_at(int flow) const { return flow * flow_params() + flow_params() - 1; }
  int norm_at(int norm) const { return config_.flows * flow_params() + norm * 2 * config_.dim; }
  int phi_params() const { return derived_.row() * (tabulated() ? times_.count : 1); }
  T* phi(int flow) const { return phi_ + flow * phi_params(); }
  T end_time(const T* theta, int flow) const;
  void place(Arena& arena);
  Call<T> call(const T* theta, int norm);
  void set_norm(const T* theta, int norm);
  void begin(const T* x, const T* noise);
  Status forward(const T* theta);
  void statistics_of(int count, const ThetaBar<T>& sums);
  Status backward(int count, const T* theta, const ThetaBar<T>& sums);
  Status flow_back(int flow, const ThetaBar<T>& sums, const T* theta);
  Status solve_part(int flow, T from, T to, const T* theta);

  Config config_;
  std::vector<int> widths_;
  Mlp<T> hyper_net_;
  LayerWeights<T> layer_weights_;
  HyperWeights<T> hyper_weights_;
  TimeMlp<T> plain_, traced_;
  Times<T> times_;  // of a flow's steps, where a table is made
  TracedMlp<T> derived_;
  HyperTable<T> table_;
  Cnf<T> train_field_, test_field_;
  std::vector<T> moments_;  // mean and variance of the norm at hand
  MovingNorm<T> norm_, test_norm_;
  std::vector<Solve<T>> solves_;
  Solve<T> test_solve_;
  T *state_ = nullptr, *entered_ = nullptr, *bar_ = nullptr, *other_bar_ = nullptr;  // [rows][lanes], entered_: of each
  T *noise_ = nullptr, *test_state_ = nullptr, *test_other_ = nullptr;
  T *phi_ = nullptr, *gradient_ = nullptr;  // [flows][of derived_], [params]
  std::byte* norm_work_ = nullptr;
  Accounting accounting_;
  Status status_ = Status::ok;
};
}  // namespace revode::host
