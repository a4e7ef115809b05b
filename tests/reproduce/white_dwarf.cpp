// The white dwarf of McCallum and Foster (arXiv 2410.11648): a network 3-10-2 learns the equation from 1000 steps.
//   reproduce_white_dwarf train FOLDER     trainings of 1000 updates: trainings.csv, losses.csv, trajectory.csv
//   reproduce_white_dwarf draws FOLDER     the same by one way, from 30 other initial draws: draws.csv
//   reproduce_white_dwarf steps FOLDER     one gradient against the number of steps: steps.csv
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>
#include <string_view>
#include <vector>

#include "bytes.hpp"
#include "revode/optimizer.hpp"
#include "revode/random.hpp"
#include "revode/solve.hpp"
#include "white_dwarf.hpp"

namespace {
using namespace reproduce;
using namespace revode;

constexpr long steps = 1000, updates = 1000;
constexpr Grid<double> grid{0, 5, steps};
constexpr double y0[] = {1, 0};

/// Seconds of this processor, which other programs on the machine do not lengthen.
double seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}
std::uint64_t hash(std::uint64_t h, const std::vector<double>& values) {  // FNV-1a over the bits
  for (const double v : values) {
    std::uint64_t bits;
    std::memcpy(&bits, &v, sizeof bits);
    h = (h ^ bits) * 1099511628211u;
  }
  return h;
}

/// The states of a solve, [nodes][2].
std::vector<double> trajectory(const Map<double>& field, const Plan<double>& plan, const double* theta) {
  Bytes bytes(Solve<double>::bytes(field, plan, 1));
  Arena arena = bytes.arena();
  Solve<double> solve;
  expect(solve.init(arena, field, plan, 1));
  expect(solve->begin(grid, theta, y0));
  std::vector<double> states;
  do {
    states.insert(states.end(), solve->y(), solve->y() + 2);
  } while (solve->advance());
  expect(solve->status());
  return states;
}

struct Trained {
  std::vector<double> theta, losses;
  double seconds = 0;
  std::size_t bytes = 0;  ///< of the solve, the optimiser, the parameters and their cotangents
};

/// Mean squared error of all steps, AdamW at a constant rate; the last loss is that after all updates.
Trained train(const Plan<double>& plan, const std::vector<double>& data, std::uint64_t seed) {
  Trained t;
  t.theta = initial(seed);
  const std::size_t params = t.theta.size();
  Adam<double> adam;
  adam.weight_decay = 1e-5, adam.decoupled = true;
  Arena measure;
  adam.place(measure, params);
  Bytes solver(Solve<double>::bytes(network, plan, 1)), optimiser(measure.bytes());
  Arena arena = solver.arena(), moments = optimiser.arena();
  adam.place(moments, params);
  adam.reset();
  t.bytes = solver.size() + optimiser.size() + 2 * params * sizeof(double);
  const double start = seconds();
  Solve<double> solve;
  expect(solve.init(arena, network, plan, 1));
  std::vector<double> theta_bar(params);
  for (long update = 0;; ++update) {
    expect(run(*solve, grid, t.theta.data(), y0));
    theta_bar.assign(params, 0);
    expect(solve->turn({theta_bar.data()}));
    double loss = 0;
    do {
      if (solve->n() == 0) break;
      for (std::size_t i = 0; i < 2; ++i) {
        const double off = solve->y()[i] - data[2 * static_cast<std::size_t>(solve->n()) + i];
        loss += off * off / (2 * steps);
        solve->y_bar()[i] += off / steps;
      }
    } while (solve->retreat());
    expect(solve->finish(nullptr));
    t.losses.push_back(loss);
    if (update == updates) break;
    adam.update(1e-2, theta_bar.data(), t.theta.data());
  }
  t.seconds = seconds() - start;
  return t;
}

