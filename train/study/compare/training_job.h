#pragma once
/// The command that trains one run of a comparison.
#include "train/study/compare/jobs.h"
#include "train/study/compare/present.h"

namespace attend::compare {

/// "soft seed-1"
std::string run_name(const Comparison& comparison, const Planned& run);

/// What claims.h calls the run: "soft,seed-1".
std::string claim_name(const Comparison& comparison, const Planned& run);

/// Of the run with that number in `prepared`, which was found so.
Job training_job(const Comparison& comparison, const Prepared& prepared, std::size_t run, const Found& found, Extend extend);

}  // namespace attend::compare
