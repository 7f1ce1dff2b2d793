#pragma once
/// The statistics of a comparison: means over seeds, the paired t test, Holm's correction, power.
/// The distributions are Boost.Math's. All in double, whatever `real` is.
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
