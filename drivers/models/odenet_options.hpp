/// What the odenet driver may be told, and the data and network that follow.
#pragma once
#include "common/images.hpp"
#include "common/options.hpp"
#include "models/image_trainee.hpp"

namespace revode::host {
Program odenet_program();
/// The set of --data, or digits of our own.
ImageSet image_set(const Options& options);
/// The network for images of this size. Failure (Exit::usage) where the options contradict each other.
OdeNet::Config odenet_config(const Options& options, const Images& images);
ImageTrainee::Batches image_batches(const Options& options);
}  // namespace revode::host
