#pragma once
/// Cells of comma-separated values (RFC 4180).
#include <string>
#include <string_view>

#include "core/base/integers.h"

namespace attend::cli {

/// A text as a cell: in quotes where it holds a comma, a quote or a line's end. A spreadsheet runs
/// a text that begins with one of = + - @, a tab or a carriage return as a formula, so such a text
/// gets an apostrophe in front; "-inf" is a number and stays.
std::string csv_text(std::string_view text);

/// What JSON writes for a number, true, false, null, a list or an object: as it is, in quotes where
/// it must be.
std::string csv_number(std::string_view written);

}  // namespace attend::cli
