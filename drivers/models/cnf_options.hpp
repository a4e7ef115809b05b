/// What the driver of normalizing flows may be told, and data and models made from it.
#pragma once
#include <memory>

#include "common/options.hpp"
#include "models/cnf_trainee.hpp"

namespace revode::host {
Program cnf_program();
/// Reads or draws the samples. Failures are Exit::usage or Exit::io and name the thing.
DensityData density_data(const Options& options);
CnfModel<float>::Config cnf_config(const Options& options, int dim);
std::unique_ptr<CnfTrainee> cnf_trainee(const Options& options, const DensityData& data);
}  // namespace revode::host
