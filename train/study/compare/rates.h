#pragma once
/// Intervals that assume no distribution: of a share (how many of some runs did a thing), and of the
/// mean of values with a least and a largest possible value.
#include <span>

#include "core/base/integers.h"

namespace attend::compare {

/// Confidence limits.
struct Limits {
    double low = 0, high = 0;
};

/// The exact interval of a probability p of which `successes` in `trials` (at least 1)
/// independent trials are known: all p under which neither so many or more successes nor so few or
/// fewer has a probability below (1 - confidence) / 2 (Clopper and Pearson 1934). It holds p at
/// least as often as `confidence` says, whatever p is. At 0 successes it begins at 0, at `trials`
/// it ends at 1. Throws MachineError for a count below 0 or above `trials`.
Limits exact_rate(int64_t successes, int64_t trials, double confidence = 0.95);

/// The same for x successes in n trials where neither need be a whole number, 0 <= x <= n.
Limits rate_limits(double successes, double trials, double confidence);

/// An interval of the mean of a distribution on [least, most], from independent values of it (at
/// least 1, all in there) (Gaffke 2005; Learned-Miller and Thomas 2020). It knows that a few values
/// say little about what happens seldom: of five runs none of which failed it reaches as far as if
/// half of all runs failed, where Student's interval is as narrow as those five. Of values that are
/// all `least` or `most` it is exact_rate()'s. No distribution is known whose mean it holds less
/// often than `confidence` says; that there is none is not proven. Throws MachineError for a value
/// outside.
Limits bounded_mean(std::span<const double> values, double least, double most, double confidence = 0.95);
/// The same where values are known only to lie in [lower, upper], each: the limits of all that they
/// can be. As many of both.
Limits bounded_mean(std::span<const double> lower, std::span<const double> upper, double least, double most,
                    double confidence = 0.95);

}  // namespace attend::compare
