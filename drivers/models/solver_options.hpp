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
/// The plan that they ask for; Failure (Exit::usage) where method and way contradict each other.
Plan<float> solver_plan(const Options& options);
/// "a,b,c" as its parts; none of an empty text.
std::vector<std::string> list_of(const std::string& text);
}  // namespace revode::host
