/// Densities in the plane that flows are shown on, with the formulas of FFJORD's toy_data.py (Grathwohl et al., arXiv
/// 1810.01367) and scikit-learn. A point is a function of (seed, stream, index) alone.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace revode::host {
/// moons circles eight_gaussians pinwheel spirals swiss_roll rings checkerboard
const std::vector<std::string>& toy_names();
/// A point of toy_names()[toy].
std::array<double, 2> toy_point(std::size_t toy, std::uint64_t seed, std::uint32_t stream, std::uint64_t index);
/// Differential entropy in nats, or NaN where no simple formula is known: log 32 of the checkerboard, that of the eight
/// Gaussians by quadrature.
double toy_entropy(std::size_t toy);
}  // namespace revode::host
