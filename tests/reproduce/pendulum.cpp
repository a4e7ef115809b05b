// A measured pendulum: learned accelerations against a linear-damped pendulum, all by the same least squares.
//   reproduce_pendulum DATA FOLDER TRAINED HELD RIDGE SEED SEEDS [MODEL...]
// DATA: a line an observation, (t, q, v). TRAINED: fraction of the record that is fitted; HELD: where the judged part
// ends. Fits every model, or those named, with SEEDS seeds from SEED on. Writes models.csv, a line a model and seed,
// and rollouts.csv.
#include <cmath>
#include <limits>
#include <memory>
#include <set>

#include "least_squares.hpp"
#include "observed.hpp"
#include "pendulum_maps.hpp"
#include "revode/automatic.hpp"
#include "revode/gradient_field.hpp"
#include "revode/layers.hpp"
#include "revode/random.hpp"
#include "revode/second_order.hpp"
#include "revode/sequential.hpp"

namespace {
using namespace reproduce;
using namespace revode;
using Table = std::vector<std::vector<double>>;
constexpr double tolerance = 1e-6;  // of a sum of squares, relative: far below what its noise makes of it

struct Damped {  // the baseline, theta = (k, c)
  static constexpr int dim = 2, params = 2;
  template <class S>
  constexpr void operator()(S, const S* y, const S* p, S* dy) const {
    dy[0] = y[1];
    dy[1] = -(p[0] * sin(y[0])) - p[1] * y[1];
  }
};
struct Scaled {  // the same with a measured v that is not q's rate and rest at an angle d, theta = (k, c, r, d)
  static constexpr int dim = 2, params = 4;
  template <class S>
  constexpr void operator()(S, const S* y, const S* p, S* dy) const {
    dy[0] = p[2] * y[1];
    dy[1] = -(p[0] * sin(y[0] - p[3])) - p[1] * y[1];
  }
};
constexpr Automatic<double, Damped> damped;
constexpr Automatic<double, Scaled> scaled;

struct Model {
  const char* name;
  const Map<double>* field;
  Plan<double> plan;
  long steps;     ///< between observations
  int first;      ///< so many parameters begin at zero
  int weights;    ///< the next ones are drawn and held small
  VectorXd rest;  ///< where those after them begin
};
/// The weights among p = (theta, ...).
template <class Vector>
auto weights_of(const Model& model, Vector& p) {
  return p.segment(model.first, model.weights);
}

/// p = (theta, q0, v0); residuals of q and v over the record's part [from, to), and the weights' ridge.
class Fit {
 public:
  Fit(const Model& model, const Table& data, std::size_t from, std::size_t to, double ridge)
      : data_(data.begin() + static_cast<std::ptrdiff_t>(from), data.begin() + static_cast<std::ptrdiff_t>(to)),
        model_(model),
        params_(model.field->shape({}).params),
        ridge_(ridge),
        observed_(*model.field, model.plan, times(data_), model.steps) {}

  bool operator()(const VectorXd& p, VectorXd& r, MatrixXd* J) {
    std::vector<VectorXd> states;
    if (!run(p, states)) return false;
    const auto n = static_cast<Eigen::Index>(2 * data_.size());
    std::vector<Row> rows;
    r = VectorXd::Zero(n + model_.weights);
    for (std::size_t k = 0; k < data_.size(); ++k)
      for (int i = 0; i < 2; ++i) {
        r[static_cast<Eigen::Index>(rows.size())] = states[k][i] - data_[k][static_cast<std::size_t>(i) + 1];
        rows.push_back({k, VectorXd::Unit(2, i)});
      }
    r.tail(model_.weights) = ridge_ * weights_of(model_, p);
    if (!J) return true;
    MatrixXd of_data;
    if (!observed_.jacobian(p.head(params_), p.tail(2), rows, of_data)) return false;
    *J = MatrixXd::Zero(r.size(), p.size());
    J->topRows(n) = of_data;
    J->block(n, model_.first, model_.weights, model_.weights).diagonal().setConstant(ridge_);
    return true;
  }
  bool run(const VectorXd& p, std::vector<VectorXd>& states) {
    return observed_.run(p.head(params_), p.tail(2), states);
  }

