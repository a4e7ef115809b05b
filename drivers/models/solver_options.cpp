#include "models/solver_options.hpp"

#include "common/error.hpp"

namespace revode::host {
namespace {
const std::vector<std::string> activations{"identity", "tanh", "elu", "softplus", "relu", "silu", "sigmoid"};

std::vector<std::string> bases() {
  std::vector<std::string> names;
  for (const auto* t : tableau::all<float>) names.emplace_back(t->name);
  return names;
}
const Tableau<float>& base(const std::string& name) {
  for (const auto* t : tableau::all<float>)
    if (name == t->name) return *t;
  throw Failure(Exit::bug, "--base", "'" + name + "' has no tableau");
}

}  // namespace

std::vector<Option> solver_options(const std::string& base_word, std::int64_t steps) {
  return {
      {.key = "solver.method",
       .value = "mccallum_foster",
       .help = "how to step",
       .words = {"mccallum_foster", "alf", "runge_kutta"}},
      {.key = "solver.base",
       .value = base_word,
       .help = "tableau of mccallum_foster and runge_kutta",
       .words = bases()},
      {.key = "solver.gradient",
       .value = "exact",
       .help = "way back: exact reversal in fixed point, kept states, or reversal in floats, which drifts",
       .words = {"exact", "stored", "checkpointed", "floats"}},
      {.key = "solver.steps", .value = steps, .help = "of a solve", .at_least = 1, .at_most = 1e7},
      {.key = "solver.halve_every",
       .value = std::int64_t{1},
       .help = "steps between halving events; 0: none",
       .at_least = 0,
       .at_most = 1e9},
      {.key = "solver.slots",
       .value = std::int64_t{4},
       .help = "states kept by the checkpointed way",
       .at_least = 1,
       .at_most = 1e6},
      {.key = "solver.fraction_bits",
       .value = std::int64_t{20},
       .help = "of the fixed-point state: its range is 2^(30 - bits)",
       .at_least = 1,
       .at_most = 30},
      {.key = "solver.lambda",
       .value = 1.0,
       .help = "coupling of the reversal in floats; 0.999 in the literature",
       .above = 0,
       .at_most = 1},
      {.key = "solver.arithmetic",
       .value = "fixed",
       .help = "of the stored and checkpointed ways",
       .words = {"fixed", "real"}},
  };
}

Plan<float> solver_plan(const Options& options) {
  Plan<float> p;
  const std::string &method = options.text("solver.method"), &gradient = options.text("solver.gradient");
  const Tableau<float>& tableau = base(options.text("solver.base"));
  if (method == "mccallum_foster") p.method = mccallum_foster(tableau);
  if (method == "alf") p.method = alf<float>();
  if (method == "runge_kutta") p.method = runge_kutta(tableau);
  if (method == "runge_kutta" && (gradient == "exact" || gradient == "floats"))
    throw Failure(Exit::usage, "--method", "runge_kutta cannot be undone: use --gradient stored or checkpointed");
  p.way = gradient == "stored" ? Way::stored : gradient == "checkpointed" ? Way::checkpointed : Way::reversed;
  const bool floats = gradient == "floats";
  p.arithmetic = floats                                                               ? Arithmetic::real
                 : gradient != "exact" && options.text("solver.arithmetic") == "real" ? Arithmetic::real
                                                                                      : Arithmetic::fixed;
  p.slots = p.way == Way::checkpointed ? static_cast<int>(options.integer("solver.slots")) : 0;
  p.lambda = floats ? static_cast<float>(options.number("solver.lambda")) : 1;
  p.halve_every = dampable(p.method) && !floats ? static_cast<int>(options.integer("solver.halve_every")) : 0;
  p.fraction_bits[0] = static_cast<int>(options.integer("solver.fraction_bits"));
  p.stored_steps = options.integer("solver.steps");
  return p;
}

std::vector<std::string> list_of(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t from = 0; from <= text.size() && !text.empty();) {
    const std::size_t end = std::min(text.find(',', from), text.size());
    parts.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  return parts;
}

const std::vector<std::string>& activation_words() {
  return activations;
}
Activation activation(const std::string& word) {
  for (std::size_t i = 0; i < activations.size(); ++i)
    if (word == activations[i]) return static_cast<Activation>(i);
  throw Failure(Exit::bug, "--activation", "'" + word + "' has no activation");
}
}  // namespace revode::host
