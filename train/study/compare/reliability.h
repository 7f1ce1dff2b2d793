#pragma once
/// Runs that failed: which they are, how often a variant has them, and who is better when all runs
/// count. Nothing here leaves a run out because it went badly.
#include <optional>
#include <span>
#include <vector>

#include "train/evaluate/metrics/metric.h"
#include "train/study/compare/limits.h"

namespace attend::compare {

/// How training went.
enum class Outcome {
    unknown,    ///< it did not end, or its process failed for reasons of the machine
    trained,    ///< it ended, and did not collapse
    collapsed,  ///< it ended with a value that says that it did not learn
    diverged,   ///< its loss was no number any more, or had run away
};
/// "trained", ...
const char* outcome_name(Outcome outcome);

/// The value beyond which a run counts as collapsed, one for all variants: the middle of a gap that
/// parts the runs of a comparison, all together, in two groups and is at least half as wide as the
/// way from `untrained`, what a model is worth that has learnt little, to the best run. So runs
/// collapse apart from the others, or not at all; and as the level does not know which run is of
/// which variant, exchanging two runs of a seed leaves all tests what they are. (tabulate() uses it
/// where a variant has runs on both sides: variants that differ as a whole differ in their values.)
/// None where there is
/// no such gap, where the gap is less than a tenth of `range` (what a metric with bounds can be;
/// infinite: of `untrained`), and of fewer than ten values.
std::optional<double> collapse_level(std::vector<double> values, double untrained, double range, Better better);

/// How many of the runs whose end is known trained, with exact limits.
struct Trained {
    int64_t count = 0, of = 0;
    Limits limits{0, 1};  ///< exact_rate()'s; 0 and 1 of no run
};
Trained trained_of(std::span<const Outcome> outcomes, double confidence);

/// Fisher's exact test (1935) of two shares, two-sided: the probability, with the sums of the table
/// as they are, of tables that are no more probable than the one that was seen.
double fisher_p(int64_t successes_a, int64_t trials_a, int64_t successes_b, int64_t trials_b);

/// The smallest p that fisher_p() can have where as many of both trained together: tests that could
/// never find anything need no correction (Tarone 1990).
double smallest_fisher_p(int64_t successes, int64_t trials_a, int64_t trials_b);

/// The probability that a run of `a` is better than one of `b`, ties as one half: the mean over all
/// pairs of runs (Agarwal et al. 2021, 4.3). Both must have values. Its limits are limits_of() with
/// the variance of DeLong, DeLong and Clarke-Pearson 1988.
struct Improvement {
    double probability = 0.5;
    Limits limits{0, 1};
};
Improvement improvement_of(std::span<const double> a, std::span<const double> b, Better better, double confidence);

}  // namespace attend::compare
