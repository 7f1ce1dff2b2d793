#pragma once
/// Lines of columns with a tab between them. A tab cannot be inside a column: there is no quoting.
#include <string_view>
#include <vector>

#include "data/text/tokenizer.h"

namespace attend {

/// The columns of a line, one more than it has separators.
std::vector<std::string_view> split_columns(std::string_view line, char separator = '\t');

/// The names of the columns in the first line, where it is a header, else as many empty texts.
/// Throws Error when the file has no row beside the header, or the header is not valid UTF-8.
std::vector<std::string> column_names(const TextFile& file, bool header);

/// Which of `names` (column_names) an entry of data.OPTION means, from 0: its number from 1, digits
/// alone are always a number, or with a header its name. Throws Error when there is no such column
/// or the header has the name twice.
std::size_t find_column(const char* option, const std::string& entry, const std::vector<std::string>& names, bool header,
                        const std::string& file);

/// The hint for columns_of() where all rows of a file must have the same columns.
constexpr std::string_view same_columns = "every row has as many columns as the first line";

/// The columns of line i. Throws Error naming file and line unless there are `expected`; `hint`, if
/// any, follows it.
std::vector<std::string_view> columns_of(const TextFile& file, int64_t i, int64_t expected, std::string_view hint = "");

}  // namespace attend
