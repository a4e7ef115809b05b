/// What a run on images leaves behind: the model, answers, the confusion matrix, pictures of what was named wrongly;
/// and what a model makes of pictures that nobody has labelled.
#pragma once
#include <filesystem>

#include "common/gnuplot.hpp"
#include "common/options.hpp"
#include "models/image_trainee.hpp"

namespace revode::host {
using Answers = std::vector<ImageTrainee::Answer>;
/// One answer an image.
Answers answers_of(ImageTrainee& trainee, const Images& images, const std::vector<float>& theta);

void write_image_model(const std::filesystem::path& file, const ImageTrainee& trainee, const std::vector<float>& theta,
                       const Images& images, const Options& options);
/// image,label,answer,probability
void write_answers(const std::filesystem::path& file, const Images& images, const Answers& answers);
/// label,answer,count: all pairs of classes
void write_confusion(const std::filesystem::path& file, const Images& images, const Answers& answers);
/// FOLDER/NAME.csv, as write_confusion leaves it, as .png and .svg.
Drawn draw_confusion(const std::filesystem::path& folder, const std::string& name, const Images& images);
/// The images named wrongly, the surest ones first, at most 32.
Drawn draw_mistakes(const std::filesystem::path& folder, const std::string& name, const Images& images,
                    const Answers& answers);

/// Prints image,answer,probability for an IDX file, a picture or a folder of pictures.
void predict(const std::filesystem::path& what, const std::filesystem::path& model);
}  // namespace revode::host
