#pragma once
/// From the runs that are there to the table and the files that show it.
#include <map>

#include "train/study/compare/compare.h"

namespace attend::compare {

/// Reads all runs and draws the table. `failures` are messages of runs that failed, by their number
/// in `prepared`. Warns of runs that other programs made.
Compared conclude(const Comparison& comparison, const Prepared& prepared, const std::map<std::size_t, std::string>& failures,
                  Observer& log);

/// compare.json as a text.
std::string json_file(const Compared& compared);

/// The runs of a folder as they are, read without running anything: what `attend report` shows of a
/// comparison. Throws Error as prepare().
Compared present_comparison(const Comparison& comparison, const std::filesystem::path& root);

}  // namespace attend::compare