 private:
  static std::vector<double> times(const Table& data) {
    std::vector<double> t;
    for (const auto& row : data) t.push_back(row[0]);
    return t;
  }
  Table data_;
  const Model& model_;
  Eigen::Index params_;
  double ridge_;
  Observed observed_;
};

VectorXd measured(const std::vector<double>& row) {
  return VectorXd{{row[1], row[2]}};
}
/// Root mean square of q's and v's errors, states being those of data from `first` on; `skipped` of them do not count.
struct Errors {
  double q = 0, v = 0, count = 0;
  bool lost = false;  ///< a rollout left its range
  void add(const std::vector<VectorXd>& states, const Table& data, std::size_t first, std::size_t skipped) {
    for (std::size_t k = skipped; k < states.size(); ++k, ++count) {
      q += std::pow(states[k][0] - data[first + k][1], 2);
      v += std::pow(states[k][1] - data[first + k][2], 2);
    }
  }
  double rms_q() const { return rms(q); }
  double rms_v() const { return rms(v); }

 private:
  double rms(double squares) const { return lost || count == 0 ? infinity : std::sqrt(squares / count); }
  static constexpr double infinity = std::numeric_limits<double>::infinity();
};

/// Rolls out seconds from measured states all over the record: p = theta. A beginning for the fit of one long rollout.
class Snippets {
 public:
  Snippets(const Model& model, const Table& data, std::size_t trained, double ridge)
      : model_(model), data_(data), ridge_(ridge) {
    for (std::size_t first = 0; first + length <= trained; first += length)
      fits_.push_back(std::make_unique<Fit>(model, data, first, first + length, 0));
  }
  bool operator()(const VectorXd& p, VectorXd& r, MatrixXd* J) {
    const auto n = static_cast<Eigen::Index>(2 * length), all = n * static_cast<Eigen::Index>(fits_.size());
    r = VectorXd::Zero(all + model_.weights);
    if (J) *J = MatrixXd::Zero(r.size(), p.size());
    VectorXd whole(p.size() + 2), part;
    for (std::size_t i = 0; i < fits_.size(); ++i) {
      whole << p, measured(data_[i * length]);
      MatrixXd by_whole;
      if (!(*fits_[i])(whole, part, J ? &by_whole : nullptr)) return false;
      r.segment(static_cast<Eigen::Index>(i) * n, n) = part.head(n);
      if (J) J->middleRows(static_cast<Eigen::Index>(i) * n, n) = by_whole.topLeftCorner(n, p.size());
    }
    r.tail(model_.weights) = ridge_ * weights_of(model_, p);
    if (J) J->block(all, model_.first, model_.weights, model_.weights).diagonal().setConstant(ridge_);
    return true;
  }

 private:
  static constexpr std::size_t length = 7;
  const Model& model_;
  Table data_;
  double ridge_;
  std::vector<std::unique_ptr<Fit>> fits_;
};

/// Short rollouts first, then longer and longer beginnings of the record, each from the one before: over many periods
/// at once the phase of a first guess would be lost.
Minimum train(const Model& model, const Table& data, std::size_t trained, std::uint64_t seed, double ridge) {
  VectorXd theta = VectorXd::Zero(model.field->shape({}).params);
  theta.tail(model.rest.size()) = model.rest;
  Random random(seed, 1);
  for (double& w : weights_of(model, theta)) w = 2 * static_cast<double>(random.uniform()) - 1;
  Snippets snippets(model, data, trained, ridge);
  Minimum m;
  m.p.resize(theta.size() + 2);
  m.p << least_squares(std::ref(snippets), theta, 40, tolerance).p, measured(data[0]);
  for (const double part : {.1, .3, 1.}) {
    Fit fit(model, data, 0, static_cast<std::size_t>(part * static_cast<double>(trained)), ridge);
    m = least_squares(std::ref(fit), m.p, part < 1 ? 10 : 40, tolerance);
  }
  return m;
}

struct Files {
  std::ofstream models, rollouts;
};
void judge(const Model& model, const Table& data, std::size_t trained, std::size_t held, std::uint64_t seed,
           double ridge, Files& out) {
  const Minimum m = train(model, data, trained, seed, ridge);
  Fit whole(model, data, 0, held, ridge), beginning(model, data, 0, 40, ridge);
  std::vector<VectorXd> states;
  Errors beyond, windows, before;
  if (whole.run(m.p, states)) {
    before.add({states.begin(), states.begin() + static_cast<std::ptrdiff_t>(trained)}, data, 0, 0);
    beyond.add(states, data, 0, trained);
  }
  constexpr std::size_t window = 60, stride = 10;
  for (std::size_t first = trained; first + window <= held; first += stride) {
    std::vector<VectorXd> rolled;
    VectorXd p = m.p;
    p.tail(2) = measured(data[first]);
    if (Fit(model, data, first, first + window, ridge).run(p, rolled))
      windows.add(rolled, data, first, 1);
    else
      windows.lost = true;
  }
  out.models << model.name << ',' << seed << ',' << m.p.size() - 2 << ',' << m.iterations << ',' << m.converged << ','
             << jacobian_error(std::ref(beginning), m.p) << ',' << before.rms_q() << ',' << before.rms_v() << ','
             << beyond.rms_q() << ',' << beyond.rms_v() << ',' << windows.rms_q() << ',' << windows.rms_v()
             << std::endl;
  for (std::size_t k = 0; k < states.size(); ++k)
    out.rollouts << model.name << ',' << seed << ',' << data[k][0] << ',' << states[k][0] << ',' << states[k][1]
                 << '\n';
}

/// The fields and how each is solved, for records of up to `steps` intervals.
struct Candidates {
  explicit Candidates(long steps) {
    Plan<double> stored, kicks;
    stored.method = runge_kutta(tableau::rk4<double>), stored.way = Way::stored, stored.arithmetic = Arithmetic::real;
    stored.stored_steps = steps;
    kicks.fraction_bits[0] = 50, kicks.method = verlet<double>();
    const auto weights = [](const Map<double>& map) { return map.shape({}).params; };
    models = {{"baseline", &damped, stored, 1, 0, 0, VectorXd{{1, 0}}},
              {"baseline scaled", &scaled, stored, 1, 0, 0, VectorXd{{1, 0, 1, 0}}},
              {"second-order", &second_order, stored, 1, 1, weights(bent), VectorXd{{-1, 0, 0, 1}}},
              {"Hamiltonian", &conformal, stored, 1, 1, weights(phase_bent), VectorXd{{-1, .5, 0, 0}}},
              {"second-order of a number", &number_mechanics, stored, 1, 0, weights(of_number), VectorXd::Zero(1)},
              {"potential alone", &force, kicks, 4, 1, weights(bent), VectorXd{{-1, 0}}}};
  }
  Candidates(const Candidates&) = delete;  // fields point at each other
  Candidates& operator=(const Candidates&) = delete;
  std::vector<Model> models;

