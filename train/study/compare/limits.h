#pragma once
/// Intervals of a mean over runs that never leave what a metric can be, and never have no width.
#include <optional>
#include <span>
#include <vector>

#include "train/study/compare/rates.h"

namespace attend::compare {

/// What the values of a metric can be; infinite where there is no bound.
struct MetricRange {
    double least = 0, most = 1;
    bool both() const;
    /// None where there is no bound.
    std::optional<double> lower() const;
    std::optional<double> upper() const;
};

/// An estimate with what is known of its error.
struct MeanEstimate {
    double value = 0;
    double variance = 0;  ///< of the estimate
    double degrees = 1;   ///< of freedom that the variance was estimated with
    /// The least variance that is believed: that of so many independent examples, thrice as many as
    /// there were. Runs that agree by chance do not make an interval narrower than this.
    double least_variance = 0;
    double counted = 0;  ///< examples of all runs together, each counted once a run; 0: not known
};

/// Limits of the expected value. For a metric with two bounds those of Korn and Graubard (1998) for
/// shares in a sample of clusters (here the runs): scaled to p in [0, 1],
///   n* = p (1 - p) / variance * (z / t)^2,  z and t the quantiles of the normal and Student's distribution,
/// are as many independent draws as would have that error, and the limits are those of Clopper and
/// Pearson for p n* of n*. n* is at most thrice `counted`; where p is 0 or 1 it is `counted`, or, where
/// that is not known, the number of runs. Otherwise Student's limits, cut at a bound.
Limits limits_of(const MeanEstimate& estimate, const MetricRange& bounds, double confidence);

/// Limits of the difference a - b of two estimates whose difference has the variance, the degrees
/// and the least variance of `difference` (value: a - b). For a metric with two bounds they are made
/// of the limits of a and b (Zou and Donner 2008, "MOVER"; of independent shares: Newcombe 1998):
/// with r the correlation that makes the variance of the difference what it is,
///   low = d - sqrt(x^2 - 2 r x y + y^2),  x = a - low(a), y = high(b) - b;  high with the other two,
/// and at least Student's width. Never beyond what a difference can be.
Limits difference_limits(const MeanEstimate& a, const MeanEstimate& b, const MeanEstimate& difference,
                         const MetricRange& bounds, double confidence);

/// Runs of one variant, or the differences of pairs of runs: a value of each, and, where all were
/// measured on the same examples, how much each example moves each value.
struct Sampled {
    std::vector<double> values;                  ///< [runs]
    std::vector<std::vector<double>> influence;  ///< [runs][examples], each row with sum 0; none: not known
    bool same_examples = false;                  ///< whether column e is the same example in all runs
    std::size_t examples() const { return influence.empty() ? 0 : influence.front().size(); }
};

/// What an interval is for.
enum class Population {
    seeds_alone,         ///< new seeds; whether the examples were the same for all is not known
    seeds,               ///< new seeds, on these examples
    seeds_and_examples,  ///< new seeds and new examples
};
/// "new seeds", "new seeds, these examples", "new seeds and new examples".
const char* population_name(Population population);

/// The mean of the values with its error. With the variances of a two-way layout without
/// interaction replicates (Searle, Casella and McCulloch 1992, 4), of S runs and N examples
///   V_seeds = var of the values / S,  V_examples = var over examples of their mean influence / N,
///   V_rest = mean square of what remains / (S N):
/// for new seeds V_seeds (also where examples are not known), for both V_seeds + V_examples - V_rest (V_rest is in both), at
/// least the larger of the two; its degrees of freedom by Satterthwaite (1946). Where each run has examples of its own V_seeds
/// holds their error too, and both populations are the same. Of one run only examples count. None of one run without known
/// examples.
std::optional<MeanEstimate> estimated(const Sampled& sampled, Population population);

}  // namespace attend::compare
