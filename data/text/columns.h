#pragma once
/// Lines of columns with a tab between them. A tab cannot stand inside a column: there is no quoting.
#include <string_view>
#include <vector>

#include "data/text/tokenizer.h"

namespace attend::inline ATTEND_PRECISION {

/// The columns of a line, one more than it has tabs.
std::vector<std::string_view> split_columns(std::string_view line);

/// The columns of line i. Throws Error naming file and line unless there are `expected`; `hint`, if any, goes behind it.
std::vector<std::string_view> columns_of(const TextFile& file, int64_t i, int64_t expected, std::string_view hint = "");

}  // namespace attend::inline ATTEND_PRECISION
