/// The pictures of a fitted density, drawn from CSV files in the run's folder.
#pragma once
#include <filesystem>
#include <vector>

#include "common/gnuplot.hpp"
#include "models/cnf_trainee.hpp"

namespace revode::host {
/// Data, samples and density side by side, and where samples are at six times between base and data. Two columns only.
std::vector<Drawn> draw_plane(const std::filesystem::path& folder, const DensityData& data, CnfTrainee& trainee,
                              const std::vector<float>& theta);
/// Data and samples in the planes of the first columns, at most ten.
Drawn draw_margins(const std::filesystem::path& folder, const DensityData& data, CnfTrainee& trainee,
                   const std::vector<float>& theta);
/// points[row][names.size()] as CSV, in the data's own units.
std::string points_csv(const DensityData& data, const std::vector<float>& points);
}  // namespace revode::host
