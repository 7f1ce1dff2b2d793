#pragma once
/// What single examples add to the value that a run is judged by.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/task.h"
#include "train/evaluate/example_scores.h"
#include "train/evaluate/metrics/bootstrap.h"
#include "train/study/compare/rates.h"

namespace attend::compare {

/// A run's examples of a split and how much each moves the metric.
struct Examples {
    std::string fingerprint;        ///< equal where the same examples were scored
    std::vector<int64_t> numbers;   ///< in the split, rising; those alone that count for the metric
    std::vector<double> influence;  ///< as many
};

/// How far each example moves the value: with `value` that of all N examples,
///   influence_e = (N - 1) (value - value without example e),
/// the pseudo-value of the jackknife less the value (Tukey 1958). For a mean over examples that is
/// x_e - mean; for a quotient of sums, or BLEU, it is its linear part. 0 where the value without e is
/// not defined.
std::vector<double> influence_of(const Metric& metric, const std::vector<Statistics>& of);

/// Limits of a share for new examples, from one run: exact_rate() where each example counts 0 or 1
/// and the metric is their mean, limits_of() otherwise. None for a metric that is no share (from 0 to
/// 1), and of no example.
std::optional<Limits> limits_of_share(const Metric& metric, const std::vector<Statistics>& of, double confidence);

/// The limits for new examples, from one run, that `attend eval` prints: limits_of_share(), and of what
/// is no share those of the bootstrap. None where neither has any, and without resamples.
std::optional<Limits> limits_for_new_examples(const Metric& metric, const std::vector<Statistics>& of,
                                              const BootstrapSetup& setup);

/// The scores of one metric alone, of the examples that count for it, as Examples.
Examples examples_of(const ExampleScores& scores);

/// Reads what a run's folder keeps (train/records/example_scores.h) of the metric. None where it
/// keeps nothing of that split at that step, or not of that metric. Throws Error as read_scores(), and
/// where the examples do not add up to the run's `value`: the file is of another run or damaged.
std::optional<ExampleScores> read_metric_scores(const std::filesystem::path& folder, Split split, int64_t step,
                                                const std::string& metric, double value);
/// The same as Examples.
std::optional<Examples> read_examples(const std::filesystem::path& folder, Split split, int64_t step, const std::string& metric,
                                      double value);

}  // namespace attend::compare
