#include "common/options.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "common/error.hpp"
#include "common/files.hpp"
#include "common/text.hpp"

namespace revode::host {
namespace {
namespace fs = std::filesystem;

std::optional<bool> yes_or_no(std::string_view text) {
  if (text == "yes" || text == "true") return true;
  if (text == "no" || text == "false") return false;
  return std::nullopt;
}

Value value_of(const Option& option, const std::string& text) {
  std::optional<Value> value;
  if (std::holds_alternative<bool>(option.value)) value = yes_or_no(text);
  if (std::holds_alternative<std::int64_t>(option.value)) value = whole_number(text);
  if (std::holds_alternative<double>(option.value)) value = real_number(text);
  if (std::holds_alternative<std::string>(option.value)) value = text;
  if (value && detail::fits(option, *value)) return *value;
  const std::string near = nearest(text, option.words);
  throw Failure(
      Exit::usage, "--" + detail::flag(option),
      "'" + text + "' is not " + detail::wanted(option) + (near.empty() ? "" : "; did you mean '" + near + "'?"));
}
}  // namespace

/// What stood on the command line, by entry.
struct Options::Words {
  std::vector<std::pair<std::size_t, std::string>> values;
};

Options::Options(Program program) : program_(std::move(program)) {
  std::vector<Option> table = std::move(program_.options);
  for (Option& option : detail::standard_options()) table.push_back(std::move(option));
  for (Option& option : table) {
    for (const Entry& other : entries_)
      if (other.option.key == option.key || detail::flag(other.option) == detail::flag(option) ||
          (!option.alias.empty() && option.alias == detail::flag(other.option)) ||
          (!other.option.alias.empty() && other.option.alias == detail::flag(option)))
        throw std::logic_error("two options with the key " + option.key + " or the flag --" + detail::flag(option));
    if (!detail::fits(option, option.value))
      throw std::logic_error("the default of " + option.key + " is out of its range");
    Value value = option.value;
    entries_.push_back({std::move(option), std::move(value)});
  }
}

std::size_t Options::index(const std::string& key) const {
  for (std::size_t i = 0; i < entries_.size(); ++i)
    if (entries_[i].option.key == key) return i;
  throw std::logic_error("no option has the key " + key);
}

bool Options::given(const std::string& key) const {
  return entries_[index(key)].given;
}

Options::Words Options::split(const std::vector<std::string>& words) const {
  std::vector<std::string> flags;
  std::vector<std::size_t> at;
  for (std::size_t i = 0; i < entries_.size(); ++i)
    for (const std::string& flag : {detail::flag(entries_[i].option), entries_[i].option.alias})
      if (!flag.empty()) flags.push_back("--" + flag), at.push_back(i);
  Words all;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto equals = word.find('=');
    const std::string name = word == "-h" ? "--help" : word.substr(0, equals);
    const auto flag = static_cast<std::size_t>(std::find(flags.begin(), flags.end(), name) - flags.begin());
    if (flag == flags.size()) {
      const std::string near = nearest(name, flags);
      throw Failure(
          Exit::usage, word,
          near.empty() ? "unknown flag: --help lists those there are" : "unknown flag: did you mean " + near + "?");
    }
    const std::size_t found = at[flag];
    const Option& option = entries_[found].option;
    const bool more = i + 1 < words.size();
    if (word != "-h" && equals != std::string::npos) {
      all.values.emplace_back(found, word.substr(equals + 1));
    } else if (std::holds_alternative<bool>(option.value)) {
      // A switch may stand alone: the next word is its value only where it can be nothing else.
      all.values.emplace_back(found, more && yes_or_no(words[i + 1]) ? words[++i] : "yes");
    } else if (more && words[i + 1].rfind("--", 0) != 0) {
      all.values.emplace_back(found, words[++i]);
    } else {
      throw Failure(Exit::usage, word, "a value is missing: " + detail::wanted(option) + " must follow");
    }
  }
  return all;
}

void Options::apply(const Words& words, bool launch) {
  for (const auto& [at, text] : words.values) {
    Entry& entry = entries_[at];
    if (detail::section(entry.option).empty() != launch) continue;
    entry.value = value_of(entry.option, text);
    entry.given = true;
  }
}

void Options::read_file(const fs::path& file) {
  read_toml(read_text(file), file.string());
}

std::optional<std::string> Options::parse(const std::vector<std::string>& words) {
  // Who asks for help may have mistyped another word.
  for (const std::string& word : words)
    if (word == "--help" || word == "-h") return help();
  const Words split_words = split(words);
  apply(split_words, true);
  if (on("help")) return help();
  if (on("version")) return version();

  const std::string& resume = text("resume");
  const fs::path begun = resume == "auto" ? fs::path(text("folder")) : fs::path(resume);
  if (resume == "auto" && begun.empty())
    throw Failure(Exit::usage, "--resume auto",
                  "which run? give its folder with --folder, or name it: --resume FOLDER");
  std::optional<Options> before;
  if (resume != "never" && (resume != "auto" || fs::exists(begun / "config.toml"))) {
    if (!fs::exists(begun / "config.toml"))
      throw Failure(Exit::usage, "--resume " + resume,
                    "no config.toml in there: give the folder of a run that has begun");
    read_file(begun / "config.toml");
    resumed_ = begun;
    before = *this;
  }
  if (!text("config").empty()) read_file(text("config"));
  apply(split_words, false);
  if (before) refuse_changes(*before);
  return std::nullopt;
}

void Options::refuse_changes(const Options& before) const {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Option& option = entries_[i].option;
    if (option.may_change || detail::section(option).empty() || entries_[i].value == before.entries_[i].value) continue;
    throw Failure(Exit::usage, option.key,
                  "is " + detail::toml(before.entries_[i].value) + " in " + resumed_.string() + " and " +
                      detail::toml(entries_[i].value) +
                      " now: a resumed run keeps it; leave the option out, or start a new run");
  }
}

const char* Options::release() {
  return REVODE_VERSION;
}
const char* Options::revision() {
  return REVODE_REVISION;
}
const char* Options::blas() {
  return REVODE_BLAS;
}
std::string Options::version() const {
  return program_.name + " (revode) " + release() + "\n";
}
}  // namespace revode::host