struct Choice {
  const char* way;
  Plan<double> plan;
  std::uint64_t seeds;
};
Plan<double> plan(const Method<double>& method, Way way, Arithmetic arithmetic, int slots = 0) {
  Plan<double> p;
  p.method = method, p.way = way, p.arithmetic = arithmetic, p.slots = slots;
  p.stored_steps = way == Way::stored ? steps : 0;
  return p;
}
/// Coupled ones share a trajectory in fixed point, plain ones another in floats; the published one, damped by lambda,
/// has a third.
std::vector<Choice> choices(const Tableau<double>& base) {
  const Method<double> coupled = mccallum_foster(base), plain = runge_kutta(base);
  Plan<double> damped = plan(coupled, Way::reversed, Arithmetic::real);
  damped.lambda = .999;
  std::vector<Choice> all = {
      {"reversed", plan(coupled, Way::reversed, Arithmetic::fixed), 3},
      {"reversed in floats", damped, 3},
      {"coupled stored", plan(coupled, Way::stored, Arithmetic::fixed), 1},
      {"coupled checkpointed", plan(coupled, Way::checkpointed, Arithmetic::fixed, 8), 1},
      {"stored", plan(plain, Way::stored, Arithmetic::real), 3},
  };
  Plan<double> taped = plan(plain, Way::taped, Arithmetic::real, 8);
  taped.predictor = Predictor::adams_bashforth, taped.log_bits = 1 << 15;
  all.push_back({"taped", taped, 3});
  for (const int slots : {2, 4, 8, 16, 32, 44})
    all.push_back({"checkpointed", plan(plain, Way::checkpointed, Arithmetic::real, slots), 1});
  return all;
}
const Tableau<double>* const bases[] = {&tableau::euler<double>, &tableau::midpoint<double>, &tableau::ralston3<double>,
                                        &tableau::rk4<double>};

/// The losses and the learned solution of one training, for a picture.
void keep(const std::string& folder, const Plan<double>& plan, const std::vector<double>& data, const Trained& t) {
  std::ofstream curves(folder + "/losses.csv"), learned(folder + "/trajectory.csv");
  curves << "update,loss\n";
  learned << "t,x,v,x_learned,v_learned\n";
  for (std::size_t u = 0; u < t.losses.size(); ++u) curves << u << ',' << t.losses[u] << '\n';
  const auto y = trajectory(network, plan, t.theta.data());
  for (std::size_t n = 0; n <= steps; n += 10)
    learned << .005 * static_cast<double>(n) << ',' << data[2 * n] << ',' << data[2 * n + 1] << ',' << y[2 * n] << ','
            << y[2 * n + 1] << '\n';
  if (!curves.good() || !learned.good()) give_up("cannot write into " + folder);
}

/// Lines of trainings.csv that are there already are not computed again.
int train_all(const std::string& folder) {
  const std::string file = folder + "/trainings.csv";
  std::set<std::string> there;
  std::string line;
  for (std::ifstream in(file); std::getline(in, line);)
    if (std::size_t end = 0; std::count(line.begin(), line.end(), ',') == 7) {
      for (int commas = 0; commas < 4; ++end) commas += line[end] == ',';
      there.insert(line.substr(0, end));
    }
  std::ofstream table(file, std::ios::app);
  table.precision(10);
  if (there.empty()) table << "method,way,slots,seed,best_loss,seconds,bytes,bits\n";
  for (const Tableau<double>* base : bases)
    for (const Choice& c : choices(*base))
      for (std::uint64_t seed = 0; seed < c.seeds; ++seed) {
        std::ostringstream key;
        key << base->name << ',' << c.way << ',' << c.plan.slots << ',' << seed << ',';
        if (there.count(key.str())) continue;
        const auto data = trajectory(truth, c.plan, nullptr);
        const Trained t = train(c.plan, data, seed);
        if (base == &tableau::midpoint<double> && std::string_view(c.way) == "reversed" && seed == 0)
          keep(folder, c.plan, data, t);
        table << key.str() << *std::min_element(t.losses.begin(), t.losses.end()) << ',' << t.seconds << ',' << t.bytes
              << ',' << hash(hash(14695981039346656037u, t.losses), t.theta) << std::endl;
      }
  return table.good() ? 0 : 1;
}

