/// revode-export: a trained network from a cluster to a microcontroller and back.
///
/// Build: cmake --preset release && cmake --build build --target revode-export
/// Run:   build/drivers/revode-export RUN/model.safetensors --prefix field --name field --output field.h
///        build/drivers/revode-export RUN/model.safetensors --prefix field --dump serial.txt --output tuned.safetensors
///
/// The first makes a C header: the parameters, const and so in flash, as float32, float16 or int8 (--storage), with
/// shapes, checksum, a function that reads them into RAM, and the bytes the model needs; what the storage loses stands
/// on the screen. The second takes the parameters that a device printed after it had gone on training
/// (`revode-dump ...`) and writes the same file with them in their place.
#include <cctype>
#include <cstdio>
#include <map>

#include "common/error.hpp"
#include "common/files.hpp"
#include "common/text.hpp"
#include "export/model.hpp"

using namespace revode;
using namespace revode::host;

namespace {
constexpr const char* help =
    "revode-export MODEL.safetensors --output FILE [options]\n"
    "  --prefix P      the layers are P.0, P.1, ... (field)\n"
    "  --name N        of what the header defines, a C identifier (model)\n"
    "  --storage S     float32, float16 or int8 (float32)\n"
    "  --activation A  identity, tanh, elu, softplus, relu, silu or sigmoid, for the loss of accuracy (tanh)\n"
    "  --dump FILE     a device's output: write MODEL with its parameters instead of a header\n";

const std::map<std::string, Activation> activations{
    {"identity", Activation::identity}, {"tanh", Activation::tanh}, {"elu", Activation::elu},
    {"softplus", Activation::softplus}, {"relu", Activation::relu}, {"silu", Activation::silu},
    {"sigmoid", Activation::sigmoid}};
const std::map<std::string, Storage> storages{
    {"float32", Storage::float32}, {"float16", Storage::float16}, {"int8", Storage::int8}};

struct Words {
  std::string model;
  std::map<std::string, std::string> of{{"--output", ""},         {"--prefix", "field"},    {"--name", "model"},
                                        {"--storage", "float32"}, {"--activation", "tanh"}, {"--dump", ""}};
};
template <class T>
std::vector<std::string> names(const std::map<std::string, T>& all) {
  std::vector<std::string> list;
  list.reserve(all.size());
  for (const auto& [name, value] : all) list.push_back(name);
  return list;
}
[[noreturn]] void refuse(const std::string& word, const std::string& why, const std::string& near) {
  throw Failure(Exit::usage, word, why + (near.empty() ? ": see --help" : ": is it '" + near + "'?"));
}
template <class T>
T chosen(const Words& words, const std::string& flag, const std::map<std::string, T>& all) {
  const std::string& word = words.of.at(flag);
  const auto found = all.find(word);
  if (found == all.end()) refuse(flag, "'" + word + "' is unknown", nearest(word, names(all)));
  return found->second;
}

Words parse(int argc, char** argv) {
  Words words;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.rfind("--", 0) != 0) {
      if (!words.model.empty()) refuse(word, "there is a model already, '" + words.model + "'", "");
      words.model = word;
      continue;
    }
    const auto flag = words.of.find(word);
    if (flag == words.of.end()) refuse(word, "an unknown option", nearest(word, names(words.of)));
    if (++i == argc) refuse(word, "it needs a value", "");
    flag->second = argv[i];
  }
  if (words.model.empty()) refuse("MODEL", "which model?", "");
  if (words.of.at("--output").empty()) refuse("--output", "where to?", "");
  const std::string& name = words.of.at("--name");
  bool identifier = !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0;
  for (const char c : name) identifier = identifier && (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_');
  if (!identifier) refuse("--name", "'" + name + "' is no C identifier", "");
  return words;
}

void write_header(const Words& words, const Model& model) {
  const auto activation = chosen(words, "--activation", activations);
  const Stored stored = store(model, chosen(words, "--storage", storages));
  const std::string source = std::filesystem::path(words.model).filename().string();
  write_whole(words.of.at("--output"), {bytes_of(header_of(model, stored, words.of.at("--name"), source))});
  const Loss loss = loss_of(model, stored, activation);
  std::printf("%s: %zu parameters as %s; changed by at most %.3g, relatively %.3g, the network's output by %.3g\n",
              words.of.at("--output").c_str(), model.theta.size(), words.of.at("--storage").c_str(), loss.largest,
              loss.relative, loss.output);
}

int run(const Words& words) {
  const TensorFile file = read_safetensors(words.model);
  const Model model = model_of(file, words.of.at("--prefix"));
  if (words.of.at("--dump").empty()) return write_header(words, model), 0;
  const std::string& dump = words.of.at("--dump");
  write_safetensors(words.of.at("--output"), with_theta(file, model, read_dump(read_text(dump), dump)));
  std::printf("%s: %zu parameters from %s\n", words.of.at("--output").c_str(), model.theta.size(), dump.c_str());
  return 0;
}
}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || std::string(argv[1]) == "--help")
    return std::fputs(help, argc < 2 ? stderr : stdout), argc < 2 ? 2 : 0;
  try {
    return run(parse(argc, argv));
  } catch (const Failure& failure) {
    mpi::write_line("revode-export: " + sentence(failure) + "\n");
    return static_cast<int>(failure.code());
  } catch (const std::exception& error) {
    mpi::write_line(std::string("revode-export: ") + error.what() + "\n");
    return static_cast<int>(Exit::bug);
  }
}
