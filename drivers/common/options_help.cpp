// --help: one page, from the table.
#include <algorithm>
#include <sstream>

#include "common/options.hpp"
#include "common/text.hpp"

namespace revode::host {
namespace {
constexpr std::size_t kWidth = 110;
constexpr std::size_t kIndent = 30;

/// `left` in its column and `right` in the other, broken between words.
void entry(std::string& page, const std::string& left, const std::string& right) {
  std::string line = "  ";
  line += left;
  line += line.size() + 2 > kIndent ? "\n" + std::string(kIndent, ' ') : std::string(kIndent - line.size(), ' ');
  std::size_t used = kIndent;
  std::istringstream words(right);
  for (std::string word; words >> word;) {
    if (used > kIndent && used + 1 + word.size() > kWidth) {
      line += "\n" + std::string(kIndent, ' ');
      used = kIndent;
    }
    if (used > kIndent) line += ' ';
    line += word;
    used += word.size() + 1;
  }
  page += line + "\n";
}

std::string placeholder(const Option& option) {
  if (std::holds_alternative<bool>(option.value)) return "";
  if (std::holds_alternative<std::int64_t>(option.value)) return " N";
  if (std::holds_alternative<double>(option.value)) return " X";
  if (option.words.empty()) return " TEXT";
  return option.words.size() > 3 ? " WORD" : " " + joined(option.words, "|");
}

std::string description(const Option& option) {
  std::string text = option.help;
  std::vector<std::string> facts;
  if (const std::string range = detail::range(option); !range.empty()) facts.push_back(range);
  if (option.words.size() > 3) facts.push_back(joined(option.words));
  const bool silent = std::holds_alternative<bool>(option.value) && !std::get<bool>(option.value);
  if (option.value != Value(std::string()) && !silent)
    facts.push_back("default " + (std::holds_alternative<std::string>(option.value)
                                      ? std::get<std::string>(option.value)
                                      : detail::toml(option.value)));
  if (!facts.empty()) text += " (" + joined(facts, "; ") + ")";
  return text;
}

constexpr const char* kEnding = R"(
exit codes
  0                           done
  1                           a bug of ours
  2                           bad usage or bad input: an unknown flag, a value out of range, a cell that is no number
  74                          a file or a checkpoint could not be read or written
  75                          stopped by a signal after a checkpoint: run it again with --resume
  76                          another rank did not answer for --stall-s seconds
  77                          the loss is not finite; the last good checkpoint is kept
  78                          the launch is wrong: ranks that do not know of each other

signals
  USR1, TERM, INT             stop all ranks after this iteration, write a checkpoint, leave with 75

environment
  COLUMNS                     width of the progress line, where the program cannot see the terminal
  OMPI_MCA_pml=ob1            quicker start of Open MPI on one machine
  OPENBLAS_NUM_THREADS=1      with REVODE_BLAS=openblas: ranks times threads must not exceed the cores
)";
}  // namespace

std::string Options::help() const {
  const std::string& name = program_.name;
  std::string page = name + ": " + program_.about + "\n\nusage\n";
  page += "  mpirun -n 4 " + name + " [--flag value]...\n";
  page += "  srun --mpi=pmix -n 4 " + name + " [--flag value]...\n";
  std::vector<std::string> sections;
  for (const Entry& e : entries_)
    if (const std::string s = detail::section(e.option);
        std::find(sections.begin(), sections.end(), s) == sections.end())
      sections.push_back(s);
  for (const std::string& section : sections) {
    page += section.empty() ? "\nthis launch (not in a file)\n" : "\n[" + section + "]\n";
    for (const Entry& e : entries_) {
      if (detail::section(e.option) != section) continue;
      const std::string flag = detail::flag(e.option);
      std::string words = "--" + flag;
      if (!e.option.alias.empty()) words.append(", --").append(e.option.alias);
      entry(page, words.append(placeholder(e.option)), description(e.option));
    }
  }
  return page + kEnding;
}
}  // namespace revode::host
