#include "models/image_report.hpp"

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "common/casts.hpp"
#include "common/error.hpp"
#include "common/raster.hpp"
#include "common/run_folder.hpp"
#include "common/safetensors.hpp"
#include "models/odenet_options.hpp"

namespace revode::host {
namespace {
namespace fs = std::filesystem;
constexpr std::size_t most_mistakes = 32;

/// A picture must not end a run that has trained for hours.
template <class Write>
Drawn drawn(const std::string& name, const Write& write) {
  try {
    return write();
  } catch (const Failure& failure) {
    return {{}, "no picture " + name + ": " + sentence(failure)};
  }
}
}  // namespace

Answers answers_of(ImageTrainee& trainee, const Images& images, const std::vector<float>& theta) {
  Answers all, some;
  for (std::size_t from = 0; from < images.size(); from += trainee.lanes()) {
    const std::size_t count = std::min(trainee.lanes(), images.size() - from);
    require(trainee.answers(images, from, count, theta.data(), some), "image " + std::to_string(from));
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

void write_image_model(const fs::path& file, const ImageTrainee& trainee, const std::vector<float>& theta,
                       const Images& images, const Options& options) {
  TensorFile out = model_file(options, trainee.tensors(), theta);
  const std::int64_t sizes[] = {images.channels, images.height, images.width, images.classes};
  out.tensors.push_back(Tensor::of<std::int64_t>("data.sizes", {4}, sizes));
  write_safetensors(file, out);
}

void write_answers(const fs::path& file, const Images& images, const Answers& answers) {
  std::ostringstream out;
  out << "image,label,answer,probability\n";
  for (std::size_t i = 0; i < answers.size(); ++i)
    out << i << ',' << int{images.labels[i]} << ',' << answers[i].digit << ',' << answers[i].probability << '\n';
  write_text(file, out.str());
}

void write_confusion(const fs::path& file, const Images& images, const Answers& answers) {
  const std::size_t classes = size(images.classes);
  std::vector<std::size_t> counts(classes * classes);
  for (std::size_t i = 0; i < answers.size(); ++i) ++counts[images.labels[i] * classes + size(answers[i].digit)];
  std::ostringstream out;
  out << "label,answer,count\n";
  for (std::size_t k = 0; k < counts.size(); ++k) out << k / classes << ',' << k % classes << ',' << counts[k] << '\n';
  write_text(file, out.str());
}

Drawn draw_confusion(const fs::path& folder, const std::string& name, const Images& images) {
  return drawn(name, [&] {
    const std::string data = gnuplot_text(name + ".csv");
    std::ostringstream script;
    script << "set datafile columnheaders\nunset key; unset colorbox\nset size square\nset tics scale 0\n"
           << "set xlabel 'answer'; set ylabel 'label'\nset xtics 1; set ytics 1\n"
           << "set xrange [-0.5:" << images.classes - 1 << ".5]; set yrange [" << images.classes - 1 << ".5:-0.5]\n"
           << "set palette defined (0 '#ffffff', 0.2 '#deebf7', 1 '#5aa5d4')\nset logscale cb\n"
           << "plot " << data << " using 2:1:($3 > 0 ? $3 : 0.5) with image, \\\n     " << data
           << " using 2:1:($3 > 0 ? sprintf('%d', $3) : '') with labels font ',10'\n";
    return draw(folder, name, script.str(), {620, 600});
  });
}

Drawn draw_mistakes(const fs::path& folder, const std::string& name, const Images& images, const Answers& answers) {
  std::vector<std::size_t> wrong;
  for (std::size_t i = 0; i < answers.size(); ++i)
    if (answers[i].digit != images.labels[i]) wrong.push_back(i);
  if (wrong.empty()) return {};
  std::stable_sort(wrong.begin(), wrong.end(),
                   [&](std::size_t a, std::size_t b) { return answers[a].probability > answers[b].probability; });
  wrong.resize(std::min(wrong.size(), most_mistakes));
  return drawn(name, [&] {
    std::ostringstream data, script;
    const std::size_t plane = size(images.height) * size(images.width),
                      columns = std::min<std::size_t>(8, wrong.size());
    const std::size_t lines = (wrong.size() + columns - 1) / columns;
    script << "set multiplot layout " << lines << ',' << columns << " margins 0.01,0.99,0.02,0.94 spacing 0.01,0.05\n"
           << "unset key; unset tics; unset colorbox; set size ratio -1\nset border lc rgb '#aaaaaa'\n"
           << "set xrange [-0.5:" << images.width - 1 << ".5]; set yrange [" << images.height - 1 << ".5:-0.5]\n";
    for (std::size_t k = 0; k < wrong.size(); ++k) {
      const std::uint8_t* pixels = images.at(wrong[k]);
      for (std::size_t p = 0; p < plane; ++p) {
        data << p % size(images.width) << ',' << p / size(images.width);
        for (std::size_t c = 0; c < 3; ++c) {  // digits as ink on paper
          const int v = pixels[images.channels == 3 ? c * plane + p : p];
          data << ',' << (images.channels == 3 ? v : 255 - v);
        }
        data << '\n';
      }
      data << "\n\n";
      script << "set title '" << int{images.labels[wrong[k]]} << " named " << answers[wrong[k]].digit
             << "' offset 0,-0.7 font ',10'\nplot " << gnuplot_text(name + ".csv") << " index " << k
             << " using 1:2:3:4:5 with rgbimage\n";
    }
    script << "unset multiplot\n";
    write_text(folder / (name + ".csv"), data.str());
    return draw(folder, name, script.str(), {static_cast<int>(110 * columns), static_cast<int>(130 * lines)});
  });
}

namespace {
struct Named {
  std::vector<std::string> names;
  Images images;
};
/// Everything to be named, in the size that the network was trained on; files of a folder in order of their names.
Named to_name(const fs::path& what, const Images& sizes) {
  Named all;
  all.images.channels = sizes.channels, all.images.height = sizes.height, all.images.width = sizes.width;
  std::vector<fs::path> files{what};
  std::error_code error;
  if (fs::is_directory(what, error)) {
    files.clear();
    for (const auto& entry : fs::directory_iterator(what))
      if (entry.is_regular_file()) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    if (files.empty()) throw Failure(Exit::usage, what.string(), "holds no file: give a folder of pictures");
  }
  for (const fs::path& file : files) {
    const std::string bytes = read_text(file);
    if (bytes.substr(0, 2) == std::string_view("\0\0", 2)) {  // IDX
      const Images more = read_idx_images(bytes, file.string());
      if (more.channels != sizes.channels || more.height != sizes.height || more.width != sizes.width)
        throw Failure(Exit::usage, file.string(),
                      "images of " + std::to_string(more.width) + " x " + std::to_string(more.height) +
                          ", the model's are " + std::to_string(sizes.width) + " x " + std::to_string(sizes.height) +
                          ": give the set it was trained on");
      append(all.images, more, file.string());
      for (std::size_t i = 0; i < more.size(); ++i)
        all.names.push_back(file.filename().string() + ":" + std::to_string(i));
      continue;
    }
    const auto pixels = fitted(read_raster(bytes, file.string()), sizes.channels, sizes.height, sizes.width);
    all.images.pixels.insert(all.images.pixels.end(), pixels.begin(), pixels.end());
    all.names.push_back(file.filename().string());
  }
  return all;
}
}  // namespace

void predict(const fs::path& what, const fs::path& model) {
  if (model.empty()) throw Failure(Exit::usage, "--model", "name the model.safetensors of a run");
  Options options(odenet_program());
  const TensorFile file = read_model(model.string(), options);
  const auto sizes = file.at("data.sizes").numbers<std::int64_t>();
  if (sizes.size() != 4 || std::any_of(sizes.begin(), sizes.end(), [](auto n) { return n < 1 || n > 4096; }))
    throw Failure(Exit::usage, model.string(), "data.sizes must be channels, height, width and classes: it is damaged");
  ImageSet set;
  set.train.channels = static_cast<int>(sizes[0]), set.train.height = static_cast<int>(sizes[1]);
  set.train.width = static_cast<int>(sizes[2]), set.train.classes = static_cast<int>(sizes[3]);
  ImageTrainee trainee(set, image_batches(options), odenet_config(options, set.train));
  std::vector<float> theta(trainee.params());
  read_parts(file, model.string(), trainee.tensors(), theta);
  const Named all = to_name(what, set.train);
  const Answers answers = answers_of(trainee, all.images, theta);
  std::printf("image,answer,probability\n");
  for (std::size_t i = 0; i < answers.size(); ++i)
    std::printf("%s,%d,%.4f\n", all.names[i].c_str(), answers[i].digit, static_cast<double>(answers[i].probability));
}
}  // namespace revode::host
