/// Numbers and words as text: what configuration, CSV and logs have in common.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace revode::host {
/// The whole text as a number, or nothing: no surrounding blanks, no trailing characters, no hexadecimal, in any
/// locale.
std::optional<std::int64_t> whole_number(std::string_view text);
/// As whole_number(); "inf" and "nan" are numbers here, what overflows is none.
std::optional<double> real_number(std::string_view text);
/// The shortest digits that read back to the same bits.
std::string shortest(double value);
/// Without blanks and tabs at both ends.
std::string_view trimmed(std::string_view text);
/// The known word with the fewest edits to reach it, or "" where none comes near.
std::string nearest(std::string_view word, const std::vector<std::string>& known);
/// `a, b, c`
std::string joined(const std::vector<std::string>& words, std::string_view separator = ", ");
}  // namespace revode::host
