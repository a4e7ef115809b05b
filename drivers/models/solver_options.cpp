#include "models/solver_options.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "common/text.hpp"

namespace revode::host {
namespace {
const std::vector<std::string> activations{"identity", "tanh", "elu", "softplus", "relu", "silu", "sigmoid"};
/// Those of first-order fields: all of the library but verlet and symplectic_euler.
const std::vector<std::string> methods{"mccallum_foster", "alf",  "reversible_heun", "leapfrog", "runge_kutta",
                                       "low_storage",     "adams"};

std::vector<std::string> bases(bool with_low_storage_form = false) {
  std::vector<std::string> names;
  for (const auto* t : tableau::all<float>)
    if (!with_low_storage_form || two_registers(*t).exists) names.emplace_back(t->name);
  return names;
}
const Tableau<float>& base(const std::string& name) {
  for (const auto* t : tableau::all<float>)
    if (name == t->name) return *t;
  throw Failure(Exit::bug, "--base", "'" + name + "' has no tableau");
}
Method<float> method(const Options& options) {
  const std::string& word = options.text("solver.method");
  const Tableau<float>& tableau = base(options.text("solver.base"));
  if (word == "alf") return alf<float>();
  if (word == "reversible_heun") return reversible_heun<float>();
  if (word == "leapfrog") return leapfrog<float>();
  if (word == "runge_kutta") return runge_kutta(tableau);
  if (word == "low_storage") return low_storage(tableau);
  if (word == "adams") return adams<float>(static_cast<int>(options.integer("solver.order")));
  return mccallum_foster(tableau);
}
void refuse_if(bool wrong, const char* flag, const std::string& why) {
  if (wrong) throw Failure(Exit::usage, flag, why);
}
/// What does not go together, before fits() would only say that.
void check(const Options& options, const Plan<float>& p) {
  const std::string &word = options.text("solver.method"), &gradient = options.text("solver.gradient");
  const bool real = p.arithmetic == Arithmetic::real, low = p.method.low_storage, adams = p.method.multistep > 0;
  const std::string more = word == "runge_kutta" ? ", or taped" : low ? ", or retraced" : "";
  refuse_if(gradient == "exact" && !bijective(p.method), "--method",
            word + " cannot be undone: use --gradient stored or checkpointed" + more);
  refuse_if(gradient == "retraced" && adams, "--method",
            "adams cannot be walked back: use --gradient stored or checkpointed");
  refuse_if(gradient == "taped" && word != "runge_kutta", "--gradient",
            "taped is for runge_kutta, not for " + word + ": use " +
                (bijective(p.method) ? "exact" : "stored or checkpointed"));
  refuse_if(!real && (low || adams), "--arithmetic", "fixed is not for " + word + ": use real");
  refuse_if(low && !two_registers(p.method.base).exists, "--base",
            std::string(p.method.base.name) + " has no low-storage form: use " + joined(bases(true)));
  refuse_if(p.lambda < 1 && !dampable(p.method), "--lambda", word + " has nothing to damp: leave it at 1");
  refuse_if(p.lambda < 1 && !real, "--lambda", "is for floats: use --gradient retraced, or --arithmetic real");
  refuse_if(p.predictor != Predictor::runge_kutta && gradient != "taped", "--predictor", "is for --gradient taped");
}
}  // namespace

std::vector<Option> solver_options(const std::string& base_word, std::int64_t steps) {
  return {
      {.key = "solver.method", .value = "mccallum_foster", .help = "how to step", .alias = "solver", .words = methods},
      {.key = "solver.base",
       .value = base_word,
       .help = "tableau of mccallum_foster, runge_kutta and low_storage",
       .words = bases()},
      {.key = "solver.order", .value = std::int64_t{4}, .help = "of adams", .at_least = 1, .at_most = most_multistep},
      {.key = "solver.gradient",
       .value = "exact",
       .help = "way back: exact reversal in fixed point; runge_kutta with a tape; kept states; or, drifting, "
               "reversal in floats",
       .words = {"exact", "taped", "stored", "checkpointed", "retraced"}},
      {.key = "solver.steps", .value = steps, .help = "of a solve", .at_least = 1, .at_most = 1e7},
      {.key = "solver.halve_every",
       .value = std::int64_t{1},
       .help = "steps between halving events; 0: none",
       .at_least = 0,
       .at_most = 1e9},
      {.key = "solver.lambda",
       .value = 1.0,
       .help = "damping of every step in floats, in place of halving events; 0.999 in the literature",
       .above = 0,
       .at_most = 1},
      {.key = "solver.slots",
       .value = std::int64_t{4},
       .help = "states kept by the checkpointed way, restore points of the taped one",
       .at_least = 1,
       .at_most = 1e6},
      {.key = "solver.tape_bits",
       .value = std::int64_t{8},
       .help = "bits of the tape, a step and number",
       .at_least = 1,
       .at_most = 64},
      {.key = "solver.predictor",
       .value = "runge_kutta",
       .help = "of the taped way",
       .words = {"runge_kutta", "adams_bashforth"}},
      {.key = "solver.fraction_bits",
       .value = std::int64_t{20},
       .help = "of the fixed-point state: its range is 2^(30 - bits)",
       .at_least = 1,
       .at_most = 30},
      {.key = "solver.arithmetic",
       .value = "fixed",
       .help = "of the stored and checkpointed ways",
       .words = {"fixed", "real"}},
  };
}

Plan<float> solver_plan(const Options& options) {
  Plan<float> p;
  const std::string& gradient = options.text("solver.gradient");
  const bool keeps = gradient == "stored" || gradient == "checkpointed";
  p.method = method(options);
  p.way = gradient == "stored"         ? Way::stored
          : gradient == "checkpointed" ? Way::checkpointed
          : gradient == "taped"        ? Way::taped
                                       : Way::reversed;
  const bool real = keeps ? options.text("solver.arithmetic") == "real" : gradient != "exact";
  p.arithmetic = real ? Arithmetic::real : Arithmetic::fixed;
  p.lambda = static_cast<float>(options.number("solver.lambda"));
  if (options.text("solver.predictor") == "adams_bashforth") p.predictor = Predictor::adams_bashforth;
  if (p.way == Way::checkpointed || p.way == Way::taped) p.slots = static_cast<int>(options.integer("solver.slots"));
  const bool halves = dampable(p.method) && gradient != "retraced" && !(p.lambda < 1);
  p.halve_every = halves ? static_cast<int>(options.integer("solver.halve_every")) : 0;
  p.fraction_bits[0] = static_cast<int>(options.integer("solver.fraction_bits"));
  p.stored_steps = options.integer("solver.steps");
  check(options, p);
  return p;
}

std::vector<Option> tolerance_options() {
  return {
      {.key = "solver.rtol",
       .value = 0.0,
       .help = "relative tolerance; with atol 0: --steps equal steps",
       .at_least = 0,
       .at_most = 1},
      {.key = "solver.atol", .value = 0.0, .help = "absolute tolerance", .at_least = 0, .at_most = 1},
      {.key = "solver.most_steps",
       .value = std::int64_t{1000},
       .help = "steps that tolerances may ask for",
       .at_least = 1,
       .at_most = 1e7},
  };
}
void add_tolerances(const Options& options, Plan<float>& p) {
  p.control.rtol = static_cast<float>(options.number("solver.rtol"));
  p.control.atol = static_cast<float>(options.number("solver.atol"));
  p.control.most_steps = options.integer("solver.most_steps");
  p.control.most_jumps = std::min(p.control.most_steps, p.control.most_jumps);
  if (!p.control.adaptive()) return;
  const char* flag = p.control.rtol > 0 ? "--rtol" : "--atol";
  refuse_if(estimate_of(p.method).by == Estimator::none, flag,
            options.text("solver.method") + " over " + p.method.base.name +
                " has no error estimate: take --steps equal steps, or another --base or --method");
  refuse_if(p.predictor == Predictor::adams_bashforth, "--predictor",
            "adams_bashforth wants equal steps: use runge_kutta, or neither --rtol nor --atol");
}

void make_room(Plan<float>& p, long steps, int rows, int lanes, int tape_bits) {
  if (p.control.adaptive()) steps = p.control.most_steps;
  if (p.way == Way::stored) p.stored_steps = steps;
  if (p.halve_every > steps) p.halve_every = 0;  // it would never come to an event
  p.log_bits = p.log_bits_for(steps, rows, lanes);
  if (p.way != Way::taped) return;
  const auto numbers = static_cast<std::size_t>(rows) * static_cast<std::size_t>(lanes);
  p.log_bits = static_cast<std::size_t>(steps) * numbers * static_cast<std::size_t>(tape_bits);
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
