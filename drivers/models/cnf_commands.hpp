/// The file of a fitted flow, and what one asks of it.
#pragma once
#include <filesystem>
#include <vector>

#include "models/cnf_options.hpp"

namespace revode::host {
void write_cnf(const std::filesystem::path& file, const CnfTrainee& trainee, const std::vector<float>& theta,
               const DensityData& data, const Options& options);
/// Is --model given? Failure (Exit::usage) where a command stands without it, or it without a command.
bool is_command(const Options& options);
/// --evaluate, --sample, --to-base or --from-base, of the model in --model. Failures name the file and what of it does
/// not fit.
void run_command(const Options& options);
}  // namespace revode::host
