#pragma once
/// The options of a config for people: `attend list` and docs/options.md, made from the tables of
/// the seams and the options' listings.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/options.h"
#include "train/config/describe.h"

namespace attend::schema {

/// All seams, one of a kind, in the order of their kinds.
std::vector<const Seam*> seams_by_kind();

/// The rows of the seam with their help, a line for each.
std::string seam_text(const Seam& seam);
/// One row: its help, and each option with kind, range, default and help.
std::string row_text(const Seam& seam, const std::string& row);
/// The options of a config, or of a comparison ("compare"), at or below `path` ("train",
/// "train.steps"); "" when there are none.
std::string option_text(const std::string& path);

/// The same as data: {"key": KEY, "fallback": ROW or null, "rows": [{"name", "help", "options": [...]}]}.
nlohmann::ordered_json seam_json(const Seam& seam);

/// All options as a page of Markdown, with lines of at most 100 columns.
std::string options_page();

}  // namespace attend::schema
