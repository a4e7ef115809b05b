/// What every driver may be told of activations and of its solver.
#pragma once
#include <string>
#include <vector>

#include "common/options.hpp"
#include "revode/kernels.hpp"
#include "revode/way.hpp"

namespace revode::host {
/// Names of the activations, in the order of the enum.
const std::vector<std::string>& activation_words();
Activation activation(const std::string& word);
/// The options of section solver.
std::vector<Option> solver_options(const std::string& base, std::int64_t steps);
/// The plan that they ask for; Failure (Exit::usage) where method, way and numbers contradict each other.
Plan<float> solver_plan(const Options& options);

/// More of section solver: tolerances, for drivers whose models take steps of any size.
std::vector<Option> tolerance_options();
/// Into the plan. Failure (Exit::usage) where its method has no error estimate.
void add_tolerances(const Options& options, Plan<float>& plan);
/// Room for `steps` steps of a tile, with tolerances for the most there may be: stored states, events, and a tape of
/// so many bits a step and number.
void make_room(Plan<float>& plan, long steps, int rows, int lanes, int tape_bits);
/// "a,b,c" as its parts; none of an empty text.
std::vector<std::string> list_of(const std::string& text);
}  // namespace revode::host
