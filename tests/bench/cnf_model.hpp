// One training iteration of a normalizing flow, by the driver's own model: all tiles of a batch, their leaves, Adam.
#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include "bytes.hpp"
#include "models/cnf.hpp"
#include "revode/optimizer.hpp"
#include "revode/random.hpp"

namespace bench {
using namespace revode;

template <class T>
class Flow {
 public:
  using Model = host::CnfModel<T>;
  Flow(const typename Model::Config& config, int batch) : model_(config), tiles_(batch / config.lanes) {
    const auto params = static_cast<std::size_t>(model_.params());
    theta.resize(params + static_cast<std::size_t>(model_.buffers()));
    Arena measure;
    place(measure);
    bytes_ = Bytes(measure.bytes() + model_.bytes() + REVODE_ALIGN);
    Arena arena = bytes_.arena();
    place(arena);
    status_ = model_.init(arena);
    adam_.reset();
    model_.initialise(1, theta.data());
    noise_.resize(tile());
    Random random(3, 1);
    for (T& v : noise_) v = random.below(2) ? T(1) : T(-1);
    redraw(0);
  }
  /// Two circles as scikit-learn draws them, noise 0.06 and factor 0.5, every sample anew.
  void redraw(int iteration) {
    const auto lanes = static_cast<std::size_t>(model_.config().lanes);
    points_.resize(static_cast<std::size_t>(tiles_) * tile());
    Random random(2, 0, static_cast<std::uint64_t>(iteration));
    for (std::size_t i = 0; i < points_.size(); i += tile())
      for (std::size_t l = 0; l < lanes; ++l) {
        const double angle = 6.283185307179586 * static_cast<double>(random.uniform()), radius = l % 2 ? 1 : .5;
        points_[i + l] = static_cast<T>(radius * std::cos(angle) + .06 * static_cast<double>(random.normal()));
        points_[i + lanes + l] = static_cast<T>(radius * std::sin(angle) + .06 * static_cast<double>(random.normal()));
      }
  }
  /// The mean loss; its gradient is gradient()[0 .. params()).
  T loss() {
    if (status_ == Status::ok) status_ = model_.prepare(theta.data());
    const std::size_t leaves = leaves_of_a_tile();
    for (int t = 0; t < tiles_; ++t) {
      T* const at = leaves_ + static_cast<std::size_t>(t) * leaves * stride();
      std::fill_n(at, leaves * stride(), T(0));
      const Status s = model_.loss(points_.data() + static_cast<std::size_t>(t) * tile(), noise_.data(),
                                   model_.config().lanes, theta.data(), {at, model_.leaf(), stride()});
      if (s != Status::ok) status_ = s;
    }
    kernel::tree_slices(stride(), tiles_ * static_cast<int>(leaves), stride(), leaves_);
    const T mean = 1 / leaves_[summed() + 2];
    for (std::size_t i = 0; i <= summed(); ++i) leaves_[i] *= mean;
    gradient_ = model_.gather(theta.data(), leaves_, status_);
    return leaves_[summed()];
  }
  const T* gradient() const { return gradient_; }
  T iterate() {
    redraw(++iteration_);
    const T value = loss();
    adam_.update(T(1e-3), gradient(), theta.data());
    return value;
  }
  /// Points of the first tile at the base and what log p gains on the way, by so many steps of RK4.
  std::vector<T> ends() {
    std::vector<T> z(points_.begin(), points_.begin() + static_cast<std::ptrdiff_t>(tile()));
    std::vector<T> gain(static_cast<std::size_t>(model_.config().lanes));
    status_ = model_.carry(0, 1, theta.data(), z.data(), gain.data());
    z.insert(z.end(), gain.begin(), gain.end());
    return z;
  }
  bool good() const { return status_ == Status::ok; }
  Accounting accounting() const { return model_.accounting(); }
  std::size_t params() const { return static_cast<std::size_t>(model_.params()); }

  std::vector<T> theta;

 private:
  std::size_t leaves_of_a_tile() const { return static_cast<std::size_t>(model_.config().lanes / model_.leaf()); }
  std::size_t tile() const { return static_cast<std::size_t>(model_.config().dim * model_.config().lanes); }
  std::size_t summed() const { return static_cast<std::size_t>(model_.summed()); }
  std::size_t stride() const {  // leaves begin on a cache line
    constexpr std::size_t line = REVODE_ALIGN / sizeof(T);
    return (summed() + Model::statistics + static_cast<std::size_t>(model_.buffers()) + line - 1) / line * line;
  }
  void place(Arena& arena) {
    adam_.place(arena, params());
    leaves_ = arena.take<T>(static_cast<std::size_t>(tiles_) * leaves_of_a_tile() * stride());
  }

  Model model_;
  int tiles_, iteration_ = 0;
  Adam<T> adam_;
  Bytes bytes_{0};
  Status status_ = Status::ok;
  std::vector<T> points_, noise_;
  T *leaves_ = nullptr, *gradient_ = nullptr;
};
}  // namespace bench