/// What other draws come to: midpoint, stored.
int other_draws(const std::string& folder) {
  std::ofstream table(folder + "/draws.csv");
  table << "key,best_loss\n";
  const Plan<double> stored = plan(runge_kutta(tableau::midpoint<double>), Way::stored, Arithmetic::real);
  const auto data = trajectory(truth, stored, nullptr);
  for (std::uint64_t key = 3; key < 33; ++key) {
    const Trained t = train(stored, data, key);
    table << key << ',' << *std::min_element(t.losses.begin(), t.losses.end()) << std::endl;
  }
  return table.good() ? 0 : 1;
}

/// Seconds of one gradient of y(10)^2, the fastest of a few; infinity where the store is full before the last step.
double gradient(const Map<double>& field, const Plan<double>& p, long count, const std::vector<double>& theta) {
  Bytes bytes(Solve<double>::bytes(field, p, 1));
  Arena arena = bytes.arena();
  Solve<double> solve;
  expect(solve.init(arena, field, p, 1));
  std::vector<double> theta_bar(theta.size());
  const double one = 1;
  double fastest = std::numeric_limits<double>::infinity(), total = 0;
  for (int i = 0; i < 20 && total < .3; ++i) {
    const double start = seconds();
    const Status there = run(*solve, {0, 10, count}, theta.data(), &one);
    if (there == Status::capacity) break;
    expect(there);
    const double y_bar = 2 * solve->y()[0];
    expect(run_back(*solve, &y_bar, static_cast<double*>(nullptr), {theta_bar.data()}));
    const double took = seconds() - start;
    total += took;
    fastest = std::min(fastest, took);
  }
  return fastest;
}
/// Steps that binomial checkpointing runs again (Griewank and Walther 2000).
double recomputed(double count, int slots) {
  double reach = 1, repetitions = 0;  // C(slots + r, slots)
  while (reach < count) {
    ++repetitions;
    reach *= (slots + repetitions) / repetitions;
  }
  return repetitions * count - reach * repetitions / (slots + 1);
}

int against_steps(const std::string& folder) {
  std::ofstream table(folder + "/steps.csv");
  table << "way,slots,steps,seconds,bytes\n";
  const int widths[] = {1, 10, 1};
  const Mlp<double> small(widths, Activation::tanh);
  std::vector<double> theta(static_cast<std::size_t>(small.shape({}).params));
  Random random(1, 1);
  for (double& v : theta) v = static_cast<double>(random.uniform()) - .5;
  for (Choice& c : choices(tableau::midpoint<double>))
    for (const long count : {100, 316, 1000, 3162, 10000, 31623, 100000, 316228, 1000000}) {
      if (c.plan.arithmetic == Arithmetic::fixed && c.plan.way != Way::reversed) continue;
      if (c.plan.lambda != 1) continue;
      if (c.plan.way == Way::checkpointed && recomputed(static_cast<double>(count), c.plan.slots) > 2e7) continue;
      if (c.plan.way == Way::stored) c.plan.stored_steps = count;
      const double took = gradient(small, c.plan, count, theta);
      if (std::isinf(took)) break;  // and with more steps as well
      table << c.way << ',' << c.plan.slots << ',' << count << ',' << took << ','
            << Solve<double>::bytes(small, c.plan, 1) << std::endl;
    }
  return table.good() ? 0 : 1;
}
}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc == 3 ? argv[1] : "";
  if (what == "train") return train_all(argv[2]);
  if (what == "draws") return other_draws(argv[2]);
  if (what == "steps") return against_steps(argv[2]);
  std::cerr << "usage: reproduce_white_dwarf train|draws|steps FOLDER\n";
  return 2;
}
