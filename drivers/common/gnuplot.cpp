#include "common/gnuplot.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <sstream>
#include <system_error>

#include "common/error.hpp"
#include "common/files.hpp"

namespace revode::host {
namespace {
namespace fs = std::filesystem;

std::string preamble(const std::string& name, Canvas canvas) {
  const std::string size = std::to_string(canvas.width) + "," + std::to_string(canvas.height);
  const std::string twice = std::to_string(2 * canvas.width) + "," + std::to_string(2 * canvas.height);
  std::ostringstream script;
  script << "# gnuplot " << name << ".gp draws the PNG; gnuplot -e \"format='svg'\" " << name << ".gp the SVG.\n"
         << "if (!exists(\"format\")) format = 'png'\n"
         << "if (format eq 'svg') {\n"
         << "  set terminal svg noenhanced size " << size << " dynamic font 'DejaVu Sans,12' background 'white'\n"
         << "} else {\n"
         << "  set terminal pngcairo noenhanced size " << twice
         << " font 'DejaVu Sans,11' fontscale 2 linewidth 2 pointscale 2\n"
         << "}\n"
         << "set output " << gnuplot_text(name + ".") << ".format\n"
         << "set encoding utf8\n"
         << "set datafile separator comma\n\n";
  return script.str();
}

/// 0, or an error number where the program could not be started; its exit status otherwise goes into `status`.
int run(const fs::path& folder, std::array<const char*, 5> words, const std::string& errors, int& status) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  pid_t child = 0;
  const int error = posix_spawnp(&child, words[0], &actions, nullptr, const_cast<char**>(words.data()), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return error;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return errno;
  return 0;
}

/// The line of gnuplot's complaint that says what is wrong.
std::string complaint(const fs::path& file) {
  std::istringstream lines(read_text(file));
  std::string last;
  for (std::string line; std::getline(lines, line);)
    if (line.find_first_not_of(" \t^") != std::string::npos) last = line;
  return last.empty() ? "no message" : last;
}
/// Why there is no picture now, with the remedy; or "".
std::string draw_one(const fs::path& folder, const std::string& name, const std::string& format,
                     const fs::path& picture) {
  const std::string choice = "format='" + format + "'", script = name + ".gp", errors = name + ".err";
  int status = 0;
  const int error = run(folder, {"gnuplot", "-e", choice.c_str(), script.c_str(), nullptr}, errors, status);
  std::error_code none;
  std::string why;
  if (error != 0)
    why = "cannot start gnuplot (" + std::generic_category().message(error) + "): install gnuplot-nox";
  else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    why = "gnuplot says '" + complaint(folder / errors) + "': put that right";
  else if (fs::file_size(picture, none) == 0 || none)
    why = "gnuplot left it empty: free some space";
  if (!why.empty()) fs::remove(picture, none);
  fs::remove(folder / errors, none);
  return why;
}
}  // namespace

std::string gnuplot_text(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') quoted += '\'';
    quoted += c == '\n' ? ' ' : c;
  }
  return quoted + "'";
}

Drawn draw(const fs::path& folder, const std::string& name, const std::string& script, Canvas canvas) {
  Drawn drawn;
  std::string why;
  try {
    write_whole(folder / (name + ".gp"), {bytes_of(preamble(name, canvas)), bytes_of(script)});
    for (const char* format : {"png", "svg"}) {
      const fs::path picture = folder / (name + "." + format);
      if (why.empty()) why = draw_one(folder, name, format, picture);
      if (why.empty()) drawn.files.push_back(picture);
    }
    if (!why.empty()) why += "; then 'gnuplot " + name + ".gp' in " + folder.string() + " draws it";
  } catch (const Failure& failure) {
    why = sentence(failure);
  }
  if (!why.empty()) drawn.warning = "no picture " + name + ": " + why;
  return drawn;
}
}  // namespace revode::host
