#pragma once
/// From the runs of a comparison to conclusions: first curves, then one value of each run, then a
/// table. contrast.h holds the tests.
#include <optional>
#include <string>
#include <vector>

#include "train/evaluate/metrics/metric.h"
#include "train/study/compare/contrast.h"
#include "train/study/compare/length_curves.h"
#include "train/study/compare/record.h"
#include "train/study/compare/survival.h"

namespace attend::compare {

/// Which of a curve's values a run is judged by.
enum class Judged { last, best };

/// What is compared, and how, with nothing left to choose.
struct Settings {
    std::string metric;
    Better better = Better::lower;
    MetricRange bounds;  ///< of the metric
    Split split = Split::valid;
    Judged judged = Judged::last;             ///< of valid and train; the test split has one value
    std::size_t reference = 0;                ///< number of a variant
    std::optional<std::size_t> null_variant;  ///< the reference with another order of batches
    std::optional<double> threshold;          ///< fixed beforehand; none: no table of times
    std::optional<double> collapsed;          ///< the value beyond which a run counts as collapsed; none: collapse_level()
    double confidence = 0.95;
    double power = 0.8;
    std::vector<int64_t> steps;
    std::optional<ByLength> by_length;  ///< none: no curve by length
    std::vector<Look> looks;            ///< earlier tables of this comparison
    /// Where curves are from: thresholds and values at steps follow what is measured on the way.
    Split curve() const { return split == Split::train ? Split::train : Split::valid; }
};

/// The look that a table with these seeds is.
Look look_with(const Settings& settings, const std::vector<int64_t>& seeds);

/// What the values of a metric can be; without bounds for what is no metric.
MetricRange bounds_of(const std::string& metric);

/// One value of a metric on the way.
struct Point {
    int64_t step = 0;
    double targets = 0, seconds = 0;
    double value = 0;
};
/// The values of a metric on a split, those that are not finite left out.
std::vector<Point> curve_of(const RunRecord& run, Split split, const std::string& metric);
/// What a finished run is judged by; none for any other, and where the metric was not measured.
std::optional<double> value_of(const RunRecord& run, const Settings& settings);

/// The time until the threshold; what is counted is restricted_mean()'s.
struct Until {
    RestrictedMean steps;
    std::optional<RestrictedMean> targets, seconds;
    std::optional<TimeContrast> contrast;  ///< in steps; none for the reference
};

struct Row {
    std::string name;
    int64_t runs = 0, finished = 0, diverged = 0, failed = 0;
    int64_t exploded = 0;  ///< of those that finished: the loss ended far above where it began; they count as diverged
    int64_t extended = 0;  ///< that were extended
    std::vector<std::optional<double>> values;  ///< of each run, in the order of the seeds
    std::vector<Outcome> outcomes;              ///< of each run
    Trained trained;
    Moments moments;               ///< of the values of the runs that trained
    std::vector<Interval> limits;  ///< of their mean
    std::optional<double> worst;   ///< the worst run's; Settings::bounds' worst, or an infinity, of one that diverged
    /// Of all runs whose end is known, a diverged one as the worst: the mean of the middle half, and
    /// for a metric with bounds the mean with the limits of bounded_mean().
    std::optional<TrimmedMean> middle;
    std::optional<double> mean_of_all;
    std::optional<Limits> limits_of_all;

    std::vector<std::optional<double>> areas;  ///< under each run's curve (run_curves.h), in the metric's unit
    Moments area;                              ///< of all of them
    std::optional<Moments> area_differences;   ///< seed by seed, variant minus reference; none for the reference
    std::optional<Until> until;                ///< none without a threshold
    std::vector<Moments> at_steps;             ///< of Settings::steps: the last value up to there, of all runs or of none

    Moments run_seconds;               ///< of finished runs
    std::vector<Moments> all;          ///< of Result::metrics, the last values of finished runs
    std::optional<Contrast> contrast;  ///< none for the reference
};

struct Result {
    Settings settings;
    std::vector<std::string> metrics;  ///< all that an evaluation of the split measured, in its order; none for train
    std::vector<int64_t> seeds;
    std::optional<double> collapse_level;  ///< beyond which a run counts as collapsed; none: no run does
    std::optional<double> horizon;         ///< up to which step curves are compared; none where no run finished
    int64_t open = 0;                      ///< runs that have not come to their end: while there are some nothing is tested
    int64_t tests = 0;                     ///< of values, and
    int64_t tests_of_trained = 0;          ///< of how often runs train: what the correction is for
    int64_t look = 1;                      ///< number of this look
    std::vector<Look> looks;               ///< with this one, where there were tests
    std::vector<Withdrawn> withdrawn;      ///< what earlier looks found and this one does not
    std::vector<Row> rows;
    std::optional<LengthCurves> by_length;  ///< as many variants as rows; where Settings::by_length asks for it
};

/// Names of what the variants' lines of a split hold, in the order of their first appearance.
std::vector<std::string> metrics_of(const std::vector<VariantRecord>& variants, Split split);

/// Works it out. Runs that did not finish have no value, and the row counts them.
Result tabulate(const std::vector<VariantRecord>& variants, const Settings& settings);

/// How many seeds the sign-flip test needs to find one of so many differences; at least least_flips.
int64_t seeds_needed(int64_t comparisons, double alpha);
/// How many seeds the tests need, said before anything is run: "10 comparisons: the sign-flip test
/// can find a difference from 9 seeds on (2^(1 - n) <= 0.05 / 10); there are 7". `alpha`: of all looks;
/// `look`: the number of the look that these seeds make. With five seeds it says what decides, and where
/// seeds can be too few and there are tests, what seeds that are added later need.
std::string seeds_text(int64_t comparisons, int64_t seeds, double alpha, int64_t look = 1);
/// "seeds that are added to this folder later make another look, whose tests are stricter: it needs 9 seeds".
std::string later_seeds_text(int64_t comparisons, double alpha, int64_t look);

}  // namespace attend::compare