 private:
  static constexpr int width = 8, line[] = {1, width, 1}, plane[] = {2, width, 2};
  const Mirror angle{1}, phase{2};
  const Mlp<double> of_number{line, Activation::tanh}, bent{line, Activation::tanh},
      phase_bent{plane, Activation::tanh};
  const Residual<double> around{bent}, phase_around{phase_bent};
  const Dense<double> out{1, 1}, phase_out{2, 1};
  const Map<double>* const of_angle[3] = {&angle, &around, &out};
  const Map<double>* const of_phase[3] = {&phase, &phase_around, &phase_out};
  const Sequential<double> potential{of_angle}, energy{of_phase};
  const GradientField<double> force{potential}, hamiltonian{energy, Gradient::hamiltonian}, number_force{of_number};
  const SecondOrder<double> mechanics{force}, number_mechanics{number_force, true};
  const Friction second_order{mechanics, true}, conformal{hamiltonian, false};
};
}  // namespace

int main(int argc, char** argv) {
  if (argc < 8) {
    std::cerr << "usage: reproduce_pendulum DATA FOLDER TRAINED HELD RIDGE SEED SEEDS [MODEL...]\n";
    return 2;
  }
  const std::string folder = argv[2];
  const Table data = read_table(argv[1], 3);
  const auto at = [&](const char* fraction) {
    return static_cast<std::size_t>(std::atof(fraction) * static_cast<double>(data.size()));
  };
  const std::size_t trained = at(argv[3]), held = at(argv[4]);
  const double ridge = std::atof(argv[5]);
  const auto first = static_cast<std::uint64_t>(std::atoll(argv[6])),
             seeds = static_cast<std::uint64_t>(std::atoll(argv[7]));
  const std::set<std::string> wanted(argv + 8, argv + argc);

  const Candidates candidates(static_cast<long>(data.size()));
  Files files{std::ofstream(folder + "/models.csv"), std::ofstream(folder + "/rollouts.csv")};
  files.models << "model,seed,parameters,iterations,converged,jacobian_error,train_q,train_v,beyond_q,beyond_v,"
                  "windows_q,windows_v\n";
  files.rollouts << "model,seed,t,q,v\n";
  for (const Model& model : candidates.models)
    for (std::uint64_t seed = first; seed < first + (model.weights ? seeds : 1); ++seed)
      if (wanted.empty() || wanted.count(model.name)) judge(model, data, trained, held, seed, ridge, files);
  return files.models.good() && files.rollouts.good() ? 0 : 1;
}
