#pragma once
/// What a comparison says in words: numbers with as many digits as are known, verdicts, sentences.
#include <limits>
#include <string>
#include <vector>

#include "train/study/compare/table.h"

namespace attend::compare {

/// A number with the digits that its limits leave; with `sign` in front where it is not negative.
std::string number_text(double value, const std::vector<Interval>& limits, const char* sign = "");
/// "[0.9951, 1]"
std::string limits_text(const Limits& limits, const char* sign = "");
/// "0.9987 [0.9975, 0.9999]", Student's interval over runs cut at the bounds; of one value, or of
/// equal values, "0.9987"; of none "-".
std::string with_interval(const Moments& moments, const char* sign = "",
                          const MetricRange& bounds = {-std::numeric_limits<double>::infinity(),
                                                       std::numeric_limits<double>::infinity()});
std::string p_text(const std::optional<double>& p);
/// "95 %"
std::string percent(double share);

/// Which tests decide on values: "found where the t test and the sign-flip test both find them", or
/// "with 5 seeds the t test alone decides (the sign-flip test needs 6)"; "" where none is made.
std::string decides_text(const Result& table);

/// A few words: "better", "better when it trains", "worse when it trains, trains less often", ...
std::string verdict_text(const Contrast& contrast, const Result& table);

}  // namespace attend::compare
