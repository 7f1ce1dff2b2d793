#pragma once
/// The statistics of a comparison: means over seeds, the paired t test and the sign-flip test,
/// Holm's correction, power. The distributions are Boost.Math's. All in double, whatever `real` is.
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/base/integers.h"

namespace attend::compare {

/// Mean and spread of some values.
struct Moments {
    int64_t count = 0;
    double mean = 0;       ///< NaN of none
    double deviation = 0;  ///< sqrt(sum (x - mean)^2 / (n - 1)); 0 of one value, and where all differ by rounding alone
    /// Half the width of the interval that holds the mean with probability `confidence`, of
    /// independent normal values: t_{(1 + confidence) / 2, n - 1} deviation / sqrt(n) (Student
    /// 1908). None of fewer than two values.
    std::optional<double> half_width;
};
Moments moments_of(std::span<const double> values, double confidence = 0.95);

/// P(|T| >= |t|) of Student's t with so many degrees of freedom (at least 1).
double two_sided_p(double t, double degrees);
/// The t > 0 with two_sided_p(t, degrees) = alpha.
double critical_t(double alpha, double degrees);

/// The paired t test of differences: t = mean sqrt(n) / deviation with n - 1 degrees of freedom.
/// None of fewer than two differences, and where they do not differ among themselves, so that there
/// is no spread to go by; but 1 where all are 0.
std::optional<double> paired_p(const Moments& differences);

/// The exact sign-flip test of differences (Fisher 1935, 21): where swapping the two of a pair would
/// be as likely, every choice of signs is; p is the share of all 2^n choices whose sum is at least
/// as far from 0 as the one that was seen. It knows no distribution, and cannot be smaller than
/// smallest_flip_p(n). 1 where all differences are 0; none of no difference. Exact up to 40
/// differences; of more, from 2^17 choices drawn from a fixed stream.
std::optional<double> sign_flip_p(std::span<const double> differences);
/// 2^(1 - n): all signs as seen, or all turned.
double smallest_flip_p(int64_t pairs);
/// The smallest number of pairs with which the sign-flip test can find something in one of `tests`
/// tests at level alpha, corrected as the first of Holm's: 2^(1 - n) <= alpha / tests.
int64_t pairs_for_flip(int64_t tests, double alpha);

/// The mean of the middle half of some values (of n the floor(n / 4) smallest and as many of the
/// largest are left out), of at least one value: one failed seed among five does not move it.
/// Called the inter-quartile mean by Agarwal et al. 2021. The interval is that of a trimmed mean
/// (Tukey and McLaughlin 1963): with g left out at each side, h = n - 2 g, and s_w the deviation of
/// the values of which those left out count as their nearest neighbour that is in,
///   t_{(1 + confidence) / 2, h - 1} s_w sqrt(n - 1) / sqrt(h (h - 1)).
/// None of fewer than two values inside.
struct TrimmedMean {
    double mean = 0;
    std::optional<double> half_width;
};
TrimmedMean trimmed_mean(std::vector<double> values, double confidence = 0.95);

/// The noncentrality delta, over sqrt(n), with which a value of at most `t` has that probability:
/// for each end of an interval of the effect (mean / deviation) of n pairs whose paired t is t
/// (Steiger and Fouladi 1997).
double effect_at(double t, int64_t pairs, double probability);

/// Probability that the two-sided t test at level `alpha` with `pairs` pairs (at least 2) finds a
/// mean difference that is `effect` >= 0 times the differences' standard deviation: P(|T'| >
/// critical_t), where T' follows the noncentral t distribution with pairs - 1 degrees of freedom
/// and noncentrality effect sqrt(pairs) (Cohen 1988, 2.5; Johnson, Kotz and Balakrishnan 1995, 31).
double power_of(double effect, int64_t pairs, double alpha);

/// The smallest number of pairs with at least that power; none where `most` are not enough (an
/// effect of 0 among them).
std::optional<int64_t> pairs_needed(double effect, double alpha, double power, int64_t most = 10'000);
/// The effect that is found with that power.
double smallest_effect(int64_t pairs, double alpha, double power);

/// Each p value corrected for there being several, in the given order: in the order of their size,
/// p_(i) becomes the largest of (m - j + 1) p_(j) for j <= i, at most 1 (Holm 1979). The chance of
/// one false finding or more then stays below alpha.
std::vector<double> holm(std::span<const double> p);

}  // namespace attend::compare
