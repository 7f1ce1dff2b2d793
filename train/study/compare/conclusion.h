#pragma once
/// From the runs that are there to the table and the files that show it.
#include <map>

#include "train/study/compare/claims.h"
#include "train/study/compare/compare.h"

namespace attend::compare {

/// How a run ended, by its summary alone, which is small: finished, diverged, unfinished or missing.
Ending ending_in_summary(const std::filesystem::path& folder);
/// Whether nothing more is to be done: finished, diverged or failed.
bool is_over(Ending ending);

struct RunEnd {
    Ending ending = Ending::missing;
    std::string message;  ///< why it failed
};
/// How the run ended that `claims` knows as `name`. The mark of a failure counts until the run has
/// come to another end.
RunEnd end_of(const Claims& claims, const std::string& name, const std::filesystem::path& folder);

/// Reads all runs and draws the table. `failures` are messages of runs that failed, by their number
/// in `prepared`. Warns of runs that other programs made.
Compared conclude(const Comparison& comparison, const Prepared& prepared, const std::map<std::size_t, std::string>& failures,
                  Observer& log);

/// compare.json as a text.
std::string json_file(const Compared& compared);

/// The runs of a folder as they are, read without running anything: what `attend report` shows of a
/// comparison. Neither data nor models are needed where comparison.json keeps what was built of
/// them. Throws Error as kept_preparation() and prepare().
Compared present_comparison(const Comparison& comparison, const std::filesystem::path& root);

}  // namespace attend::compare
