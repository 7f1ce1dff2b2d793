#pragma once
/// From the runs of a comparison to conclusions: first curves, then one value of each run, then a
/// table.
#include <optional>
#include <string>
#include <vector>

#include "train/evaluate/metrics/metric.h"
#include "train/study/compare/record.h"
#include "train/study/compare/statistics.h"

namespace attend::compare {

/// Which of a curve's values a run is judged by.
enum class Judged { last, best };

/// What is compared, and how, with nothing left to choose.
struct Settings {
    std::string metric;
    Better better = Better::lower;
    Split split = Split::valid;
    Judged judged = Judged::last;     ///< of valid and train; the test split has one value
    std::size_t reference = 0;        ///< number of a variant
    std::optional<double> threshold;  ///< none: what the reference reaches with every seed
    double confidence = 0.95;
    double power = 0.8;
    std::vector<int64_t> steps;
    /// Where curves are from: thresholds and values at steps follow what is measured on the way.
    Split curve() const { return split == Split::train ? Split::train : Split::valid; }
};

/// One value of a metric on the way.
struct Point {
    int64_t step = 0;
    double targets = 0, seconds = 0;
    double value = 0;
};
/// The values of a metric on a split, those that are not finite left out.
std::vector<Point> curve_of(const RunRecord& run, Split split, const std::string& metric);
/// The moments of a member of points.
template <class T>
Moments moments_of(const std::vector<Point>& points, T Point::*member, double confidence) {
    std::vector<double> values;
    for (const Point& p : points) values.push_back(static_cast<double>(p.*member));
    return moments_of(values, confidence);
}
/// What a finished run is judged by; none for any other, and where the metric was not measured.
std::optional<double> value_of(const RunRecord& run, const Settings& settings);

enum class Verdict {
    better,
    worse,
    not_distinguishable,
    no_spread,  ///< the same difference with every seed, other than 0: the test has no spread to go by
    too_few,    ///< fewer than two seeds finished in both
};
/// "better", "worse", "not distinguishable", ...
const char* verdict_name(Verdict verdict);

/// A variant against the reference, seed by seed.
struct Contrast {
    Moments differences;              ///< variant minus reference, over the seeds that finished in both
    std::optional<double> p;          ///< of the paired t test, two-sided
    std::optional<double> corrected;  ///< for the number of variants (Holm)
    Verdict verdict = Verdict::too_few;
    /// The level at which Holm's procedure tests the first difference that it does not find: alpha
    /// / the number not found.
    double level = 0;
    /// How many more seeds would find a difference and a spread as observed, with the power asked
    /// for, at that level; none where 10,000 are not enough, or no difference was observed.
    std::optional<int64_t> seeds_more;
    /// The smallest difference that these seeds would find with that power, at that level and with
    /// the observed spread.
    std::optional<double> detectable;
};

struct Row {
    std::string name;
    int64_t runs = 0, finished = 0, diverged = 0, failed = 0;
    int64_t exploded = 0;                            ///< of those that finished: the loss ended far above where it began
    int64_t extended = 0;                            ///< that were extended
    std::vector<std::optional<double>> values;       ///< of each run, in the order of the seeds
    Moments moments;                                 ///< of those there are
    std::vector<std::optional<Point>> at_threshold;  ///< of each run
    Moments steps, targets, seconds;                 ///< until the threshold, of the runs that reached it
    std::vector<Moments> at_steps;                   ///< of Settings::steps: the last value up to there
    Moments run_seconds;                             ///< of finished runs
    std::vector<Moments> all;                        ///< of Result::metrics, the last values of finished runs
    std::optional<Contrast> contrast;                ///< none for the reference
};

struct Result {
    Settings settings;
    std::vector<std::string> metrics;  ///< all that an evaluation of the split measured, in its order; none for train
    std::vector<int64_t> seeds;
    std::optional<double> threshold;  ///< given or found
    std::vector<Row> rows;
};

/// Names of what the variants' lines of a split hold, in the order of their first appearance.
std::vector<std::string> metrics_of(const std::vector<VariantRecord>& variants, Split split);

/// Works it out. Runs that did not finish have no value, and the row counts them.
Result tabulate(const std::vector<VariantRecord>& variants, const Settings& settings);

}  // namespace attend::compare
