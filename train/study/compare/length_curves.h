#pragma once
/// The metric of a comparison by the length of the test examples: for each variant the means over
/// seeds, with intervals, as in figure 2 of Bahdanau et al. 2015.
#include <optional>
#include <string>
#include <vector>

#include "core/base/options.h"
#include "train/records/by_length.h"
#include "train/study/compare/contrast.h"
#include "train/study/compare/record.h"

namespace attend::compare {

/// What is asked for.
struct ByLength {
    Side side = Side::source;
    std::vector<int64_t> edges;  ///< the greatest length of each bin but the last; none: bins_for() the data
};
/// The rows of compare.by_length; "none" builds none.
const Table<std::optional<ByLength>()>& by_length_table();

/// The runs of one variant that trained, in one bin.
struct LengthMean {
    std::size_t bin = 0;           ///< its number in LengthCurves::bins
    int64_t runs = 0;              ///< that have examples here
    int64_t examples = 0;          ///< different ones that count for the metric: where all runs have the same, of one run
    double length = 0;             ///< mean over the examples of all runs
    Moments moments;               ///< of the runs' values, each of the bin's examples
    std::vector<Interval> limits;  ///< of their mean (intervals_of())
};

struct LengthCurves {
    Side side = Side::source;
    std::string missing;                            ///< why there are no curves; "" where there are some
    std::vector<LengthBin> bins;                    ///< of all variants
    std::vector<std::vector<LengthMean>> variants;  ///< of each the bins that have examples, by rising length
};

/// From the runs that trained, which need to have kept their scores (with_examples()); `outcomes` of
/// each run of each variant. A run without examples in a bin has no part in its mean.
LengthCurves length_curves(const std::vector<VariantRecord>& variants, const std::vector<std::vector<Outcome>>& outcomes,
                           const std::string& metric, const ByLength& asked, const Testing& testing);

}  // namespace attend::compare
