/// What a driver may be told, declared once: a table from which flags, configuration files, range checks, --help and
/// the configuration as used all follow. Later sources win: defaults, the configuration of a run that is resumed, the
/// file of
/// --config, flags.
#pragma once
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace revode::host {
using Value = std::variant<bool, std::int64_t, double, std::string>;

/// One line of the table. The type of the default is the type of the option.
struct Option {
  std::string key{};  ///< `section.name` of the TOML file; without a section: of this launch only, never in a file
  Value value{};      ///< default
  std::string help{};
  std::string flag{};                ///< without dashes; empty: the name of the key, with - for _
  std::string alias{};               ///< another flag for the same
  std::vector<std::string> words{};  ///< of a text: the only ones allowed
  double at_least = -std::numeric_limits<double>::infinity();
  double above = -std::numeric_limits<double>::infinity();
  double at_most = std::numeric_limits<double>::infinity();
  bool may_change = false;  ///< a resumed run may have another value than the run it goes on with
};

struct Program {
  std::string name{};
  std::string about{};  ///< a sentence or two: what the program trains, and on what
  std::vector<Option> options{};
};

/// Errors are Exit::usage and name flag or FILE:LINE:COLUMN, what was given, what is wanted, and the nearest known
/// word.
class Options {
 public:
  /// The program's own table, and after it what every driver has (standard_options.cpp).
  explicit Options(Program program);

  /// The words of the command line, without the program's name. Returns the text of --help or --version where asked
  /// for: print it and leave with 0.
  std::optional<std::string> parse(const std::vector<std::string>& words);
  /// A configuration file's text; `name` is for errors.
  void read_toml(const std::string& text, const std::string& name);

  bool on(const std::string& key) const { return get<bool>(key); }
  std::int64_t integer(const std::string& key) const { return get<std::int64_t>(key); }
  double number(const std::string& key) const { return get<double>(key); }
  const std::string& text(const std::string& key) const { return get<std::string>(key); }
  /// By a file or a flag.
  bool given(const std::string& key) const;

  /// The folder of the run that goes on, or empty.
  const std::filesystem::path& resumed() const { return resumed_; }
  /// The configuration as used; reading it back gives the same values.
  std::string toml() const;
  std::string help() const;
  std::string version() const;
  static const char* release();   ///< of revode, as in 0.1.0
  static const char* revision();  ///< of its repository, as git describes it; unknown outside of one
  static const char* blas();      ///< whose kernels carry the widest layers
  const std::string& program() const { return program_.name; }

 private:
  struct Entry {
    Option option;
    Value value;
    bool given = false;
  };
  struct Words;
  template <class T>
  const T& get(const std::string& key) const {
    return std::get<T>(entries_[index(key)].value);
  }
  std::size_t index(const std::string& key) const;
  Words split(const std::vector<std::string>& words) const;
  void apply(const Words& words, bool launch);
  void read_file(const std::filesystem::path& file);
  void refuse_changes(const Options& before) const;

  Program program_;
  std::vector<Entry> entries_;
  std::filesystem::path resumed_;
};

namespace detail {
/// The option's section, or "" for one of this launch only.
std::string section(const Option& option);
/// The option's flag, without dashes.
std::string flag(const Option& option);
/// "from 1 to 8", or "" where every number will do.
std::string range(const Option& option);
/// What the option takes, as in "a whole number from 1 to 8".
std::string wanted(const Option& option);
/// Whether the value is of the option's type and within its range.
bool fits(const Option& option, const Value& value);
/// As in a TOML file.
std::string toml(const Value& value);
/// What every driver has besides its own.
std::vector<Option> standard_options();
}  // namespace detail
}  // namespace revode::host
