#pragma once
/// What can stand in a config, for people: `attend list` and docs/options.md. Made from the tables of the seams and the
/// options' listings, so neither can go stale.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/options.h"
#include "train/config/describe.h"

namespace attend::schema {

/// All seams, one of a kind, in the order of their kinds.
std::vector<const Seam*> seams_by_kind();

/// The options of one row, with paths relative to it. Throws Error when there is no such row.
std::vector<config::Option> row_options(const Seam& seam, const std::string& row);

/// Every row of the seam with its help, a line each.
std::string seam_text(const Seam& seam);
/// One row: its help, and every option with type, range, default and help.
std::string row_text(const Seam& seam, const std::string& row);
/// The options of a config, or of a comparison ("compare"), below `path` ("train", "train.steps"), "" where no option's path is
/// or begins with it.
std::string option_text(const std::string& path);

/// The same as data: {KIND: {"key": KEY, "rows": [{"name", "help", "options": [...]}]}}.
nlohmann::ordered_json seam_json(const Seam& seam);

/// The whole listing as a page of Markdown.
std::string options_page();

}  // namespace attend::schema
