/// What the latent ODE's driver may be told, and data and models made from it.
#pragma once
#include <memory>

#include "common/options.hpp"
#include "models/series_trainee.hpp"

namespace revode::host {
Program latent_ode_program();
/// Reads or generates the series. Failures are Exit::usage or Exit::io and name the thing.
SeriesData series_data(const Options& options);
std::unique_ptr<SeriesTrainee> series_trainee(const Options& options, const SeriesData& data);
}  // namespace revode::host
