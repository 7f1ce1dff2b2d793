#pragma once
/// A variant against the reference. Three questions, never confused: who is better when both train,
/// who trains more often, and whose mean over all seeds is better.
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "train/study/compare/examples.h"
#include "train/study/compare/limits.h"
#include "train/study/compare/looks.h"
#include "train/study/compare/reliability.h"
#include "train/study/compare/statistics.h"

namespace attend::compare {

/// Fewest seeds with which both train, for a verdict, and for one of the sign-flip test's.
inline constexpr int64_t least_pairs = 5, least_flips = 6;

/// One run as the statistics see it.
struct Judgement {
    Outcome outcome = Outcome::unknown;
    std::optional<double> value;       ///< of a run that ended
    std::optional<Examples> examples;  ///< that the value is made of, where they are kept
};

/// What a run counts as where none is left out: `worst` where it diverged. None of one whose end is
/// not known.
std::optional<double> counted_value(const Judgement& run, double worst);
std::vector<double> counted_values(std::span<const Judgement> runs, double worst);

/// Whether runs of a comparison have not come to their end yet. Then nothing is tested: who looks
/// until there is a finding will have one.
enum class Open { no, yes };

/// What is tested, and how.
struct Testing {
    Better better = Better::lower;
    MetricRange bounds;
    double confidence = 0.95;
    double power = 0.8;
    Open open = Open::no;
    int64_t look = 1;  ///< number of this look (looks.h)
    double worst = 0;  ///< the value that a diverged run counts as
    double level() const { return level_of_look(look, 1 - confidence); }
};

enum class Verdict {
    better,
    worse,
    not_distinguishable,
    too_few,  ///< fewer than least_pairs seeds: values, and no verdict
};
/// "better", "worse", "not distinguishable", "too few seeds".
const char* verdict_name(Verdict verdict);

/// Limits of a mean and what they are for. Where there are several of one mean, those for new seeds and new examples hold
/// those for new seeds on these examples.
struct Interval {
    Population population = Population::seeds;
    Limits limits;
};

/// The mean of the runs that trained, with its limits; one interval where both populations are the
/// same, or examples are not kept. None of no run.
std::vector<Interval> intervals_of(std::span<const Judgement> runs, const Testing& testing);

/// How many more seeds a test would need.
struct SeedsMore {
    int64_t low = 0;              ///< where the difference is as large as it may be
    std::optional<int64_t> high;  ///< where it is as small; none: there may be no difference at all
};

struct Contrast {
    int64_t pairs = 0;                        ///< seeds with which both trained
    bool other_examples = false;              ///< the two were measured on other examples: no verdict on values
    Moments differences;                      ///< variant minus reference, over those
    std::vector<Interval> limits;             ///< of their mean
    int64_t better_with = 0, worse_with = 0;  ///< of those seeds
    std::optional<double> p_t;                ///< of the paired t test, two-sided; none where all differ by the same
    std::optional<double> p_flip;             ///< of the sign-flip test; none of fewer than least_flips pairs
    std::optional<double> p;                  ///< the larger of both: a difference is found only where both find it
    std::optional<double> corrected;          ///< for the number of variants (Holm) and of looks
    Verdict verdict = Verdict::too_few;       ///< when both train

    /// The level at which Holm's procedure tests the first difference that it does not find.
    double level = 0;
    std::optional<SeedsMore> seeds_more;  ///< of a difference that was not found; at the next look's level
    /// The smallest difference that these seeds find with that power, at that level and with the
    /// observed spread; none where the sign-flip test can find nothing.
    std::optional<double> detectable;

    std::optional<Improvement> improvement;  ///< of all runs, a diverged one as the worst
    /// Fisher's test of how often both train; corrected where it could have found anything.
    std::optional<double> p_trained, corrected_trained;
    Verdict reliability = Verdict::too_few;  ///< better: the variant trains more often

    /// Of the difference of the means over all seeds, a diverged run as the worst: limits that no
    /// rare failure can break (bounded_mean(), for the number of variants and looks); none for a
    /// metric without bounds.
    std::optional<Limits> of_all;
    int64_t seeds = 0;  ///< that it is of: those with which the end of both runs is known
    Verdict mean = Verdict::too_few;
};

/// All of a comparison, and how many tests they were corrected for.
struct Contrasts {
    std::vector<Contrast> all;
    int64_t tests = 0;             ///< of values
    int64_t tests_of_trained = 0;  ///< of how often runs train, of those that could have found anything
};

/// Each variant against the reference, in the order given; `variants` without the reference. All have
/// the same seeds.
Contrasts contrasts_of(const std::vector<std::vector<Judgement>>& variants, const std::vector<Judgement>& reference,
                       const Testing& testing);

}  // namespace attend::compare
