#pragma once
/// Shares of a count: how many of some runs did a thing, with an exact interval.
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

}  // namespace attend::compare
